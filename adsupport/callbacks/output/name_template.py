"""File names from templates: Python's format, restricted to looking things up in documents."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

import numpy as np

from ...errors import NamingError, OutputNameError
from ...naming.dates import expand_dates
from .file_name import safe_characters, safe_component

__all__ = ["OutputName"]

_EXPECTED = (
    "expected a field such as '{start[scan_id]:05d}', '{start[uid]:.7}' or "
    "'{start[time]:%Y%m%d-%H%M%S}'."
)
_FIELD = re.compile(r"(?P<name>\w+)(?P<keys>(\[[^\[\]]+\])*)")
_KEY = re.compile(r"\[([^\[\]]+)\]")
_INDEX = re.compile(r"-?[0-9]{1,9}")
_DATE_CODE = re.compile(r"%-?[A-Za-z]")
#: A wider field is a mistake, and could take all memory.
_MAX_WIDTH = 255
_MOST_LISTED = 30


@dataclass(frozen=True)
class _Field:
    """One field of a template."""

    text: str
    name: str
    keys: tuple[str, ...]
    spec: str


class OutputName:
    """A template for the names of output files.

    Parameters
    ----------
    template : str
        Python's format with fields that look something up in what :meth:`render` gets, by item
        and by nothing else: ``{start[uid]}``, ``{start[motors][0]}``.  ``{{`` and ``}}`` are
        braces.  A format spec is Python's own; for a number or a datetime it can have the codes
        of a date, which take the number as seconds since 1970 and show it in local time.

    Attributes
    ----------
    template : str
        As given.

    Raises
    ------
    OutputNameError
        The template isn't a format, has other fields, or a path separator.

    Examples
    --------
    >>> name = OutputName("{start[scan_id]:05d}_{start[uid]:.7}.h5")
    >>> name.render(start={"scan_id": 42, "uid": "0123456789abcdef"})
    '00042_0123456.h5'
    """

    def __init__(self, template: str) -> None:
        if not isinstance(template, str):
            raise OutputNameError(
                f"Name template must be a str, got {type(template).__name__}: {template!r}."
            )
        if not template.strip():
            raise OutputNameError("Name template is empty", remedy=_EXPECTED)
        self.template = template
        self._parts = tuple(_parse(template))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.template!r})"

    def render(self, **documents: Any) -> str:
        """Make a name.

        Parameters
        ----------
        **documents
            What the fields look up: documents such as ``start=``, or plain values.

        Returns
        -------
        str
            A name that :func:`safe_component` has made safe; so are the values in it first.

        Raises
        ------
        OutputNameError
            Something isn't there (the message says what is), or it can't be shown by the
            field's format.
        """
        return safe_component(
            "".join(
                part if isinstance(part, str) else safe_characters(self._shown(part, documents))
                for part in self._parts
            )
        )

    def _shown(self, field: _Field, documents: Mapping[str, Any]) -> str:
        value: Any = documents
        path = ""
        for key in (field.name, *field.keys):
            value = self._item(field, path, value, key)
            path = f"{path}[{key}]" if path else key
        return self._formatted(field, value)

    def _item(self, field: _Field, path: str, value: Any, key: str) -> Any:
        where = f"Name template {self.template!r}: {path or 'what a name is made from'}"
        if isinstance(value, Mapping):
            if key in value:
                return value[key]
            names = sorted(map(str, value))
            listed = ", ".join(repr(name) for name in names[:_MOST_LISTED]) or "nothing"
            if len(names) > _MOST_LISTED:
                listed += f" and {len(names) - _MOST_LISTED} more"
            raise OutputNameError(
                f"{where} has no {key!r}, which {field.text} asks for", remedy=f"it has {listed}."
            )
        if isinstance(value, np.ndarray) and value.ndim:
            value = value.tolist()
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray)):
            if not _INDEX.fullmatch(key):
                raise OutputNameError(
                    f"{where} is a list; {field.text} asks for {key!r}",
                    remedy="expected an index, such as [0].",
                )
            try:
                return value[int(key)]
            except IndexError:
                raise OutputNameError(
                    f"{where} has {len(value)} items; {field.text} asks for number {key}."
                ) from None
        raise OutputNameError(
            f"{where} is of type {type(value).__name__}, without items; {field.text} asks for "
            f"{key!r}",
            remedy=f"leave out [{key}].",
        )

    def _formatted(self, field: _Field, value: Any) -> str:
        where = f"Name template {self.template!r}: {field.text}"
        shown = _plain(value)
        if isinstance(shown, (list, tuple)):
            plain = [_plain(each) for each in shown]
            if all(each is None or isinstance(each, _SHOWN) for each in plain):
                shown = "-".join(map(str, plain))
        if isinstance(shown, Mapping):
            raise OutputNameError(
                f"{where} is a mapping",
                remedy=f"name one of its keys: {', '.join(map(str, shown))}.",
            )
        if shown is not None and not isinstance(shown, _SHOWN):
            raise OutputNameError(
                f"{where} is of type {type(value).__name__}, which isn't fit for a name",
                remedy="expected a text, a number, or a list of these.",
            )
        try:
            if _DATE_CODE.search(field.spec) and not isinstance(shown, str):
                return _dated(field.spec, shown)
            return format(shown, field.spec)
        except (NamingError, ValueError, TypeError, OverflowError, OSError) as error:
            raise OutputNameError(
                f"{where} can't show {_short(value)}, of type {type(value).__name__}: {error}",
                remedy="give it a format that fits, or none.",
            ) from error


#: What a name can be made from, beside None.
_SHOWN = (str, int, float, complex, date)


def _plain(value: Any) -> Any:
    """Return a value as Python's own type, where it's one of those that a name can have."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", errors="replace")
    # a subclass may have its own idea of how it's shown
    return str.__str__(value) if isinstance(value, str) else value


def _dated(spec: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float, date)):
        raise ValueError("codes of a date need seconds since 1970")
    if isinstance(value, (int, float)):
        value = datetime.fromtimestamp(value).astimezone()
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return expand_dates(spec, value)


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        return "it"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _parse(template: str) -> list[str | _Field]:
    """Split a template in literal text and fields; refuse what isn't a look-up."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise OutputNameError(
            f"Name template {template!r} isn't a format: {error}", remedy=_EXPECTED
        ) from error
    parts: list[str | _Field] = []
    for literal, name, spec, conversion in parsed:
        if literal:
            parts.append(literal)
        if name is not None:
            parts.append(_field(template, name, spec or "", conversion))
    for part in parts:
        text = part if isinstance(part, str) else part.spec
        if "/" in text or "\\" in text:
            raise OutputNameError(
                f"Name template {template!r} has a path separator",
                remedy="put the directory in the file path.",
            )
    return parts


def _field(template: str, name: str, spec: str, conversion: str | None) -> _Field:
    text = (
        "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
    )
    match = _FIELD.fullmatch(name)
    if match is None or match["name"].isdigit() or conversion or "{" in spec:
        raise OutputNameError(
            f"Name template {template!r}: {text} isn't a look-up by item, with a format",
            remedy=_EXPECTED,
        )
    if any(int(number) > _MAX_WIDTH for number in re.findall(r"\d{1,100}", spec)):
        raise OutputNameError(
            f"Name template {template!r}: {text} is wider than any file name; expected at most "
            f"{_MAX_WIDTH}."
        )
    return _Field(text, match["name"], tuple(_KEY.findall(match["keys"])), spec)
