"""NDFileJPEG: the JPEG file plugin."""

from __future__ import annotations

from typing import BinaryIO

from adsupport.sim.arrays.jpeg import JPEGError, check_jpeg, encode_jpeg
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.single_frame_file import SingleFramePlugin


class JPEGPlugin(SingleFramePlugin):
    """Writes JPEG files of 8-bit arrays."""

    tables = (*Plugin.tables, "NDFile", "NDFileJPEG")

    def check(self, array: NDArray) -> None:
        """Refuse what is not an image of 8-bit pixels.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        try:
            check_jpeg(array)
        except JPEGError as error:
            raise OSError(str(error)) from error

    def write_to(self, file: BinaryIO, array: NDArray) -> None:
        """Write an array into an empty file, in the quality of ``JPEGQuality``.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        try:
            file.write(encode_jpeg(array, self.get("JPEG_QUALITY")))
        except JPEGError as error:
            raise OSError(str(error)) from error
