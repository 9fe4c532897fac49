"""What has come of a run, for an addon that works at several of its acquisitions."""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Collection, Mapping

import numpy as np

from ...errors import ConfigurationError
from ...wording import counted
from ..frames.frame import Frame, StreamAbout, StreamEnd
from ..reconstruction.seen_ids import SeenIds
from .frame_places import FramePlaces

__all__ = ["RunCount"]

_log = logging.getLogger(__name__)


class RunCount:
    """Counts the frames of a run, and tells when its last acquisition has ended.

    Parameters
    ----------
    about : StreamAbout
        Of its first acquisition.
    streams : collection of str
        Names of those that count.

    Attributes
    ----------
    about : StreamAbout
        As given.
    coming : collections.Counter or None
        Acquisitions that haven't ended, by their streams; None when the run doesn't tell.
    came : collections.Counter
        Frames of each stream.
    here : int
        Frames of the acquisition that goes on.
    before : collections.Counter
        Frames that acquisitions of each stream before it had, or should have had.
    angles : array of float
        Of what was used, degrees.
    used : SeenIds
        Unique ids of what was used.
    reason : str
        What wasn't well with acquisitions.
    shifted : bool
        Whether frames that got their angles by counting were lost, or taken again, and nobody
        knows which: angles behind these are wrong.
    """

    def __init__(self, about: StreamAbout, streams: Collection[str]) -> None:
        self.about = about
        self.coming: Counter[str] | None = None
        announced = about.md.get("acquisitions")
        if isinstance(announced, (list, tuple)):
            self.coming = Counter(str(each) for each in announced if str(each) in streams)
        self.came: Counter[str] = Counter()
        self.before: Counter[str] = Counter()
        self.here = 0
        self.angles = array("d")
        self.used = SeenIds()
        self.reason = ""
        self.shifted = False
        self._seen = SeenIds()
        self._now = about
        self._places = FramePlaces()
        self._ended: Counter[str] = Counter()  # acquisitions

    def begin(self, about: StreamAbout) -> None:
        """Expect an acquisition, whose unique ids may be those of another one.

        Parameters
        ----------
        about : StreamAbout
            What is known of it.
        """
        self._seen = SeenIds()
        self._now = about
        self._places.begin(about)
        self.here = 0

    def expected(self, stream: str) -> int:
        """Tell how many frames of a stream are to come in the run.

        Parameters
        ----------
        stream : str
            Its name.

        Returns
        -------
        int
            0 when nobody knows yet.
        """
        told = self.about.md.get("frames")
        found = told.get(stream) if isinstance(told, Mapping) else None
        if not isinstance(found, int) and self._now.stream == stream:
            found = self._now.expected
        return found if isinstance(found, int) else 0

    def is_alone(self, stream: str) -> bool:
        """Tell whether an acquisition that begins is the only one of its stream.

        Parameters
        ----------
        stream : str
            Its name.

        Returns
        -------
        bool
            True when the run doesn't announce its acquisitions, and had none.
        """
        return (self.coming or Counter())[stream] <= 1 and not self.before[stream]

    def need(self, stream: str, why: str) -> None:
        """Refuse a run whose projections begin, and a stream that they need hasn't come.

        Parameters
        ----------
        stream : str
            Its name.
        why : str
            It has to come before.

        Raises
        ------
        ConfigurationError
            The run has it: later, or before, and this addon wasn't given it.
        """
        if not self.coming or not self.coming[stream] or self.came[stream]:
            return
        if stream in self._before_now():
            raise ConfigurationError(
                f"{why}, and this addon wasn't given stream {stream!r}, which the run has before "
                "the projections.",
                remedy="Give it all streams of the run, from the beginning on; or don't normalise: "
                "normalise=False.",
            )
        raise ConfigurationError(
            f"{why}, and the run has stream {stream!r} only after the projections.",
            remedy=f"Take {stream} first, by the order of the experiment; play a stored run in "
            "that order.",
        )

    def _before_now(self) -> list[str]:
        """Name the acquisitions before the one that goes on, as far as the run announces them."""
        announced = [str(each) for each in self.about.md["acquisitions"]]
        mine = self._now.stream
        places = [at for at, each in enumerate(announced) if each == mine]
        number = min(self._ended[mine], len(places) - 1)
        return announced[: places[number]] if places else []

    def note(self, frame: Frame) -> None:
        """Note that a frame came, whether it's used or not.

        Parameters
        ----------
        frame : Frame
            It.
        """
        self.here += 1
        self._places.note(frame)

    def is_new(self, frame: Frame) -> bool:
        """Tell whether a frame hasn't come in this acquisition, and note that it has.

        Parameters
        ----------
        frame : Frame
            It.

        Returns
        -------
        bool
            True when it has no id.
        """
        if frame.unique_id is None:
            return True
        if frame.unique_id in self._seen:
            return False
        self._seen.add(frame.unique_id)
        return True

    def place_of(self, frame: Frame, planned: np.ndarray | None, in_order: bool) -> int | None:
        """Tell which of the planned angles a frame has.

        Parameters
        ----------
        frame : Frame
            It.
        planned : numpy.ndarray or None
            Degrees.
        in_order : bool
            Whether frames that tell neither place nor angle are in the plan's order.

        Returns
        -------
        int or None
            From 0; None when nobody knows.
        """
        if planned is None:
            return None
        place = self._places.of(frame, counts=in_order and frame.angle is None)
        return None if place is None else place + self.before[frame.stream]

    def is_certain(self, frame: Frame) -> bool:
        """Tell whether a new frame whose place is taken must be one that came before.

        Parameters
        ----------
        frame : Frame
            It, as :meth:`is_new` calls it.

        Returns
        -------
        bool
            False when it has an id, and another frame's place wasn't certain.
        """
        return not self._places.guessed or frame.unique_id is None

    def note_used(self, frame: Frame, angle: float) -> None:
        """Note that a frame was used.

        Parameters
        ----------
        frame : Frame
            It.
        angle : float
            Degrees.
        """
        self.angles.append(angle)
        if frame.unique_id is not None:
            self.used.add(frame.unique_id)

    def end(self, ended: StreamEnd) -> bool:
        """Note the end of an acquisition.

        Parameters
        ----------
        ended : StreamEnd
            How it ended.

        Returns
        -------
        bool
            Whether it was the last one of the run.
        """
        stream = ended.about.stream
        self.came[stream] += self.here
        if ended.reason or ended.missing or ended.dropped:
            what = f"{stream}: {counted(ended.missing)} missing, {ended.dropped} dropped"
            reason = f"{what}; {ended.reason}" if ended.reason else what
            self.reason = f"{self.reason}; {reason}" if self.reason else reason
        self.before[stream] += ended.about.expected or self.here
        self._ended[stream] += 1
        self.here = 0
        if not self._places.end(ended):
            self.shifted = True
            _log.warning(
                "Stream %r: %s of %d came, and nobody knows which. Angles go by counting here: "
                "from the first frame that was lost, or taken again, on they are wrong.",
                stream,
                counted(ended.frames),
                ended.expected,
            )
        if self.coming is None:
            return False
        self.coming[stream] -= 1
        return not +self.coming
