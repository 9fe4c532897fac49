"""A group of a file against its definitions: an application's, and the base classes'."""

from __future__ import annotations

import re
from collections.abc import Iterator

import h5py

from .nx_values import strings_of, type_fault, units_fault
from .nxdl import Field, Group, base_class

__all__ = ["application_faults", "base_class_faults", "children_of"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Attributes that any group may have.
_ALWAYS = {"NX_class", "target", "default"}


def class_of(group: h5py.Group) -> str:
    nx_class = group.attrs.get("NX_class", "")
    return nx_class.decode() if isinstance(nx_class, bytes) else str(nx_class)


def children_of(group: h5py.Group, nx_class: str, name: str = "") -> list[h5py.Group]:
    """Get the groups of a class in a group, of this name unless it's empty."""
    return [
        child
        for key, child in group.items()
        if isinstance(child, h5py.Group) and class_of(child) == nx_class and name in ("", key)
    ]


def application_faults(group: h5py.Group, asked: Group) -> Iterator[str]:
    """Say what a group lacks of a definition, or has otherwise, in all groups that it describes."""
    for wanted in asked.fields.values():
        field = group.get(wanted.name)
        if isinstance(field, h5py.Dataset):
            yield from _field_faults(field, wanted)
        elif wanted.minimum:
            yield f"{group.name}: no {wanted.name}, which is required"
    for wanted in asked.groups:
        found = children_of(group, wanted.nx_class, wanted.name)
        what = f"{wanted.name}:{wanted.nx_class}" if wanted.name else wanted.nx_class
        if len(found) < wanted.minimum:
            yield f"{group.name}: no {what}, which is required"
        if wanted.maximum is not None and len(found) > wanted.maximum:
            yield f"{group.name}: {len(found)} {what}, at most {wanted.maximum} are allowed"
        for child in found:
            yield from application_faults(child, wanted)


def base_class_faults(group: h5py.Group, collected: bool = False) -> Iterator[str]:
    """Say what in a group and those below isn't as the base classes have it.

    Of what's in an NXcollection, which may be anything, only the classes of groups are looked at.
    """
    own = base_class(class_of(group))
    if own is None:
        yield f"{group.name}: {class_of(group) or 'no NX_class'!r} is no base class"
        return
    collected = collected or own.nx_class == "NXcollection"
    if not collected:
        yield from _attribute_faults(group, own)
    allowed = {each.nx_class for each in own.groups}
    named = {each.name: each.nx_class for each in own.groups if each.name.islower()}
    for name, child in group.items():
        if not collected and not _NAME.fullmatch(name):
            yield f"{child.name}: not a name for NeXus"
        if isinstance(child, h5py.Group):
            if not collected and not own.open_to_groups and class_of(child) not in allowed:
                yield f"{child.name}: {class_of(child)} isn't allowed in {own.nx_class}"
            if class_of(child) != named.get(name, class_of(child)):
                yield f"{child.name}: {class_of(child)}, but of this name {named[name]}"
            yield from base_class_faults(child, collected)
        elif collected:
            continue
        elif name in own.fields:
            yield from _field_faults(child, own.fields[name])
        elif not own.open_to_fields and not _is_variant(name, own):
            yield f"{child.name}: not a field of {own.nx_class}"


def _attribute_faults(group: h5py.Group, own: Group) -> Iterator[str]:
    if own.open_to_fields:
        return
    for name in group.attrs:
        if name not in own.attributes | _ALWAYS:
            yield f"{group.name}@{name}: not an attribute of {own.nx_class}"


def _is_variant(name: str, own: Group) -> bool:
    """Tell whether a field's name fits one like FIELDNAME_errors."""
    return any(re.fullmatch(re.sub(r"[A-Z]+", r"\\w+", pattern), name) for pattern in own.patterns)


def _field_faults(field: h5py.Dataset, wanted: Field) -> Iterator[str]:
    fault = type_fault(field, wanted.nx_type)
    if fault:
        yield f"{field.name}: {fault}"
    elif wanted.items:
        odd = [value for value in strings_of(field) if value not in wanted.items]
        if odd or not field.size:
            yield f"{field.name}: {odd} isn't one of {', '.join(wanted.items)}"
    fault = units_fault(field, wanted.units)
    if fault:
        yield f"{field.name}: {fault}"
