"""Looks whether frames are missing, by their unique ids."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

from ...devices.frames.report import id_list
from ...errors import ConfigurationError, FrameCountError
from ...wording import verb
from ..frames.frame import Frame, StreamAbout, StreamEnd
from .base import Addon

__all__ = ["FrameGapCheck"]

_log = logging.getLogger(__name__)

#: How many ids of a stream are listed; all are counted.
_MOST = 100_000


class FrameGapCheck(Addon):
    """Lists the frames of each acquisition that are missing.

    Frames without ids are only counted.  Those that this addon didn't get by its own policy are
    missing, too, and said to be dropped here.

    Parameters
    ----------
    found : {"log", "raise"}
        What to do at the end of an acquisition in which frames are missing.
    **options
        See :class:`~adsupport.imaging.addons.Addon`.

    Attributes
    ----------
    gaps : dict of str to list of int
        Ids that are missing between those that came, by stream; of very many the first ones.
    repeated : dict of str to list of int
        Ids that weren't above the one before, by stream; of very many the first ones.
    short : dict of str to int
        Frames fewer than expected, by stream, those in gaps included.

    Raises
    ------
    ConfigurationError
        An option can't be.
    FrameCountError
        At the end of an acquisition, with ``found="raise"``: ``missing`` has the ids.
    """

    def __init__(self, *, found: Literal["log", "raise"] = "log", **options: Any) -> None:
        super().__init__(**options)
        if found not in ("log", "raise"):
            raise ConfigurationError(f"found={found!r}: expected 'log' or 'raise'.")
        self._raises = found == "raise"
        self._run = ""
        self.gaps: dict[str, list[int]] = {}
        self.repeated: dict[str, list[int]] = {}
        self.short: dict[str, int] = {}
        self._last: tuple[int, int | None] | None = None  # id and place of the one before
        self._came = 0
        self._lost = 0  # in gaps of this acquisition
        self._here: list[int] = []  # the first of these

    def begin(self, about: StreamAbout) -> None:
        """Begin anew: between acquisitions ids may be left out."""
        if about.run_uid != self._run:
            self._run = about.run_uid
            self.gaps, self.repeated, self.short = {}, {}, {}
        self._last, self._came, self._lost, self._here = None, 0, 0, []

    def frame(self, frame: Frame) -> None:
        """Compare its id with the one before."""
        self._came += 1
        id_ = frame.unique_id
        if id_ is None:
            return
        if self._last is not None:
            last, place = self._last
            if id_ <= last:
                _list(self.repeated, frame.stream, (id_,))
                return
            first = last + 1
            if place is not None and frame.place is not None:  # ids of frames in no event count not
                first = max(first, id_ - (frame.place - place - 1))
            if first < id_:
                lost = range(first, id_)
                self._lost += id_ - first
                self._here.extend(lost[: _MOST - len(self._here)])
                _list(self.gaps, frame.stream, lost)
        self._last = id_, frame.place

    def end(self, ended: StreamEnd) -> None:
        """Tell what is missing."""
        stream = ended.about.stream
        expected = ended.expected
        if expected is None:
            expected = self._came + max(self._lost, ended.dropped)
        short = max(expected - self._came, self._lost)
        if not short:
            return
        self.short[stream] = self.short.get(stream, 0) + short
        text = f"Stream {stream!r}: {self._came} of {expected} frames came"
        if self._here:
            text += f"; missing are those with the ids {id_list(tuple(self._here))}"
            if self._lost > len(self._here):
                text += f", and {self._lost - len(self._here)} behind these"
        # those dropped here are among the ids, as far as there are later ones
        dropped = min(ended.dropped, short)
        if dropped:
            text += f"; {dropped} {verb(dropped, 'was', 'were')} dropped here, by policy"
        outside = short - max(dropped, self._lost)
        if outside > 0:
            text += (
                f"; {outside} {verb(outside, 'is', 'are')} missing before the first or after the "
                "last"
            )
        if self._raises:
            raise FrameCountError(f"{text}.", expected=expected, got=self._came, missing=self._here)
        _log.warning("%s.", text)


def _list(ids: dict[str, list[int]], stream: str, more: Sequence[int]) -> None:
    """Put ids of a stream into its list, as long as that isn't full."""
    found = ids.setdefault(stream, [])
    found.extend(more[: _MOST - len(found)])
