"""Classes that fit a release of ADCore: what it lacks is left out, what it has besides comes in.

The classes of this package describe ADCore R3-14.  ``class_for`` compares them, record by record,
with the table in :mod:`adsupport.adcore`; records that ADCore has in no release (of a driver, or
of a user's own) are left alone.
"""

from __future__ import annotations

import copyreg
from collections import OrderedDict
from collections.abc import Iterator
from functools import cache
from typing import Any

from ophyd import Component, Device, DynamicDeviceComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector import cam as ophyd_cam
from ophyd.areadetector import plugins as ophyd_plugins
from ophyd.areadetector.base import EpicsSignalWithRBV
from ophyd.areadetector.paths import EpicsPathSignal
from ophyd.signal import EpicsSignalBase

from ..adcore import KNOWN_RELEASES, Release, nearest, records
from ..errors import ConfigurationError

__all__ = ["class_for", "copy_component", "records_of", "template_of"]

_TEMPLATES: dict[type, str] = {
    ophyd_cam.CamBase: "ADBase",
    ophyd_plugins.AttributePlugin: "NDAttribute",
    ophyd_plugins.BadPixelPlugin: "NDBadPixel",
    ophyd_plugins.CircularBuffPlugin: "NDCircularBuff",
    ophyd_plugins.CodecPlugin: "NDCodec",
    ophyd_plugins.ColorConvPlugin: "NDColorConvert",
    ophyd_plugins.FFTPlugin: "NDFFT",
    ophyd_plugins.GatherPlugin: "NDGather",
    ophyd_plugins.HDF5Plugin: "NDFileHDF5",
    ophyd_plugins.ImagePlugin: "NDStdArrays",
    ophyd_plugins.JPEGPlugin: "NDFileJPEG",
    ophyd_plugins.MagickPlugin: "NDFileMagick",
    ophyd_plugins.NetCDFPlugin: "NDFileNetCDF",
    ophyd_plugins.NexusPlugin: "NDFileNexus",
    ophyd_plugins.OverlayPlugin: "NDOverlay",
    ophyd_plugins.ProcessPlugin: "NDProcess",
    ophyd_plugins.PvaPlugin: "NDPva",
    ophyd_plugins.ROIPlugin: "NDROI",
    ophyd_plugins.ROIStatPlugin: "NDROIStat",
    ophyd_plugins.ScatterPlugin: "NDScatter",
    ophyd_plugins.StatsPlugin: "NDStats",
    ophyd_plugins.TIFFPlugin: "NDFileTIFF",
    ophyd_plugins.TransformPlugin: "NDTransform",
}
# What all plugins have in common, for those of which no more is known: these templates add
# nothing that has ever changed.
_COMMON: dict[type, str] = {
    ophyd_plugins.FilePlugin: "NDFileNetCDF",
    ophyd_plugins.PluginBase: "NDStdArrays",
}

_TIME_SERIES = ("ts_acquiring", "ts_control", "ts_current_point", "ts_num_points", "ts_read")
#: Components of records that newer releases don't have, by template, as ophyd declares them.
_FORMER: dict[str, tuple[tuple[type, tuple[str, ...]], ...]] = {
    "NDAttribute": ((ophyd_plugins.AttributePlugin_V22, _TIME_SERIES),),
    "NDProcess": ((ophyd_plugins.ProcessPlugin, ("high_clip", "low_clip")),),
    "NDStats": ((ophyd_plugins.StatsPlugin, _TIME_SERIES),),
}
_FORMER_EVERYWHERE = ((ophyd_plugins.PluginBase, ("pool_max_buffers",)),)

#: Records of a driver, and the release of the driver that brought them: its release notes.
_DRIVERS: dict[type, dict[str, Release]] = {
    ophyd_cam.SimDetectorCam: {"Offset": Release(2, 9), "Offset_RBV": Release(2, 9)},
}


class _AdaptedType(type):
    """Class of the adapted classes: pickled as what they are made of."""


def _reduce(cls: type) -> Any:
    made_of = vars(cls).get("_made_of")
    return cls.__qualname__ if made_of is None else (class_for, made_of)


copyreg.pickle(_AdaptedType, _reduce)


def class_for(cls: type, release: Release | str, driver: Release | str | None = None) -> type:
    """Return the class that fits a release of ADCore.

    Parameters
    ----------
    cls : type
        Class of a camera or plugin: one of ours, of ophyd's, or derived from one of these.
    release : Release or str
        The release, such as ``"R3-4"`` or ``"3.4"``; of one that isn't known the nearest older
        one counts.
    driver : Release or str, optional
        Release of the camera's driver, as ``DriverVersion_RBV`` says; without it the records of
        the driver are left alone.

    Returns
    -------
    type
        A subclass, always the same one, named after the release as in ``HDF5Plugin_R3_4``;
        ``cls`` itself when there's nothing to change, or when it isn't of ADCore.

    Raises
    ------
    ConfigurationError
        The release has no such plugin, or isn't a release.

    Examples
    --------
    >>> class_for(HDF5Plugin, "R3-4").flush_now is None
    True
    """
    try:
        wanted = Release.parse(release) if isinstance(release, str) else release
        of_driver = Release.parse(driver) if isinstance(driver, str) else driver
    except ValueError as error:
        raise ConfigurationError(f"{error}.") from None
    made_of = vars(cls).get("_made_of")
    origin = cls if made_of is None else made_of[0]
    template = template_of(origin)
    if template is None:
        return cls
    if not any(issubclass(origin, base) for base in _DRIVERS):
        of_driver = None
    return _class_for(origin, template, _known_release(origin, template, wanted), of_driver)


def _known_release(cls: type, template: str, release: Release) -> Release:
    """Choose the release whose records to take: one that has the template."""
    known = nearest(release)
    since = next(each for each in KNOWN_RELEASES if records(template, each))
    if since <= known:
        return known
    # Of a release between two known ones nobody knows which of the two it takes after.
    if release not in KNOWN_RELEASES and since == min(r for r in KNOWN_RELEASES if r > known):
        return since
    raise ConfigurationError(
        f"{cls.__name__}: its template {template} is known from ADCore {since} on, and the release "
        f"is {release}. Leave this plugin out."
    )


@cache
def _class_for(cls: type, template: str, release: Release, driver: Release | None) -> type:
    served = records(template, release)
    lacking = _ever_known(template) - served
    if driver is not None:
        lacking = lacking | _not_in_driver(cls, driver)
    changes: dict[str, Any] = dict(_removed(cls, lacking))
    changes |= _restored(cls, template, served, changes)
    if not changes:
        return cls
    meta = _AdaptedType if type(cls) is type else type(cls)
    of_driver = f", driver {driver}" if driver else ""
    return meta(
        f"{cls.__name__}_{str(release).replace('-', '_')}",
        (cls,),
        {
            "__module__": cls.__module__,
            "__doc__": f"{cls.__name__} as ADCore {release}{of_driver} serves it.",
            "_made_of": (cls, release, driver),
            **changes,
        },
    )


def template_of(cls: type) -> str | None:
    """Tell which of ADCore's database templates a class describes.

    Parameters
    ----------
    cls : type
        Any class.

    Returns
    -------
    str or None
        Its ``_template``, or that of the base class from ophyd; of plugins of another kind one
        that has what all plugins have.  None when it's no camera or plugin.
    """
    for known in (_TEMPLATES, _COMMON):
        for base in cls.__mro__:
            if "_template" in vars(base):
                return vars(base)["_template"]
            if base in known:
                return known[base]
    return None


def records_of(cls: type, suffix: str = "") -> Iterator[tuple[str, str]]:
    """List the records that a class of devices declares.

    Parameters
    ----------
    cls : type
        Class of an ophyd device.
    suffix : str
        What the records' names begin with.

    Yields
    ------
    tuple of str
        Dotted name of the component, and name of the record without the device's prefix.
    """
    for attr, component in cls._sig_attrs.items():  # type: ignore[attr-defined]
        kind = component.cls
        if issubclass(kind, EpicsSignalBase):
            for record in _records(component):
                yield attr, suffix + record
        elif issubclass(kind, Device):
            for name, record in records_of(kind, suffix + (component.suffix or "")):
                yield f"{attr}.{name}", record


def _records(component: Component) -> tuple[str, ...]:
    record = (component.suffix or "").partition(".")[0]
    if issubclass(component.cls, EpicsSignalWithRBV | EpicsPathSignal):
        return record, f"{record}_RBV"
    return (record,)


def _ever_known(template: str) -> frozenset[str]:
    return frozenset().union(*(records(template, release) for release in KNOWN_RELEASES))


def _not_in_driver(cls: type, driver: Release) -> frozenset[str]:
    return frozenset(
        record
        for base, added in _DRIVERS.items()
        if issubclass(cls, base)
        for record, since in added.items()
        if driver < since
    )


def _removed(cls: Any, lacking: frozenset[str]) -> Iterator[tuple[str, Component | None]]:
    """List the components that don't fit, and what fits instead."""
    for attr, component in cls._sig_attrs.items():
        if isinstance(component, DynamicDeviceComponent):
            fitting = _group(component, lacking)
        elif issubclass(component.cls, EpicsSignalBase):
            fitting = _signal(component, lacking)
        else:
            continue
        if fitting is not component:
            yield attr, fitting


def _signal(component: Component, lacking: frozenset[str]) -> Component | None:
    left = [record for record in _records(component) if record not in lacking]
    if len(left) == len(_records(component)):
        return component
    if not left:
        return None
    # one of set-point and read-back
    kind = EpicsSignalRO if left[0].endswith("_RBV") else EpicsSignal
    return copy_component(component, kind, left[0])


def _group(component: Any, lacking: frozenset[str]) -> Any:
    fitting = {attr: _signal(part, lacking) for attr, part in component.components.items()}
    if all(fitting[attr] is part for attr, part in component.components.items()):
        return component
    left = OrderedDict(
        (attr, (part.cls, part.suffix, {**component.defn[attr][2]}))
        for attr, part in fitting.items()
        if part is not None
    )
    if not left:
        return None
    names = {
        key: None if given is None else [attr for attr in given if attr in left]
        for key in ("default_read_attrs", "default_configuration_attrs")
        for given in [getattr(component, key)]
    }
    return type(component)(
        left,
        doc=component.doc,
        kind=component.kind,
        component_class=component.component_class,
        base_class=component.base_class,
        **names,
    )


def copy_component(
    component: Component, kind: type | None = None, suffix: str | None = None
) -> Component:
    """Copy the declaration of a part of a device.

    Parameters
    ----------
    component : ophyd.Component
        The declaration.
    kind : type, optional
        Another class for the part.
    suffix : str, optional
        Another suffix.

    Returns
    -------
    ophyd.Component
        A declaration for another class of devices.
    """
    return type(component)(
        kind or component.cls,
        suffix or component.suffix,
        lazy=component.lazy,
        trigger_value=component.trigger_value,
        add_prefix=component.add_prefix,
        kind=component.kind,
        **component.kwargs,
    )


def _restored(
    cls: Any, template: str, served: frozenset[str], changes: dict[str, Any]
) -> dict[str, Component]:
    """List what this release has, and newer ones don't."""
    kept = {attr for attr in cls._sig_attrs if changes.get(attr, cls) is not None}
    declared = {record for attr, record in records_of(cls) if attr.partition(".")[0] in kept}
    restored = {}
    for source, attrs in (*_FORMER_EVERYWHERE, *_FORMER.get(template, ())):
        for attr in attrs:
            component = getattr(source, attr)
            wanted = set(_records(component))
            if attr not in kept and wanted <= served and not wanted & declared:
                restored[attr] = copy_component(component)
    return restored
