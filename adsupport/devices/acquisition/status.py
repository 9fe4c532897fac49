"""The status of one acquisition, with progress in frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ophyd.status import DeviceStatus

__all__ = ["AcquireStatus"]


class AcquireStatus(DeviceStatus):
    """Status of one acquisition; tells progress bars how many frames are there.

    Parameters
    ----------
    device : ophyd.Device
        The detector.
    frames : int
        Frames asked for.
    """

    def __init__(self, device: Any, frames: int) -> None:
        self.frames = frames
        self.cancelled = False
        self._begun = time.monotonic()
        self._current = 0
        # The trigger stops the camera itself before it reports a failure.
        super().__init__(device, call_stop_on_failure=False)

    @property
    def watched(self) -> bool:
        """Whether anybody wants to know of each frame."""
        return bool(self._watchers)

    def watch(self, func: Callable[..., None]) -> None:
        """Call a function with the progress, now and at every frame.

        Parameters
        ----------
        func : callable
            Gets ``name``, ``current``, ``initial``, ``target``, ``unit``, ``precision``,
            ``fraction`` (what remains, 1 to 0), ``time_elapsed`` and ``time_remaining`` by
            keyword.
        """
        self._watchers.append(func)
        self._tell(func)

    def report(self, current: int) -> None:
        """Take note of the number of frames and tell the watchers.

        Parameters
        ----------
        current : int
            Frames taken so far.
        """
        self._current = min(max(0, int(current)), self.frames)
        for func in list(self._watchers):
            self._tell(func)

    def __str__(self) -> str:
        # bluesky shows a failed status by its text: say why it failed.
        text = super().__str__()
        return text if self._exception is None else f"{text}: {self._exception}"

    __repr__ = __str__

    def _tell(self, func: Callable[..., None]) -> None:
        elapsed = time.monotonic() - self._begun
        done = self._current / self.frames
        try:
            func(
                name=self.device.name,
                current=self._current,
                initial=0,
                target=self.frames,
                unit="frames",
                precision=0,
                fraction=1 - done,
                time_elapsed=elapsed,
                time_remaining=elapsed * (1 - done) / done if done else None,
            )
        except Exception:
            # A progress bar that fails must not make the measurement fail.
            self.log.exception("A watcher of %r failed", self)

    def _settled(self) -> None:
        if self._exception is None and not self.cancelled:
            self.report(self.frames)
