"""One acquisition per trigger: completion, progress, limit, and frames that are counted."""

from __future__ import annotations

import re
import threading
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky.utils import FailedStatus, RunEngineInterrupted
from ophyd import Signal

from adsupport.devices.acquisition import trigger
from adsupport.devices.acquisition.status import AcquireStatus
from adsupport.devices.signals import reading as signal_io
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import (
    AcquireTimeoutError,
    ConfigurationError,
    DroppedFramesError,
    FrameCountError,
    NotStagedError,
)


@pytest.fixture
def camera_only(det: Any) -> Any:
    """The detector without its writer, so that a trigger is as short as it can be."""
    det.hdf1.disable_on_stage()
    det.image.disable_on_stage()
    return det


def deliver_no_monitor(detector: Any) -> Any:
    """Let a staged detector live on what it asks for; return its account of the frames."""
    detector._completion._monitors.stop()
    return detector._completion.account


@pytest.mark.parametrize(
    "exposure", [0.0, *(pytest.param(each, marks=pytest.mark.slow) for each in (0.001, 0.01))]
)
def test_every_trigger_returns_a_status_that_ends(
    engine: Any, documents: Any, camera_only: Any, exposure: float
) -> None:
    # With ophyd's trigger a callback may clear the status before it is returned.
    camera_only.cam.acquire_time.set(exposure, timeout=5).wait()
    camera_only.cam.acquire_period.set(exposure, timeout=5).wait()
    for _ in range(2):
        engine(bp.count([camera_only], num=50))
    assert len(documents.of("event")) == 100
    assert [d["exit_status"] for d in documents.of("stop")] == ["success"] * 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("exposure", [0.0, 0.001, 0.01])
def test_sixty_of_sixty_counts_of_a_hundred(
    engine: Any, documents: Any, camera_only: Any, exposure: float
) -> None:
    camera_only.cam.acquire_time.set(exposure, timeout=5).wait()
    camera_only.cam.acquire_period.set(exposure, timeout=5).wait()
    for _ in range(60):
        engine(bp.count([camera_only], num=100))
    assert [d["exit_status"] for d in documents.of("stop")] == ["success"] * 60
    assert len(documents.of("event")) == 6000


def test_completion_needs_no_monitor(camera_only: Any) -> None:
    """A status that ends with the put's answer ends also when no monitor is delivered."""
    camera_only.stage()
    deliver_no_monitor(camera_only)
    for _ in range(3):
        camera_only.trigger().wait(10)
    assert [report.taken for report in camera_only.frame_reports] == [1, 1, 1]


def test_a_complete_point_asks_the_ioc_nothing(
    engine: Any, documents: Any, det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    true_request = signal_io.request

    def request(pv: Any) -> None:
        asked.append(pv.pvname)
        true_request(pv)

    monkeypatch.setattr(signal_io, "request", request)
    det.stage()
    det.trigger().wait(10)
    asked.clear()
    for _ in range(5):
        det.trigger().wait(10)
    # A monitor that comes late is asked for: not at every point.
    assert len(asked) < 5 * len(det._completion.account.signals) / 2
    assert [report.written["det_hdf1"] for report in det.frame_reports] == [1] * 6
    det.unstage()


def test_what_the_monitors_missed_is_asked_for(det: Any) -> None:
    det.cam.num_images.set(3, timeout=5).wait()
    det.stage()
    det.trigger().wait(10)
    deliver_no_monitor(det)
    for _ in range(2):
        det.trigger().wait(10)
    assert [report.written["det_hdf1"] for report in det.frame_reports] == [3, 3, 3]
    assert [report.problems for report in det.frame_reports] == [()] * 3
    det.unstage()


def test_stage_signals_are_those_of_ophyd_and_the_camera_waits_for_plugins(det: Any) -> None:
    assert list(det.stage_sigs.items()) == [("cam.acquire", 0), ("cam.image_mode", 1)]
    det.stage()
    assert det.cam.wait_for_plugins.get() == "Yes"
    assert det.cam.image_mode.get(as_string=True) == "Multiple"
    det.unstage()
    assert det.cam.wait_for_plugins.get() == "No"


def test_progress_is_told_in_frames_of_frames(camera_only: Any) -> None:
    camera_only.cam.num_images.set(8, timeout=5).wait()
    camera_only.cam.acquire_time.set(0.03, timeout=5).wait()
    camera_only.cam.acquire_period.set(0.03, timeout=5).wait()
    camera_only.stage()
    seen: list[dict[str, Any]] = []
    status = camera_only.trigger()
    status.watch(lambda **progress: seen.append(progress))
    status.wait(10)
    assert {each["target"] for each in seen} == {8}
    assert {each["unit"] for each in seen} == {"frames"}
    currents = [each["current"] for each in seen]
    assert currents == sorted(currents)
    assert currents[-1] == 8
    assert len(set(currents)) > 4


def test_a_watcher_that_fails_does_not_fail_the_acquisition(camera_only: Any) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("no terminal")

    camera_only.stage()
    status = camera_only.trigger()
    status.watch(broken)
    status.wait(10)
    assert status.success


def test_a_camera_that_never_finishes_is_an_error_and_is_stopped(det: Any, unchanged: Any) -> None:
    det.cam.num_images.set(3, timeout=5).wait()
    det.cam.acquire_time.set(30.0, timeout=5).wait()
    det.acquire_timeout = 0.3
    with unchanged(det):
        det.stage()
        status = det.trigger()
        with pytest.raises(AcquireTimeoutError) as caught:
            status.wait(10)
        det.unstage()
    message = str(caught.value)
    assert "ad:cam1:Acquire" in message
    assert "3 frames" in message
    assert "NumImagesCounter 0" in message
    assert "acquire_timeout" in message


def test_the_time_limit_is_computed_from_the_settings(camera_only: Any) -> None:
    camera_only.acquire_allowance = 0.2
    camera_only.cam.num_images.set(4, timeout=5).wait()
    camera_only.cam.acquire_time.set(0.2, timeout=5).wait()
    camera_only.stage()
    # Four exposures take longer than the allowance: the frames' own time is added.
    camera_only.trigger().wait(10)
    assert camera_only.frame_reports[-1].taken == 4


def test_a_camera_that_takes_nothing_gets_no_extension(
    camera_only: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera_only.acquire_allowance = 1.5
    camera_only.cam.acquire_time.set(30.0, timeout=5).wait()
    camera_only.stage()
    # As with a camera that never exposes, whatever its settings say.
    monkeypatch.setattr(trigger, "frame_time", lambda found: 0.01)
    with pytest.raises(AcquireTimeoutError) as caught:
        camera_only.trigger().wait(10)
    taken = re.search(r"within (\d+\.\d) s", str(caught.value))
    assert taken is not None
    assert 1.5 <= float(taken[1]) < 3.0


def test_frames_that_keep_coming_extend_the_computed_limit(
    camera_only: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera_only.acquire_allowance = 0.25
    camera_only.cam.num_images.set(8, timeout=5).wait()
    camera_only.cam.acquire_time.set(0.1, timeout=5).wait()
    camera_only.cam.acquire_period.set(0.1, timeout=5).wait()
    camera_only.stage()
    # As with a camera whose read-out takes time that its settings don't tell.
    monkeypatch.setattr(trigger, "frame_time", lambda found: 0.01)
    camera_only.trigger().wait(10)
    assert camera_only.frame_reports[-1].taken == 8


def test_continuous_mode_is_refused_because_it_never_ends(camera_only: Any) -> None:
    camera_only.stage_sigs["cam.image_mode"] = 2
    camera_only.stage()
    with pytest.raises(ConfigurationError, match="ad:cam1:ImageMode_RBV is Continuous"):
        camera_only.trigger()
    assert camera_only.cam.acquire.get() == 0


def test_a_mode_that_was_staged_and_is_gone_is_told_as_what_it_is(camera_only: Any) -> None:
    """As after a restart of the IOC."""
    camera_only.stage()
    camera_only.cam.image_mode.set(2, timeout=5).wait()
    with pytest.raises(ConfigurationError, match=r"was staged as Multiple.*was restarted"):
        camera_only.trigger()
    camera_only.unstage()


def test_an_unstaged_detector_is_not_triggered(det: Any) -> None:
    with pytest.raises(NotStagedError, match="stage"):
        det.trigger()


def test_a_second_trigger_waits_for_the_first(camera_only: Any) -> None:
    camera_only.cam.acquire_time.set(0.3, timeout=5).wait()
    camera_only.stage()
    status = camera_only.trigger()
    with pytest.raises(ConfigurationError, match="on its way"):
        camera_only.trigger()
    status.wait(10)


@pytest.mark.parametrize("end", ["unstage", "stop", "pause"])
def test_what_ends_an_acquisition_leaves_the_camera_idle_and_no_thread(
    camera_only: Any, end: str
) -> None:
    camera_only.cam.acquire_time.set(20.0, timeout=5).wait()
    camera_only.stage()
    status = camera_only.trigger()
    getattr(camera_only, end)()
    assert camera_only.cam.acquire.get() == 0
    if end == "stop":
        with pytest.raises(FrameCountError, match="stopped"):
            status.wait(5)
    else:
        status.wait(5)
        assert status.cancelled
    camera_only.unstage()
    assert not _waiters()


def test_the_next_trigger_after_a_stop_works(camera_only: Any) -> None:
    camera_only.cam.acquire_time.set(20.0, timeout=5).wait()
    camera_only.stage()
    camera_only.trigger()
    camera_only.stop(success=True)
    camera_only.cam.acquire_time.set(0.001, timeout=5).wait()
    camera_only.trigger().wait(5)
    assert camera_only.frame_reports[-1].taken == 1


def test_abort_leaves_the_camera_idle(engine: Any, documents: Any, camera_only: Any) -> None:
    camera_only.cam.acquire_time.set(20.0, timeout=5).wait()
    threading.Timer(0.5, engine.request_pause).start()
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([camera_only]))
    assert camera_only.cam.acquire.get() == 0
    engine.abort("enough")
    assert documents.of("stop")[0]["exit_status"] == "abort"
    assert camera_only.cam.acquire.get() == 0
    assert camera_only.cam.wait_for_plugins.get() == "No"


def test_resume_repeats_the_point(engine: Any, documents: Any, camera_only: Any) -> None:
    camera_only.cam.acquire_time.set(20.0, timeout=5).wait()
    threading.Timer(0.5, engine.request_pause).start()
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([camera_only], num=2))
    camera_only.cam.acquire_time.set(0.001, timeout=5).wait()
    engine.resume()
    assert len(documents.of("event")) == 2
    assert documents.of("stop")[0]["exit_status"] == "success"


def test_live_view_is_stopped_before_a_run_and_not_restarted(camera_only: Any) -> None:
    camera_only.cam.image_mode.set("Continuous", timeout=5).wait()
    camera_only.cam.acquire.put(1)
    camera_only.stage()
    assert camera_only.cam.acquire.get() == 0
    camera_only.unstage()
    assert camera_only.cam.acquire.get() == 0
    assert camera_only.cam.image_mode.get(as_string=True) == "Continuous"


def test_frames_taken_by_a_camera_that_somebody_stopped_are_missing(camera_only: Any) -> None:
    camera_only.cam.num_images.set(50, timeout=5).wait()
    camera_only.cam.acquire_time.set(0.05, timeout=5).wait()
    camera_only.stage()
    status = camera_only.trigger()
    assert wait_for(lambda: camera_only.cam.num_images_counter.get() > 1, 20)
    camera_only.cam.acquire.put(0)
    with pytest.raises(FrameCountError, match=r"NumImagesCounter_RBV: the camera took \d+ frame"):
        status.wait(10)


def test_dropped_frames_fail_the_run_with_plugin_and_numbers(det: Any) -> None:
    det.cam.num_images.set(5, timeout=5).wait()
    det.stage()
    account = deliver_no_monitor(det)
    true_read = account.read

    def read() -> dict[Any, Any]:
        found = true_read()
        found["det_hdf1", "dropped_arrays"] += 2
        found["det_hdf1", "num_captured"] -= 2
        return found

    account.read = read
    with pytest.raises(DroppedFramesError) as caught:
        det.trigger().wait(10)
    assert "ad:HDF1:DroppedArrays_RBV" in str(caught.value)
    assert "2 of 5" in str(caught.value)
    assert (caught.value.expected, caught.value.got) == (5, 3)
    det.unstage()


@pytest.mark.parametrize("policy", ["warn", "record"])
def test_missing_frames_can_be_reported_instead(
    det: Any, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    det.frame_policy = policy
    det.stage()
    account = deliver_no_monitor(det)
    true_read = account.read
    account.read = lambda: true_read() | {("det_hdf1", "dropped_arrays"): 10**6}
    det.trigger().wait(10)
    assert det.frame_reports[-1].problems
    assert ("DroppedArrays" in caplog.text) == (policy == "warn")
    det.unstage()


def test_an_unknown_policy_is_refused(det: Any) -> None:
    with pytest.raises(ConfigurationError, match="raise, warn, record"):
        det.frame_policy = "ignore"


def test_a_viewer_may_drop_frames(det: Any) -> None:
    det.stage()
    account = deliver_no_monitor(det)
    true_read = account.read
    account.read = lambda: true_read() | {("det_image", "dropped_arrays"): 10**6}
    det.trigger().wait(10)
    assert det.frame_reports[-1].dropped["det_image"] > 0
    det.unstage()


def test_a_failed_status_says_why() -> None:
    status = AcquireStatus(Signal(name="det"), 5)
    status.set_exception(FrameCountError("2 frames are missing"))
    assert "2 frames are missing" in str(status)
    assert "2 frames are missing" in str(FailedStatus(status))


def test_the_run_engine_shows_the_reason(engine: Any, camera_only: Any) -> None:
    camera_only.cam.acquire_time.set(20.0, timeout=5).wait()
    camera_only.acquire_timeout = 0.2
    with pytest.raises(FailedStatus, match="ad:cam1:Acquire") as caught:
        engine(bp.count([camera_only]))
    assert isinstance(caught.value.__cause__, AcquireTimeoutError)
    engine(bps.null())
    assert camera_only.cam.acquire.get() == 0


def _waiters() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "det-trigger"]
