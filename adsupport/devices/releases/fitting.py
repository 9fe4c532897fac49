"""Classes that fit a release of ADCore: what it lacks is left out, what it has besides comes in.

The classes of this package describe ADCore R3-14.  ``class_for`` compares them, record by record,
with the table in :mod:`adsupport.adcore`; records that ADCore has in no release (of a driver, or
of a user's own) are left alone.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterator
from functools import cache
from typing import Any

from ophyd import Component, Kind
from ophyd.areadetector import cam as ophyd_cam
from ophyd.areadetector import plugins as ophyd_plugins

from ...adcore import KNOWN_RELEASES, Release, nearest, records
from ...errors import ConfigurationError
from .component_records import copy_component, fitting_component, records_of, records_of_component
from .templates import is_of_another_kind, template_of

__all__ = ["class_for"]

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
    parts = dict(_parts(cls))
    fitting = {attr: fitting_component(part, lacking) for attr, part in parts.items()}
    changes = {attr: part for attr, part in fitting.items() if part is not parts[attr]}
    changes |= _added(cls, template, served, {a for a, part in fitting.items() if part is not None})
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


def _parts(cls: Any) -> Iterator[tuple[str, Component]]:
    yield from cls._sig_attrs.items()


def _added(
    cls: type, template: str, served: frozenset[str], kept: set[str]
) -> dict[str, Component]:
    """List what the release has and the class doesn't declare."""
    declared = {record for attr, record in records_of(cls) if attr.partition(".")[0] in kept}
    added = {}
    for attr, component in _known_parts(cls, template):
        wanted = set(records_of_component(component))
        if attr in kept or attr in added or not _is_free(cls, attr):
            continue
        if wanted and wanted <= served and not wanted & declared:
            added[attr] = copy_component(component)
            added[attr].kind = Kind.omitted  # read by nobody who hasn't asked for it
            declared |= wanted
    return added


def _known_parts(cls: type, template: str) -> Iterator[tuple[str, Component]]:
    """List what is known of the records of a template, of newer and of older releases."""
    # here: the classes stand on the connection, which asks for templates
    from .. import cam, plugins

    if issubclass(cls, ophyd_cam.CamBase):
        yield from _parts(cam.CamMixin_V34)
    elif not is_of_another_kind(cls):
        for ours in (getattr(plugins, name) for name in plugins.__all__):
            if not is_of_another_kind(ours) and template_of(ours) == template:
                yield from _parts(ours)
    for source, attrs in (*_FORMER_EVERYWHERE, *_FORMER.get(template, ())):
        yield from ((attr, getattr(source, attr)) for attr in attrs)


def _is_free(cls: type, attr: str) -> bool:
    """Tell whether a component may have a name: a user's None, say, is meant."""
    for base in cls.__mro__:
        if attr in vars(base):
            library = base.__module__.startswith(("ophyd.", "adsupport.")) or "_made_of" in vars(
                base
            )
            return vars(base)[attr] is None and library
    return True
