"""Fields of NeXus files as the readers of NXstxm files take them."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...callbacks.nexus.nx_group import nx_group

__all__ = ["described", "field", "group", "label", "plot"]


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
        Its units; ``""`` for a pure number; None for no attribute.
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
        Its units; ``""`` for a pure number; None for no attribute.
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
