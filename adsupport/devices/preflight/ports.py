"""Whether the arrays find their way: from the camera through the plugins to every file writer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .report import Finding
from .state import PartState, is_on

__all__ = ["chain_to", "check_links", "check_ports"]

_TOPIC = "ports"


def check_ports(parts: Sequence[PartState]) -> Iterator[Finding]:
    """See that the arrays of every plugin come from a camera of the detector.

    Parameters
    ----------
    parts : sequence of PartState
        The parts of the detector.

    Yields
    ------
    Finding
        One error for each plugin whose arrays come from nowhere, one ``ok`` when there is none.
    """
    ports = _by_port(parts)
    problems = [finding for part in parts if (finding := _lost(part, ports)) is not None]
    yield from problems
    if not problems:
        chains = "; ".join(_words(chain_to(part, parts)) for part in parts if part.is_writer)
        plugins = sum(not part.is_camera for part in parts)
        what = chains or f"{plugins} plugins are fed by the camera"
        yield Finding("ok", "NDArrayPort", what, topic=_TOPIC)


def _by_port(parts: Sequence[PartState]) -> dict[str, PartState]:
    return {part.get("port_name"): part for part in parts if part.get("port_name")}


def _lost(part: PartState, ports: Mapping[str, PartState]) -> Finding | None:
    """Tell whether the way from a plugin back to a camera ends or turns in a circle."""
    source = part.get("nd_array_port")
    if part.is_camera or source is None:
        return None
    if source not in ports:
        known = ", ".join(repr(port) for port in ports)
        return Finding(
            "error",
            part.pv("nd_array_port"),
            f"is {source!r}, a port that no part of the detector has: they have {known}",
            f"Put NDArrayPort of {part.key} to the port that its arrays are to come from, such as "
            f"{_camera_port(ports)!r}; or add the plugin with port {source!r} to the detector.",
            _TOPIC,
        )
    seen, here = [part], ports[source]
    while not here.is_camera and here not in seen:
        seen.append(here)
        following = ports.get(here.get("nd_array_port"))
        if following is None:
            return None  # that part has a finding of its own
        here = following
    if here.is_camera or here is not part:
        return None
    circle = " from ".join(repr(each.get("port_name")) for each in [*seen, part])
    return Finding(
        "error",
        part.pv("nd_array_port"),
        f"arrays go round in a circle, none comes from the camera: {circle}",
        f"Put NDArrayPort of one of {', '.join(each.key for each in seen)} to "
        f"{_camera_port(ports)!r}.",
        _TOPIC,
    )


def _camera_port(ports: Mapping[str, PartState]) -> str:
    return next((port for port, part in ports.items() if part.is_camera), "the camera's port")


def chain_to(part: PartState, parts: Sequence[PartState]) -> list[PartState]:
    """List the parts through which the arrays of a plugin come.

    Parameters
    ----------
    part : PartState
        The plugin.
    parts : sequence of PartState
        All parts of the detector.

    Returns
    -------
    list of PartState
        From the camera to the plugin itself; without the camera when the way ends or turns in
        a circle.
    """
    ports = _by_port(parts)
    chain = [part]
    while not chain[0].is_camera:
        source = ports.get(chain[0].get("nd_array_port"))
        if source is None or source in chain:
            break
        chain.insert(0, source)
    return chain


def _words(chain: Sequence[PartState]) -> str:
    return " -> ".join(f"{part.key} ({part.get('port_name')})" for part in chain)


def check_links(parts: Sequence[PartState]) -> Iterator[Finding]:
    """See that every link from the camera to each file writer lets arrays pass when staged.

    Without a writer that uses it the camera at least is to send its arrays on.

    Parameters
    ----------
    parts : sequence of PartState
        The parts of the detector.

    Yields
    ------
    Finding
        What is off, or what staging will switch on, once for each switch.
    """
    told: set[str] = set()
    for writer in (part for part in parts if part.is_writer):
        if "enable" in writer.staged and not is_on(writer.staged["enable"]):
            yield Finding(
                "info",
                writer.pv("enable"),
                f"staging disables {writer.key}: it won't write",
                f"To write with it: remove 'enable' from {writer.key}.stage_sigs.",
                _TOPIC,
            )
            continue
        found = list(_link_findings(writer, parts))
        new = [finding for finding in found if finding.subject not in told]
        told.update(finding.subject for finding in new)
        yield from new
        if not found:
            what = "enabled; callbacks don't block the camera"
            yield Finding("ok", writer.pv("enable"), what, topic=_TOPIC)
    for camera in parts:
        if camera.is_camera and camera.pv("array_callbacks") not in told:
            # no file is at stake, only what is looked at
            harm = "no plugin gets its arrays, nor does a viewer"
            yield from _switch(
                camera, "array_callbacks", "ArrayCallbacks", harm, "Enable", "warning"
            )


def _link_findings(writer: PartState, parts: Sequence[PartState]) -> Iterator[Finding]:
    for link in chain_to(writer, parts):
        if not link.is_camera:
            yield from _switch(link, "enable", "EnableCallbacks", "it gets no arrays", "Enable")
            yield from _blocking(link)
            yield from _skipping(link)
            yield from _dropped(link)
        if link is not writer:
            yield from _switch(
                link, "array_callbacks", "ArrayCallbacks", "no plugin gets its arrays", "Enable"
            )


def _switch(
    link: PartState, name: str, record: str, harm: str, on: str, severity: str = "error"
) -> Iterator[Finding]:
    now, planned = link.get(name), link.planned(name)
    if now is None or (is_on(now) and is_on(planned)):
        return
    if is_on(planned):
        yield Finding("info", link.pv(name), f"is {now}; staging switches it on", topic=_TOPIC)
        return
    yield Finding(
        severity,
        link.pv(name),
        f"is {now}, and staging leaves it: {harm}" if not is_on(now) else f"staging: {harm}",
        f"Put {record} of {link.key} to {on}, or add {name!r} to its stage_sigs.",
        _TOPIC,
    )


def _blocking(link: PartState) -> Iterator[Finding]:
    now, planned = link.get("blocking_callbacks"), link.planned("blocking_callbacks")
    if now is None:
        return
    if is_on(planned):
        yield Finding(
            "warning",
            link.pv("blocking_callbacks"),
            f"{link.key} blocks the camera: each frame waits until it is done with the one before",
            f"Unless that is meant: {link.key}.ensure_nonblocking(), and put BlockingCallbacks "
            "to No.",
            _TOPIC,
        )
    elif is_on(now):
        what = f"is {now}; staging puts it to No"
        yield Finding("info", link.pv("blocking_callbacks"), what, topic=_TOPIC)


def _skipping(link: PartState) -> Iterator[Finding]:
    least = link.planned("min_callback_time", 0.0)
    if least > 0:
        yield Finding(
            "error" if link.is_writer else "warning",
            link.pv("min_callback_time"),
            f"is {least:g} s: {link.key} skips frames that come sooner, and doesn't count them as "
            "dropped",
            f"Put MinCallbackTime of {link.key} to 0.",
            _TOPIC,
        )


def _dropped(link: PartState) -> Iterator[Finding]:
    dropped = int(link.get("dropped_arrays", 0))
    if dropped:
        yield Finding(
            "info",
            link.pv("dropped_arrays"),
            f"{link.key} has dropped {dropped} frames since this was last put to 0: its queue of "
            f"{link.get('queue_size')} was full",
            "Take frames more slowly, or put QueueSize higher; put DroppedArrays to 0 to count "
            "anew.",
            _TOPIC,
        )
