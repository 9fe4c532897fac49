"""Text drawn into images, with an EPICS time stamp (NDPluginOverlay).

The cells of the characters have ADCore's sizes and places. The letters in them are drawn by
Pillow with its own font: they are not the bitmap fonts of ADCore.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from adsupport.sim.arrays.drawing import Frame
from adsupport.sim.ndarray import EPICS_EPOCH

LONGEST_STAMP = 62
"""Characters that a formatted time stamp has at most."""

_FRACTION = re.compile(r"%%|%(?:0(\d))?f")


@dataclass(frozen=True, slots=True)
class Font:
    """One of the fonts that parameter ``OVERLAY_FONT`` chooses.

    Attributes
    ----------
    width, height : int
        Pixels of a character's cell.
    size : int
        Size of the letters.
    bold : bool
        Whether lines are two pixels wide.
    """

    width: int
    height: int
    size: int
    bold: bool = False


FONTS = (Font(6, 13, 10), Font(6, 13, 10, bold=True), Font(9, 15, 12), Font(9, 15, 12, bold=True))
"""Fonts by the value of the parameter: 6x13, 6x13 Bold, 9x15, 9x15 Bold."""


@cache
def _glyph(font: Font, character: str) -> np.ndarray:
    cell = Image.new("1", (font.width, font.height))
    face = ImageFont.load_default(font.size)
    # letters of a proportional font: each in the middle of its cell, all on one base line
    ImageDraw.Draw(cell).text(
        (font.width / 2, font.height - 3), character, fill=1, font=face, anchor="ms"
    )
    glyph = np.array(cell)
    if font.bold:
        glyph[:, 1:] |= glyph[:, :-1].copy()
    return glyph


def text_mask(shape: tuple[int, int], frame: Frame, text: str, font: Font) -> np.ndarray:
    """Return which pixels a text covers.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    frame : Frame
        The text begins in its upper left corner and is cut at its right and lower edges.
    text : str
        Control characters and those beyond ASCII take room, but show nothing.
    font : Font
        One of :data:`FONTS`.

    Returns
    -------
    numpy.ndarray
        bool, of that shape.
    """
    mask = np.zeros(shape, bool)
    right = min(frame.x + frame.size_x, shape[1])
    bottom = min(frame.y + min(frame.size_y, font.height), shape[0])
    for number, character in enumerate(text):
        left = frame.x + number * font.width
        if left >= right:
            break
        if not " " < character < "\x7f":
            continue
        columns = slice(max(left, 0), min(left + font.width, right))
        rows = slice(max(frame.y, 0), bottom)
        if columns.start < columns.stop and rows.start < rows.stop:
            mask[rows, columns] = _glyph(font, character)[
                rows.start - frame.y : rows.stop - frame.y,
                columns.start - left : columns.stop - left,
            ]
    return mask


def format_stamp(pattern: str, seconds: int, nanoseconds: int) -> str:
    """Format an EPICS time stamp in local time, as ``epicsTimeToStrftime`` does.

    Parameters
    ----------
    pattern : str
        For ``strftime``; ``%03f`` is the fraction of the second with three digits, rounded
        without reaching the next second, and ``%f`` has nine.
    seconds : int
        Since 1990-01-01 UTC.
    nanoseconds : int
        Of the second.

    Returns
    -------
    str
        At most :data:`LONGEST_STAMP` characters.
    """

    def fraction(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return match[0]
        digits = int(match[1] or 9) or 9
        unit = 10 ** (9 - digits)
        rounded = min(nanoseconds + unit // 2, 999_999_999) // unit
        return f"{rounded:0{digits}d}"

    if not seconds and not nanoseconds:
        return "<undefined>"
    local = time.localtime(seconds + EPICS_EPOCH)
    return time.strftime(_FRACTION.sub(fraction, pattern), local)[:LONGEST_STAMP]
