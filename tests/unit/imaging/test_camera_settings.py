"""Settings of a camera are put back, each for itself, and once more if one can't be."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine
from ophyd import Component, Device, Signal
from ophyd.status import Status

from adsupport.imaging.beamline.camera_settings import CameraSettings
from adsupport.imaging.stubs.cleanup import with_cleanup

BEFORE = {
    "acquire_time": 1.0, "acquire_period": 2.0, "num_images": 3, "image_mode": 2, "trigger_mode": 5
}  # fmt: skip


class Stiff(Signal):
    stuck = False

    def set(self, value: Any, **options: Any) -> Any:
        if not self.stuck:
            return super().set(value, **options)
        status = Status()
        status.set_exception(RuntimeError(f"{self.name} is stuck"))
        return status


class Cam(Device):
    acquire_time = Component(Stiff, value=1.0)
    acquire_period = Component(Signal, value=2.0)
    num_images = Component(Stiff, value=3)
    image_mode = Component(Signal, value=2)
    trigger_mode = Component(Signal, value=5)


def test_one_that_cannot_be_put_back_holds_up_no_other_and_is_not_forgotten() -> None:
    cam: Any = Cam("", name="cam")
    settings, engine = CameraSettings(cam), RunEngine({})

    def values() -> dict[str, Any]:
        return {name: getattr(cam, name).get() for name in BEFORE}

    def measure() -> None:
        engine(settings.remember())
        for name in BEFORE:
            getattr(cam, name).put(9)
        engine(with_cleanup(iter(()), lambda: [("restore the settings", settings.restore)]))

    cam.acquire_time.stuck = cam.num_images.stuck = True
    with pytest.raises(Exception, match="Status") as raised:
        measure()
    assert values() == {**BEFORE, "acquire_time": 9, "num_images": 9}
    notes = "\n".join(raised.value.__notes__)
    assert "cam_acquire_time couldn't be put back to 1.0" in notes
    assert "cam_num_images couldn't be put back to 3" in notes
    cam.acquire_time.stuck = False
    with pytest.raises(Exception, match="Status"):
        measure()
    assert values() == {**BEFORE, "num_images": 9}
    cam.num_images.stuck = False
    measure()
    assert values() == BEFORE
    cam.image_mode.put(1)  # of somebody's choice: what was put back is forgotten
    measure()
    assert values() == {**BEFORE, "image_mode": 1}


def test_one_that_can_be_put_back_at_the_second_attempt_is_not_told_as_lost() -> None:
    cam: Any = Cam("", name="cam")
    settings, engine = CameraSettings(cam), RunEngine({})
    engine(settings.remember())
    cam.num_images.put(9)
    cam.num_images.stuck = True

    def restore() -> Any:
        try:
            yield from settings.restore()
        finally:
            cam.num_images.stuck = False

    with pytest.raises(Exception, match="Status") as raised:
        engine(with_cleanup(iter(()), lambda: [("restore the settings", restore)]))
    assert not hasattr(raised.value, "__notes__")
    assert cam.num_images.get() == 3
