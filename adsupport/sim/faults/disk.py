"""What goes wrong with the disk of a file plugin."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import signal
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from adsupport.sim.faults.fault import Fault, FaultError, parameter
from adsupport.sim.faults.targets import find_port
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.file_output import FileOutput

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

AFTER = "frames that are still written, counted from the beginning of the fault"

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class FileFault(Fault):
    """A fault of a file plugin's disk that comes after some frames."""

    needs: ClassVar[str] = "file plugin"
    after: int = parameter(0, AFTER, 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Count the frames that are written."""
        self.plugin = find_port(ioc, FileOutput, self.needs, self.target)
        self.frames = 0
        stack.enter_context(self.plugin.before_writing.attached(self._count))

    def _count(self, array: NDArray) -> None:
        self.frames += 1
        self.before_frame(array)

    @property
    def has_come(self) -> bool:
        """Whether enough frames have been written; the one to be written now is counted."""
        return self.frames > self.after

    def before_frame(self, array: NDArray) -> None:
        """Act before a frame is written."""


@dataclass(kw_only=True, eq=False)
class DiskFull(FileFault):
    """The disk is full (ENOSPC): the frame after the last that fits ends the capture.

    The file is closed with what is in it. A real IOC of ADCore R3-14 dies at the capture after
    that one, since NDFileHDF5 closes its file twice.
    """

    name: ClassVar[str] = "disk-full"
    bytes: int = parameter(0, "free space, bytes of frames; 0: counted in frames", 0)
    crash: bool = parameter(False, "die of SIGSEGV at the next Capture=1, as a real IOC does")

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Refuse frames."""
        super().attach(ioc, stack)
        self.used = 0
        self.failed = False
        if self.crash:
            stack.enter_context(self.plugin.before_opening.attached(self._die))

    def before_frame(self, array: NDArray) -> None:
        """Fail when the frame does not fit."""
        self.used += array.data.nbytes
        if self.used > self.bytes if self.bytes else self.has_come:
            self.failed = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _die(self, _: str) -> None:
        if self.failed:
            os.kill(os.getpid(), signal.SIGSEGV)


@dataclass(kw_only=True, eq=False)
class DirectoryVanishes(FileFault):
    """The directory of FilePath goes away, such as a file server that is lost.

    An open file is written on, as Linux does; the next one can't be opened. ``FilePathExists``
    tells of it when a path is written or a name is made, not before.
    """

    name: ClassVar[str] = "directory-vanishes"
    how: Literal["rename", "pretend"] = parameter(
        "pretend", "'pretend' that it's gone (ENOENT), or 'rename' it to NAME.vanished meanwhile"
    )

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Take the directory away now, or when its time has come."""
        super().attach(ioc, stack)
        self.vanished = self.aside = ""
        stack.callback(self._bring_back)
        stack.enter_context(self.plugin.directory_lost.attached(self._is_lost))
        stack.enter_context(self.plugin.before_opening.attached(self._open))
        if not self.after and self.how == "rename":
            self._rename()

    def before_frame(self, array: NDArray) -> None:
        """Take the directory away after the last frame before it."""
        if self.has_come and self.how == "rename" and not self.vanished:
            try:
                self._rename()
            except FaultError as error:  # the frame can be written
                _log.error("%s", error)

    def _is_lost(self, _: str) -> bool:
        return self.how == "pretend" and self.frames >= self.after

    def _open(self, path: str) -> None:
        if self._is_lost(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _rename(self) -> None:
        directory = os.path.abspath(self.plugin.get("FILE_PATH"))
        if not self.plugin.get("FILE_PATH") or not os.path.isdir(directory):
            raise FaultError(f"{self.target}: FilePath {directory!r} is no directory to vanish")
        # one may be left there, where somebody had made the directory anew meanwhile
        names = (f"{directory}.vanished{number or ''}" for number in itertools.count())
        aside = next(name for name in names if not os.path.lexists(name))
        try:
            os.rename(directory, aside)
        except OSError as error:
            raise FaultError(f"{self.target}: {directory} can't vanish: {error}") from error
        self.vanished, self.aside = directory, aside

    def _bring_back(self) -> None:
        if not self.vanished:
            return
        try:
            os.rename(self.aside, self.vanished)
        except OSError as error:  # somebody has made it anew meanwhile, or removed both
            _log.error("%s can't be named back: %s", self.aside, error)


@dataclass(kw_only=True, eq=False)
class PermissionLost(FileFault):
    """The IOC may not write any more (EACCES), as when a ticket or a mount has expired."""

    name: ClassVar[str] = "permission-lost"
    at: Literal["both", "open", "write"] = parameter("both", "what is refused")

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Refuse files."""
        super().attach(ioc, stack)
        stack.enter_context(self.plugin.before_opening.attached(self._open))

    def before_frame(self, array: NDArray) -> None:
        """Refuse the frame."""
        if self.has_come and self.at != "open":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _open(self, path: str) -> None:
        if self.frames >= self.after and self.at != "write":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@dataclass(kw_only=True, eq=False)
class SlowDisk(FileFault):
    """Every frame takes longer to write, so that the plugin's queue fills up."""

    name: ClassVar[str] = "slow-disk"
    seconds: float = parameter(0.1, "seconds more per frame", 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Hold frames up until the fault ends."""
        super().attach(ioc, stack)
        self.ended = threading.Event()
        stack.callback(self.ended.set)

    def before_frame(self, array: NDArray) -> None:
        """Hold the frame up."""
        if self.has_come:
            self.ended.wait(min(self.seconds, threading.TIMEOUT_MAX))
