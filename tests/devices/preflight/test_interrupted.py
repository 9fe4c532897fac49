"""A check that the IOC or the network interrupts: what was found stays, and nothing is blamed."""

from __future__ import annotations

import pathlib
import signal
from typing import Any

import pytest

from adsupport.devices import check
from adsupport.devices.preflight import checks, connected, probe
from adsupport.errors import ConnectionTimeoutError

pytestmark = pytest.mark.slow


def test_the_ioc_is_lost_during_a_check(det: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise TimeoutError("no answer")

    monkeypatch.setattr(checks, "check_camera", gone)
    report = check(det)
    (finding,) = report.errors
    assert "the IOC was lost during the check" in finding.what
    assert "no answer" in finding.what
    assert report.of("ok")  # what was found before


def test_signals_that_are_still_coming_prove_nothing(
    det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: Any, **__: Any) -> None:
        det.hdf1.file_path._metadata["connected"] = False
        raise ConnectionTimeoutError("not connected", ["ad:HDF1:FilePath"], arriving=True)

    monkeypatch.setattr(connected, "connect", too_slow)
    try:
        (finding,) = check(det, timeout=0.1).findings
    finally:
        det.hdf1.file_path._metadata["connected"] = True
    assert (finding.severity, finding.subject) == ("error", "ad:")
    assert "more were coming" in finding.what
    assert "longer timeout" in finding.remedy


def test_a_check_that_is_ended_while_it_writes_puts_all_back(
    det: Any, disk: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "auto_save auto_increment file_write_mode file_template file_name file_path".split()
    before = {name: getattr(det.hdf1, name).get() for name in names}

    def end(plugin: Any, path: str) -> None:
        assert plugin.file_name.get().startswith("adsupport-probe-")
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(probe, "put_file_path", end)
    with pytest.raises(SystemExit) as stop:
        check(det, write=True)
    assert stop.value.code == 128 + signal.SIGTERM
    assert stop.value.__notes__ == ["the settings of ad:HDF1: are put back"]
    assert {name: getattr(det.hdf1, name).get() for name in names} == before
    assert list(disk.rglob("adsupport-probe-*")) == []


def test_what_a_probe_that_was_killed_has_left_is_told(det: Any) -> None:
    det.hdf1.auto_increment.put(0, wait=True)
    det.hdf1.file_name.put("adsupport-probe-0123", wait=True)
    told = [each for each in check(det, write=True).warnings if "was cut off" in each.what]
    assert [each.subject for each in told] == ["ad:HDF1:FileName"]
    assert "AutoIncrement" in told[0].remedy
