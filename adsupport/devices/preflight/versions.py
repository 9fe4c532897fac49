"""Which releases the IOC has, and whether the detector's classes are made for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...adcore import KNOWN_RELEASES, Release
from .report import Finding
from .state import PartState

__all__ = ["check_types", "check_versions"]

_TOPIC = "versions"


def check_versions(camera: PartState, complete: bool) -> Iterator[Finding]:
    """Compare the IOC's ADCore with the one that the camera's class is made for.

    Parameters
    ----------
    camera : PartState
        The camera.
    complete : bool
        Whether all process variables of the detector are connected.

    Yields
    ------
    Finding
        One.
    """
    subject = camera.pv("ad_core_version")
    text = str(camera.get("ad_core_version") or "")
    driver = " ".join(
        str(camera.get(name)) for name in ("manufacturer", "model") if camera.get(name)
    )
    version = camera.get("driver_version")
    driver += f", driver {version}" if version else ""
    try:
        release = Release.parse(text)
    except ValueError:
        yield Finding(
            "info",
            subject,
            f"the IOC doesn't tell its release of ADCore ({text!r}); {driver}",
            "Name it: ad_creator(..., adcore='R3-4').",
            _TOPIC,
        )
        return
    made_for = _made_for(camera)
    if release < made_for and not complete:
        yield Finding(
            "error",
            subject,
            f"ADCore {release}; {driver}. The class {type(camera.device).__name__} is made for "
            f"{made_for} and later, and misses process variables",
            "Build the detector for this release: ad_creator(..., adcore='auto'), or "
            f"adcore={str(release)!r}.",
            _TOPIC,
        )
    elif release < KNOWN_RELEASES[0] or release > KNOWN_RELEASES[-1]:
        span = f"{KNOWN_RELEASES[0]} to {KNOWN_RELEASES[-1]}"
        what = f"ADCore {release}; {driver}. What is known here are {span}"
        yield Finding("info", subject, what, "If records are missing, say so.", _TOPIC)
    else:
        yield Finding("ok", subject, f"ADCore {release}; {driver}", topic=_TOPIC)


def _made_for(camera: PartState) -> Release:
    """Tell the oldest release that the camera's class is for; ophyd's own have no version."""
    text = getattr(camera.device, "_cam_release", None)
    if not isinstance(text, str):
        return KNOWN_RELEASES[0]
    try:
        return Release.parse(text)
    except ValueError:
        return KNOWN_RELEASES[0]


def check_types(parts: Sequence[PartState]) -> Iterator[Finding]:
    """See that every plugin is of the type that its class is for: staging refuses another.

    Parameters
    ----------
    parts : sequence of PartState
        The parts of the detector.

    Yields
    ------
    Finding
        One error for each plugin of another type.
    """
    for part in parts:
        expected = getattr(part.device, "_plugin_type", None)
        found = part.get("plugin_type")
        if expected and found and not str(found).startswith(expected):
            yield Finding(
                "error",
                part.pv("plugin_type"),
                f"{part.key} is a {found}, and {type(part.device).__name__} is for {expected}",
                f"Give {part.key} the class for {found}, or correct its suffix.",
                _TOPIC,
            )
