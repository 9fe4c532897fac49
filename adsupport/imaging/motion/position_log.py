"""Where a motor was while it moved: its read-backs as they come, and what lies between them."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from ophyd.status import Status

from ...errors import ConfigurationError, PutError

__all__ = ["PositionLog"]


class PositionLog:
    """Listens to a motor's read-backs; a context for the time of a movement.

    Parameters
    ----------
    motor : bluesky Subscribable
        Its callbacks get a value and a timestamp, as in ophyd, or readings, as in ophyd-async.

    Raises
    ------
    ConfigurationError
        It can't be subscribed to.
    """

    def __init__(self, motor: Any) -> None:
        subscribe = getattr(motor, "subscribe", None)
        if subscribe is None:  # bluesky's newer protocol
            subscribe = getattr(motor, "subscribe_reading", None)
        if not callable(subscribe):
            raise ConfigurationError(
                f"{motor.name} can't tell its positions while it moves: it has no subscribe()",
                remedy="Take mode='step', or a device with read-backs, such as an EpicsMotor.",
            )
        self._motor, self._subscribe = motor, subscribe
        self._changed = threading.Condition()
        self._times: list[float] = []
        self._positions: list[float] = []
        self._waits: tuple[float, int, Status] | None = None
        self._token: Any = None
        self._listening = False

    def start(self) -> None:
        """Forget what was, and listen."""
        with self._changed:
            self._times.clear()
            self._positions.clear()
        self._listening = True
        self._token = self._subscribe(self._take)

    def stop(self) -> None:
        """Listen no more; again is harmless."""
        token, self._token = self._token, None
        if not self._listening:
            return
        self._listening = False
        if token is not None and callable(getattr(self._motor, "unsubscribe", None)):
            self._motor.unsubscribe(token)
        elif callable(getattr(self._motor, "clear_sub", None)):
            self._motor.clear_sub(self._take)

    def _take(self, *arguments: Any, value: Any = None, **facts: Any) -> None:
        stamp = facts.get("timestamp")
        if value is None and arguments and isinstance(arguments[0], dict):
            reading = next(iter(arguments[0].values()))
            value, stamp = reading["value"], reading.get("timestamp")
        if value is None:
            return
        with self._changed:
            self._times.append(float(stamp) if stamp else time.time())
            self._positions.append(float(value))
            self._tell(float(value))

    def _tell(self, position: float) -> None:
        if self._waits is None:
            return
        place, direction, status = self._waits
        if direction * (position - place) >= 0:
            self._waits = None
            status.set_finished()

    def passing(self, position: float, direction: int, timeout: float) -> Status:
        """Tell when the motor passes a position.

        Parameters
        ----------
        position : float
            In the motor's units.
        direction : int
            1 when it moves to higher positions, -1 to lower ones.
        timeout : float
            Longest wait, in seconds.

        Returns
        -------
        ophyd.status.Status
            Ends with the first read-back at or behind the position.
        """
        status = Status(timeout=timeout)
        with self._changed:
            self._waits = (position, direction, status)
            if self._positions:
                self._tell(self._positions[-1])
        return status

    def at(self, times: np.ndarray, standing: bool = False) -> np.ndarray:
        """Tell where the motor was.

        Parameters
        ----------
        times : numpy.ndarray
            (n,), seconds since 1970.
        standing : bool
            Whether the motor stands now: it's where its last read-back was since that came.

        Returns
        -------
        numpy.ndarray
            (n,), float64: interpolated between read-backs, in the motor's units.

        Raises
        ------
        PutError
            The times aren't between the first and the last read-back.
        """
        with self._changed:
            known = np.array(self._times)
            positions = np.array(self._positions)
        order = np.argsort(known, kind="stable")
        known, positions = known[order], positions[order]
        if (
            not len(known)
            or times.min() < known[0]
            or (times.max() > known[-1] and not (standing and times.max() <= time.time()))
        ):
            span = f"{known[0]:.3f} to {known[-1]:.3f}" if len(known) else "none"
            raise PutError(
                f"{self._motor.name}: the exposures are from {times.min():.3f} to "
                f"{times.max():.3f} s since 1970, and the read-backs from {span}",
                remedy="Synchronise the clocks of the IOCs. If the camera needs more time than the "
                "period for a frame, give a longer one.",
            )
        return np.interp(times, known, positions)
