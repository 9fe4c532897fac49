"""NDPluginFile: when frames are written, and how the records tell of it."""

from __future__ import annotations

import logging
from enum import IntEnum

from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.file_output import FILE_NAME, FileOutput
from adsupport.sim.plugins.file_paths import on_disk
from adsupport.sim.port import on_write
from adsupport.sim.source import ArraySource

log = logging.getLogger(__name__)

MOST_BUFFERED = 4 * 2**30
"""Bytes of frames that Capture mode keeps; a C IOC goes on for as long as there is memory."""

DESTINATION = "FilePluginDestination"
FILE_CLOSE = "FilePluginClose"


class WriteMode(IntEnum):
    """Choices of ``FileWriteMode``."""

    SINGLE = 0
    CAPTURE = 1
    STREAM = 2


class FilePlugin(FileOutput):
    """Saves arrays one by one, from a buffer or as a stream; a subclass knows the file format.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._lazy = False
        self._buffer: list[NDArray] | None = None

    # ---- capture

    @on_write("CAPTURE")
    def _set_capture(self, value: int) -> None:
        with self._unlocked():
            if value:
                self._lazy = bool(self.get("FILE_LAZY_OPEN"))
                self._clear_report()
                self.set("FULL_FILE_NAME", "")
            started = self._start_capture() if value else self._stop_capture()
            if not started:
                self.set("CAPTURE", 0)
            elif self._lazy:
                self.set("WRITE_MESSAGE", "Lazy Open...")

    def _start_capture(self) -> bool:
        array = self.last_array
        if array is None and not self._lazy:
            log.error("%s: ERROR, must collect an array to get dimensions first", self.name)
            return False
        self._names_from_array = array is not None and array.attribute(FILE_NAME) is not None
        mode = self.get("WRITE_MODE")
        if mode == WriteMode.SINGLE:
            return self._refuse_single()
        self.set("NUM_CAPTURED", 0)
        if mode == WriteMode.CAPTURE:
            if array is None:
                log.error("%s: ERROR: No arrays collected: cannot allocate buffer", self.name)
                return False
            self._expected = array.info
            self._buffer = []
            return True
        opened = True
        at_once = self.supports_multiple and not self._lazy and not self._names_from_array
        if array is not None and at_once:
            opened = self._open(array, multiple=True)
        self.set("WRITE_FILE", 1)
        return opened

    def _stop_capture(self) -> bool:
        if self.last_array is None and not self._lazy:
            return True
        mode = self.get("WRITE_MODE")
        if mode == WriteMode.SINGLE:
            return self._refuse_single()
        if mode == WriteMode.STREAM:
            return self._end_stream()
        return True

    def _refuse_single(self) -> bool:
        message = "ERROR: capture not supported in Single mode"
        log.error("%s: %s", self.name, message)
        self._clear_report()
        self.set("WRITE_MESSAGE", message)
        return False

    def _end_stream(self) -> bool:
        closed = self._close() if self.supports_multiple else True
        self.set("CAPTURE", 0)
        self.set("WRITE_FILE", 0)
        return closed

    @on_write("FREE_CAPTURE")
    def _free_buffer(self, value: int) -> None:
        if value:
            self._buffer = None
            self.set("NUM_CAPTURED", 0)
            self.set("FREE_CAPTURE", 0)

    # ---- write and read on command

    @on_write("WRITE_FILE")
    def _write_on_command(self, value: int) -> None:
        if not value:
            return
        self.call_callbacks()
        with self._unlocked():
            if self.last_array is None:
                log.error("%s: ERROR, no valid array to write", self.name)
            else:
                self._write_by_mode(self.last_array)
        self.set("WRITE_FILE", 0)

    @on_write("READ_FILE")
    def _read_on_command(self, value: int) -> None:
        if value:
            self.call_callbacks()
            with self._unlocked():
                self._read()
            self.set("READ_FILE", 0)

    def _read(self) -> None:
        """Read the file that would be written next, and emit what it holds."""
        name = self._make_name()
        try:
            array = self.read_file(on_disk(name))
        except OSError as error:
            # the console alone tells of it
            log.error("%s: error reading file %s: %s", self.name, name, error)
            return
        self.last_array = array
        # whatever ArrayCallbacks says
        for consumer in self.consumers():
            consumer(array)

    def _write_by_mode(self, array: NDArray) -> bool:
        self._clear_report()
        match WriteMode(self.get("WRITE_MODE")):
            case WriteMode.SINGLE:
                written = self._write_single(array)
            case WriteMode.CAPTURE:
                written = self._write_buffer()
            case WriteMode.STREAM:
                written = self._write_stream(array)
        if written:
            self._delete_driver_file(array)
        return written

    def _write_single(self, array: NDArray) -> bool:
        self.set("WRITE_FILE", 1)
        self.call_callbacks()
        self.set("NUM_CAPTURED", 1)
        written = self._write_alone(array)
        self.set("WRITE_FILE", 0)
        self.call_callbacks()
        return written

    def _write_alone(self, array: NDArray) -> bool:
        """Write a frame into a file of its own."""
        return self._open(array, multiple=False) and self._write(array) and self._close()

    def _write_buffer(self) -> bool:
        frames, self._buffer = self._buffer, None
        if not frames:
            return self._report("ERROR, no capture buffer present")
        self.set("WRITE_FILE", 1)
        self.call_callbacks()
        counter = self.get("ARRAY_COUNTER")
        written = self._open(frames[0], multiple=True) if self.supports_multiple else True
        for left, array in enumerate(frames):
            if not self.supports_multiple:
                written = self._write_alone(array)
            elif written:
                written = self._follow_name(array) and self._write(array)
            else:
                break
            self.set("NUM_CAPTURED", len(frames) - left - 1)
            self.set("ARRAY_COUNTER", counter + left + 1)
            self.call_callbacks()
        if written and self.supports_multiple:
            written = self._close()
        self._expected = None
        self.set("NUM_CAPTURED", 0)
        self.set("ARRAY_COUNTER", counter)
        self.set("WRITE_FILE", 0)
        self.call_callbacks()
        return written

    def _write_stream(self, array: NDArray) -> bool:
        if not self.supports_multiple or (self._lazy and self.get("NUM_CAPTURED") == 0):
            ready = self._open(array, multiple=self.supports_multiple)
        else:
            ready = self._follow_name(array)
        if not self._is_valid(array):
            self._clear_report()  # hence the message is posted for each such frame
            return self._report("Invalid frame. Ignoring.")
        if not ready or not self._write(array):
            return False
        close = array.attribute(FILE_CLOSE)
        if close is not None and close.value:
            self._close()
            self.set("CAPTURE", 0)
        elif not self.supports_multiple:
            return self._close()
        return True

    def _is_valid(self, array: NDArray) -> bool:
        """Whether a frame has the columns, rows and element width of the file's."""
        info, expected = array.info, self._expected
        if expected is None:
            return False
        return (info.bytes_per_element, info.x_size, info.y_size) == (
            expected.bytes_per_element,
            expected.x_size,
            expected.y_size,
        )

    # ---- frames

    def process(self, array: NDArray) -> None:
        """Save an array, if it is to be saved now; only then it is counted."""
        if not self._is_wanted(array):
            return
        with self.lock:
            self.show(array)
        mode, capture = self.get("WRITE_MODE"), self.get("CAPTURE")
        if mode == WriteMode.SINGLE:
            if self.get("AUTO_SAVE"):
                self._count()
                self._write_by_mode(array)
        elif mode == WriteMode.CAPTURE and capture:
            self._keep(array)
        elif mode == WriteMode.STREAM and capture:
            self._count()
            captured = self.get("NUM_CAPTURED")
            if self._write_by_mode(array):
                captured += 1
                self.set("NUM_CAPTURED", captured)
            if captured == self.get("NUM_CAPTURE"):
                self._end_stream()
        self.call_callbacks()

    def _is_wanted(self, array: NDArray) -> bool:
        attribute = array.attribute(DESTINATION)
        if attribute is None or len(str(attribute.value)) < 2:
            return True
        return str(attribute.value).lower() in ("all", self.name.lower())

    def _count(self) -> None:
        self.set("ARRAY_COUNTER", self.get("ARRAY_COUNTER") + 1)

    def _keep(self, array: NDArray) -> None:
        """Add a frame to the buffer; end the capture when it is full."""
        wanted = self.get("NUM_CAPTURE")
        if self._buffer is None:
            self._buffer = []
        if len(self._buffer) < wanted and self._is_valid(array):
            if (len(self._buffer) + 1) * array.data.nbytes > MOST_BUFFERED:
                self._report(f"ERROR, {len(self._buffer)} frames fill the capture buffer")
                self.set("CAPTURE", 0)
                return
            self._buffer.append(array)
            self._count()
            self.set("NUM_CAPTURED", len(self._buffer))
        if len(self._buffer) >= wanted:
            if self.get("AUTO_SAVE"):
                self._write_by_mode(array)
            self.set("CAPTURE", 0)
