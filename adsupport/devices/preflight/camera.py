"""Whether the camera is free, and set for a run."""

from __future__ import annotations

from collections.abc import Iterator

from .report import Finding
from .state import PartState, is_on

__all__ = ["check_camera"]

_TOPIC = "camera"
_BROKEN = ("Error", "Disconnected")
_BY_ITSELF = ("Internal", "Free Run", "Auto", "Software", "Off")


def check_camera(camera: PartState, staged: bool = False) -> Iterator[Finding]:
    """See that the camera is idle, sends its arrays on, and needs nothing from outside.

    Parameters
    ----------
    camera : PartState
        The camera.
    staged : bool
        Whether this detector is staged, so that what runs is its own.

    Yields
    ------
    Finding
        What was found.
    """
    yield from _idle(camera, staged)
    yield from _arrays(camera)
    trigger = str(camera.planned("trigger_mode", "Internal"))
    if trigger not in _BY_ITSELF:
        yield Finding(
            "info",
            camera.pv("trigger_mode"),
            f"is {trigger}: the camera may wait for a signal from outside",
            "If nothing sends one, put TriggerMode to Internal.",
            _TOPIC,
        )
    mode = str(camera.planned("image_mode", ""))
    if mode == "Continuous":
        yield Finding(
            "error",
            camera.pv("image_mode"),
            "is Continuous, and staging leaves it: an acquisition would never end",
            "Set stage_sigs['cam.image_mode'] of the detector to 1 (Multiple).",
            _TOPIC,
        )


def _idle(camera: PartState, staged: bool) -> Iterator[Finding]:
    state, mode = str(camera.get("detector_state", "")), str(camera.get("image_mode", ""))
    if state in _BROKEN:
        yield Finding(
            "error",
            camera.pv("detector_state"),
            f"is {state}",
            "Look at StatusMessage_RBV, at the camera and at the IOC's console.",
            _TOPIC,
        )
    if not is_on(_as_switch(camera.get("acquire"))):
        yield Finding("ok", camera.pv("acquire"), f"idle ({state})", topic=_TOPIC)
    elif staged:
        yield Finding("info", camera.pv("acquire"), "this detector acquires", topic=_TOPIC)
    elif mode == "Continuous":
        yield Finding(
            "warning",
            camera.pv("acquire"),
            "the camera runs continuously (somebody's live view?): staging stops it",
            "Ask who is looking; put Acquire to 0.",
            _TOPIC,
        )
    else:
        yield Finding(
            "error",
            camera.pv("acquire"),
            f"the camera is busy ({state}, ImageMode {mode}): another client acquires, and "
            "staging would stop it",
            "Wait for its end, or find out who it is, then put Acquire to 0.",
            _TOPIC,
        )


def _as_switch(value: object) -> bool:
    return str(value).lower() in ("1", "acquire", "acquiring")


def _arrays(camera: PartState) -> Iterator[Finding]:
    now, planned = camera.get("array_callbacks"), camera.planned("array_callbacks")
    if is_on(now) and is_on(planned):
        yield Finding("ok", camera.pv("array_callbacks"), "is on", topic=_TOPIC)
