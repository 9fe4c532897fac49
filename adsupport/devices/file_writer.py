"""What all file writing plugins have in common: staging, points, and the end of a file."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Any

from ophyd import Kind
from ophyd.device import Staged

from ..errors import ConfigurationError, FileWriteError
from .file_capture import begin_capture, check_primed, end_capture, file_problem
from .file_sequence import check_sequence, sequence_of
from .file_target import FileTarget
from .image_documents import ImageDocuments
from .signal_io import as_text, pv_name, wait_for
from .signal_puts import put_and_confirm, put_back, stand_already
from .staging import BoundedStaging, FirstError, is_disabled_when_staged

__all__ = ["FileWriter"]

logger = logging.getLogger(__name__)

_SINGLE = 0  # of ImageMode

#: How long the name of an opened file may take to show, in seconds.
_NAME_TIMEOUT = 2.0


class FileWriter(FileTarget, ImageDocuments, BoundedStaging):
    """Mixin: a file plugin that records the images of a run.

    Staging applies ``stage_sigs``, settles directory and name, checks all that can be
    checked, and starts the capture.  While staged the plugin captures without end
    (``NumCapture`` 0) unless ``stage_sigs`` has a ``num_capture``.  Unstaging ends the
    capture, waits until the file is closed and restores every setting.
    """

    # What ophyd's devices provide.
    parent: Any
    attr_name: str
    kind: Any

    #: Whether one file holds all frames of a run.
    multi_frame = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage_sigs = OrderedDict(
            [
                ("enable", 1),
                ("file_write_mode", "Stream"),
                ("blocking_callbacks", "No"),
                ("parent.cam.array_callbacks", 1),
                ("capture", 1),
            ]
        )
        if self.parent is None or not hasattr(type(self.parent), "cam"):
            del self.stage_sigs["parent.cam.array_callbacks"]
        self._record_images()
        self._saved: list[tuple[Any, Any]] = []
        self._begin_afresh()

    def _record_images(self) -> None:
        """Take part in the detector's reading, unless its class says otherwise.

        ophyd's detectors read nothing by default, so their images would not be recorded.
        """
        component = getattr(type(self.parent), self.attr_name or "", None)
        if getattr(component, "kind", Kind.omitted) & Kind.normal:
            self.kind |= Kind.normal

    def _begin_afresh(self) -> None:
        self.is_writing = False
        self.problem_reported = False
        self.frames_per_point = 1
        self._mode = ""
        self._lazy = False
        self._predicted: tuple[str, Any] = ("", None)
        self._frames_done = 0
        self._partial = False
        self._first_point = 0
        self._next_point = 0

    @property
    def counts_captured(self) -> bool:
        """Whether ``NumCaptured`` counts up with the frames of this run."""
        return self._mode == "Stream"

    def get_frames_per_point(self) -> int:
        """Tell how many frames one trigger makes.

        Returns
        -------
        int
            ``NumImages`` of the camera, 1 in Single mode; never ``NumCapture``.
        """
        cam = getattr(self.parent, "cam", None)
        if cam is None or int(cam.image_mode.get()) == _SINGLE:
            return 1
        return max(1, int(cam.num_images.get()))

    # -- staging

    def stage(self) -> list[object]:
        """Make everything ready to write, and start the capture.

        Returns
        -------
        list
            The devices staged.

        Raises
        ------
        AdsupportError
            Something would keep the frames from being written; see the message.
        """
        if self._staged != Staged.no:
            return super().stage()  # ophyd says what's wrong
        self._begin_afresh()
        self._forget_documents()
        try:
            return self._stage_writer()
        except BaseException as error:
            cleanup = FirstError(logger)
            cleanup.error = error
            cleanup.run(self._close)
            cleanup.run(super().unstage)
            cleanup.run(self._restore)
            raise

    def _stage_writer(self) -> list[object]:
        disabled = is_disabled_when_staged(self)
        if not disabled:
            end_capture(self)
        for key, value in self._settings(disabled):
            self._change(key, value)
        if not disabled:
            self._prepare_file()
        devices = self._stage_ophyd()
        if not disabled:
            self._open()
        return devices

    def _settings(self, disabled: bool) -> list[tuple[Any, Any]]:
        """List what to set before the capture, in order."""
        declared: dict[Any, Any] = {k: v for k, v in self.stage_sigs.items() if k != "capture"}
        if disabled:
            return list(declared.items())
        declared.setdefault("num_capture", 0)
        return list(declared.items())

    def _change(self, key: Any, value: Any) -> None:
        signal = getattr(self, key) if isinstance(key, str) else key
        if stand_already([(signal, value)])[0]:
            return
        self._saved.append((signal, signal.get()))
        put_and_confirm(signal, value, self.put_timeout)

    def _stage_ophyd(self) -> list[object]:
        # The settings are made already, in an order and with a limit that ophyd doesn't know.
        declared, self.stage_sigs = self.stage_sigs, OrderedDict()
        try:
            return super().stage()
        finally:
            self.stage_sigs = declared

    def _prepare_file(self) -> None:
        plugin: Any = self
        self._mode = plugin.file_write_mode.get(as_string=True)
        self._lazy = plugin.lazy_open.get(as_string=True) == "Yes"
        self.frames_per_point = self.get_frames_per_point()
        self._check_settings()
        if self._mode == "Capture" or (self._mode == "Stream" and not self._lazy):
            check_primed(self)
        self._settle_directory()

    def _check_settings(self) -> None:
        plugin: Any = self
        if self._mode != "Stream" and plugin.auto_save.get(as_string=True) != "Yes":
            raise ConfigurationError(
                f"{pv_name(plugin.auto_save, True)} is No while FileWriteMode is {self._mode}: no "
                "frame would be written. Put it to Yes, or use Stream."
            )
        if self._mode == "Capture" and int(plugin.num_capture.get()) < 1:
            raise ConfigurationError(
                f"{pv_name(plugin.num_capture, True)} is 0 while FileWriteMode is Capture: the "
                "file is written when that many frames are in the IOC's memory. Set "
                f"{self.name}.stage_sigs['num_capture'] to all frames of the run, or use Stream."
            )
        if self._one_file_a_frame:
            check_sequence(plugin)

    @property
    def _one_file_a_frame(self) -> bool:
        return self._mode == "Single" or not self.multi_frame

    def _open(self) -> None:
        """Predict the file, start the capture, and make the resource document."""
        plugin: Any = self
        step = self.frames_per_point if self._one_file_a_frame else 1
        self._predicted = full, local = self.next_file(step)
        path, kwargs = self._resource(local)  # refuses what the documents can't name
        if self._one_file_a_frame:
            self._first_point = int(plugin.file_number.get()) // self.frames_per_point
        if self._mode != "Single":
            begin_capture(self)
            if not self._lazy and self.multi_frame and self._mode == "Stream":
                self._confirm_name()
        self._next_point = self._first_point
        self._frames_done = 0
        self._open_resource(str(self.reg_root), path, kwargs, self.path_semantics)
        self.is_writing = True

    def _resource(self, local: Any) -> tuple[str, dict[str, Any]]:
        kwargs: dict[str, Any] = {"frame_per_point": self.frames_per_point}
        if not self._one_file_a_frame:
            return self._resource_path(local), kwargs
        directory, names = sequence_of(self, self._map, local)
        # The last separator tells readers that join texts (Tiled's) that it's a directory.
        return self._resource_path(directory).rstrip("/") + "/", kwargs | names

    def _confirm_name(self) -> None:
        """See that the IOC has opened the file that was predicted, and none since."""
        plugin: Any = self
        full = self._predicted[0]
        if not wait_for(lambda: plugin.full_file_name.get() == full, _NAME_TIMEOUT):
            raise FileWriteError(
                f"{pv_name(plugin.full_file_name)} is {plugin.full_file_name.get()!r}, expected "
                f"{full!r}: somebody else changed path, name or number meanwhile, or began another "
                "file (a second detector with the same plugin?). Run again."
            )

    # -- points; the trigger calls the first and the last

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
            frames == self.frames_per_point
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
            The plugin isn't capturing any more.
        FileExistsRefusedError
            The files of this point exist already (one file a frame).
        """
        plugin: Any = self
        if frames != self.frames_per_point:
            raise ConfigurationError(
                f"{self.name} was staged for {self.frames_per_point} frames a point, and the "
                f"camera is now set for {frames}: change NumImages between runs only."
            )
        if self._mode != "Single" and str(capture) in ("0", "Done"):
            raise FileWriteError(
                f"{pv_name(plugin.capture)}: {self.name} isn't capturing any more after "
                f"{captured} frames: NumCapture was reached, or it was stopped. WriteMessage "
                f"{plugin.write_message.get()!r}."
            )
        if self._one_file_a_frame and self._frames_done:
            self.next_file(frames)
        reopened = False
        if self.counts_captured and captured != self._frames_done:
            reopened = self._realign(captured)
        self._partial = True
        return reopened

    def _realign(self, captured: int) -> bool:
        """Find the place in the file again after a point that was interrupted."""
        if captured % self.frames_per_point and self.multi_frame:
            # Readers count in whole points: begin another file behind the torn one.
            logger.warning(
                "%s: the last point was interrupted; beginning another file behind %s",
                self.name,
                self._predicted[1],
            )
            end_capture(self)
            self._open()
            return True
        self._frames_done = captured
        self._next_point = self._first_point + captured // self.frames_per_point
        return False

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

    # -- the end

    def unstage(self) -> list[object]:
        """End the capture, wait until the file is closed, restore every setting.

        Returns
        -------
        list
            The devices unstaged.

        Raises
        ------
        AdsupportError
            The file isn't complete, or a setting could not be restored; the first of these.
        """
        cleanup = FirstError(logger)
        if self._staged != Staged.no or self._saved:
            cleanup.run(self._close)
            cleanup.run(self._check_end)
        self.is_writing = False
        devices = cleanup.run(super().unstage)
        cleanup.run(self._restore)
        cleanup.raise_first()
        return devices

    def _close(self) -> None:
        if not is_disabled_when_staged(self):
            end_capture(self)

    def _check_end(self) -> None:
        if not self.is_writing or self.problem_reported or self._partial or not self._frames_done:
            return
        error = file_problem(self, self._predicted[0], self._frames_done, self._mode)
        if error is None:
            return
        if getattr(self.parent, "frame_policy", "raise") == "raise":
            raise error
        logger.warning("%s", error)

    def _restore(self) -> None:
        """Put back every setting that was changed, from the last to the first."""
        cleanup = FirstError(logger)
        while self._saved:
            signal, value = self._saved.pop()
            cleanup.run(put_back, signal, value, self.put_timeout)
        cleanup.raise_first()
