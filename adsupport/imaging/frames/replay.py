"""Stored frames, handed on as a detector once did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ...errors import ConfigurationError, FrameCountError, WriterTimeoutError
from .arrival import Arrival
from .bus import FrameBus
from .frame import StreamAbout

__all__ = ["ReplaySource", "StoredAcquisition", "play"]

#: Longest wait, in seconds, for an addon that holds up the source when an acquisition has ended.
_LEAVE = 1.0


@dataclass(frozen=True)
class StoredAcquisition:
    """The frames of an acquisition that is over.

    Parameters
    ----------
    about : StreamAbout
        What is known of it; ``expected`` is how many frames there are.
    frames : callable
        Without arguments; returns an iterator of its frames, which reads them one by one.
    """

    about: StreamAbout
    frames: Callable[[], Iterator[Arrival]] = field(repr=False, compare=False)


class ReplaySource:
    """Frames of stored acquisitions, as fast as the addons take them.

    In an experiment it stands for a detector's source: each acquisition gets the stored frames of
    the same stream, in their order.

    Parameters
    ----------
    acquisitions : iterable of StoredAcquisition
        See :func:`~adsupport.imaging.frames.stored_run.run_acquisitions`,
        :func:`~adsupport.imaging.frames.stored_images.dx_acquisitions` and
        :func:`~adsupport.imaging.frames.stored_images.tiff_acquisitions`.
    """

    #: Its ids aren't those that the events of an experiment tell.
    replayed = True

    def __init__(self, acquisitions: Iterable[StoredAcquisition]) -> None:
        self.acquisitions = list(acquisitions)
        #: Why acquisitions couldn't be read to their ends.
        self.failed: list[Exception] = []
        self._left = list(self.acquisitions)
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._handed = 0
        self._about = StreamAbout()
        self._error: Exception | None = None

    def begin(self, about: StreamAbout, take: Callable[[Arrival], None]) -> None:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`.

        Raises
        ------
        ConfigurationError
            No stored acquisition of this stream is left.
        """
        self.close()
        stored = next((each for each in self._left if each.about.stream == about.stream), None)
        if stored is None:
            known = [each.about.stream for each in self.acquisitions]
            raise ConfigurationError(
                f"No stored acquisition of stream {about.stream!r} is left; there were {known}."
            )
        self._left.remove(stored)
        self._handed, self._about, self._error = 0, about, None
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(stored, take), name=f"frames of {about.stream}", daemon=True
        )
        self._thread.start()

    def end(self, expected: int | None, timeout: float) -> int:
        """See :class:`~adsupport.imaging.frames.arrival.FrameSource`."""
        thread = self._thread
        if thread is not None and (expected is not None or timeout > 0):
            thread.join(min(timeout, threading.TIMEOUT_MAX))
            if thread.is_alive():
                awaited = "the last frame" if expected is None else f"frame {expected}"
                raise WriterTimeoutError(
                    f"Waited {timeout:g} s for {awaited} of stored stream "
                    f"{self._about.stream!r}: {self._handed} came.",
                    remedy="An addon that takes each frame slowly needs more time.",
                )
        self.close()
        if self._error is not None:
            self.failed.append(self._error)
            raise self._error
        if expected is not None and self._handed < expected:
            raise FrameCountError(
                f"Stored stream {self._about.stream!r} has {self._handed} frames; expected "
                f"{expected}.",
                expected=expected,
                got=self._handed,
            )
        return self._handed

    def close(self) -> None:
        """Hand no more frames on."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_LEAVE)

    def _run(self, stored: StoredAcquisition, take: Callable[[Arrival], None]) -> None:
        stopped = self._stopped
        try:
            for arrival in stored.frames():
                if stopped.is_set():
                    return
                take(arrival)
                if stopped is self._stopped:  # else an addon has held it up until another began
                    self._handed += 1
        except Exception as error:
            if stopped is self._stopped:
                self._error = error


def play(
    acquisitions: Iterable[StoredAcquisition],
    addons: Iterable[Any],
    *,
    missing: Literal["raise", "log"] = "raise",
) -> FrameBus:
    """Play stored acquisitions to addons; returns when these have had all.

    Parameters
    ----------
    acquisitions : iterable of StoredAcquisition
        See :class:`ReplaySource`.
    addons : iterable of Addon
        Who takes the frames.
    missing : {"raise", "log"}
        What becomes of frames that the run has lost; see :class:`FrameBus`.

    Returns
    -------
    FrameBus
        Closed; tells what was dropped and which addons failed.

    Raises
    ------
    ImageFileError, FrameCountError
        A file can't be read, or lacks frames, and ``missing="raise"``.
    Exception
        What an addon failed with, see :meth:`FrameBus.check`.
    """
    source = ReplaySource(acquisitions)
    with FrameBus(source, addons, missing=missing) as bus:
        for each in source.acquisitions:
            bus.begin(each.about)
            bus.end(each.about.expected, timeout=threading.TIMEOUT_MAX)
    return bus
