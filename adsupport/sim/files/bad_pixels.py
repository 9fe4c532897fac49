"""Lists of a detector's bad pixels, as NDPluginBadPixel reads them.

A list is a JSON file::

    {"Bad pixels": [
        {"Pixel": [100, 20], "Median": [1, 1]},
        {"Pixel": [101, 20], "Replace": [-3, 0]},
        {"Pixel": [102, 20], "Set": 7}
    ]}

Coordinates are the detector's, ``[x, y]``. ``Median`` takes the good pixels at most so many
columns and rows away, ``Replace`` copies the pixel at that distance, ``Set`` sets a value. All
distances are in pixels of the array.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterator
from pathlib import Path

from adsupport.sim.arrays.bad_pixels import Defect, Remedy

LARGEST_FILE = 64_000_000
"""Bytes that a list may have; far more than any detector needs."""

_FAR = 2**62


class BadPixelFileError(Exception):
    """A list of bad pixels cannot be read or is malformed.

    Attributes
    ----------
    pixels : tuple of Defect or None
        Pixels before the malformed one, which hold from now on; None when the list in use stays.
    """

    def __init__(self, message: str, pixels: tuple[Defect, ...] | None = None) -> None:
        super().__init__(message)
        self.pixels = pixels


def read_bad_pixels(path: str) -> tuple[Defect, ...]:
    """Read a list of bad pixels.

    Parameters
    ----------
    path : str
        JSON file.

    Returns
    -------
    tuple of Defect
        One for each place: the first one in the file.

    Raises
    ------
    BadPixelFileError
        Saying what is wrong with the file.
    """
    file = Path(path)
    try:
        facts = file.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST_FILE:
            raise BadPixelFileError(f"{path} is not a file of at most {LARGEST_FILE} bytes")
        content = json.loads(file.read_bytes(), parse_constant=_refuse_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise BadPixelFileError(f"{path} is no JSON file: {error}") from error
    if not isinstance(content, dict):
        raise BadPixelFileError(f'{path} must hold an object with the key "Bad pixels"')
    pixels: dict[tuple[int, int], Defect] = {}
    entries = content.get("Bad pixels")
    if not isinstance(entries, (list, dict, type(None))):
        raise BadPixelFileError(f'{path}: "Bad pixels" must be a list', ())
    try:
        for pixel in _parse(entries or ()):
            pixels.setdefault((pixel.x, pixel.y), pixel)
    except ValueError as error:
        raise BadPixelFileError(f"{path}: {error}", tuple(pixels.values())) from error
    return tuple(pixels.values())


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _parse(entries: list[object] | dict[str, object] | tuple[()]) -> Iterator[Defect]:
    for entry in entries.values() if isinstance(entries, dict) else entries:
        if not isinstance(entry, dict) or "Pixel" not in entry:
            raise ValueError(f'expected an object with the key "Pixel", found {entry!r:.80}')
        x, y = _pair(entry, "Pixel")
        pixel = Defect(x, y)
        if "Median" in entry:
            pixel = Defect(x, y, Remedy.MEDIAN, *_pair(entry, "Median"))
        if "Set" in entry:
            pixel = Defect(x, y, Remedy.SET, value=float(_number(entry["Set"], "Set")))
        if "Replace" in entry:
            pixel = Defect(x, y, Remedy.REPLACE, *_pair(entry, "Replace"))
        yield pixel


def _pair(entry: dict[str, object], key: str) -> tuple[int, int]:
    pair = entry[key]
    if not isinstance(pair, list) or len(pair) < 2:
        raise ValueError(f'"{key}" must be two numbers, not {pair!r:.80}')
    first, second = (int(_number(item, key)) for item in pair[:2])
    if abs(first) > _FAR or abs(second) > _FAR:
        raise ValueError(f'"{key}" is out of range: {pair!r:.80}')
    return first, second


def _number(value: object, key: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f'"{key}" must hold numbers, not {value!r:.80}')
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        finite = False
    if not finite:
        raise ValueError(f'"{key}" is out of range')
    return value
