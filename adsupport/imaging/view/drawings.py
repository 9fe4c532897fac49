"""Pictures as viewers get them; those that several look at are made once."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np

from .contrast import AUTO_PERCENTILES
from .messages import Look, packed, plain
from .model import ViewModel
from .picture import Picture
from .rendering import Region, Rendered, rendered

__all__ = ["Drawings", "reading"]

_KEPT = 4


class Drawings:
    """Makes the messages with pictures.

    Parameters
    ----------
    model : ViewModel
        What is shown.
    """

    def __init__(self, model: ViewModel) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._made: OrderedDict[Any, tuple[weakref.ref[Picture], Rendered]] = OrderedDict()

    def message(self, look: Look, channel: str, picture: Picture, serial: int) -> bytes:
        """Make a message.

        Parameters
        ----------
        look : Look
            What the viewer wants.
        channel : str
            Of the picture.
        picture : Picture
            The image.
        serial : int
            Number of the message.

        Returns
        -------
        bytes
            See :func:`~adsupport.imaging.view.messages.packed`.
        """
        limits = self._model.limits_of(picture, look.limits)
        drawn = self._rendered(picture, limits, look.region, look.size)
        region, histogram = drawn.region, picture.histogram()
        header = {
            "kind": "picture",
            "serial": serial,
            "channel": channel,
            "number": picture.number,
            "shape": list(picture.shape),
            "type": picture.pixels.dtype.name,
            "region": [region.left, region.top, region.right, region.bottom],
            "size": list(drawn.levels.shape),
            "limits": [_number(each) for each in limits],
            "fitting": [_number(each) for each in picture.percentiles(*AUTO_PERCENTILES)],
            "histogram": {
                "low": _number(histogram.low),
                "high": _number(histogram.high),
                "last": _number(histogram.last),
                "counts": histogram.counts.tolist(),
            },
            **reading(look, picture),
            "facts": plain(picture.facts),
            "counts": self._model.counts(channel),
        }
        return packed(header, drawn.levels)

    def _rendered(
        self,
        picture: Picture,
        limits: tuple[float, float],
        region: Region | None,
        size: tuple[int, int],
    ) -> Rendered:
        key = id(picture), limits, region, size
        with self._lock:
            made = self._made.get(key)
            if made is not None and made[0]() is picture:  # another one may have its id meanwhile
                return made[1]
            drawn = rendered(picture.pixels, limits, region, size)
            # not the picture itself: frames that have gone by would take much memory
            self._made[key] = weakref.ref(picture), drawn
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
            return drawn


def reading(look: Look, picture: Picture) -> dict[str, Any]:
    """Tell what a viewer wants to know of single pixels.

    Parameters
    ----------
    look : Look
        What the viewer wants.
    picture : Picture
        The image.

    Returns
    -------
    dict of str to object
        ``cursor``: column, row and value; ``profile``: values along ``line``, which is the columns
        and rows of its ends.  None each when it isn't wanted.
    """
    line, cursor = look.profile, look.cursor
    return {
        "cursor": None if cursor is None else [*cursor, picture.value_at(*cursor)],
        "line": None if line is None else [*line[0], *line[1]],
        "profile": None if line is None else _values(picture.profile(*line)),
    }


def _number(value: float) -> float | int:
    """Write whole numbers without a point."""
    return int(value) if value == int(value) and abs(value) < 1 << 53 else value


def _values(found: np.ndarray) -> list[float | None]:
    return [float(f"{each:.7g}") if np.isfinite(each) else None for each in found.tolist()]
