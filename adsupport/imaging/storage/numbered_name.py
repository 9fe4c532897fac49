"""Names with a number in them: of scans, and of the images of a data set."""

from __future__ import annotations

import re
import string

from ...callbacks.output import safe_component
from ...errors import NamingError

__all__ = ["NumberedName"]

_EXPECTED = "expected one field for the number, such as 'scan_{:>04}' or 'frame_{:>06}.tif'."
#: Nothing but zeros may fill a name up, and no width may be a mistake.
_SPEC = re.compile(r"(?:0[>=]0?|[>=]?0)(?P<width>[1-9]\d?)d?|d?")
_SEPARATORS = "_-. "


class NumberedName:
    """A name with a number in it, as ``str.format`` writes it.

    Parameters
    ----------
    template : str
        Name of one file or directory, with one field for the number: ``{}``, or with leading
        zeros ``{:04}``, ``{:>04}`` or ``{:0>4}``.  ``{{`` and ``}}`` are braces.

    Attributes
    ----------
    template : str
        As given.

    Raises
    ------
    NamingError
        There is no such field, more than one, or one of another kind; or the name isn't safe
        on every system (see :func:`adsupport.callbacks.output.safe_component`).

    Examples
    --------
    >>> scans = NumberedName("scan_{:>04}")
    >>> scans.of(7), scans.number("scan_0007"), scans.number("scan_7")
    ('scan_0007', 7, None)
    """

    def __init__(self, template: str) -> None:
        if not isinstance(template, str):
            raise NamingError(
                f"Name must be a str, got {type(template).__name__}: {template!r}", remedy=_EXPECTED
            )
        self.template = template
        self._before, self._width, self._after = _parse(template)
        self.of(0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.template!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberedName) and self.template == other.template

    def __hash__(self) -> int:
        return hash(self.template)

    @property
    def before(self) -> str:
        """What stands before the number."""
        return self._before

    @property
    def after(self) -> str:
        """What stands behind the number."""
        return self._after

    def of(self, number: int) -> str:
        """Write the name with a number.

        Parameters
        ----------
        number : int
            From 0 on.

        Returns
        -------
        str
            The name.

        Raises
        ------
        NamingError
            The number is negative, or the name isn't safe.
        """
        if number < 0:
            raise NamingError(f"Number {number} of {self.template!r} is below 0.")
        name = f"{self._before}{number:0{self._width}d}{self._after}"
        safe = safe_component(name)
        if safe != name:
            raise NamingError(
                f"Name {name!r} (of {self.template!r}) isn't safe as that of a file or directory",
                remedy=f"{safe!r} would be.",
            )
        return name

    def number(self, name: str) -> int | None:
        """Read the number in a name.

        Parameters
        ----------
        name : str
            Any name.

        Returns
        -------
        int or None
            The number with which :meth:`of` writes just this name; None if there is none.
        """
        digits = name[len(self._before) : len(name) - len(self._after)]
        if not (digits.isascii() and digits.isdigit()):
            return None
        number = int(digits)
        return number if f"{self._before}{number:0{self._width}d}{self._after}" == name else None

    @property
    def ioc_name(self) -> str:
        """The same name as an IOC's ``FileName``: what stands before the number.

        A separator at its end is left to :attr:`ioc_template`.

        Raises
        ------
        NamingError
            Nothing is left of it.
        """
        name = self._before.rstrip(_SEPARATORS)
        if not name:
            raise NamingError(
                f"Name {self.template!r} has no text before its number, so there is no FileName "
                "for an IOC",
                remedy="begin it with one, such as 'frame_{:>06}.tif'.",
            )
        return name

    @property
    def ioc_template(self) -> str:
        """The same name as an IOC's ``FileTemplate``, such as ``%s%s_%6.6d.tif``."""
        separator = self._before[len(self._before.rstrip(_SEPARATORS)) :]
        number = f"%{self._width}.{self._width}d" if self._width > 1 else "%d"
        return f"%s%s{separator}{number}{self._after.replace('%', '%%')}"


def _parse(template: str) -> tuple[str, int, str]:
    """Return what stands before the number, its least digits, and what stands behind it."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise NamingError(f"Name {template!r} isn't a format: {error}", remedy=_EXPECTED) from error
    texts, specs = [""], []
    for text, field, spec, conversion in parsed:
        texts[-1] += text
        if field is not None:
            match = _SPEC.fullmatch(spec or "")
            if field not in ("", "0") or conversion or match is None:
                raise NamingError(
                    f"Name {template!r} has a field that isn't a number with leading zeros",
                    remedy=_EXPECTED,
                )
            specs.append(int(match["width"] or 1))
            texts.append("")
    if len(specs) != 1:
        raise NamingError(f"Name {template!r} has {len(specs)} fields", remedy=_EXPECTED)
    return texts[0], specs[0], texts[1]
