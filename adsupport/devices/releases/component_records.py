"""Which records the components of a class stand for, and what of them is left without some."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Set
from typing import Any

from ophyd import Component, Device, DynamicDeviceComponent, EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import EpicsSignalWithRBV
from ophyd.areadetector.paths import EpicsPathSignal
from ophyd.signal import EpicsSignalBase

__all__ = ["copy_component", "fitting_component", "records_of", "records_of_component"]


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
            for record in _of_signal(component):
                yield attr, suffix + record
        elif issubclass(kind, Device):
            for name, record in records_of(kind, suffix + (component.suffix or "")):
                yield f"{attr}.{name}", record


def records_of_component(component: Any) -> tuple[str, ...]:
    """List the records that one component stands for.

    Parameters
    ----------
    component : ophyd.Component
        A signal, or a group of signals.

    Returns
    -------
    tuple of str
        Names without the device's prefix; none for what isn't a signal of EPICS.
    """
    if isinstance(component, DynamicDeviceComponent):
        return tuple(r for part in component.components.values() for r in _of_signal(part))
    return _of_signal(component)


def _of_signal(component: Component) -> tuple[str, ...]:
    if not issubclass(component.cls, EpicsSignalBase):
        return ()
    record = (component.suffix or "").partition(".")[0]
    if issubclass(component.cls, EpicsSignalWithRBV | EpicsPathSignal):
        return record, f"{record}_RBV"
    return (record,)


def fitting_component(component: Any, lacking: Set[str]) -> Any:
    """Return what is left of a component without some records.

    Parameters
    ----------
    component : ophyd.Component
        A signal, or a group of signals.
    lacking : set of str
        Names of the records that aren't served.

    Returns
    -------
    ophyd.Component or None
        The component itself when it needs none of them; a signal of the set-point or of the
        read-back alone, or a smaller group; None when nothing is left.
    """
    if isinstance(component, DynamicDeviceComponent):
        return _group(component, lacking)
    if issubclass(component.cls, EpicsSignalBase):
        return _signal(component, lacking)
    return component


def _signal(component: Component, lacking: Set[str]) -> Component | None:
    left = [record for record in _of_signal(component) if record not in lacking]
    if len(left) == len(_of_signal(component)):
        return component
    if not left:
        return None
    # one of set-point and read-back
    kind = EpicsSignalRO if left[0].endswith("_RBV") else EpicsSignal
    return copy_component(component, kind, left[0])


def _group(component: Any, lacking: Set[str]) -> Any:
    fitting = {attr: _signal(part, lacking) for attr, part in component.components.items()}
    if all(fitting[attr] is part for attr, part in component.components.items()):
        return component
    left = OrderedDict(
        (attr, (part.cls, part.suffix, component.defn[attr][2]))
        for attr, part in fitting.items()
        if part is not None
    )
    return _copy_group(component, left) if left else None


def _copy_group(component: Any, definition: OrderedDict[str, Any]) -> Any:
    names = {
        key: None if given is None else [attr for attr in given if attr in definition]
        for key in ("default_read_attrs", "default_configuration_attrs")
        for given in [getattr(component, key)]
    }
    return type(component)(
        definition,
        doc=component.doc,
        kind=component.kind,
        component_class=component.component_class,
        base_class=component.base_class,
        **names,
    )


def copy_component(component: Any, kind: type | None = None, suffix: str | None = None) -> Any:
    """Copy the declaration of a part of a device.

    Parameters
    ----------
    component : ophyd.Component
        The declaration.
    kind : type, optional
        Another class for the part, unless it's a group.
    suffix : str, optional
        Another suffix, unless it's a group.

    Returns
    -------
    ophyd.Component
        A declaration for another class of devices.
    """
    if isinstance(component, DynamicDeviceComponent):
        return _copy_group(component, OrderedDict(component.defn))
    return type(component)(
        kind or component.cls,
        suffix or component.suffix,
        lazy=component.lazy,
        trigger_value=component.trigger_value,
        add_prefix=component.add_prefix,
        kind=component.kind,
        **component.kwargs,
    )
