"""Where the parts of an IOC are looked for, and what they are called in a detector."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator

from ophyd.areadetector import DetectorBase

from ..plugin_defaults import PLUGIN_DEFAULTS

__all__ = ["CAMERA_SUFFIXES", "PLUGIN_SUFFIXES", "part_key", "staging_order"]

#: How many of each plugin are looked for.
_MOST = 10

#: Suffixes as ADCore's ``commonPlugins.cmd`` gives them, in the order of a detector's staging:
#: what makes and changes arrays first, what takes them away last.
_FAMILIES = (
    "Attr", "BadPix", "CC", "CB", "Codec", "FFT", "Gather", "Over", "Proc", "ROI", "ROIStat",
    "Scatter", "Stats", "Trans", "image", "Pva", "HDF", "TIFF", "JPEG", "netCDF", "Nexus", "Magick",
)  # fmt: skip

#: Where cameras are looked for; some drivers' own startup scripts say ``det1:``.
CAMERA_SUFFIXES: tuple[str, ...] = ("cam1:", "cam2:", "cam3:", "cam4:", "cam:", "det1:")

#: Where plugins are looked for, the likeliest first.
PLUGIN_SUFFIXES: tuple[str, ...] = tuple(
    f"{family}{n}:" for n in range(1, _MOST + 1) for family in _FAMILIES
)

_KEYS = {entry["suffix"]: key for key, entry in PLUGIN_DEFAULTS.items()}
#: The defaults' names without their numbers, such as ``overlay`` for ``Over``.
_STEMS = {re.sub(r"\d*:$", "", suffix): re.sub(r"\d+$", "", key) for suffix, key in _KEYS.items()}


def staging_order(suffix: str) -> tuple[int, int, str]:
    """Tell where a plugin stands in a detector.

    Parameters
    ----------
    suffix : str
        Such as ``"HDF1:"``.

    Returns
    -------
    tuple
        Something to sort by; suffixes of other families come between processing and files.
    """
    stem, number = _split(suffix)
    middle = _FAMILIES.index("image")
    place = _FAMILIES.index(stem) if stem in _FAMILIES else middle
    return place, number, suffix


def _split(suffix: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)(\d{0,6}):?", suffix)
    stem, number = match.groups() if match else (suffix, "")
    return stem, int(number or 0)


def part_key(suffix: str, taken: Collection[str] = ()) -> str:
    """Name a part of a detector by its suffix.

    Parameters
    ----------
    suffix : str
        Such as ``"HDF1:"``.
    taken : collection of str
        Names of other parts.

    Returns
    -------
    str
        The name in ``PLUGIN_DEFAULTS`` for a suffix that is listed there, such as ``"hdf1"``;
        with another number for its relatives, such as ``"overlay2"`` for ``"Over2:"``;
        otherwise the suffix as a Python name that no attribute of a detector has.
    """
    for key in _candidates(suffix):
        if key not in taken:
            return key
    raise AssertionError("there is always another number")


def _candidates(suffix: str) -> Iterator[str]:
    if suffix in _KEYS:
        yield _KEYS[suffix]
    stem, number = _split(suffix)
    if stem in _STEMS and number:
        yield f"{_STEMS[stem]}{number}"
    key = re.sub(r"\W+", "_", suffix, flags=re.ASCII).strip("_").lower() or "part"
    if key[0].isdigit():
        key = f"part_{key}"
    if keyword.iskeyword(key) or hasattr(DetectorBase, key):
        key = f"{key}_part"
    yield key
    n = 2
    while True:
        yield f"{key}_{n}"
        n += 1
