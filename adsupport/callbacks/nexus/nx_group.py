"""Groups with a NeXus class, and datasets that may be linked."""

from __future__ import annotations

import h5py

from ...errors import ConfigurationError

__all__ = ["link", "nx_group", "targeted", "text_in"]


def nx_group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    """Make a group of a NeXus class, or return the one that is there.

    Parameters
    ----------
    parent : h5py.Group
        Where it is.
    name : str
        Its name.
    nx_class : str
        Such as ``"NXdetector"``.

    Returns
    -------
    h5py.Group
        With ``@NX_class`` and ``@target``, its own address, by which links to it are known.

    Raises
    ------
    ConfigurationError
        The class doesn't begin with NX, or another object has the name.
    """
    if not nx_class.startswith("NX"):
        raise ConfigurationError(
            f"The class of group {name!r} in {parent.name} must begin with 'NX', got {nx_class!r}."
        )
    found = parent.get(name)
    if found is None:
        found = parent.create_group(name)
        found.attrs["NX_class"] = nx_class
        found.attrs["target"] = found.name
    elif not isinstance(found, h5py.Group) or found.attrs.get("NX_class") != nx_class:
        raise ConfigurationError(
            f"{parent.name} has another {name!r}, which isn't a group of class {nx_class}."
        )
    return found


def targeted(item: h5py.Dataset | h5py.Group) -> h5py.Dataset | h5py.Group:
    """Say in an object where it is, so that links to it are known as such.

    Parameters
    ----------
    item : h5py.Dataset or h5py.Group
        The object; ``@target`` is set unless it's there.

    Returns
    -------
    h5py.Dataset or h5py.Group
        The same.
    """
    if "target" not in item.attrs:
        item.attrs["target"] = item.name
    return item


def link(parent: h5py.Group, name: str, item: h5py.Dataset | h5py.Group) -> None:
    """Give an object a second name, as NeXus does.

    Parameters
    ----------
    parent : h5py.Group
        Where the other name is.
    name : str
        The name.
    item : h5py.Dataset or h5py.Group
        The object, of the same file.
    """
    parent[name] = targeted(item)


def text_in(dataset: h5py.Dataset) -> str:
    """Read a dataset as text.

    Parameters
    ----------
    dataset : h5py.Dataset
        A scalar.

    Returns
    -------
    str
        Its text, or its number as text.
    """
    found = dataset[()]
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)
