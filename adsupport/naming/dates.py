"""Dates in path templates.

ADCore doesn't know ``strftime``: a path with ``%Y`` becomes a directory named ``%Y``.
So the date is filled in on this side, before the path is put.
"""

from __future__ import annotations

import re
from datetime import datetime

from ..errors import NamingError

__all__ = ["expand_dates", "has_date_codes"]

# Codes whose text can't hold a path separator: %c, %x, %D and the like could.
_CODES = "aAwdbBmyYHIMSfpjUWGuVF"
_DATE_CODE = re.compile(r"%(-?)(.?)", re.S)


def has_date_codes(template: str) -> bool:
    """Tell whether a path template holds a percent sign, so needs expanding.

    Parameters
    ----------
    template : str
        Path template.

    Returns
    -------
    bool
        True when :func:`expand_dates` could change the template.
    """
    return "%" in template


def expand_dates(template: str, when: datetime) -> str:
    """Fill the date and time in a path template.

    Parameters
    ----------
    template : str
        Path with ``strftime`` codes, such as ``/data/%Y/%m/%d/``; ``%%`` is a literal
        percent sign.  Separators, also a trailing one, stay as they are.
    when : datetime.datetime
        The moment to fill in.  Use one moment for the write and the read path, or
        midnight comes between them.

    Returns
    -------
    str
        The path.

    Raises
    ------
    NamingError
        A code is unknown, or its text could hold a path separator (``%x``, ``%c``, ``%D``).

    Examples
    --------
    >>> expand_dates("/data/%Y/%m/%d/", datetime(2026, 11, 20))
    '/data/2026/11/20/'
    """

    def fill(match: re.Match[str]) -> str:
        dash, code = match.groups()
        if code == "%" and not dash:
            return "%"
        if not code or code not in _CODES:
            raise NamingError(
                f"Path template {template!r}: {match.group()!r} isn't a date code that may stand "
                "in a path",
                remedy=f"expected one of {', '.join('%' + c for c in _CODES)}, or '%%' for a "
                "percent sign.",
            )
        text = when.strftime(match.group())
        # A locale may put anything into the names of days and months.
        if "/" in text or "\\" in text:
            raise NamingError(
                f"Path template {template!r}: {match.group()!r} became {text!r}, which holds a "
                "path separator",
                remedy="use numeric date codes.",
            )
        return text

    return _DATE_CODE.sub(fill, template)
