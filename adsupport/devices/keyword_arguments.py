"""Which keyword arguments a class of devices takes, and what is said of one that it doesn't."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["COMPONENT_ARGUMENTS", "keywords_of", "refused_keyword", "unknown_keyword"]

#: Arguments of a component, which aren't those of its class.
COMPONENT_ARGUMENTS = ("class", "suffix", "kind", "lazy", "doc", "trigger_value", "add_prefix")
#: Arguments that ophyd gives itself.
_OPHYDS = frozenset({"self", "prefix", "name", "parent", "attr_name"})
_REFUSED = re.compile(r"unexpected keyword argument '(.+)'")


def keywords_of(cls: type) -> set[str]:
    """List the keyword arguments that a class and its bases take.

    Parameters
    ----------
    cls : type
        Class of an ophyd device.

    Returns
    -------
    set of str
        Their names, without those that ophyd gives itself.
    """
    found: set[str] = set()
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            for parameter in inspect.signature(vars(base)["__init__"]).parameters.values():
                if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                    found.add(parameter.name)
    return found - _OPHYDS


def unknown_keyword(key: str, accepted: Collection[str]) -> str:
    """Say that a key is unknown, which one was probably meant, and which there are.

    Parameters
    ----------
    key : str
        What is unknown.
    accepted : collection of str
        What has a meaning.

    Returns
    -------
    str
        Sentences for a message.
    """
    near = difflib.get_close_matches(key, accepted, n=1, cutoff=0.5)
    near = near or sorted(known for known in accepted if key and key in known)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown.{hint} Known here: {', '.join(sorted(accepted))}."


def refused_keyword(cls: Any, given: Mapping[str, Any], error: TypeError) -> str | None:
    """Explain an error of a detector's class by a keyword argument that nothing takes.

    Parameters
    ----------
    cls : type
        Class of the detector.
    given : mapping of str to object
        The keyword arguments that the class was called with.
    error : TypeError
        What that raised.

    Returns
    -------
    str or None
        Plugin, argument, and what is known there; None when it's another error.
    """
    found = _REFUSED.search(str(error))
    if not found:
        return None
    key = found[1]
    for where, arguments, accepted in _callees(cls, given):
        if key in arguments and key not in accepted:
            return f"{where}{key}: {unknown_keyword(key, accepted)}"
    return None


def _callees(
    cls: Any, given: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], set[str]]]:
    """Go through the detector and its parts: where, arguments, and those that are taken."""
    yield "", given, keywords_of(cls)
    for attr, component in cls._sig_attrs.items():
        accepted = {*COMPONENT_ARGUMENTS, *keywords_of(component.cls)}
        yield f"plugin {attr!r}: ", component.kwargs, accepted
