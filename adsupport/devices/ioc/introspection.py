"""Find out what an area detector IOC has, and how to build a detector of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...adcore.versions import Release
from ...errors import ConfigurationError, ConfigurationTypeError, ConnectionTimeoutError
from ..signals.inquiry import QUIET_TIME, inquire
from .classes import CAMERAS, RECORDING, camera_class, plugin_class, type_name
from .description import IOCDescription, PartDescription
from .names import CAMERA_SUFFIXES, PLUGIN_SUFFIXES, part_key, staging_order

__all__ = ["IOCDescription", "PartDescription", "describe_answers", "describe_ioc"]

_PORT = "PortName_RBV"
_PLUGIN_TYPE = "PluginType_RBV"
_SOURCE = "NDArrayPort_RBV"
_ENABLED = "EnableCallbacks_RBV"
_MAKER = "Manufacturer_RBV"
_MODEL = "Model_RBV"
#: What a part is asked once its port has answered.
_FIELDS = (_PLUGIN_TYPE, _SOURCE, _ENABLED, "ADCoreVersion_RBV", "DriverVersion_RBV")
#: And besides where it may be a camera.
_CAMERA_FIELDS = (_MAKER, _MODEL)
_PROOFS = tuple(camera.proof for camera in CAMERAS)


def describe_ioc(
    prefix: str,
    timeout: float = 5.0,
    *,
    cams: Iterable[str] = (),
    suffixes: Iterable[str] = (),
    writers: Iterable[str] | None = None,
) -> IOCDescription:
    """Find the cameras and plugins that an IOC has, and the classes for them.

    Every place where ADCore's ``commonPlugins.cmd`` puts a plugin is asked at once, up to ten
    of a kind, and four cameras.  Nothing is written, no ophyd signal is made, and no channel
    stays open.  A process variable that doesn't exist never answers: the search ends when
    nothing new has come for 0.7 s, so takes one or two seconds.

    One file plugin records, that is, has a class that makes the documents of its files: the
    first HDF5 plugin.  It takes file path, name and template from the IOC until it is given
    ``write_path_template`` and ``read_path_template``, which the IOC can't know.  A detector
    whose every file plugin records could only be staged with a path and a name for each.  The
    others are there with all their signals, and staging leaves them as they are.

    Plugins inside other plugins (``Stats1:TS:``, ``Proc1:TIFF:``) belong to these, and are
    listed only when their suffixes are given.

    Parameters
    ----------
    prefix : str
        Prefix of the IOC's process variables, such as ``"ad:"``.
    timeout : float
        Longest time for all of it, in seconds.
    cams, suffixes : iterable of str
        More places to look for cameras and plugins, such as ``"eiger:"`` and ``"MyROI:"``.
    writers : iterable of str, optional
        Keys of the file plugins that record, such as ``["hdf1", "tiff1"]``, of type HDF5,
        TIFF or JPEG.

    Returns
    -------
    IOCDescription
        What was found; its ``plugins`` build it again.

    Raises
    ------
    ConnectionTimeoutError
        Nothing answered, or the timeout ended before all had answered.
    ConfigurationError, ConfigurationTypeError
        An argument can't be used, or a writer isn't there.

    Examples
    --------
    >>> ioc = describe_ioc("ad:")                           # doctest: +SKIP
    >>> det = ad_creator("ad:", name="det", plugins=ioc.select("hdf1", "image").plugins)
    """
    if not isinstance(prefix, str):
        raise ConfigurationTypeError(
            f"prefix must be a str, got {type(prefix).__name__}: {prefix!r}."
        )
    if not 0 < timeout < threading.TIMEOUT_MAX:
        raise ConfigurationError(f"timeout must be a time in seconds, got {timeout!r}.")
    cameras = _suffixes("cams", cams)
    others = _suffixes("suffixes", suffixes)
    places = list(dict.fromkeys([*cameras, *CAMERA_SUFFIXES, *others, *PLUGIN_SUFFIXES]))
    answers = _ask(prefix, places, timeout)
    found: dict[str, dict[str, Any]] = {}
    for place in places:
        if f"{prefix}{place}{_PORT}" in answers:
            fields = (_PORT, *_FIELDS, *_CAMERA_FIELDS, *_PROOFS)
            pvs = {field: answers.get(f"{prefix}{place}{field}") for field in fields}
            found[place] = {field: value for field, value in pvs.items() if value is not None}
    if not found:
        raise ConnectionTimeoutError(
            f"Nothing under {prefix!r} answered within {timeout:g} s: {len(places)} usual places, "
            f"such as {prefix}cam1:{_PORT}, were asked.",
            [f"{prefix}{place}{_PORT}" for place in places],
            remedy="Is the IOC running, and the prefix right (with its colon)? Does "
            f"EPICS_CA_ADDR_LIST ({os.environ.get('EPICS_CA_ADDR_LIST') or 'not set'}) reach it?",
        )
    return describe_answers(prefix, found, writers)


def _suffixes(argument: str, given: Iterable[str]) -> list[str]:
    found = [given] if isinstance(given, str) else list(given)
    for suffix in found:
        if not isinstance(suffix, str) or not suffix:
            raise ConfigurationTypeError(
                f"{argument} must be suffixes such as 'ROI5:', got {suffix!r}."
            )
    return found


def _ask(prefix: str, places: list[str], timeout: float) -> dict[str, Any]:
    """Ask every place for its port, and those that answer for the rest."""
    usual = {prefix + suffix for suffix in PLUGIN_SUFFIXES}

    def follow(name: str, value: Any) -> list[str]:
        if name.endswith(_PORT):
            place = name.removesuffix(_PORT)
            more = () if place in usual else _CAMERA_FIELDS
            return [place + field for field in (*_FIELDS, *more)]
        if name.endswith(_MODEL):
            return [name.removesuffix(_MODEL) + proof for proof in _PROOFS]
        return []

    # Shorter limits leave less time to tell what is absent.
    quiet = min(QUIET_TIME, timeout / 4)
    return inquire([f"{prefix}{place}{_PORT}" for place in places], follow, timeout, quiet)


def describe_answers(
    prefix: str, found: Mapping[str, Mapping[str, Any]], writers: Iterable[str] | None = None
) -> IOCDescription:
    """Make the description of an IOC from its answers.

    Parameters
    ----------
    prefix : str
        Prefix of the IOC's process variables.
    found : mapping of str to mapping
        For each suffix the values by record name, such as ``{"cam1:": {"PortName_RBV":
        "SIM1"}}``.
    writers : iterable of str, optional
        See :func:`describe_ioc`.

    Returns
    -------
    IOCDescription
        What was found.

    Raises
    ------
    ConfigurationError
        A writer isn't there, or is of a type that can't record.
    """
    cams = [suffix for suffix, values in found.items() if _is_camera(values)]
    rest = sorted((suffix for suffix in found if suffix not in cams), key=staging_order)
    keys: dict[str, str] = {}
    for n, suffix in enumerate(cams):
        keys[suffix] = "cam" if n == 0 else part_key(suffix, {*keys.values(), "cam"})
    for suffix in rest:
        keys[suffix] = part_key(suffix, keys.values())
    sources = {str(found[s][_PORT]): str(found[s].get(_SOURCE, "")) for s in rest}
    owners = {str(found[s][_PORT]): keys[s] for s in cams}
    recording = _writers(
        prefix, {keys[s]: str(found[s].get(_PLUGIN_TYPE, "")) for s in rest}, writers
    )
    parts = [
        _part(keys[suffix], suffix, found[suffix], keys[suffix] in recording, sources, owners)
        for suffix in (*cams, *rest)
    ]
    return IOCDescription(prefix, _release(found.values()), tuple(parts))


def _is_camera(values: Mapping[str, Any]) -> bool:
    """Tell a camera: it takes no arrays.  Not every driver has a detector's state."""
    return _PLUGIN_TYPE not in values and _SOURCE not in values


def _part(
    key: str,
    suffix: str,
    values: Mapping[str, Any],
    records: bool,
    sources: Mapping[str, str],
    owners: Mapping[str, str],
) -> PartDescription:
    port = str(values[_PORT])
    camera = _is_camera(values)
    maker, model = (str(values.get(f, "")) if camera else "" for f in _CAMERA_FIELDS)
    plugin_type = str(values.get(_PLUGIN_TYPE, ""))
    return PartDescription(
        key=key,
        suffix=suffix,
        cls=camera_class(maker, model, values.keys() & set(_PROOFS))
        if camera
        else plugin_class(plugin_type, records),
        plugin_type=plugin_type,
        port=port,
        source_port="" if camera else str(values.get(_SOURCE, "")),
        driver_version=str(values.get("DriverVersion_RBV", "")),
        enabled=None if camera else bool(values.get(_ENABLED, 0)),
        camera=_first(port, sources, owners),
        manufacturer=maker,
        model=model,
    )


def _first(port: str, sources: Mapping[str, str], owners: Mapping[str, str]) -> str | None:
    """Follow the arrays back to their camera; plugins can be set to feed each other in a ring."""
    seen: set[str] = set()
    while port not in owners:
        if port in seen or port not in sources:
            return None
        seen.add(port)
        port = sources[port]
    return owners[port]


def _writers(
    prefix: str, types: Mapping[str, str], writers: Iterable[str] | None
) -> frozenset[str]:
    able = {key: type_name(kind) for key, kind in types.items() if type_name(kind) in RECORDING}
    if writers is None:
        first = next((key for key, kind in able.items() if kind == "NDFileHDF5"), None)
        return frozenset() if first is None else frozenset([first])
    wanted = [writers] if isinstance(writers, str) else list(writers)
    for key in wanted:
        if key not in able:
            raise ConfigurationError(
                f"{key!r} isn't a file plugin of {prefix!r} that can record; those are "
                f"{', '.join(able) or 'none'}."
            )
    return frozenset(wanted)


def _release(found: Iterable[Mapping[str, Any]]) -> Release | None:
    for text in _versions(found):
        try:
            return Release.parse(text)
        except ValueError:
            continue  # a driver's own idea of a version
    return None


def _versions(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (str(values["ADCoreVersion_RBV"]) for values in found if "ADCoreVersion_RBV" in values)
