"""NDFileTIFF: the TIFF file plugin."""

from __future__ import annotations

from typing import BinaryIO

from adsupport.sim.files.tiff import planes, read_tiff, write_tiff
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.single_frame_file import SingleFramePlugin


class TIFFPlugin(SingleFramePlugin):
    """Writes TIFF files; reads them back and emits what they hold."""

    tables = (*Plugin.tables, "NDFile", "NDFileTIFF")

    def check(self, array: NDArray) -> None:
        """Refuse what is neither an image nor a row of pixels.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        planes(array)

    def write_to(self, file: BinaryIO, array: NDArray) -> None:
        """Write an array into an empty file.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        write_tiff(file, self.as_stored(array))

    def read_file(self, path: str) -> NDArray:
        """Read an array from a file.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        return read_tiff(path)
