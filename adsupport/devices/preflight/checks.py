"""Check a detector before a run: all that can be known without a frame being taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ophyd.areadetector.base import ADBase

from ...errors import AdsupportError, ConfigurationTypeError, ConnectionTimeoutError
from ..arrays.prediction import ArrayKind, delivered_array, received_array
from ..signals.reading import explain_timeouts
from ..staging import is_disabled_when_staged, is_staged
from .camera import check_camera
from .connected import check_connected
from .leftovers import check_cut_off
from .ports import chain_to, check_links, check_ports
from .probe import probe
from .rate import check_rate
from .report import CheckReport, Finding
from .run import PlannedRun
from .space import check_disks
from .state import PartState, read_state
from .target import check_target, place_of
from .versions import check_types, check_versions
from .writer import check_free, check_primed_or_lazy, check_settings

__all__ = ["check"]

#: Longest wait for the process variables to connect, in seconds.
CHECK_TIMEOUT = 10.0


def check(
    detector: Any,
    *,
    run: PlannedRun | None = None,
    write: bool = False,
    timeout: float | None = CHECK_TIMEOUT,
) -> CheckReport:
    """Tell whether a detector will do for a run, and if not, what to change.

    Connections, releases, ports, switches, camera, directories on both sides, free space, the
    next file, priming, queues and data rate are looked at.  What staging will set is counted as
    set.  Nothing on the IOC changes unless ``write`` is true.

    Parameters
    ----------
    detector : ophyd.areadetector.DetectorBase
        The detector, such as :func:`~adsupport.devices.ad_creator` makes; it needn't be connected.
    run : PlannedRun, optional
        The run that is planned: one point with the camera's settings by default.
    write : bool
        Let each file writer write one frame to a file of its own, look for it here, and remove it
        again: the only way to know that the IOC may write.  Missing directories are made, as
        staging would.  An unprimed plugin takes one frame of the camera for that.  All settings
        are put back.  Nothing is done while camera or plugin is busy.
    timeout : float or None
        Longest wait for the process variables to connect, in seconds.

    Returns
    -------
    CheckReport
        What was found.  ``report.ok`` when there's no error.

    Raises
    ------
    ConfigurationTypeError
        It isn't an area detector.

    Examples
    --------
    >>> report = check(det, run=PlannedRun(points=100, frames_per_point=5))  # doctest: +SKIP
    >>> report.ok, report.errors                                            # doctest: +SKIP
    """
    if not isinstance(detector, ADBase):
        raise ConfigurationTypeError(
            f"check() needs an area detector, such as ad_creator() makes; got "
            f"{type(detector).__name__}: {detector!r}."
        )
    findings = check_connected(detector, timeout)
    try:
        with explain_timeouts(detector):
            # one by one: what was found before the IOC is lost stays
            for finding in _connected_checks(detector, tuple(findings), run or PlannedRun(), write):
                findings.append(finding)
    except ConnectionTimeoutError as error:
        findings.append(_lost(detector, str(error)))
    return CheckReport(detector.name, detector.prefix, tuple(findings))


def _lost(detector: Any, why: str) -> Finding:
    return Finding(
        "error",
        detector.prefix,
        f"the IOC was lost during the check: {why}",
        "Look at the IOC, then check again.",
        "connection",
    )


def _connected_checks(
    detector: Any, connection: Sequence[Finding], run: PlannedRun, write: bool
) -> Iterator[Finding]:
    broken = {finding.subject for finding in connection if finding.severity == "error"}
    if detector.prefix in broken:  # nothing that can be judged is there
        return
    reachable = not broken
    complete = all(finding.severity == "ok" for finding in connection)
    staged = is_staged(detector)
    parts = read_state(detector)
    for writer in _used_writers(parts):
        yield from check_cut_off(writer)
    probed = write and reachable
    if probed:
        # first: what follows is then about the IOC as a run will find it
        yield from _probes(parts, staged)
        parts = read_state(detector)
    if not _cameras(parts):
        if reachable:
            yield _lost(detector, "its camera isn't connected any more")
        return
    camera = _cameras(parts)[0]
    yield from check_versions(camera, complete)
    yield from check_types(parts)
    yield from check_ports(parts)
    yield from check_links(parts)
    yield from check_camera(camera, staged)
    places = []
    for writer in _used_writers(parts):
        received = received_array(writer.device)
        delivered = _delivered(writer, parts) if reachable else None
        figures = run.figures(camera, delivered or received)
        places.append((place_of(writer), figures))
        yield from check_free(writer, staged, probed)
        yield from check_settings(writer, delivered or received)
        yield from check_primed_or_lazy(writer, received, delivered)
        yield from check_target(writer, figures)
        yield from check_rate(writer, figures, run.compression)
    yield from check_disks(places)
    if not _used_writers(parts):
        what = "no file writer records: the images of a run would be lost"
        remedy = "Add one to the plugins, such as 'hdf1', or let staging enable the one there is."
        yield Finding("warning", detector.prefix, what, remedy, "writer")


def _probes(parts: Sequence[PartState], staged: bool) -> Iterator[Finding]:
    for writer in _used_writers(parts):
        for camera in _cameras(parts)[:1]:
            yield from probe(writer, camera, staged)


def _cameras(parts: Sequence[PartState]) -> list[PartState]:
    return [part for part in parts if part.is_camera]


def _used_writers(parts: Sequence[PartState]) -> list[PartState]:
    """List the file writers that staging doesn't disable."""
    return [part for part in parts if part.is_writer and not is_disabled_when_staged(part.device)]


def _delivered(writer: PartState, parts: Sequence[PartState]) -> ArrayKind | None:
    """Tell what the writer will get; None when its way from the camera is broken."""
    if not chain_to(writer, parts)[0].is_camera:
        return None
    try:
        return delivered_array(writer.device)
    except AdsupportError:
        return None
