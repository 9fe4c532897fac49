"""Priming: one frame, no trace, no time lost; as a call and as a plan."""

from __future__ import annotations

import logging
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from bluesky.utils import RunEngineInterrupted

from adsupport.devices import (
    AD_plugin_primed,
    AD_prime_plugin,
    AD_prime_plugin2,
    ensure_AD_plugin_primed,
)
from adsupport.devices.priming import prime as priming
from adsupport.devices.priming import steps as priming_steps
from adsupport.errors import AcquireTimeoutError, ConfigurationError, PutError, UnprimedError
from adsupport.plans import prime_plugin, put


@pytest.fixture(params=["blocking", pytest.param("plan", marks=pytest.mark.slow)])
def prime(request: pytest.FixtureRequest, engine: Any) -> Callable[..., None]:
    """Both faces of priming: the same steps, so one will do where they decide."""
    if request.param == "blocking":
        return AD_prime_plugin2
    return lambda plugin, **kwargs: engine(prime_plugin(plugin, **kwargs))


# where it counts who waits for the steps, and who puts things back
BOTH = pytest.mark.parametrize("prime", ["blocking", "plan"], indirect=True)


@pytest.fixture
def fresh(fresh_adsim: Any, make_detector: Callable[..., Any]) -> Any:
    """A detector whose IOC has just been started."""
    return make_detector(fresh_adsim)


@pytest.fixture
def stale(det: Any) -> Any:
    """A detector whose plugins were primed for frames of another type."""
    det.cam.data_type.set("UInt16", timeout=5).wait()
    assert not AD_plugin_primed(det.hdf1)
    return det


@BOTH
def test_a_fresh_ioc_is_primed_and_left_as_it_was(
    fresh: Any, prime: Any, unchanged: Any, disk: pathlib.Path
) -> None:
    assert not AD_plugin_primed(fresh.hdf1)
    with unchanged(fresh):
        prime(fresh.hdf1)
    assert AD_plugin_primed(fresh.hdf1)
    assert not list(disk.rglob("*.h5"))


def test_the_priming_frame_is_never_written(fresh: Any, prime: Any) -> None:
    # The peer's frame makes the IOC try: WriteStatus says error, FileNumber goes up.
    fresh.hdf1.auto_save.set("Yes", timeout=5).wait()
    fresh.hdf1.auto_increment.set("Yes", timeout=5).wait()
    prime(fresh.hdf1)
    assert fresh.hdf1.file_number.get() == 0
    assert fresh.hdf1.write_status.get(as_string=True) == "Write OK"
    assert fresh.hdf1.auto_save.get(as_string=True) == "Yes"
    # the image plugin can be primed too
    assert not AD_plugin_primed(fresh.image)
    prime(fresh.image)
    assert AD_plugin_primed(fresh.image)
    assert fresh.image.enable.get() == "Disable"


@BOTH
def test_no_frame_is_taken_when_primed(det: Any, prime: Any) -> None:
    taken = det.cam.array_counter.get()
    prime(det.hdf1)
    assert det.cam.array_counter.get() == taken


def test_no_frame_is_taken_when_staging_disables_the_plugin(stale: Any, prime: Any) -> None:
    taken = stale.cam.array_counter.get()
    stale.hdf1.disable_on_stage()
    assert AD_plugin_primed(stale.hdf1)
    prime(stale.hdf1)
    assert stale.cam.array_counter.get() == taken


@pytest.mark.parametrize("where", ["stage_sigs", "record"])
def test_no_frame_is_taken_when_the_file_is_opened_lazily(
    stale: Any, prime: Any, where: str
) -> None:
    if where == "record":
        stale.hdf1.lazy_open.set("Yes", timeout=5).wait()
    else:
        stale.hdf1.stage_sigs["lazy_open"] = 1
    taken = stale.cam.array_counter.get()
    prime(stale.hdf1)
    assert stale.cam.array_counter.get() == taken


def test_primed_again_after_the_region_changed(det: Any, prime: Any) -> None:
    det.cam.size.size_x.set(256, timeout=5).wait()
    assert not AD_plugin_primed(det.hdf1)
    prime(det.hdf1)
    assert AD_plugin_primed(det.hdf1)
    assert det.hdf1.array_size.width.get() == 256


@pytest.mark.parametrize(("attr", "value"), [("data_type", "UInt16"), ("color_mode", "RGB1")])
def test_primed_again_after_the_kind_of_frames_changed(
    det: Any, prime: Any, attr: str, value: str
) -> None:
    getattr(det.cam, attr).put(value)
    assert not AD_plugin_primed(det.hdf1)
    prime(det.hdf1)
    assert AD_plugin_primed(det.hdf1)


def test_the_exposure_is_left_alone_unless_it_is_long(det: Any, prime: Any) -> None:
    # The peer's second of exposure changes the bit depth of some detectors: unprimed again.
    seen = []
    det.cam.acquire_time.subscribe(lambda value, **_: seen.append(value), run=False)
    det.cam.size.size_y.set(512, timeout=5).wait()
    prime(det.hdf1)
    assert set(seen) <= {0.001}
    det.cam.acquire_time.set(50.0, timeout=5).wait()
    det.cam.size.size_y.set(256, timeout=5).wait()
    begun = time.monotonic()
    prime(det.hdf1)
    assert time.monotonic() - begun < 20
    assert det.cam.acquire_time.get() == 50.0


@BOTH
def test_a_camera_in_live_view_is_not_disturbed(det: Any, prime: Any) -> None:
    det.cam.image_mode.set("Continuous", timeout=5).wait()
    det.cam.acquire_period.set(0.02, timeout=5).wait()
    det.cam.size.size_x.set(128, timeout=5).wait()
    det.cam.acquire.put(1)
    prime(det.hdf1)
    assert AD_plugin_primed(det.hdf1)
    assert det.cam.acquire.get() == 1
    assert det.cam.image_mode.get(as_string=True) == "Continuous"
    assert det.hdf1.enable.get() == "Disable"


def test_a_plugin_that_is_writing_is_refused(det: Any, prime: Any) -> None:
    det.stage()
    det.cam.size.size_x.set(512, timeout=5).wait()
    with pytest.raises(ConfigurationError, match="ad:HDF1:Capture_RBV is on"):
        prime(det.hdf1)
    assert det.hdf1.capture.get() == 1
    det.unstage()


@pytest.fixture
def take_from(stale: Any) -> Iterator[Callable[[str], None]]:
    """Let the writer take its arrays from another port, for a while."""

    def take(port: str) -> None:
        stale.hdf1.nd_array_port.set(port, timeout=5).wait()

    yield take
    take("SIM1")


def test_a_source_that_is_not_part_of_the_detector_is_named(
    stale: Any,
    prime: Any,
    take_from: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(priming, "is_ready", lambda plugin: False)
    take_from("PVA1")
    with pytest.raises(ConfigurationError, match="NDArrayPort_RBV is 'PVA1'"):
        prime(stale.hdf1)


def test_a_chain_of_plugins_is_enabled_and_restored(
    stale: Any, prime: Any, unchanged: Any, take_from: Callable[[str], None]
) -> None:
    take_from(stale.image.port_name.get())
    seen = stale.image.array_counter.get()
    with unchanged(stale), pytest.raises(UnprimedError, match="every plugin between"):
        # This IOC's image plugin hands nothing on, as on a real one.
        prime(stale.hdf1, timeout=1.5)
    assert stale.image.array_counter.get() == seen + 1


@BOTH
def test_a_camera_that_does_not_finish_is_stopped_and_all_restored(
    stale: Any, prime: Any, unchanged: Any
) -> None:
    plugin = _with_hidden_exposure(stale.hdf1)
    with unchanged(stale), pytest.raises(AcquireTimeoutError, match="cam1:Acquire"):
        prime(plugin, timeout=0.3)
    assert stale.cam.acquire.get() == 0


@BOTH
def test_a_setting_that_is_refused_is_named_and_the_others_restored(
    stale: Any, prime: Any, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put, "PUT_TIMEOUT", 0.3)
    monkeypatch.setattr(stale.cam.array_callbacks, "get", lambda **_: 0)
    stale.cam.array_callbacks.put(0)
    with unchanged(stale), pytest.raises(PutError, match="ad:cam1:ArrayCallbacks: put 1"):
        prime(stale.hdf1)
    monkeypatch.undo()
    assert stale.cam.image_mode.get(as_string=True) == "Multiple"
    assert stale.cam.array_callbacks.get() == 0


def test_an_interrupt_restores_all(
    stale: Any, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(priming_steps.AcquireOnce, "run", interrupted)
    with unchanged(stale), pytest.raises(KeyboardInterrupt):
        AD_prime_plugin2(stale.hdf1)


def test_an_aborted_plan_restores_all(stale: Any, engine: Any, unchanged: Any) -> None:
    with unchanged(stale):
        threading.Timer(1.0, engine.request_pause).start()
        with pytest.raises(RunEngineInterrupted):
            engine(_with_checkpoint(prime_plugin(stale.hdf1, acquire_time=20.0)))
        engine.abort()
    assert stale.cam.acquire.get() == 0


def test_a_camera_that_can_not_be_stopped_does_not_keep_the_plan_from_restoring(
    stale: Any, engine: Any, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Any, *, success: bool = False) -> None:
        raise TimeoutError("nobody answers")

    monkeypatch.setattr(priming_steps.AcquireOnce, "stop", stop)
    with unchanged(stale), pytest.raises(TimeoutError, match="nobody answers"):
        engine(prime_plugin(stale.hdf1))


def test_the_failure_of_a_plan_is_not_hidden_by_one_of_its_clean_up(
    stale: Any, engine: Any, unchanged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: Any, *, success: bool = False) -> None:
        raise TimeoutError("nobody answers")

    monkeypatch.setattr(priming_steps.AcquireOnce, "stop", stop)
    monkeypatch.setattr(priming_steps.Priming, "arrived", lambda self: False)
    with unchanged(stale), pytest.raises(UnprimedError):
        engine(prime_plugin(stale.hdf1, timeout=0.5))


def test_an_ioc_that_went_away_does_not_hide_that_the_camera_did_not_finish() -> None:
    class Silent:
        pvname = setpoint_pvname = "ad:cam1:Acquire"

        def get(self, **_: Any) -> Any:
            raise TimeoutError("Failed to read ad:cam1:AcquireTime_RBV")

    silent = Silent()
    cam = SimpleNamespace(
        name="cam",
        acquire=silent,
        acquire_time=silent,
        detector_state=silent,
        num_images_counter=silent,
    )
    message = priming_steps.AcquireOnce(cam, 6.0).timeout_message()
    assert message.startswith("ad:cam1:Acquire: the camera didn't finish one frame within 6 s")
    assert "IOC doesn't answer" in message


def test_without_permission_only_a_warning(stale: Any, caplog: pytest.LogCaptureFixture) -> None:
    taken = stale.cam.array_counter.get()
    with caplog.at_level(logging.WARNING):
        ensure_AD_plugin_primed(stale.hdf1)
    assert "isn't primed" in caplog.text
    assert stale.cam.array_counter.get() == taken
    ensure_AD_plugin_primed(stale.hdf1, True)
    assert AD_plugin_primed(stale.hdf1)


def test_the_old_name_warns(det: Any) -> None:
    with pytest.warns(DeprecationWarning, match="AD_prime_plugin2"):
        AD_prime_plugin(det, det.hdf1)


def _with_checkpoint(plan: Any) -> Any:
    import bluesky.plan_stubs as bps

    yield from bps.checkpoint()
    yield from plan


def _with_hidden_exposure(plugin: Any) -> Any:
    """Make the camera expose longer than it tells."""
    cam = plugin.parent.cam
    cam.acquire_time.set(20.0, timeout=5).wait()
    true_get = cam.acquire_time.get
    cam.acquire_time.get = lambda **kwargs: min(true_get(**kwargs), 0.01)
    return plugin
