"""What goes wrong with a camera, in the middle of an acquisition."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.camera.settings import fit_window
from adsupport.sim.faults.fault import Fault, parameter
from adsupport.sim.faults.targets import find_port

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

AFTER = "frames that are taken before, counted from the beginning of the fault"


@dataclass(kw_only=True, eq=False)
class CameraFault(Fault):
    """A fault of a camera that comes with some exposure."""

    needs: ClassVar[str] = "camera"
    after: int = parameter(0, AFTER, 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Count the exposures that begin."""
        self.camera = find_port(ioc, SimDetector, self.needs, self.target)
        self.exposures = 0
        stack.enter_context(self.camera.before_exposure.attached(self._count))

    def _count(self) -> None:
        self.exposures += 1
        self.before_exposure()

    def before_exposure(self) -> None:
        """Act before a frame is exposed."""


@dataclass(kw_only=True, eq=False)
class CameraStalls(CameraFault):
    """The camera hangs in an exposure, DetectorState Acquire, until it is stopped."""

    name: ClassVar[str] = "camera-stalls"

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Let the camera hang until the fault ends."""
        super().attach(ioc, stack)
        stack.callback(self.camera.look_again)
        stack.enter_context(self.camera.hangs.attached(lambda: self.exposures > self.after))


@dataclass(kw_only=True, eq=False)
class CameraStopsEarly(Fault):
    """The camera ends every acquisition too early, and says nothing of it."""

    name: ClassVar[str] = "camera-stops-early"
    needs: ClassVar[str] = "camera"
    frames: int = parameter(1, "frames of each acquisition", 1)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """End acquisitions."""
        camera = find_port(ioc, SimDetector, self.needs, self.target)
        stack.enter_context(camera.ends_early.attached(lambda taken: taken >= self.frames))


@dataclass(kw_only=True, eq=False)
class WrongSize(CameraFault):
    """The size of the images changes in mid-stream, as if somebody wrote SizeX and SizeY.

    A file plugin that streams says 'Invalid frame. Ignoring.' of each, and goes on.
    """

    name: ClassVar[str] = "wrong-size"
    frames: int = parameter(0, "frames of that size; 0: all until the fault ends", 0)
    size_x: int = parameter(0, "SizeX, pixels; 0: as it is, or half of it without size_y", 0)
    size_y: int = parameter(0, "SizeY, pixels; 0: as it is", 0)

    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Change the size until the fault ends."""
        super().attach(ioc, stack)
        self.true_sizes: dict[str, tuple[int, int]] = {}
        stack.callback(self._restore)

    def before_exposure(self) -> None:
        """Change the size for the frames it is for."""
        if self.exposures == self.after + 1:
            half = 0 if self.size_y else self.camera.get("SIZE_X") // 2
            for axis, size in (("X", self.size_x or half), ("Y", self.size_y)):
                if size:
                    self._change(axis, size)
        elif self.frames and self.exposures == self.after + self.frames + 1:
            self._restore()

    def _change(self, axis: str, size: int) -> None:
        param = f"SIZE_{axis}"
        with self.camera.lock:
            before = self.camera.get(param)
            self.camera.write(param, size)
            # what the camera makes of it: no more than the sensor has, and whole bins
            self.true_sizes[param] = (before, fit_window(self.camera, axis).size)

    def _restore(self) -> None:
        for param, (before, wrong) in self.true_sizes.items():
            if self.camera.get(param) == wrong:  # else somebody has written it meanwhile
                self.camera.write(param, before)
        self.true_sizes = {}


@dataclass(kw_only=True, eq=False)
class Kill(CameraFault):
    """The IOC dies (SIGKILL) while its camera exposes a frame: no file is closed, nothing is said.

    ``IOCProcess.kill()`` does it at once.
    """

    name: ClassVar[str] = "kill"

    def before_exposure(self) -> None:
        """Die."""
        if self.exposures > self.after:
            os.kill(os.getpid(), signal.SIGKILL)
