"""Files of the simulated plugins: their names, their opening and closing, what goes wrong."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from adsupport.sim.hook import Hook
from adsupport.sim.ndarray import ArrayInfo, NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.file_paths import (
    create_path,
    make_file_name,
    on_disk,
    path_exists,
    with_slash,
)
from adsupport.sim.port import on_write
from adsupport.sim.source import ArraySource

log = logging.getLogger(__name__)

OK, ERROR = 0, 1
"""States of WriteStatus."""

ASYN_ERROR = 3
"""The status that messages about files give, whatever went wrong."""

FILE_NAME = "FilePluginFileName"
FILE_NUMBER = "FilePluginFileNumber"
DRIVER_FILE = "DriverFileName"


class FrameRefusedError(OSError):
    """A frame does not fit the open file, which stays open for the next one."""


def _as_int32(number: int) -> int:
    """Return a number as a 32-bit parameter holds it: after the largest comes the smallest."""
    return (number + 2**31) % 2**32 - 2**31


class FileOutput(Plugin, ABC):
    """Opens, names and closes files of a format that a subclass knows.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.

    Attributes
    ----------
    before_opening, before_writing : Hook
        Called with a path before a file is created, with an array before it is written; what
        they raise is an error of the file system.
    directory_lost : Hook
        Called with a path; if any function returns true, the directory counts as missing.
    supports_multiple : bool
        Whether a file of the format holds any number of frames; else each frame has a file of
        its own.
    error_ends_capture : bool
        Whether a frame that cannot be written ends the capture.
    """

    supports_multiple: ClassVar[bool] = True
    error_ends_capture: ClassVar[bool] = True

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports, can_block=True)
        self.before_opening = Hook()
        self.before_writing = Hook()
        self.directory_lost = Hook()
        self._expected: ArrayInfo | None = None
        self._open_name = ""
        self._temporary_name = ""
        self._names_from_array = False

    # ---- what a file format does

    @abstractmethod
    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Create a file; one that is open already is closed first.

        Parameters
        ----------
        path : str
            File to create.
        array : NDArray
            Example of what will be written.
        multiple : bool
            Whether the file is to hold any number of frames.

        Raises
        ------
        OSError
            When it cannot be created.
        """

    @abstractmethod
    def write_frame(self, array: NDArray) -> None:
        """Write an array to the open file.

        Raises
        ------
        OSError
            When it cannot be written, or no file is open.
        """

    @abstractmethod
    def close_file(self) -> None:
        """Close the file; harmless when none is open.

        Raises
        ------
        OSError
            When not all could be written.
        """

    def read_file(self, path: str) -> NDArray:
        """Read an array from a file; formats that cannot be read refuse.

        Parameters
        ----------
        path : str
            File to read.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        raise OSError(f"this file format cannot be read: {path}")

    # ---- locks

    def write(self, param: str, value: object) -> None:
        """Carry out a client's write, between two frames."""
        # Frames take these locks in the same order. The first is held for as long as a file is
        # worked on; the second is free meanwhile, so that arrays can be queued or dropped.
        with self._process_lock:
            super().write(param, value)

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        """Give the parameters free while a client's write works on a file."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def stop(self) -> None:
        """Write what is queued, then close the file."""
        super().stop()
        with self._process_lock:
            if self._open_name:
                self._close()
                self.call_callbacks()

    # ---- paths

    @on_write("FILE_PATH")
    def _set_path(self, path: str) -> None:
        path = with_slash(path)
        self.set("FILE_PATH", path)
        if path and not self._check_path():
            create_path(path, self.get("CREATE_DIR"))
            self._check_path()

    def _check_path(self) -> bool:
        path = self.get("FILE_PATH")
        exists = path_exists(path) and not self.directory_lost(path)
        if path:
            self.set("FILE_PATH_EXISTS", int(exists))
        return exists

    def _make_name(self) -> str:
        """Make a file's name and move on to the next number."""
        self._check_path()
        number = self.get("FILE_NUMBER")
        name = make_file_name(
            self.get("FILE_TEMPLATE"), self.get("FILE_PATH"), self.get("FILE_NAME"), number
        )
        if self.get("AUTO_INCREMENT"):
            self.set("FILE_NUMBER", _as_int32(number + 1))
        return name

    # ---- files

    def _report(self, message: str) -> bool:
        """Show an error in WriteStatus and WriteMessage; return False."""
        log.error("%s: %s", self.name, message)
        self.set("WRITE_STATUS", ERROR)
        self.set("WRITE_MESSAGE", message)
        return False

    def _clear_report(self) -> None:
        self.set("WRITE_STATUS", OK)
        self.set("WRITE_MESSAGE", "")

    def _open(self, array: NDArray, *, multiple: bool) -> bool:
        if self._names_from_array:
            self._take_name(array)
        self._clear_report()
        full = self._make_name()
        self.set("FULL_FILE_NAME", full)
        temporary = full + self.get("FILE_TEMP_SUFFIX")
        self._expected = array.info
        if self._open_name:
            log.error("%s: file is already open. Closing it and opening new one.", self.name)
            self._close()
        try:
            self.before_opening(temporary)
            self.open_file(on_disk(temporary), array, multiple=multiple)
        except OSError as error:
            log.error("%s: %s", self.name, error)
            return self._report(f"Error opening file {temporary}, status={ASYN_ERROR}")
        self._open_name, self._temporary_name = full, temporary
        return True

    def _write(self, array: NDArray) -> bool:
        written = True
        try:
            self.before_writing(array)
            self.write_frame(array)
        except OSError as error:
            log.error("%s: %s", self.name, error)
            if self._open_name and not isinstance(error, FrameRefusedError):
                self._abandon()
            written = self._report(f"Error writing file, status={ASYN_ERROR}")
        # a file plugin can be a source, too: of the arrays that it was to write
        self.emit(array)
        return written

    def _abandon(self) -> None:
        """Give up a file that cannot be written, and with it the capture where that ends it."""
        self._open_name = ""
        if self.error_ends_capture:
            self.set("CAPTURE", 0)
            self.set("WRITE_FILE", 0)
        try:
            self.close_file()
        except OSError as error:
            log.error("%s: %s", self.name, error)

    def _close(self) -> bool:
        self._clear_report()
        full, self._open_name = self._open_name, ""
        message = ""
        try:
            self.close_file()
        except OSError as error:
            log.error("%s: %s", self.name, error)
            message = f"Error closing file, status={ASYN_ERROR}"
        if full and self._temporary_name != full:
            try:
                os.rename(on_disk(self._temporary_name), on_disk(full))
            except OSError:
                message = f"Error renaming temporary file {self._temporary_name} to {full}"
        return not message or self._report(message)

    def _delete_driver_file(self, array: NDArray) -> None:
        attribute = array.attribute(DRIVER_FILE)
        if not self.get("DELETE_DRIVER_FILE") or attribute is None or not attribute.value:
            return
        try:
            os.remove(on_disk(str(attribute.value)))
        except OSError as error:
            log.error("%s: error deleting file %s: %s", self.name, attribute.value, error)

    def as_stored(self, array: NDArray) -> NDArray:
        """Return an array with the plugin's own attributes, too; its own go before namesakes."""
        own = self.own_attributes.values()
        if not own:
            return array
        merged = {item.name: item for item in (*own, *array.attributes)}
        return replace(array, attributes=tuple(merged.values()))

    # ---- names that the arrays bring

    def _take_name(self, array: NDArray) -> None:
        name, number = array.attribute(FILE_NAME), self._number_of(array)
        if name is not None:
            self.set("FILE_NAME", str(name.value))
        if number is not None:
            self.set("FILE_NUMBER", number)
            self.set("AUTO_INCREMENT", 0)

    def _number_of(self, array: NDArray) -> int | None:
        """Return the file number that an array brings, if it is one."""
        number = array.attribute(FILE_NUMBER)
        if number is None:
            return None
        try:
            return _as_int32(int(number.value))
        except (ValueError, OverflowError):  # a text, NaN or infinity
            log.error("%s: %s %r is no number", self.name, FILE_NUMBER, number.value)
            return None

    def _follow_name(self, array: NDArray) -> bool:
        """Go on to another file when the arrays name another one."""
        if not self._names_from_array:
            return True
        name, number = array.attribute(FILE_NAME), self._number_of(array)
        same = (name is None or str(name.value) == self.get("FILE_NAME")) and (
            number is None or number == self.get("FILE_NUMBER")
        )
        if self._open_name and same:
            return True
        if self._open_name and not self._close():
            return False
        return self._open(array, multiple=True)
