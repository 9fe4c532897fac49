"""NDPluginCircularBuff: arrays from before and after a trigger."""

from __future__ import annotations

import collections
import logging
import math
from typing import TYPE_CHECKING

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.port import PortError, on_write
from adsupport.sim.synapps.calc import CalcError, Expression, compile_calc

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource

NEVER = "0"
"""Trigger expression of a plugin that was told none."""

_log = logging.getLogger(__name__)


class CircularBuffer(Plugin):
    """Keeps the last PreCount arrays until a trigger, then emits them and PostCount more.

    The array with the trigger is the first of those after it. Texts, counts and their order
    follow NDPluginCircularBuff.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    buffers : int
        Arrays that the plugin may hold; PreCount must be less.
    """

    tables = (*Plugin.tables, "NDCircularBuff")

    def __init__(self, name: str, ports: dict[str, ArraySource], *, buffers: int = 500) -> None:
        super().__init__(name, ports)
        self._buffers = buffers
        self._ring: collections.deque[NDArray] = collections.deque(maxlen=0)
        self._is_flushed = False
        self._trigger: Expression | None = compile_calc(NEVER)
        self._pre_count = 0

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Take over what the records say."""
        super().loaded(ioc, r)
        self._pre_count = self.get("CIRC_BUFF_PRE_TRIGGER")
        # the record shows 1 from the start, but is not processed then
        self.parameter("CIRC_BUFF_SOFT_TRIGGER").value = 0

    # ---- what clients do

    @on_write("CIRC_BUFF_CONTROL")
    def _control(self, value: int) -> None:
        self.set("CIRC_BUFF_SOFT_TRIGGER", 0)
        self.set("CIRC_BUFF_TRIGGERED", 0)
        if value == 1:
            self._ring = collections.deque(maxlen=self._pre_count)
            self._is_flushed = False
            self.set("CIRC_BUFF_POST_COUNT", 0)
            self.set("CIRC_BUFF_ACTUAL_TRIGGER_COUNT", 0)
            self._show_filling()
        else:
            self.set("CIRC_BUFF_CURRENT_IMAGE", 0)
            self.set("CIRC_BUFF_STATUS", "Acquisition Stopped")

    @on_write("CIRC_BUFF_SOFT_TRIGGER")
    def _trigger_now(self, _: int) -> None:
        # whatever was written
        self.set("CIRC_BUFF_TRIGGERED", 1)
        if self.get("CIRC_BUFF_FLUSH_ON_SOFTTRIGGER"):
            # not here: a client's write holds the lock that the plugins behind may need
            self._workers.put(self._flush)

    @on_write("CIRC_BUFF_PRE_TRIGGER")
    def _set_pre_count(self, count: int) -> None:
        if self.get("CIRC_BUFF_CONTROL"):
            refused = "Stop acquisition to set pre-count"
        elif count > self._buffers - 1:
            refused = "Pre-count too high"
        elif count < 0:
            refused = "Invalid pre-count value"
        else:
            self._pre_count = count
            return
        self.set("CIRC_BUFF_STATUS", refused)
        self.set("CIRC_BUFF_PRE_TRIGGER", self._pre_count)

    @on_write("CIRC_BUFF_TRIGGER_CALC")
    def _set_trigger(self, text: str) -> None:
        if not text:
            text = NEVER
            self.set("CIRC_BUFF_TRIGGER_CALC", text)
        self._trigger = None
        try:
            self._trigger = compile_calc(text)
        except CalcError as error:
            _log.error("%s: TriggerCalc: %s", self.name, error)
            raise PortError(f"{self.name}: {error}", value=text) from error

    # ---- arrays

    def process(self, array: NDArray) -> None:
        """Keep an array, or emit it and those kept before it."""
        self.begin(array)
        leaving: list[NDArray] = []
        with self.lock:
            if not self.get("CIRC_BUFF_CONTROL"):
                return
            triggered = self._is_triggered(array)
            if not triggered:
                self._ring.append(array)
            else:
                leaving = [] if self._is_flushed else self._taken_out()
                self._is_flushed = True
                leaving.append(array)
        for each in leaving:
            self.emit(each)
        with self.lock:
            # a client may have stopped the plugin meanwhile
            if self.get("CIRC_BUFF_CONTROL"):
                self._count(triggered)
            self.call_callbacks()

    def _is_triggered(self, array: NDArray) -> bool:
        if self.get("CIRC_BUFF_SOFT_TRIGGER"):
            self.set("CIRC_BUFF_TRIGGERED", 1)
        elif not self.get("CIRC_BUFF_TRIGGERED"):
            self.set("CIRC_BUFF_TRIGGERED", self._evaluate(array))
        return bool(self.get("CIRC_BUFF_TRIGGERED"))

    def _evaluate(self, array: NDArray) -> bool:
        """Evaluate the trigger expression for an array; an invalid one never triggers."""
        a = _number(array, self.get("CIRC_BUFF_TRIGGER_A"))
        b = _number(array, self.get("CIRC_BUFF_TRIGGER_B"))
        self.set("CIRC_BUFF_TRIGGER_A_VAL", a)
        self.set("CIRC_BUFF_TRIGGER_B_VAL", b)
        if self._trigger is None:
            return False
        counts = ("PRE_TRIGGER", "POST_TRIGGER", "CURRENT_IMAGE", "TRIGGERED")
        value = self._trigger((a, b, *(float(self.get(f"CIRC_BUFF_{name}")) for name in counts)))
        self.set("CIRC_BUFF_TRIGGER_CALC_VAL", value)
        return math.isfinite(value) and value != 0

    def _count(self, triggered: bool) -> None:
        """Count an array that was kept or emitted, and end when there have been enough."""
        count = self.get("CIRC_BUFF_POST_COUNT")
        if triggered:
            self.set("CIRC_BUFF_STATUS", "Flushing")
            count += 1
            self.set("CIRC_BUFF_POST_COUNT", count)
        else:
            self.set("CIRC_BUFF_CURRENT_IMAGE", len(self._ring))
            if len(self._ring) == self._pre_count:
                status = "Buffer Wrapping" if self._pre_count else "Dropping frames"
                self.set("CIRC_BUFF_STATUS", status)
        if count < self.get("CIRC_BUFF_POST_TRIGGER"):
            return
        triggers = self.get("CIRC_BUFF_ACTUAL_TRIGGER_COUNT") + 1
        wanted = self.get("CIRC_BUFF_PRESET_TRIGGER_COUNT")
        self.set("CIRC_BUFF_ACTUAL_TRIGGER_COUNT", triggers)
        self.set("CIRC_BUFF_TRIGGERED", 0)
        if wanted == 0 or triggers < wanted:
            self._is_flushed = False
            self.set("CIRC_BUFF_SOFT_TRIGGER", 0)
            self.set("CIRC_BUFF_POST_COUNT", 0)
            self._show_filling()
        else:
            self.set("CIRC_BUFF_CONTROL", 0)
            self.set("CIRC_BUFF_STATUS", "Acquisition Completed")

    def _show_filling(self) -> None:
        status = "Buffer filling" if self._pre_count else "Dropping frames"
        self.set("CIRC_BUFF_STATUS", status)

    def _taken_out(self) -> list[NDArray]:
        kept = list(self._ring)
        self._ring.clear()
        return kept

    def _flush(self) -> None:
        """Emit the kept arrays, in the plugin's thread."""
        with self._process_lock:
            with self.lock:
                leaving = self._taken_out()
            for array in leaving:
                self.emit(array)


def _number(array: NDArray, name: str) -> float:
    """Return an attribute's value; NaN when the array has none of that name, or a text."""
    attribute = array.attribute(name)
    number = None if attribute is None else attribute.number
    return math.nan if number is None else number
