"""The swait record (synApps ``userCalc``): a calculation with its own scan, inputs and output.

Inputs and output are names of PVs of the same IOC; a name that this IOC does not serve shows as
``PV BAD``. Everything runs in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial

from caproto import SubscriptionType

from adsupport.sim.ca.channel import Channel, PutRefusedError
from adsupport.sim.field_record import ALARM_EVENT, FieldChannel, FieldRecord
from adsupport.sim.field_table import read_fields
from adsupport.sim.follow import Follow, find, read_number, write_number
from adsupport.sim.scan import IO_INTR, PeriodicScans
from adsupport.sim.synapps.calc import INPUTS, CalcError, Expression, compile_calc

READ_ALARM, CALC_ALARM, SIMM_ALARM = 1, 12, 19
"""Channel Access alarm statuses."""

INVALID = 3
"""Severity of a result that cannot be trusted."""

PV_OK, PV_BAD, NO_PV = range(3)
"""States of a link."""

CALC_LENGTH = 35
"""Characters of CALC that the record keeps."""

LINKS = (*(f"IN{letter}" for letter in INPUTS), "DOL", "OUT")
"""Links by the first letters of their fields: ``INA`` has INAN, INAV and INAP."""

EVERY_TIME, ON_CHANGE, WHEN_ZERO, WHEN_NON_ZERO, TO_ZERO, TO_NON_ZERO = range(6)
"""Choices of OOPT; the one after them is never."""


class SwaitRecord(FieldRecord):
    """A swait record.

    Parameters
    ----------
    name : str
        Record name with its prefix.
    macros : mapping of str to str
        ``P``, ``R`` and ``N`` of the instance.
    database : mapping of str to Channel
        The IOC's channels, where links are looked up.
    scans : PeriodicScans
        Processes the record at its rate.
    random : callable
        Source of ``RNDM``, one for the whole IOC.
    """

    record_type = "swait"
    processing_fields = frozenset(INPUTS)

    def __init__(
        self,
        name: str,
        macros: Mapping[str, str],
        database: Mapping[str, Channel],
        scans: PeriodicScans,
        random: Callable[[], float],
    ) -> None:
        super().__init__(name, read_fields("swait"), macros)
        self.database = database
        self._scans = scans
        self._random = random
        self._linked: dict[str, Channel] = {}
        self._follows: dict[str, Follow] = {}
        self._expression: Expression | None = None
        self._input_came = False
        self._compile()

    # ---- writes

    def after_put(self, field: str) -> None:
        """Connect links, compile the expression, change the scan."""
        if field == "CALC":
            self["CALC"] = self["CALC"][:CALC_LENGTH]
            self._compile()
            self.post("CLCV")
        elif field == "SCAN":
            self._scans.change(self, self["SCAN"])
        elif field.endswith("N") and field[:-1] in LINKS:
            self._connect(field[:-1])

    def _compile(self) -> None:
        try:
            self._expression = compile_calc(self["CALC"])
        except CalcError:
            self._expression = None
        self["CLCV"] = 0 if self._expression else -1

    def _connect(self, link: str) -> None:
        name = self[link + "N"].strip()
        self[link + "N"] = name
        self._linked.pop(link, None)
        if link in self._follows:
            self._follows.pop(link).end()
        if not name:
            self.change(link + "V", NO_PV)
            return
        self.change(link + "V", PV_BAD)
        channel = find(self.database, name)
        if channel is None:
            return
        self._linked[link] = channel
        if link.startswith("IN"):
            self._follows[link] = Follow(channel, partial(self._input_changed, link))
        self.change(link + "V", PV_OK)

    def _input_changed(self, link: str, channel: Channel) -> None:
        """Process on an input's event in I/O Intr, with the value of that moment."""
        if self["SCAN"] != IO_INTR or not self[link + "P"]:
            return
        try:
            value = read_number(channel)
        except ValueError:
            return
        # Through the loop: a record may follow itself.
        asyncio.get_running_loop().call_soon(self._process_input, link, value)

    def _process_input(self, link: str, value: float) -> None:
        self[link[2]] = value
        if self["PACT"]:
            self._input_came = True
        else:
            self.scan()

    # ---- processing

    def process(self) -> None:
        """Compute, decide on the output, and post what changed."""
        self["PACT"] = 1
        self._input_came = False
        alarm = self._compute()
        wanted = self._output_wanted()
        self["OVAL"] = self["VAL"]
        self._post_changes(alarm)
        if not wanted:
            self["PACT"] = 0
            self.finished()
        elif self["ODLY"] > 0:
            asyncio.get_running_loop().call_later(self["ODLY"], self._output)
        else:
            self._output()

    def _compute(self) -> tuple[int, int]:
        """Set VAL; return severity and status."""
        if self["SIMM"]:
            source = find(self.database, self["SIOL"])
            if source is not None:
                with contextlib.suppress(ValueError):  # what cannot be read keeps SVAL
                    self["SVAL"] = read_number(source)
            self["VAL"] = self["SVAL"]
            self["UDF"] = 0
            return self["SIMS"], SIMM_ALARM if self["SIMS"] else 0
        try:
            self._fetch()
        except ValueError:
            return INVALID, READ_ALARM
        if self._expression is None:
            return INVALID, CALC_ALARM
        inputs = [self[letter] for letter in INPUTS]
        self["VAL"] = self._expression(inputs, self["VAL"], self._random)
        self["UDF"] = 0
        return 0, 0

    def _fetch(self) -> None:
        """Read the inputs, in order; in I/O Intr those that process came with their events."""
        for letter in INPUTS:
            link = f"IN{letter}"
            state = self[link + "V"]
            if state == PV_BAD:
                raise ValueError(f"{self[link + 'N']} is not connected")
            if state == PV_OK and not (self["SCAN"] == IO_INTR and self[link + "P"]):
                self[letter] = read_number(self._linked[link])

    def _output_wanted(self) -> bool:
        old, new = self["OVAL"], self["VAL"]
        return {
            EVERY_TIME: True,
            ON_CHANGE: abs(old - new) > self["MDEL"],
            WHEN_ZERO: new == 0,
            WHEN_NON_ZERO: new != 0,
            TO_ZERO: old != 0 and new == 0,
            TO_NON_ZERO: old == 0 and new != 0,
        }.get(self["OOPT"], False)

    def _post_changes(self, alarm: tuple[int, int]) -> None:
        event = ALARM_EVENT if self.show_alarm(*alarm) else SubscriptionType(0)
        for last, deadband, kind in (
            ("MLST", "MDEL", SubscriptionType.DBE_VALUE),
            ("ALST", "ADEL", SubscriptionType.DBE_LOG),
        ):
            if abs(self[last] - self["VAL"]) > self[deadband]:
                self[last] = self["VAL"]
                event |= kind
        if event:
            self.post("VAL", event=event)
        for letter in INPUTS:
            last = f"L{letter}"
            if self[letter] != self[last]:
                self.post(letter)
                self[last] = self[letter]
                self.post(last)

    def _output(self) -> None:
        """Write the output link; the put-callback ends with that write."""
        pending = None
        if self["OUTV"] == PV_OK:
            value = self["VAL"]
            if self["DOPT"]:
                if self["DOLV"] == PV_OK:
                    with contextlib.suppress(ValueError):  # what cannot be read keeps DOLD
                        self.change("DOLD", read_number(self._linked["DOL"]))
                value = self["DOLD"]
            target = self._linked["OUT"]
            own = isinstance(target, FieldChannel) and target.record is self
            try:
                pending = write_number(target, value, notify=not own)
            except (ValueError, PutRefusedError):
                pending = None  # a link that refuses is no alarm of this record
        self["PACT"] = 0
        if pending is None:
            self.finished()
        else:
            pending.add_done_callback(self._output_done)
        if self["SCAN"] == IO_INTR and self._input_came:
            self.scan()

    def _output_done(self, written: asyncio.Future[object]) -> None:
        if not written.cancelled():
            written.exception()
        self.finished()
