"""File templates: the C printf format by which ADCore composes a full file name.

ADCore hands the template three arguments, in this order: the directory (``%s``),
the file name (``%s``) and the file number (``%d``).  A template may leave the
number out.  Anything else makes the C function read memory that isn't there, so
it is refused here, before it reaches an IOC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..errors import NamingError
from .paths import MAX_IOC_PATH_BYTES, split_last

__all__ = ["MAX_NAME_BYTES", "FileTemplate", "check_file_name", "format_file_name"]

#: Longest name of one file or directory, in bytes, on the file systems in use.
MAX_NAME_BYTES = 255

_EXPECTED = (
    "expected '%s' for the directory, '%s' for the file name and at most one '%d' for the "
    "file number, in this order, such as '%s%s_%4.4d.h5' or '%s%s.h5'."
)
_FIELD = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<type>.?)", re.S
)
_MAX_WIDTH = 255
_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1


@dataclass(frozen=True)
class _Field:
    """One conversion of the template: a string or an integer."""

    kind: Literal["s", "d"]
    flags: str
    width: int
    precision: int | None

    def format(self, value: str | int) -> bytes:
        body = self._string(str(value)) if self.kind == "s" else self._integer(int(value))
        pad = self.width - len(body)
        if pad <= 0:
            return body
        if "-" in self.flags:
            return body + b" " * pad
        # C ignores the flag 0 when a precision is given.
        if self.kind == "d" and "0" in self.flags and self.precision is None:
            sign = 0 if body[:1].isdigit() or not body else 1
            return body[:sign] + b"0" * pad + body[sign:]
        return b" " * pad + body

    def _string(self, value: str) -> bytes:
        # C counts bytes, not characters.
        raw = value.encode("utf-8")
        return raw if self.precision is None else raw[: self.precision]

    def _integer(self, value: int) -> bytes:
        if not _INT_MIN <= value <= _INT_MAX:
            raise NamingError(
                f"File number {value} doesn't fit the IOC's 32-bit number; "
                f"expected {_INT_MIN} to {_INT_MAX}."
            )
        digits = str(abs(value))
        if self.precision is not None:
            # C prints nothing at all for 0 with precision 0.
            digits = "" if value == 0 and self.precision == 0 else digits.zfill(self.precision)
        sign = "-" if value < 0 else "+" if "+" in self.flags else " " if " " in self.flags else ""
        return (sign + digits).encode("ascii")


@dataclass(frozen=True)
class FileTemplate:
    """A checked file template.

    Parameters
    ----------
    text : str
        C printf format with two ``%s`` (directory, file name) and at most one ``%d``
        (file number), in this order.  Flags, width and precision are as in C;
        ``%%`` is a literal percent sign.

    Raises
    ------
    NamingError
        The template has other, more or fewer fields, or no field for the file name.

    Examples
    --------
    >>> FileTemplate("%s%s_%4.4d.h5").format("/data/", "sample", 7)
    '/data/sample_0007.h5'
    """

    text: str

    def __post_init__(self) -> None:
        _parse(self.text)

    @property
    def has_number(self) -> bool:
        """Whether the file number is part of the name."""
        return sum(isinstance(part, _Field) for part in _parse(self.text)) == 3

    def format(self, path: str, name: str, number: int = 0) -> str:
        """Compose the full file name, byte for byte as C printf does.

        Parameters
        ----------
        path : str
            Directory, with its trailing separator: printf adds none.
        name : str
            File name, without directory and extension.
        number : int
            File number, 32 bits signed; unused when the template has no ``%d``.

        Returns
        -------
        str
            The full file name.

        Raises
        ------
        NamingError
            The number doesn't fit 32 bits, or a precision cuts a UTF-8 character in two.
        """
        values = iter((path, name, number))
        raw = b"".join(
            part.format(next(values)) if isinstance(part, _Field) else part.encode("utf-8")
            for part in _parse(self.text)
        )
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise NamingError(
                f"File template {self.text!r} cuts a character of {path!r} or {name!r} in two: "
                "its precision counts bytes.",
                remedy="Remove the precision, or use ASCII names.",
            ) from None


@lru_cache(maxsize=64)
def _parse(text: str) -> tuple[str | _Field, ...]:
    """Split a template in literal text and fields; refuse what printf couldn't serve."""
    if not isinstance(text, str):
        raise NamingError(f"File template must be a str, got {type(text).__name__}: {text!r}.")
    if not text:
        raise NamingError("File template is empty", remedy=_EXPECTED)
    if "\0" in text:
        raise NamingError(f"File template {text!r} holds a NUL character", remedy=_EXPECTED)
    if len(text.encode("utf-8")) > MAX_IOC_PATH_BYTES:
        raise NamingError(
            f"File template of {len(text)} characters is too long; an IOC keeps "
            f"{MAX_IOC_PATH_BYTES} bytes."
        )
    parts: list[str | _Field] = []
    position = 0
    for match in _FIELD.finditer(text):
        if match.start() > position:
            parts.append(text[position : match.start()])
        position = match.end()
        parts.append("%" if match.group() == "%%" else _field(text, match))
    parts.append(text[position:])

    kinds = "".join(part.kind for part in parts if isinstance(part, _Field))
    if kinds not in ("ss", "ssd"):
        found = " ".join(f"%{kind}" for kind in kinds) or "no field"
        raise NamingError(f"File template {text!r} has fields: {found}", remedy=_EXPECTED)
    return tuple(part for part in parts if part)


def _field(text: str, match: re.Match[str]) -> _Field:
    kind = match["type"]
    flags, width = match["flags"], int(match["width"] or 0)
    precision = None if match["precision"] is None else int(match["precision"] or 0)
    if kind not in ("s", "d", "i"):
        raise NamingError(
            f"File template {text!r} has the field {match.group()!r}", remedy=_EXPECTED
        )
    if kind == "s":
        kind, undefined = "s", set(flags) & set("+ #0")
    else:
        kind, undefined = "d", set(flags) & set("#")
    if undefined:
        raise NamingError(
            f"File template {text!r}: flag {''.join(sorted(undefined))!r} in {match.group()!r} "
            "has no defined meaning in C",
            remedy=_EXPECTED,
        )
    if max(width, precision or 0) > _MAX_WIDTH:
        raise NamingError(
            f"File template {text!r}: {match.group()!r} is wider than any file name; "
            f"expected at most {_MAX_WIDTH}."
        )
    return _Field("s" if kind == "s" else "d", flags, width, precision)


def check_file_name(name: str) -> str:
    r"""Check that a name is safe as (part of) the name of one file.

    Parameters
    ----------
    name : str
        File name without directory and extension.

    Returns
    -------
    str
        The name, unchanged.

    Raises
    ------
    NamingError
        The name is empty, ``.`` or ``..``, longer than 255 bytes in UTF-8, or holds a
        path separator (``/`` or ``\\``) or a control character.
    """
    if not isinstance(name, str):
        raise NamingError(f"File name must be a str, got {type(name).__name__}: {name!r}.")
    if not name.strip():
        raise NamingError(f"File name {name!r} is empty", remedy="give the file a name.")
    if name in (".", ".."):
        raise NamingError(f"File name {name!r} is a directory", remedy="give the file a name.")
    if "/" in name or "\\" in name:
        raise NamingError(
            f"File name {name!r} holds a path separator",
            remedy="put the directory in the file path.",
        )
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        raise NamingError(
            f"File name {name!r} holds a control character", remedy="use visible characters."
        )
    _check_length(name, f"File name {name!r}")
    return name


def format_file_name(
    template: str | FileTemplate, path: str, name: str, number: int = 0, *, ioc: bool = True
) -> str:
    """Compose and check the full name of the file that an IOC will write.

    Parameters
    ----------
    template : str or FileTemplate
        C printf format, see :class:`FileTemplate`.
    path : str
        Directory with its trailing separator, dates expanded already.
    name : str
        File name without directory and extension.
    number : int
        File number.
    ioc : bool
        Check the length that ADCore can hold: it cuts a longer full name without a word.

    Returns
    -------
    str
        The full file name.

    Raises
    ------
    NamingError
        See :class:`FileTemplate` and :func:`check_file_name`; or the full name is longer
        than an IOC can hold.
    """
    template = template if isinstance(template, FileTemplate) else FileTemplate(template)
    full = template.format(path, check_file_name(name), number)
    last = split_last(full)
    if last in ("", ".", ".."):
        raise NamingError(f"Full file name {full!r} is a directory", remedy=_EXPECTED)
    _check_length(last, f"Full file name {full!r}: its last component")
    size = len(full.encode("utf-8"))
    if ioc and size > MAX_IOC_PATH_BYTES:
        raise NamingError(
            f"Full file name {full!r} has {size} bytes; the IOC keeps {MAX_IOC_PATH_BYTES} "
            "and would cut it.",
            remedy="Use a shorter path or name.",
        )
    return full


def _check_length(name: str, what: str) -> None:
    size = len(name.encode("utf-8"))
    if size > MAX_NAME_BYTES:
        raise NamingError(f"{what} has {size} bytes; expected at most {MAX_NAME_BYTES}.")
