"""Signals that end a program, held off until what was changed on the IOC is put back."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

__all__ = ["Interruption"]

#: What is taken over, where nobody else handles it: a signal that is ignored (nohup) stays so.
_DEFAULTS: dict[str, Any] = {
    "SIGINT": signal.default_int_handler,
    "SIGTERM": signal.SIG_DFL,
    "SIGHUP": signal.SIG_DFL,
}


class Interruption:
    """Turn SIGINT, SIGTERM and SIGHUP into an exception, where one is welcome; hold them elsewhere.

    A context manager.  What comes outside :meth:`allowed` is raised at its end, so that a clean-up
    runs to its end.  In other threads than the main one it does nothing: these get no signals.
    """

    def __init__(self) -> None:
        self._open = False
        self._pending: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for name, default in _DEFAULTS.items():
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                if number is not None and signal.getsignal(number) == default:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _hear(self, number: int, _: FrameType | None) -> None:
        if self._open:
            self._open = False  # once: what it ends up in is a clean-up
            raise _exception(number)
        self._pending = number

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Let signals interrupt what is done within.

        Raises
        ------
        KeyboardInterrupt
            SIGINT came.
        SystemExit
            SIGTERM or SIGHUP came; its code is what shells give for it.
        """
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def pending(self) -> BaseException | None:
        """Return what a signal that came meanwhile, and was held, is to raise.

        Returns
        -------
        BaseException or None
            None when there was none.
        """
        return None if self._pending is None else _exception(self._pending)


def _exception(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
