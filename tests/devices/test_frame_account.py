"""Files that change behind our back, frames with names, queues that are late."""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import AD_full_file_name_local
from adsupport.devices.files import end as file_end
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import AcquireTimeoutError, DroppedFramesError, FileWriteError
from adsupport.plans import prepare_count


def _lose_directory(file: pathlib.Path) -> None:
    file.parent.rename(file.parent.with_name("gone"))


@pytest.fixture
def during(engine: Any, documents: Any, det: Any) -> Any:
    """Do something to the file of a run after its first event."""

    def arrange(act: Any) -> None:
        def watch(name: str, _: dict[str, Any]) -> None:
            if name == "event" and len(documents.of("event")) == 1:
                act(AD_full_file_name_local(det.hdf1))

        engine.subscribe(watch)

    det.hdf1.file_timeout = 0.2
    return arrange


@pytest.mark.parametrize("act", [_lose_directory, pathlib.Path.unlink])
def test_a_file_lost_in_mid_run_fails_the_run(
    engine: Any, det: Any, during: Any, unchanged: Any, act: Any
) -> None:
    engine(prepare_count(det.hdf1, "lost", 0.001, 0.002, 2))
    during(act)
    with unchanged(det), pytest.raises(FileWriteError, match=r"lost_0000\.h5 doesn't exist here"):
        engine(bp.count([det], num=2))
    report = det.hdf1.file_report
    assert (report.expected, report.got, report.verified) == (4, 0, True)
    engine(prepare_count(det.hdf1, "next", 0.001, 0.002, 2))
    engine(bp.count([det]))


@pytest.mark.parametrize("policy", ["warn", "record"])
def test_a_lost_file_can_be_reported_instead(
    engine: Any, det: Any, during: Any, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    det.frame_policy = policy
    engine(prepare_count(det.hdf1, "lost", 0.001, 0.002, 2))
    during(pathlib.Path.unlink)
    with caplog.at_level(logging.WARNING, "adsupport"):
        engine(bp.count([det], num=2))
    assert isinstance(det.hdf1.file_report.error(), FileWriteError)
    assert ("doesn't exist here" in caplog.text) == (policy == "warn")


def test_a_file_that_is_cut_off_when_it_is_closed_fails_the_run(
    engine: Any, det: Any, monkeypatch: pytest.MonkeyPatch, unchanged: Any
) -> None:
    true_end = file_end.end_capture

    def end_and_cut(plugin: Any) -> None:
        true_end(plugin)
        os.truncate(AD_full_file_name_local(plugin), 2_000_000)

    det.hdf1.file_timeout = 0.1
    engine(prepare_count(det.hdf1, "cut", 0.001, 0.002, 3, compression="None"))
    monkeypatch.setattr(file_end, "end_capture", end_and_cut)
    with unchanged(det), pytest.raises(FileWriteError, match="of 2000000 bytes can't be read"):
        engine(bp.count([det]))


def test_verification_can_be_left_out(engine: Any, det: Any, during: Any) -> None:
    det.hdf1.verify_files = False
    engine(prepare_count(det.hdf1, "trusted", 0.001, 0.002, 2))
    during(pathlib.Path.unlink)
    engine(bp.count([det], num=2))
    assert (det.hdf1.file_report.verified, det.hdf1.file_report.got) == (False, None)


def test_a_file_that_cannot_be_seen_here_is_said_to_be_unverified(
    engine: Any, det: Any, disk: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    det.hdf1.write_path_template = f"{disk}/ioc/"
    det.hdf1.read_path_template = f"{disk}/not-mounted/"
    det.hdf1.if_exists = "allow"
    det.hdf1.file_path.set(f"{disk}/ioc/", timeout=5).wait()
    with caplog.at_level(logging.WARNING, "adsupport"):
        engine(bp.count([det]))
    report = det.hdf1.file_report
    assert (report.verified, report.got, report.problems) == (False, None, ())
    assert "not-mounted isn't here" in report.note
    assert report.note in caplog.text


def test_dropped_frames_are_named(
    adsim: Any, engine: Any, det: Any, unchanged: Any, documents: Any
) -> None:
    engine(prepare_count(det.hdf1, "named", 0.001, 0.002, 5))
    with (
        unchanged(det),
        adsim.fault("queue-overflow", "HDF1", after=6, count=2),
        pytest.raises(FailedStatus) as caught,
    ):
        engine(bp.count([det], num=3))
    error = caught.value.__cause__
    assert isinstance(error, DroppedFramesError)
    first = documents.of("event")[0]["data"]["det_first_unique_id"]
    assert error.missing == (first + 6, first + 7)
    assert f"Missing unique ids: {first + 6}-{first + 7}." in str(error)
    assert (error.plugin, error.expected, error.got) == ("det_hdf1", 5, 3)
    with h5py.File(AD_full_file_name_local(det.hdf1)) as file:
        ids = list(file["entry/instrument/NDAttributes/NDArrayUniqueId"])
    assert ids == [first + i for i in (0, 1, 2, 3, 4, 5, 8, 9)]


def test_a_plan_may_take_a_failed_point_again(
    adsim: Any, engine: Any, det: Any, documents: Any
) -> None:
    def stubborn() -> Any:
        yield from bps.stage(det)
        yield from bps.open_run()
        with contextlib.suppress(FailedStatus):
            yield from bps.trigger_and_read([det])
        yield from bps.trigger_and_read([det])
        yield from bps.close_run()
        yield from bps.unstage(det)

    engine(prepare_count(det.hdf1, "again", 0.001, 0.002, 3))
    with adsim.fault("queue-overflow", "HDF1", after=1, count=1):
        engine(stubborn())
    torn, whole = det.hdf1.file_reports
    assert (torn.expected, torn.got, whole.expected, whole.got) == (3, 2, 3, 3)
    assert whole.problems == () and torn.file != whole.file
    (event,) = documents.of("event")
    resource = documents.of("resource")[-1]
    assert event["data"]["det_image"].startswith(resource["uid"])


def test_a_file_lost_after_a_point_was_taken_again_is_told(
    adsim: Any, engine: Any, det: Any, documents: Any, during: Any
) -> None:
    def stubborn() -> Any:
        with contextlib.suppress(FailedStatus):
            yield from bps.trigger_and_read([det])
        yield from bps.trigger_and_read([det])

    engine(prepare_count(det.hdf1, "again", 0.001, 0.002, 3))
    during(pathlib.Path.unlink)
    with (
        adsim.fault("queue-overflow", "HDF1", after=1, count=1),
        pytest.raises(FileWriteError, match=r"again_0001\.h5 doesn't exist here"),
    ):
        engine(bpp.stage_wrapper(bpp.run_wrapper(stubborn()), [det]))


def test_a_late_plugin_is_named_and_writes_no_file_of_its_own(
    adsim: Any, engine: Any, det: Any, disk: pathlib.Path
) -> None:
    det.acquire_allowance = 0.5
    det.hdf1.drain_timeout = 0.3
    engine(prepare_count(det.hdf1, "late", 0.001, 0.005, 5))
    before = det.hdf1.file_write_mode.get(as_string=True)
    assert (before, det.hdf1.auto_save.get(as_string=True)) == ("Single", "Yes")
    with adsim.fault("slow-plugin", "HDF1"), pytest.raises(FailedStatus) as caught:
        engine(bp.count([det]))
    error = caught.value.__cause__
    assert isinstance(error, AcquireTimeoutError)
    assert "hdf1 has had 0 of 5" in str(error)
    assert "4 of 20 in the queue of hdf1 (ad:HDF1:QueueFree 16)" in str(error)
    assert wait_for(lambda: not det.cam.num_queued_arrays.get(use_monitor=False), 20)
    files = {path.name for path in (disk / "ioc").rglob("late_*")}
    assert files == {"late_0000.h5"}
    det.unstage()
    assert det.hdf1.file_write_mode.get(as_string=True) == "Single"


def test_arrays_of_a_slow_plugin_get_into_the_file_of_the_run_that_failed(
    adsim: Any, engine: Any, det: Any
) -> None:
    det.acquire_timeout = 0.3
    engine(prepare_count(det.hdf1, "drained", 0.001, 0.005, 5))
    with adsim.fault("slow-plugin", "HDF1", seconds=0.2), pytest.raises(FailedStatus):
        engine(bp.count([det]))
    assert det.hdf1.num_captured.get(use_monitor=False) == 5
    assert det.hdf1.file_write_mode.get(as_string=True) == "Single"


def test_frames_of_another_size_are_told_with_the_right_advice(
    adsim: Any, engine: Any, det: Any
) -> None:
    engine(prepare_count(det.hdf1, "size", 0.001, 0.002, 5))
    with (
        adsim.fault("wrong-size", "cam1", after=2, frames=2),
        pytest.raises(FailedStatus) as caught,
    ):
        engine(bp.count([det]))
    text = str(caught.value.__cause__)
    assert "wrote 3 frames, expected 5. 2 frames reached it and were refused" in text
    assert "'Invalid frame. Ignoring.'" in text and "region, binning" in text
    assert len(caught.value.__cause__.missing) == 2
