"""Which frame of its acquisition a frame is, where its source doesn't tell."""

from __future__ import annotations

from collections import Counter

from ..frames.frame import Frame, StreamAbout, StreamEnd

__all__ = ["FramePlaces"]


class FramePlaces:
    """Finds the places of a run's frames: as told by sources, else by unique ids, else by counting.

    The source's count of frames, not this addon's, tells the place: it has those that the addon
    didn't get.  Unique ids have those, too, that the source didn't get, and no repeated ones; but
    not where the frames of an event may be taken again.

    Attributes
    ----------
    guessed : bool
        Whether a source didn't tell the place of a frame.
    """

    def __init__(self) -> None:
        self.guessed = False
        self._now = StreamAbout()
        self._given: Counter[str] = Counter()  # frames that the source gave, before this one
        self._next: Counter[str] = Counter()  # the sequence behind the last frame
        self._first_id: int | None = None  # that the frame at place 0 has, or would have
        self._counted = self._id_was_counted = False
        self._last = -1  # the highest place

    def begin(self, about: StreamAbout) -> None:
        """Expect an acquisition, whose unique ids may be those of another one.

        Parameters
        ----------
        about : StreamAbout
            What is known of it.
        """
        self._now, self._first_id, self._last = about, None, -1
        self._counted = self._id_was_counted = False

    def note(self, frame: Frame) -> None:
        """Note that a frame came, whether its place is asked for or not.

        Parameters
        ----------
        frame : Frame
            It.
        """
        self._next[frame.stream] = max(self._next[frame.stream], frame.sequence + 1)

    def of(self, frame: Frame, counts: bool = True) -> int | None:
        """Tell which frame of its acquisition a frame is.

        Parameters
        ----------
        frame : Frame
            It.
        counts : bool
            Whether one that tells nothing is at the place that counting gives.

        Returns
        -------
        int or None
            From 0, lost ones counted; None when nobody knows.
        """
        place, counted = frame.place, False
        id_ = frame.unique_id if self._now.per_event is None else None
        if place is None:
            self.guessed = True
            if id_ is not None and self._first_id is not None:
                place, counted = id_ - self._first_id, self._id_was_counted
            elif counts:
                place, counted = frame.sequence - self._given[frame.stream], True
        if place is None or place < 0:
            return None
        if id_ is not None:
            self._first_id, self._id_was_counted = id_ - place, counted
        self._counted |= counted
        self._last = max(self._last, place)
        return place

    def end(self, ended: StreamEnd) -> bool:
        """Note the end of an acquisition.

        Parameters
        ----------
        ended : StreamEnd
            How it ended.

        Returns
        -------
        bool
            Whether places that were counted are certain after all: no frame that nobody knows was
            lost, or taken again.
        """
        stream = ended.about.stream
        self._given[stream] = max(self._given[stream] + ended.frames, self._next[stream])
        if not self._counted or ended.expected is None:
            return True
        # unique ids from the first frame to the last one tell what is missing in between
        behind = self._last + 1
        return behind == ended.expected or (ended.frames == ended.expected > behind)
