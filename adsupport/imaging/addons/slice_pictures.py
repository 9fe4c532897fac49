"""Pictures of slices for a viewer, not too often."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..asked.arguments import positive
from ..asked.given import having

__all__ = ["SlicePictures"]

_log = logging.getLogger(__name__)

#: Part of the time that pictures may take.
_SHARE = 0.05


class SlicePictures:
    """Shows the middle of a stack of slices, and cuts through several of them.

    Parameters
    ----------
    viewer : object
        Has ``show_image(channel, image, facts)``.
    interval : float
        Seconds from picture to picture, at least.

    Raises
    ------
    ConfigurationError
        It's no viewer, or no interval.
    """

    def __init__(self, viewer: Any, interval: float) -> None:
        self._viewer: Any = having("viewer", viewer, ("show_image",), "Give a LiveView.")
        self._interval = positive("interval", interval, "s", zero=True)
        self._next = 0.0

    def show(
        self,
        picture: Callable[[], np.ndarray | None],
        facts: Callable[[], Mapping[str, Any]],
        last: bool = False,
    ) -> None:
        """Show the slices, unless it's too early.

        A viewer that fails isn't asked again: the slices go on without it.

        Parameters
        ----------
        picture : callable
            Gives the slices, (slices, Y, X).
        facts : callable
            Gives what is known of them; ``rows``, the detector's, is told of each by itself.
        last : bool
            Show them in any case.
        """
        began = time.monotonic()
        if self._viewer is None or (began < self._next and not last):
            return
        slices = picture()
        if slices is None:
            return
        try:
            self._show(slices, facts())
        except Exception:
            self._viewer = None
            _log.exception("The viewer of slices failed; the reconstruction goes on without it.")
        now = time.monotonic()
        self._next = now + max(self._interval, (now - began) / _SHARE)

    def _show(self, slices: np.ndarray, facts: Mapping[str, Any]) -> None:
        number, height, width = slices.shape
        known = dict(facts)
        rows = known.pop("rows", ())
        row = {"detector_row": rows[number // 2]} if len(rows) == number else {}
        self._viewer.show_image("slice z", slices[number // 2], {**known, **row})
        if number > 1:
            self._viewer.show_image(
                "slice y", slices[:, height // 2], {**known, "row_of_slices": height // 2}
            )
            self._viewer.show_image(
                "slice x", slices[:, :, width // 2], {**known, "column_of_slices": width // 2}
            )
