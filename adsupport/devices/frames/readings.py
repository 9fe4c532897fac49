"""The account of each point in the run's events, so that it lives as long as the data."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

from .report import FrameReport

__all__ = ["FrameReadings", "UNKNOWN_ID"]

#: Stands in the events for a unique id that can't be told.
UNKNOWN_ID = -1


class FrameReadings:
    """Mixin: while staged, a detector's readings have the account of its last acquisition.

    They are ``<detector>_frames_expected``, ``_frames_taken``, ``_frames_dropped`` (on their way
    to a file or an event), ``_first_unique_id`` and ``_last_unique_id`` (-1: not known), and
    ``<writer>_frames_written`` for each plugin that writes: 64-bit integers, not hinted.
    """

    # What the trigger provides.
    name: str
    frame_reports: Any
    _completion: Any

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Read the detector and, while it's staged, the account of the last acquisition.

        Returns
        -------
        dict
            ``value`` and ``timestamp`` by name.
        """
        readings = super().read()  # type: ignore[misc]
        if self._completion is not None:
            now = time.time()
            for name, value in self._frame_values().items():
                readings[name] = {"value": value, "timestamp": now}
        return readings

    def describe(self) -> OrderedDict[str, dict[str, Any]]:
        """Describe what :meth:`read` returns.

        Returns
        -------
        dict
            Data keys by name.
        """
        keys = super().describe()  # type: ignore[misc]
        if self._completion is not None:
            for name in self._frame_values():
                keys[name] = {
                    "source": "adsupport:frame account",
                    "dtype": "integer",
                    "dtype_numpy": "<i8",
                    "shape": [],
                }
        return keys

    def _frame_values(self) -> dict[str, int]:
        report = self.frame_reports[-1] if self.frame_reports else FrameReport(0, 0)
        values = {
            f"{self.name}_frames_expected": report.expected,
            f"{self.name}_frames_taken": report.taken,
            f"{self.name}_frames_dropped": report.lost,
            f"{self.name}_first_unique_id": report.first_id,
            f"{self.name}_last_unique_id": report.last_id,
        }
        for writer in self._completion.account.writers:
            values[f"{writer}_frames_written"] = report.written.get(writer, 0)
        return {name: UNKNOWN_ID if v is None else int(v) for name, v in values.items()}
