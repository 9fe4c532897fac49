r"""Text for SPEC files: one line stays one line, and a label stays one label.

A line that a reader would break, or would join with the next one, is escaped as in a Python
string: ``\n``, ``\x0b``, ``\u2028``.  A backslash is doubled, so that nothing is ambiguous.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

__all__ = [
    "comment_line",
    "date_text",
    "escape",
    "is_too_long",
    "label",
    "literal",
    "positioner_label",
    "shortened",
    "unique_labels",
]

# C0 and C1 controls, the separators at which str.splitlines() breaks, and lone surrogates,
# which UTF-8 can't hold.
_AWKWARD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\\\]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}
_SPACES = re.compile(r"\s+")
#: silx copies a label into 256 bytes.
_MAX_LABEL_BYTES = 200
#: silx ends the process (segmentation fault) when a line of a header has some 10600 bytes.
_MAX_LINE_BYTES = 10_000
# Names of the C locale: SPEC's dates don't change with the user's language.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def escape(text: Any, also: str = "") -> str:
    r"""Make one line of a text.

    Parameters
    ----------
    text : any
        The text; ``str()`` of anything else.
    also : str
        Further characters to be escaped, such as ``"@"``.

    Returns
    -------
    str
        The line, without its end.  It doesn't end with a backslash, which would continue it.

    Examples
    --------
    >>> escape("one\ntwo")
    'one\\ntwo'
    """
    line = _AWKWARD.sub(_escaped, str(text))
    for each in also:
        line = line.replace(each, f"\\x{ord(each):02x}")
    return line[:-2] + r"\x5c" if line.endswith("\\") else line


def _escaped(found: re.Match[str]) -> str:
    char = found.group()
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def is_too_long(line: str) -> bool:
    """Tell whether a line has to be cut, for silx to read the file.

    Parameters
    ----------
    line : str
        Of the file.

    Returns
    -------
    bool
        False for rows, whose length doesn't matter, and for labels, of which none can be missing.
    """
    if len(line) * 4 <= _MAX_LINE_BYTES or not line.startswith("#") or line.startswith("#L"):
        return False
    return len(line.encode()) > _MAX_LINE_BYTES


def shortened(line: str) -> str:
    """Cut a line that is too long.

    Parameters
    ----------
    line : str
        The line.

    Returns
    -------
    str
        Its beginning, and how long it was.
    """
    end = f" ... ({len(line)} characters)"
    return line.encode()[: _MAX_LINE_BYTES - len(end)].decode(errors="ignore").rstrip("\\") + end


def label(name: str) -> str:
    """Make the label of a column.

    Parameters
    ----------
    name : str
        The data key.

    Returns
    -------
    str
        Two spaces separate labels, so it has single ones; at most 200 bytes of UTF-8.
    """
    text = escape(_SPACES.sub(" ", name).strip()) or "unnamed"
    cut = text.encode()[:_MAX_LABEL_BYTES].decode(errors="ignore").rstrip()
    return cut[:-1] + "_" if cut.endswith("\\") else cut


def positioner_label(name: str) -> str:
    """Make the name of a positioner, for the lines ``#O``.

    Parameters
    ----------
    name : str
        The data key.

    Returns
    -------
    str
        Like :func:`label`, but for a space before the last character, which silx would lose.
    """
    text = label(name)
    return f"{text[:-2]}_{text[-1]}" if text[-2:-1] == " " else text


def unique_labels(names: Iterable[str], make: Callable[[str], str] = label) -> list[str]:
    """Make labels of which no two are the same.

    Parameters
    ----------
    names : iterable of str
        The data keys, in the order of the columns.
    make : callable
        What makes a label of a name.

    Returns
    -------
    list of str
        A label for each; from the second of a kind on with ``_1``, ``_2`` and so on.
    """
    taken: set[str] = set()
    labels = []
    for name in names:
        found = first = make(name)
        number = 0
        while found in taken:
            number += 1
            found = f"{first}_{number}"
        taken.add(found)
        labels.append(found)
    return labels


def date_text(seconds: float) -> str:
    """Write a time as SPEC does.

    Parameters
    ----------
    seconds : float
        Since 1970 (UTC).

    Returns
    -------
    str
        Local time, such as ``"Sat Nov 21 22:04:29 2026"``.
    """
    try:
        at = time.localtime(seconds)
    except (OverflowError, ValueError, OSError):  # no date: a row without a time, for example
        at = time.localtime(0)
    return (
        f"{_DAYS[at.tm_wday]} {_MONTHS[at.tm_mon - 1]} {at.tm_mday:02d} "
        f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} {at.tm_year}"
    )


def comment_line(seconds: float, text: Any, also: str = "") -> str:
    """Write a comment.

    Parameters
    ----------
    seconds : float
        When, since 1970 (UTC).
    text : any
        The comment.
    also : str
        See :func:`escape`.

    Returns
    -------
    str
        The line, without its end.
    """
    return f"#C {date_text(seconds)}.  {escape(text, also)}"


def literal(value: Any) -> str:
    """Write a value of the metadata.

    Parameters
    ----------
    value : any
        The value.

    Returns
    -------
    str
        A text as it is; anything else as Python's literal, with numpy's values as Python's,
        and tuples as the lists that stored runs have.
    """
    if isinstance(value, str):
        return value
    try:
        return repr(_plain(value))
    except (ValueError, RecursionError):  # an integer of thousands of digits, a list in itself
        return f"<{type(value).__name__}>"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist()) if value.dtype != object else list(map(_plain, value.flat))
    if isinstance(value, Mapping):
        # a key may be a tuple
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):  # stored runs have lists for both
        return [_plain(each) for each in value]
    return value
