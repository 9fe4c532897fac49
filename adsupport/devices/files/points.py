"""The points of a run: which frames of a file plugin's files belong to which."""

from __future__ import annotations

import logging
from typing import Any

from ...errors import ConfigurationError, FileWriteError, FrameCountError
from ...wording import counted
from ..frames.report import log_level
from ..signals.reading import as_text, pv_name, read_signals, wait_for

__all__ = ["FilePoints"]

logger = logging.getLogger(__name__)

#: How long the name of an opened file may take to show, in seconds.
_NAME_TIMEOUT = 2.0


class FilePoints:
    """Mixin: what a file plugin does before and after each point of a run.

    The trigger calls :meth:`prepare_point` before an acquisition and :meth:`finish_point` (or
    :meth:`count_point`) after it.
    """

    # What the file writer provides.
    name: str
    parent: Any
    problem_reported: bool
    multi_frame: bool
    counts_captured: bool
    frames_per_point: int
    is_writing: bool
    next_file: Any
    end_file: Any
    _tell_no_more: Any
    _open: Any
    _add_datum: Any
    _mode: str
    _one_file_a_frame: bool
    _predicted: tuple[str, Any]
    _first_point: int
    _file_ended: bool

    def _forget_points(self) -> None:
        """Begin to count anew, with a file that has no frame yet."""
        self._frames_done = 0
        # frames of the last point beyond those asked for, which its account has told of
        self._excess = 0
        self._next_point = self._first_point
        self._partial = False
        # unique ids of the frames, None when they can't be told
        self._ids: list[range] | None = []
        # numbers of files of one frame each: of the points that are complete, and of the next
        self._numbers: list[range] = []
        self._to_come = range(0)

    def is_ready_for(self, frames: int, captured: int, capture: Any) -> bool:
        """Tell whether all is as the last point left it.

        Parameters
        ----------
        frames, captured, capture
            See :meth:`prepare_point`.

        Returns
        -------
        bool
            True when :meth:`prepare_point` will find nothing to do or to say.
        """
        return (
            not self._file_ended
            and frames == self.frames_per_point
            and (self._mode == "Single" or str(capture) not in ("0", "Done"))
            and (not self.counts_captured or captured == self._frames_done)
        )

    def is_file(self, full_name: Any) -> bool:
        """Tell whether the file that is being written is the one predicted.

        Parameters
        ----------
        full_name : str or array of char
            ``FullFileName_RBV``.

        Returns
        -------
        bool
            True also where each frame has a file of its own, which can't be told apart so.
        """
        if not (self.multi_frame and self._mode == "Stream"):
            return True
        return as_text(full_name) == self._predicted[0]

    def prepare_point(self, frames: int, captured: int, capture: Any) -> bool:
        """Get ready for one more acquisition.

        Parameters
        ----------
        frames : int
            Frames it will make.
        captured : int
            ``NumCaptured`` now.
        capture : object
            ``Capture_RBV`` now.

        Returns
        -------
        bool
            Whether another file was begun, so that the counters start anew.

        Raises
        ------
        ConfigurationError
            The number of frames isn't the one that the run's documents announced.
        FileWriteError
            The plugin isn't capturing any more, and the policy is to raise.
        FileExistsRefusedError
            The files of this point exist already (one file a frame).
        FrameCountError
            Frames of somebody else came since the last point, and the policy is to raise.
        """
        if frames != self.frames_per_point:
            raise ConfigurationError(
                f"{self.name} was staged for {counted(self.frames_per_point)} a point, and the "
                f"camera is now set for {frames}: change NumImages between runs only."
            )
        reopened = self._file_ended
        if reopened:
            self._tell_no_more()
            self._open()
        elif self._mode != "Single" and str(capture) in ("0", "Done"):
            reopened = self._go_on(captured)
        elif self.counts_captured and captured != self._frames_done:
            reopened = self._realign(captured)
        # not one up from the last: a point that is taken again has had a datum already
        self._next_point = self._first_point + self._frames_done // self.frames_per_point
        if self._one_file_a_frame:
            self._number_point(frames)
        self._partial = True
        return reopened

    def _go_on(self, captured: int) -> bool:
        """Begin another file behind one whose capture has ended, unless the policy is to raise."""
        plugin: Any = self
        error = FileWriteError(
            f"{pv_name(plugin.capture)}: {self.name} isn't capturing any more after "
            f"{counted(captured)}: NumCapture was reached, a frame could not be written, or it was "
            f"stopped. WriteMessage {plugin.write_message.get()!r}.",
            plugin=self.name,
            got=captured,
        )
        policy = getattr(self.parent, "frame_policy", "raise")
        if policy == "raise":
            raise error
        logger.log(
            log_level(policy),
            "%s The run goes on in another file.",
            error,
        )
        self.end_file()
        self._open()
        return True

    def _number_point(self, frames: int) -> None:
        """Take note of the numbers that the files of the next point will have."""
        if self._frames_done or self._partial:  # also behind a first point that was torn
            self.next_file(frames)
        plugin: Any = self
        first = int(read_signals({"number": plugin.file_number})["number"])
        if self._mode == "Capture":  # the files are numbered when they are written, at the end
            first += self._frames_done
        self._next_point = first // frames
        self._to_come = range(first, first + frames)

    def _realign(self, captured: int) -> bool:
        """Find the place in the file again, where it has other frames than those of the points.

        A point that was interrupted leaves some.  Others are somebody else's.
        """
        known = self._frames_done + self._excess
        if captured > known and not self._partial:
            self._judge_foreign(known, captured)
        if self.multi_frame and (captured % self.frames_per_point or captured < self._frames_done):
            # Readers count in whole points: begin another file behind the torn one.
            logger.warning(
                "%s: the file doesn't hold whole points any more; beginning another one behind %s",
                self.name,
                self._predicted[1],
            )
            self.end_file()
            self._open()
            return True
        self._frames_done, self._excess = captured, 0
        # frames of a point that was taken again are in the file, and nobody noted their ids
        self._ids = None
        return False

    def _judge_foreign(self, known: int, captured: int) -> None:
        """Do what the detector's policy says about frames that no point has asked for."""
        plugin: Any = self
        error = FrameCountError(
            f"{pv_name(plugin.num_captured)}: {counted(captured - known)} of somebody else came "
            f"between two points and went to the file of {self.name}, with the run's own; no event "
            "has them. Does another client use the camera?",
            plugin=self.name,
            expected=known,
            got=captured,
        )
        policy = getattr(self.parent, "frame_policy", "raise")
        if policy == "raise":
            self.end_file()  # a plan that goes on begins another
            self.problem_reported = True
            raise error
        logger.log(log_level(policy), "%s", error)

    def generate_datum(
        self, key: str, timestamp: float, datum_kwargs: dict[str, Any] | None = None
    ) -> str | None:
        """Make the document that stands for the images of one point.

        Parameters
        ----------
        key : str
            Name of the image in the event.
        timestamp : float
            Time of the trigger, seconds since 1970.
        datum_kwargs : dict, optional
            More for the reader of the file.

        Returns
        -------
        str or None
            The datum's identity; None when the plugin isn't writing.
        """
        if not self.is_writing:
            return None
        point = {**(datum_kwargs or {}), "point_number": self._next_point}
        self._next_point += 1
        return self._add_datum(key, timestamp, point)

    def note_ids(self, ids: range | None) -> None:
        """Take note of the unique ids of the frames of a point.

        Parameters
        ----------
        ids : range or None
            The ids; None when they can't be told.
        """
        if ids is None:
            self._ids = None
        elif self._ids is not None:
            self._ids.append(ids)

    def note_excess(self, frames: int) -> None:
        """Take note of frames that a point has brought beyond those asked for.

        Parameters
        ----------
        frames : int
            How many; its account has told of them, so the next point needn't.
        """
        self._excess = frames

    def finish_point(self, frames: int) -> None:
        """Take note that a point is complete.

        Parameters
        ----------
        frames : int
            Frames it made.

        Raises
        ------
        FileWriteError
            The file that the frames went to isn't the one predicted: the run's documents name
            another.
        """
        self.count_point(frames)
        if self.multi_frame and self._mode == "Stream":
            self._confirm_name()

    def count_point(self, frames: int) -> None:
        """Take note that a point is complete, without asking the IOC.

        Parameters
        ----------
        frames : int
            Frames it made.
        """
        self._frames_done += frames
        self._partial = False
        if self._one_file_a_frame:
            self._numbers.append(self._to_come)

    def _confirm_name(self) -> None:
        """See that the IOC has opened the file that was predicted, and none since."""
        plugin: Any = self
        full = self._predicted[0]
        if not wait_for(lambda: plugin.full_file_name.get() == full, _NAME_TIMEOUT):
            self.problem_reported = True  # what is wrong with the other file follows from this
            raise FileWriteError(
                f"{pv_name(plugin.full_file_name)} is {plugin.full_file_name.get()!r}, expected "
                f"{full!r}: somebody else changed path, name or number meanwhile, or began another "
                "file (a second detector with the same plugin?). Run again.",
                plugin=self.name,
            )
