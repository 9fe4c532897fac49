"""File writing plugins: names of your choice (EPICS) or unique ones (UUID)."""

from __future__ import annotations

import pathlib
import uuid
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from ophyd.areadetector import plugins as ophyd_plugins

from ..errors import ConfigurationError
from .arrays.kind import ArrayKind, colored
from .arrays.prediction import delivered_array, received_array
from .files.paths import path_map_of
from .files.writer import FileWriter
from .plugins import HDF5Plugin, JPEGPlugin, TIFFPlugin
from .signals.putting import put_and_confirm
from .signals.reading import explain_timeouts, pv_name, read_signals

__all__ = [
    "AD_EpicsFileNameHDF5Plugin",
    "AD_EpicsFileNameJPEGPlugin",
    "AD_EpicsFileNameTIFFPlugin",
    "AD_full_file_name_local",
    "HDF5FileWriterPlugin",
]


class _HDF5Writer(FileWriter, HDF5Plugin):
    """HDF5 files with all frames of a run."""

    filestore_spec = "AD_HDF5"
    extension = ".h5"

    def _prepare_file(self) -> None:
        super()._prepare_file()
        self.filestore_spec = "AD_HDF5_SINGLE" if self._mode == "Single" else "AD_HDF5"

    def _check_settings(self) -> None:
        super()._check_settings()
        found = read_signals(
            {"extra": self.num_extra_dims, "position": self.position_mode}, texts=("position",)
        )
        if int(found["extra"]) or found["position"] == "On":
            which = "extra" if int(found["extra"]) else "position"
            signal = self.num_extra_dims if which == "extra" else self.position_mode
            raise ConfigurationError(
                f"{pv_name(signal, True)} is {found[which]}: {self.name} would lay the frames out "
                "in more dimensions than readers of AD_HDF5 know, who take them one after the "
                "other. Put it to 0."
            )

    def _stage_next(self) -> list[object] | None:
        # ophyd refuses an unprimed plugin also when it opens its file lazily or is disabled.
        return super(ophyd_plugins.HDF5Plugin, self).stage()


class AD_EpicsFileNameHDF5Plugin(_HDF5Writer):
    """HDF5 files whose names are those of the plugin's own process variables.

    The caller sets ``file_name``, ``file_template``, ``file_number``, ``auto_increment``,
    ``create_directory`` and ``compression``, by :func:`~adsupport.plans.prepare_count` for
    example; ``file_path`` too, or it comes from ``write_path_template``.

    Parameters
    ----------
    write_path_template : str or path, optional
        Directory as the IOC sees it, with ``strftime`` codes.
    read_path_template : str or path, optional
        The same directory as this computer sees it.
    root : str
        Root of the resource documents.
    path_semantics : {"posix", "windows"}
        Style of the local paths.
    if_exists : {"refuse", "bump", "allow"}
        What to do when the file exists already.

    Examples
    --------
    >>> plugins = [{"hdf1": {"class": AD_EpicsFileNameHDF5Plugin,
    ...                      "write_path_template": "/data/%Y/%m/%d/",
    ...                      "read_path_template": "/mnt/ioc/data/%Y/%m/%d/"}}]
    """


class _FrameFiles(FileWriter):
    """One file a frame: the file numbers count the frames."""

    multi_frame = False


class AD_EpicsFileNameTIFFPlugin(_FrameFiles, TIFFPlugin):
    """TIFF files, one a frame, with names from the plugin's own process variables.

    Parameters are those of :class:`AD_EpicsFileNameHDF5Plugin`.  The file number starts at a
    multiple of the frames per point, where readers of ``AD_TIFF`` look for it.
    """

    filestore_spec = "AD_TIFF"
    extension = ".tif"

    def stored_kind(self, kind: ArrayKind) -> ArrayKind:
        """Tell what a reader finds: colours beside each other (RGB1), or a plane for each.

        Parameters
        ----------
        kind : ArrayKind
            What the plugin receives.

        Returns
        -------
        ArrayKind
            The pixels in the file; RGB2 is stored in planes like RGB3.
        """
        if kind.color_mode != "RGB2" or not kind.has_colors:
            return kind
        columns, rows, colors = (kind.dims[axis] for axis in kind.image_axes)
        return colored(columns, rows, colors, kind.data_type, "RGB3")


class AD_EpicsFileNameJPEGPlugin(_FrameFiles, JPEGPlugin):
    """JPEG files, one a frame, with names from the plugin's own process variables.

    Parameters are those of :class:`AD_EpicsFileNameHDF5Plugin`.  Only 8-bit frames can be
    written.
    """

    filestore_spec = "AD_JPEG"
    extension = ".jpg"

    def stored_kind(self, kind: ArrayKind) -> ArrayKind:
        """Tell what a reader finds: bytes without sign, colours beside each other.

        Parameters
        ----------
        kind : ArrayKind
            What the plugin receives.

        Returns
        -------
        ArrayKind
            The pixels in the file.
        """
        if not kind.has_colors:
            return replace(kind, data_type="UInt8")
        columns, rows, colors = (kind.dims[axis] for axis in kind.image_axes)
        return colored(columns, rows, colors, "UInt8", "RGB1")

    def _check_settings(self) -> None:
        super()._check_settings()
        plugin: Any = self
        kind = delivered_array(plugin) or received_array(plugin)
        if kind is not None and kind.data_type not in (None, "Int8", "UInt8"):
            raise ConfigurationError(
                f"{pv_name(plugin.data_type)}: the frames are {kind.data_type}; {self.name} can "
                "write 8-bit frames only, "
                "and would drop these without a word. Take UInt8 frames, or write TIFF or HDF5."
            )


class HDF5FileWriterPlugin(_HDF5Writer):
    """HDF5 files with unique names (UUID) in the directory of ``write_path_template``.

    Parameters are those of :class:`AD_EpicsFileNameHDF5Plugin`; ``write_path_template`` is
    needed to stage.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sigs = self.stage_sigs
        capture = sigs.pop("capture")
        mode = sigs.pop("file_write_mode")
        self.stage_sigs = OrderedDict(
            [
                *sigs.items(),
                ("create_directory", -3),
                ("auto_increment", "Yes"),
                ("array_counter", 0),
                ("auto_save", "Yes"),
                ("num_capture", 0),
                ("file_template", "%s%s_%6.6d.h5"),
                ("file_write_mode", mode),
                ("capture", capture),
            ]
        )

    def plan_directory(self, standing: str) -> str:
        """Tell which directory staging will put to ``FilePath``: always that of the template.

        Parameters
        ----------
        standing : str
            What ``FilePath`` is now, which doesn't matter.

        Returns
        -------
        str
            The directory with a trailing separator, checked.

        Raises
        ------
        NamingError, PathMapError, ConfigurationError
            There is no template, or it can't be used.
        """
        if self.write_path_template is None:
            raise ConfigurationError(
                f"{self.name} has no write_path_template: give the plugin "
                "write_path_template='/directory/on/the/IOC/' to stage it."
            )
        return super().plan_directory("")

    def make_filename(self) -> tuple[str, str, str]:
        """Make a unique name; directories come from the templates.

        Returns
        -------
        tuple of str
            File name, directory here, directory on the IOC.
        """
        path = self.plan_directory("")
        # Without its last part: older IOCs hold few characters.
        name = str(uuid.uuid4()).rpartition("-")[0]
        return name, str(self.path_map.to_local(path)), path

    def _settle_directory(self) -> str:
        path = super()._settle_directory()
        put_and_confirm(self.file_number, 0)
        return path


def AD_full_file_name_local(plugin: Any) -> pathlib.Path | None:
    """Tell where on this computer the file is that a plugin has written (or is writing).

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin with ``write_path_template`` and ``read_path_template``; without
        templates both sides see the same file system.

    Returns
    -------
    pathlib.Path or None
        ``FullFileName_RBV`` as seen from here; None when it is empty.

    Raises
    ------
    PathMapError
        The file lies outside the directories that the templates map.
    ConnectionTimeoutError
        The IOC doesn't answer.
    """
    with explain_timeouts(plugin):
        full = str(read_signals({"full": plugin.full_file_name})["full"]).strip()
    if not full:
        return None
    return pathlib.Path(path_map_of(plugin).to_local(full))
