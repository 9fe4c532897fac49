"""A camera's settings as they were before an experiment."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps

from ..stubs.cleanup import Plan
from ..stubs.moves import set_and_wait

__all__ = ["CameraSettings"]

_SETTINGS = ("acquire_time", "acquire_period", "num_images", "image_mode", "trigger_mode")


class CameraSettings:
    """Remembers what experiments change of a camera, and puts it back.

    Parameters
    ----------
    part : ophyd or ophyd-async Device
        With signals of the names that areaDetector's parameters have in both; those that it
        hasn't got are left out.
    """

    def __init__(self, part: Any) -> None:
        self._part = part
        self._values: dict[Any, Any] = {}
        self._failed: set[Any] = set()  # couldn't be put back so far

    def remember(self) -> Plan:
        """Read the settings, but for those that haven't been put back since they were read.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        for name in _SETTINGS:
            signal = getattr(self._part, name, None)
            if signal is not None and signal not in self._values:
                self._values[signal] = yield from bps.rd(signal)

    def restore(self) -> Plan:
        """Put the settings back; each only once, and each is tried.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        Exception
            What the first failed with.  The next call tries those that failed again, also after
            another experiment; if that fails, too, notes tell which they are.
        """
        first: Exception | None = None
        for signal, value in list(self._values.items()):
            try:
                yield from set_and_wait(signal, value, 10.0)
            except Exception as error:  # also a request to abort: it's told at the end
                first = first or error
                if signal in self._failed:
                    first.add_note(f"{signal.name} couldn't be put back to {value!r}: {error}")
                self._failed.add(signal)
            else:
                del self._values[signal]
                self._failed.discard(signal)
        if first is not None:
            raise first
