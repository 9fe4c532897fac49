"""What all file writing plugins have in common: staging, points, and the end of a file."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ophyd import Kind
from ophyd.device import Staged

from ...errors import ConfigurationError, PutError
from ..signals.putting import look_at, put_in_order
from ..signals.reading import pv_name, read_signals
from ..staging import BoundedStaging, FirstError, is_disabled_when_staged
from .capture import begin_capture, check_primed
from .end import FileEnd
from .image_documents import ImageDocuments
from .points import FilePoints
from .sequence import check_sequence, sequence_of
from .target import FileTarget

__all__ = ["FileWriter"]

logger = logging.getLogger(__name__)

_SINGLE = 0  # of ImageMode


class FileWriter(FilePoints, FileEnd, FileTarget, ImageDocuments, BoundedStaging):
    """Mixin: a file plugin that records the images of a run.

    Staging applies ``stage_sigs``, settles directory and name, checks all that can be
    checked, and starts the capture.  While staged the plugin captures without end
    (``NumCapture`` 0) unless ``stage_sigs`` has a ``num_capture``.  Unstaging ends the
    capture, waits until the file is closed, looks into it and restores every setting.

    Attributes
    ----------
    verify_files : bool
        Whether the files are looked into when the capture has ended.
    file_timeout : float
        How long a file may take to show here, in seconds.
    drain_timeout : float
        How long arrays that still wait in the plugin's queue may take, in seconds.
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
        self._first_point = 0
        self._forget_points()
        self._forget_files()

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
        return _frames_of(read_signals(self._frame_settings()))

    def _frame_settings(self) -> dict[str, Any]:
        cam = getattr(self.parent, "cam", None)
        return {} if cam is None else {"image_mode": cam.image_mode, "num_images": cam.num_images}

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
        disabled = is_disabled_when_staged(self)
        if not disabled:
            self.require_free()
        self._begin_afresh()
        self._forget_documents()
        try:
            return self._stage_writer(disabled)
        except BaseException as error:
            cleanup = FirstError(logger)
            cleanup.error = error
            cleanup.run(self._close)
            cleanup.run(super().unstage)
            cleanup.run(self._restore)
            raise

    def _stage_writer(self, disabled: bool) -> list[object]:
        self._change(self._settings(disabled))
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

    def _change(self, settings: list[tuple[Any, Any]]) -> None:
        wanted = [(getattr(self, k) if isinstance(k, str) else k, v) for k, v in settings]
        changes = []
        for each, (stands, before) in zip(wanted, look_at(wanted), strict=True):
            if not stands:
                changes.append(each)
                self._saved.append((each[0], before))
        problems = put_in_order(changes, self.put_timeout) if changes else []
        if problems:
            raise PutError(f"{self.name} could not be staged: {' '.join(problems)}")

    def _stage_ophyd(self) -> list[object]:
        # The settings are made already, in an order and with a limit that ophyd doesn't know.
        declared, self.stage_sigs = self.stage_sigs, OrderedDict()
        try:
            return super().stage()
        finally:
            self.stage_sigs = declared

    def _prepare_file(self) -> None:
        plugin: Any = self
        found = read_signals(
            {"mode": plugin.file_write_mode, "lazy": plugin.lazy_open, **self._frame_settings()},
            texts=("mode", "lazy"),
        )
        self._mode = found["mode"]
        self._lazy = found["lazy"] == "Yes"
        self.frames_per_point = _frames_of(found)
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
        self._forget_points()
        self._file_ended = False
        self._open_resource(str(self.reg_root), path, kwargs, self.path_semantics)
        self.is_writing = True

    def _resource(self, local: Any) -> tuple[str, dict[str, Any]]:
        kwargs: dict[str, Any] = {"frame_per_point": self.frames_per_point}
        if not self._one_file_a_frame:
            return self._resource_path(local), kwargs
        directory, names = sequence_of(self, self._map, local)
        # The last separator tells readers that join texts (Tiled's) that it's a directory.
        return self._resource_path(directory).rstrip("/") + "/", kwargs | names


def _frames_of(found: Mapping[str, Any]) -> int:
    if int(found.get("image_mode", _SINGLE)) == _SINGLE:
        return 1
    return max(1, int(found["num_images"]))
