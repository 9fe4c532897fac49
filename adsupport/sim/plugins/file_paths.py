"""Directories and file names as areaDetector's C++ makes them, quirks included."""

from __future__ import annotations

import os
import re
import stat

_CONVERSION = re.compile(
    r"%(?P<flags>[-+ #0]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d*))?"
    r"(?:hh|ll|[hlqjztL])?(?P<kind>[diouxXcsaAeEfFgGpn%])"
)


_LONGEST = 511
"""Longest file name a record holds; wider fields are cut to it."""


def on_disk(text: str) -> str:
    """Return the name of a file whose bytes a client sent.

    Parameters hold a client's bytes one to a character; on the disk they are a name in the file
    system's encoding, as if they had never been text.
    """
    try:
        return os.fsdecode(text.encode("latin-1"))
    except UnicodeEncodeError:  # did not come from a client
        return text


def with_slash(path: str) -> str:
    """Return a path that ends in a slash; an empty one stays empty."""
    return path if not path or path.endswith("/") else path + "/"


def path_exists(path: str) -> bool:
    """Say whether a directory exists, as ``FilePathExists_RBV`` says it.

    The trailing slash is cut off before the path is looked up, so that ``/`` does not exist.
    """
    try:
        return stat.S_ISDIR(os.stat(on_disk(path.removesuffix("/"))).st_mode)
    except (OSError, ValueError):  # a NUL in the path is a ValueError
        return False


def create_path(path: str, depth: int) -> None:
    """Create the missing directories of a path, as far as ``CreateDirectory`` allows.

    Parameters
    ----------
    path : str
        The directory wanted.
    depth : int
        0: create nothing. n > 0: the first n components must exist, the others are created.
        n < 0: the last ``-n`` components may be created, but never the first one.

    Notes
    -----
    A failure is silent, as on the real IOC: :func:`path_exists` tells the outcome.
    """
    if depth == 0:
        return
    parts = [part for part in path.split("/") if part]
    first = depth if depth > 0 else max(1, len(parts) + depth)
    root = "/" if path.startswith("/") else ""
    for count in range(first, len(parts)):
        try:
            os.mkdir(on_disk(root + "/".join(parts[: count + 1])), 0o777)
        except FileExistsError:
            continue
        except (OSError, ValueError):
            return


def make_file_name(template: str, path: str, name: str, number: int) -> str:
    """Fill a C ``printf`` template with path, name and number, in this order.

    Parameters
    ----------
    template : str
        For example ``%s%s_%4.4d.h5``. Codes of ``strftime`` have no meaning here.
    path, name : str
        First and second argument.
    number : int
        Third argument.

    Returns
    -------
    str
        The file's name. Where C does not define the outcome (a field too many, a text for a
        number or the reverse) the field is filled with 0 or left empty.
    """
    arguments: list[str | int] = [path, name, number]

    def take() -> str | int:
        return arguments.pop(0) if arguments else 0

    def fill(match: re.Match[str]) -> str:
        if match["kind"] == "%":
            return "%"
        flags, width = match["flags"], match["width"] or ""
        if width == "*":
            width = str(_number(take()))
            if width.startswith("-"):
                flags, width = flags + "-", width[1:]
        precision = match["precision"]
        if precision == "*":
            precision = str(_number(take()))
        value = _convert(match["kind"], flags, precision, take())
        columns = min(int(width or 0), _LONGEST)
        if "-" in flags:
            return value.ljust(columns)
        zeros = "0" in flags and match["kind"] in "diouxX" and precision is None
        if zeros:
            sign = value[:1] if value[:1] in "+- " else ""
            return sign + value[len(sign) :].rjust(columns - len(sign), "0")
        return value.rjust(columns)

    return _CONVERSION.sub(fill, template)


def _number(value: str | int) -> int:
    return value if isinstance(value, int) else 0


def _convert(kind: str, flags: str, precision: str | None, value: str | int) -> str:
    """Convert one argument, before it is padded to a width."""
    digits = None
    if precision is not None and not precision.startswith("-"):
        digits = min(int(precision or 0), _LONGEST)
    if kind == "s":
        text = value if isinstance(value, str) else ""
        return text if digits is None else text[:digits]
    if kind == "n":
        return ""
    number = _number(value)
    if kind == "c":
        return chr(number & 0xFF) if number else ""
    if kind in "aAeEfFgG":
        # an integer read as a double is undefined; 0 is what an empty register gives
        return "0" if kind in "gG" else f"{0.0:.{6 if digits is None else digits}f}"
    if kind in "di":
        sign = "-" if number < 0 else "+" if "+" in flags else " " if " " in flags else ""
        text = str(abs(number))
    else:
        sign = ""
        form = {"o": "o", "x": "x", "X": "X", "p": "x"}.get(kind, "d")
        text = format(number & 0xFFFFFFFF, form)
        if number and ("#" in flags or kind == "p") and form != "d":
            sign = {"o": "0", "x": "0x", "X": "0X"}[form]
    if digits is not None:
        text = "" if digits == 0 and number == 0 else text.rjust(digits, "0")
    return sign + text
