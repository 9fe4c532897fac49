"""Links, constants and attributes that a run's metadata ask for.

A template is a list of ``[source, target]``, as a list or as JSON text of one:

- ``["/entry/a/b", "/entry/sample:NXsample/b"]``: a link to what is there;
- ``["/entry/sample:NXsample/mass=", 2.5]``: a constant;
- ``["/entry/sample:NXsample/@label", "A7"]``: an attribute.

Groups that aren't there are made when their class is given, as in ``sample:NXsample``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import h5py

from ...errors import AdsupportError, ConfigurationError
from ..output.hdf5_values import write_attribute, write_value
from .nx_group import link, nx_group, targeted

__all__ = ["apply_templates", "resolve_class_path"]


def resolve_class_path(root: h5py.Group, path: str) -> str:
    """Make the groups of a path that aren't there.

    Parameters
    ----------
    root : h5py.Group
        Where the path begins.
    path : str
        Such as ``/entry/instrument/slits:NXcollection/s1:NXslit/x_gap``.

    Returns
    -------
    str
        The address, without classes.

    Raises
    ------
    ConfigurationError
        A class doesn't begin with NX, or another object has a group's name.
    """
    address = ""
    for level in path.strip("/").split("/"):
        name, colon, nx_class = level.partition(":")
        if colon:
            parent = root[address or "/"]
            if not isinstance(parent, h5py.Group):
                raise ConfigurationError(f"{address} is a dataset, and can't have {level!r} in it.")
            if name not in parent or not nx_class.startswith("NX"):
                nx_group(parent, name, nx_class)
        address += f"/{name}"
    return address


def apply_templates(
    root: h5py.Group,
    templates: Any,
    *,
    resolve: Callable[[str], str] | None = None,
) -> list[str]:
    """Write what templates ask for.

    Parameters
    ----------
    root : h5py.Group
        Of the file.
    templates : list or str
        Pairs of source and target, or JSON text of such a list.
    resolve : callable, optional
        In place of :func:`resolve_class_path`: gets a path, returns the address.

    Returns
    -------
    list of str
        What couldn't be written, each a sentence; the others are written.
    """
    resolve = resolve or (lambda path: resolve_class_path(root, path))
    try:
        pairs = json.loads(templates) if isinstance(templates, (str, bytes)) else list(templates)
    except (ValueError, TypeError) as error:
        return [f"The templates aren't a list, or JSON text of one: {error}."]
    if not isinstance(pairs, list):
        return [f"The templates must be a list of [source, target], got {str(pairs)[:60]!r}."]
    notes: list[str] = []
    for pair in pairs:
        match pair:
            case [str(source), target] | (str(source), target):
                try:
                    _apply(root, source, target, resolve, notes)
                except (
                    AdsupportError,
                    KeyError,
                    ValueError,
                    TypeError,
                    OSError,
                    RuntimeError,
                ) as e:
                    notes.append(f"Template {[source, target]!r} can't be applied: {e}")
            case _:
                notes.append(f"Template {pair!r} isn't a pair of source and target.")
    return notes


def _apply(
    root: h5py.Group, source: str, target: Any, resolve: Callable[[str], str], notes: list[str]
) -> None:
    path, _, last = source.rpartition("/")
    if "/@" in source:
        if not last.startswith("@") or "/@" in path:
            raise ConfigurationError(f"{source!r} must name one attribute, at its end.")
        write_attribute(_item(root, resolve(path)), last[1:], target, notes=notes)
    elif source.endswith("="):
        group = _item(root, resolve(path))
        if not isinstance(group, h5py.Group):
            raise ConfigurationError(f"{path!r} is a dataset, and can't have {last!r} in it.")
        targeted(write_value(group, last.removesuffix("="), target, notes=notes))
    elif not isinstance(target, str):
        raise ConfigurationError(f"the target of a link must be an address, got {target!r}")
    else:
        item = _item(root, source)
        address = resolve(target)
        if address in root:
            raise ConfigurationError(f"{address} is there already.")
        parent = _item(root, address.rpartition("/")[0] or "/")
        link(parent, address.rpartition("/")[2], item)


def _item(root: h5py.Group, address: str) -> Any:
    found = root.get(address or "/")
    if found is None:
        raise ConfigurationError(f"there is no {address}.")
    return found
