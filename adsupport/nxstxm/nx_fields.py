"""Fields of NeXus files as the readers of NXstxm files take them."""

from __future__ import annotations

import re
from typing import Any

import h5py
import numpy as np

from ..callbacks.nexus.nx_group import nx_group

__all__ = ["NO_UNITS", "described", "field", "group", "known_units", "label", "plot"]


_UNITS = frozenset(
    "m cm mm um µm micron microns micrometer nm nanometer pm angstrom millimeter meter "
    "deg degree degrees rad mrad urad radian s sec second seconds ms us ns min h Hz kHz MHz GHz "
    "V mV uV kV A mA uA nA pA W mW kW K degC C Pa hPa kPa mbar bar torr eV keV meV MeV J T mT G "
    "count counts cps pixel pixels percent g kg mg L ml dimensionless".split()
)
_POWER = r"[^\W\d_]+(?:(?:\^|\*\*)-?\d+)?"
_EXPRESSION = re.compile(rf"(?:1\s*/\s*)?{_POWER}(?:\s*[*/ ]\s*{_POWER})*")
#: For numbers without a unit, where NeXus wants the attribute.
NO_UNITS = ""


def group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    """Make a group; see :func:`adsupport.callbacks.nexus.nx_group.nx_group`."""
    return nx_group(parent, name, nx_class)


def label(parent: h5py.Group, name: str, text: str, **attributes: Any) -> h5py.Dataset:
    """Write a text as an array of one fixed-length text.

    Readers such as MANTiS take ``[0].decode()`` of it; the definition allows it.

    Parameters
    ----------
    parent : h5py.Group
        Where.
    name : str
        Its name.
    text : str
        The text.
    **attributes
        Of the dataset.

    Returns
    -------
    h5py.Dataset
        (1,), of bytes.
    """
    dataset = parent.create_dataset(name, data=np.array([text.encode()]))
    dataset.attrs.update(attributes)
    return dataset


def field(
    parent: h5py.Group, name: str, value: Any, units: str | None = None, **attributes: Any
) -> h5py.Dataset:
    """Write numbers, or a text.

    Parameters
    ----------
    parent : h5py.Group
        Where.
    name : str
        Its name.
    value : array-like or str
        The value.
    units : str or None
        Its units; :data:`NO_UNITS` for a pure number; None for no attribute.
    **attributes
        Of the dataset.

    Returns
    -------
    h5py.Dataset
        The dataset.
    """
    dataset = parent.create_dataset(name, data=value)
    return described(dataset, units, **attributes)


def described(dataset: h5py.Dataset, units: str | None = None, **attributes: Any) -> h5py.Dataset:
    """Give a dataset its attributes.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset.
    units : str or None
        Its units; :data:`NO_UNITS` for a pure number; None for no attribute.
    **attributes
        Others.

    Returns
    -------
    h5py.Dataset
        The same.
    """
    if units is not None:
        dataset.attrs["units"] = units
    dataset.attrs.update(attributes)
    return dataset


def known_units(units: str) -> str:
    """Pass units that readers can be expected to know.

    Parameters
    ----------
    units : str
        As a device has them.

    Returns
    -------
    str
        The same, or :data:`NO_UNITS` for a word that is no unit: a file with it isn't valid.

    Notes
    -----
    Source: units that pynxtools' validator takes for any quantity.
    """
    if not _EXPRESSION.fullmatch(units):
        return NO_UNITS
    words = re.findall(r"[^\W\d_]+", units)
    return units if all(word in _UNITS for word in words) else NO_UNITS


def plot(parent: h5py.Group, axes: tuple[str, ...], places: dict[str, int]) -> None:
    """Say what is to be plotted: the field ``data``, over these axes.

    Parameters
    ----------
    parent : h5py.Group
        An NXdata or NXmonitor group, with its fields.
    axes : tuple of str
        Names of fields, one for each dimension of the data.
    places : dict of str to int
        By field, the dimension along which it has its values; others stand still.
    """
    parent.attrs["signal"] = "data"
    # Readers decode each name, which only texts of fixed length give them as bytes.
    parent.attrs["axes"] = np.array([name.encode() for name in axes])
    for name, place in places.items():
        parent.attrs[f"{name}_indices"] = np.uint32(place)
        parent[name].attrs["axis"] = place + 1
    parent["data"].attrs["signal"] = 1
