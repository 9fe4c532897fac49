"""What the writers of tomography files have in common: their options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, get_args

from ...documents.run import Run
from ..choice import Choice
from ..file_writer import FileWriter
from ..output import AtomicFile, Exists
from .kinds import KindRules, Names
from .tomo_file import Images, Missing, TomoFile, TomoOptions

__all__ = ["TomoWriter"]


class TomoWriter(FileWriter):
    """Write a file for each tomography run; subclasses say of which kind.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.
    images : str
        What to do with images in HDF5 files: ``"link"`` refers to the files, ``"copy"`` copies
        what they have, ``"repack"`` compresses anew.  Other images are copied instead of linked.
    detector : str, optional
        Data key of the images; by default the only one that has images.
    theta : str, optional
        Data key of the rotation; by default the first dimension of the scan, or the first motor.
        Degrees, unless its units are radians.  A number counts for all frames of its event, an
        array has one for each.
    projections, flats, darks, frame_type
        How frames are told apart; see :class:`~adsupport.callbacks.tomography.KindRules`.
    unique_id : str, optional
        Data key of the camera's array counter: a number is that of an event's last frame, an
        array has one for each.  By default the files' own ``NDArrayUniqueId`` tells lost frames,
        as far as that's possible.
    missing : str
        What to do when frames are missing: ``"error"`` writes no file, ``"drop"`` leaves them and
        their angles out, ``"fill"`` keeps the angles of projections with a blank frame; missing
        flats and darks are left out then, too.
    compression : mapping, optional
        For ``images="repack"``; see :func:`adsupport.documents.images.repack`.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    """

    #: The kind of file.
    tomo_file: ClassVar[type[TomoFile]]
    images: Any = Choice(*get_args(Images))
    missing: Any = Choice(*get_args(Missing))

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        images: Images = "link",
        detector: str | None = None,
        theta: str | None = None,
        projections: Names = "primary",
        flats: Names = "flats",
        darks: Names = "darks",
        frame_type: str | None = None,
        unique_id: str | None = None,
        missing: Missing = "error",
        compression: Mapping[str, Any] | None = None,
        image_timeout: float = 20.0,
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, file_name, exists=exists, strict=strict, path_map=path_map)
        self.images = images
        self.detector = detector
        self.theta = theta
        self.projections, self.flats, self.darks = projections, flats, darks
        self.frame_type = frame_type
        self._rules()  # what can't be understood is told at once
        self.unique_id = unique_id
        self.missing = missing
        self.compression = compression
        self.image_timeout = image_timeout

    def run_file(self, run: Run) -> TomoFile:
        """Make the file of a run; see the base class."""
        options = TomoOptions(
            self.detector, self.theta, self.unique_id, self._rules(), self.images,
            self.compression, self.image_timeout, self.missing,
        )  # fmt: skip
        return self.tomo_file(AtomicFile(self.target(run), exists=self.exists), options)

    def _rules(self) -> KindRules:
        return KindRules(self.projections, self.flats, self.darks, self.frame_type)
