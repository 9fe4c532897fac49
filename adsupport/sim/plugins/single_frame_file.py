"""File plugins of formats that hold one frame: TIFF and JPEG."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import BinaryIO

from adsupport.sim.files.creation import create
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.file import FilePlugin
from adsupport.sim.source import ArraySource


class SingleFramePlugin(FilePlugin):
    """Writes each frame into a file of its own; a subclass knows the format.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    supports_multiple = False
    error_ends_capture = False

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._file: BinaryIO | None = None

    @abstractmethod
    def check(self, array: NDArray) -> None:
        """Refuse an array that the format cannot hold, before a file is made for it.

        Raises
        ------
        OSError
            When it cannot be written.
        """

    @abstractmethod
    def write_to(self, file: BinaryIO, array: NDArray) -> None:
        """Write an array into an empty file.

        Raises
        ------
        OSError
            When it cannot be written.
        """

    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Create a file; what was there is lost.

        Raises
        ------
        OSError
            When it cannot be created, or not hold the array.
        """
        self.check(array)
        self._file = create(path)

    def write_frame(self, array: NDArray) -> None:
        """Write an array to the open file.

        Raises
        ------
        OSError
            When it cannot be written, or no file is open.
        """
        if self._file is None:
            raise OSError("no file is open")
        try:
            self.write_to(self._file, array)
            self._file.flush()
        except OSError:
            file, self._file = self._file, None
            # this error is being reported already
            with suppress(OSError):
                file.close()
            raise

    def close_file(self) -> None:
        """Close the file; harmless when none is open.

        Raises
        ------
        OSError
            When not all could be written.
        """
        file, self._file = self._file, None
        if file is not None:
            file.close()
