"""Which angles frames were used at, and how far from those that the run recorded in the end."""

from __future__ import annotations

import logging
import math
from array import array
from collections import Counter
from typing import Any

import numpy as np

from ..frames.frame import Frame, StreamAbout, StreamEnd

__all__ = ["AnglesUsed"]

_log = logging.getLogger(__name__)


class AnglesUsed:
    """Notes the angles of projections while they come, and compares at the end.

    Parameters
    ----------
    given : bool
        Whether the user gave the angles of frames that have none.
    stream : str
        That of the projections.

    Attributes
    ----------
    most_off : float or None
        Degrees: the largest difference from what the run recorded; None when it hasn't told.
    wrong : bool
        Whether that's more than half of what is between two projections.
    """

    def __init__(self, given: bool, stream: str) -> None:
        self._without = "given" if given else "planned"
        self._stream = stream
        self._about = StreamAbout()
        self._kinds: Counter[str] = Counter()
        self._places, self._angles = array("q"), array("d")  # of this acquisition
        self.most_off: float | None = None
        self.wrong = False

    def begin(self, about: StreamAbout) -> None:
        """Expect an acquisition.

        Parameters
        ----------
        about : StreamAbout
            What is known of it.
        """
        self._about = about
        self._places, self._angles = array("q"), array("d")

    def note(self, frame: Frame, angle: float, place: int | None) -> None:
        """Note that a projection was used.

        Parameters
        ----------
        frame : Frame
            It.
        angle : float
            Where, in degrees.
        place : int or None
            Which frame of this acquisition it is, from 0; None when nobody knows.
        """
        planned = self._about.angles
        at = frame.place
        if frame.angle is None:
            kind = self._without
        elif at is not None and 0 <= at < len(planned) and planned[at] == frame.angle:
            kind = self._about.angles_from
        else:
            kind = "recorded"
        self._kinds[kind] += 1
        if place is not None:
            self._places.append(place)
            self._angles.append(angle)

    def end(self, ended: StreamEnd) -> None:
        """Compare with what the run recorded, and warn of more than half a step.

        Parameters
        ----------
        ended : StreamEnd
            How the acquisition ended.
        """
        if ended.about.stream != self._stream:
            return
        recorded = ended.angles
        off = [
            abs(math.remainder(recorded[place] - angle, 360.0))
            for place, angle in zip(self._places, self._angles, strict=True)
            if 0 <= place < len(recorded) and math.isfinite(recorded[place])
        ]
        if not off:
            if self._kinds["planned"]:
                _log.info("The slices have the planned angles: nobody has told measured ones.")
            return
        most = max(off)
        self.most_off = most if self.most_off is None else max(most, self.most_off)
        steps = np.diff(np.unique(self._angles))
        half = float(np.median(steps)) / 2 if steps.size else math.inf
        if most > half:
            self.wrong = True
            _log.warning(
                "The slices are wrong: they were made with the planned angles, and the run's "
                "measured ones are up to %.2f degrees off, more than half a step (%.2f). Make them "
                "anew of the run or its Data Exchange file, which have the measured ones: "
                "adsupport reconstruct, or play(run_acquisitions(run), [OnlineReconstruction()]).",
                most,
                half,
            )

    @property
    def facts(self) -> dict[str, Any]:
        """What a tomogram tells: where angles are from, and how far off where that's known."""
        kinds = " and ".join(sorted(self._kinds)) or self._without
        found: dict[str, Any] = {"angles_from": kinds}
        if self.most_off is not None:
            found["angles_off_degrees"] = self.most_off
            found["angles_off"] = self.wrong
        return found
