"""A put whose answer is long in coming: nothing else that the client asks may wait for it."""

from __future__ import annotations

from typing import Any

from adsupport.devices.files.capture import begin_capture, end_capture
from adsupport.devices.signals.reading import read_signals


def test_captures_that_end_one_after_the_other_do_not_hold_up_the_circuit(
    adsim: Any, det: Any
) -> None:
    # A second put-callback on a channel before the first is answered blocks the client's circuit.
    writer = det.hdf1
    writer.enable.set(1, timeout=5).wait()
    writer.file_write_mode.set("Stream", timeout=5).wait()
    writer.num_capture.set(0, timeout=5).wait()
    with adsim.fault("delay-completion", "HDF1:Capture", seconds=6):
        for _ in range(2):
            begin_capture(writer)
            end_capture(writer)
            assert read_signals({"time": det.cam.acquire_time}, timeout=2)
