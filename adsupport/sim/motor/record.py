"""The motor record: user, dial and raw coordinates over a simulated axis.

The record is processed when a client writes one of its processing fields, and whenever the axis
reports something new; :mod:`adsupport.sim.motor.work` decides what is to be done, this module
keeps the read-backs, tells when a motion has ended, and posts fields in the order of the real
record.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from adsupport.sim.ca.channel import PutRefusedError
from adsupport.sim.field_record import ALARM_EVENT, FieldRecord
from adsupport.sim.field_table import read_fields
from adsupport.sim.motor import work
from adsupport.sim.motor.axis import AxisStatus, SimulatedAxis, nearest_step
from adsupport.sim.motor.fields import AFTER_PUT
from adsupport.sim.motor.states import (
    HIGH_ALARM,
    LOW_ALARM,
    SPMG_PAUSE,
    SPMG_STOP,
    STUP_BUSY,
    STUP_OFF,
    Mip,
)

DRIVE_FIELDS = ("VAL", "DVAL", "RVAL", "RLV", "TWF", "TWR")
"""Fields that make DMOV pulse when they are written, even without a motion."""

BUTTONS = ("JOGF", "JOGR", "HOMF", "HOMR")

POSTING_ORDER = (
    "RBV", "RRBV", "DRBV", "DIFF", "RDIF", "MSTA", "VAL", "DVAL", "RVAL", "TDIR", "MIP", "HLM",
    "LLM", "SPMG", "RCNT", "RLV", "OFF", "DHLM", "DLLM", "HLS", "RHLS", "LLS", "RLLS", "ATHM",
    "LVIO", "STOP", "MISS", "MOVN", "DMOV", "JOGF", "JOGR", "HOMF", "HOMR",
)  # fmt: skip
"""Order in which changes are posted after the record has processed."""


class MotorRecord(FieldRecord):
    """A motor record.

    Parameters
    ----------
    name : str
        Record name with its prefix.
    axis : SimulatedAxis
        What it moves.
    macros : mapping of str to str
        ``P``, ``R``, ``N`` and ``ADDR`` of the instance.
    """

    record_type = "motor"
    processing_fields = frozenset(
        (*DRIVE_FIELDS, *BUTTONS, "STOP", "SPMG", "DIR", "OFF", "HLM", "LLM", "DHLM", "DLLM",
         "MRES", "UREV", "SREV", "ERES", "UEIP", "URIP", "CNEN", "HLSV", "SYNC", "STUP")
    )  # fmt: skip

    def __init__(self, name: str, axis: SimulatedAxis, macros: Mapping[str, str]) -> None:
        super().__init__(name, read_fields("motor"), macros)
        self.axis = axis
        self.post_process = False
        self.resolution_changed = False
        self._status: AxisStatus | None = axis.status
        self._marked: set[str] = set()

    # ---- coordinates

    @property
    def sign(self) -> int:
        """Return +1 or -1: the direction of user coordinates in dial coordinates."""
        return -1 if self["DIR"] else 1

    @property
    def mip(self) -> Mip:
        """Motion in progress."""
        return Mip(self["MIP"])

    @mip.setter
    def mip(self, value: Mip) -> None:
        self["MIP"] = int(value)
        self.mark("MIP")

    @property
    def halted(self) -> bool:
        """Whether the switch stands at Stop or Pause."""
        return self["SPMG"] in (SPMG_STOP, SPMG_PAUSE)

    def to_user(self, dial: float) -> float:
        """Return user coordinates of a dial position."""
        return dial * self.sign + self["OFF"]

    def to_dial(self, user: float) -> float:
        """Return dial coordinates of a user position."""
        return (user - self["OFF"]) / self.sign

    def limits(self, field: str) -> tuple[float, float]:
        """Return the limits a field shows: those of travel and speed follow other fields."""
        if field in ("VAL", "RBV"):
            return self["LLM"], self["HLM"]
        if field in ("DVAL", "DRBV"):
            return self["DLLM"], self["DHLM"]
        if field in ("RVAL", "RRBV"):
            low, high = sorted((self["DLLM"] / self["MRES"], self["DHLM"] / self["MRES"]))
            return low, high
        if field == "VELO":
            return self["VBAS"], self["VMAX"]
        return super().limits(field)

    def show_limits(self) -> None:
        """Let the positions show changed limits, and the raw limits follow."""
        self["RLLM"], self["RHLM"] = self.limits("RVAL")
        self.post_metadata("VAL", "RBV", "DVAL", "DRBV", "RVAL", "RRBV")

    def mark(self, *fields: str) -> None:
        """Remember to post fields when processing has ended."""
        self._marked.update(fields)

    def unmark(self, field: str) -> None:
        """Forget to post a field."""
        self._marked.discard(field)

    def put_marked(self, field: str, value: float) -> None:
        """Set a field and mark it when that changes it."""
        if self[field] != value:
            self[field] = value
            self.mark(field)

    # ---- writes

    def before_put(self, field: str, value: Any) -> None:
        """Pulse DMOV for a drive field; refuse what is no number, and a second home search."""
        if isinstance(value, float) and not math.isfinite(value):
            raise PutRefusedError(f"{self.name}.{field} takes finite numbers, not {value}")
        if field in ("HOMF", "HOMR") and self.mip & Mip.HOME:
            raise PutRefusedError(f"{self.name} is looking for home already")
        if field == "STUP" and self["STUP"] != STUP_OFF:
            raise PutRefusedError(f"{self.name} is updating its status already")
        if field in DRIVE_FIELDS and self["DISA"] != self["DISV"]:
            self.change("DMOV", 0)

    def after_put(self, field: str) -> None:
        """Make related fields agree."""
        if field in AFTER_PUT:
            AFTER_PUT[field](self)
        elif field in ("JOGF", "JOGR"):
            if not self[field]:
                self.mip &= ~Mip.JOG_REQ
            elif self.mip == Mip.DONE and not self["HLS" if field == "JOGF" else "LLS"]:
                self.mip |= Mip.JOG_REQ

    # ---- processing

    def process(self) -> None:
        """Process after a client's write."""
        self.check_jog_limits()
        work.examine(self)
        self.report()
        self.follow()

    def follow(self) -> None:
        """Process as often as the axis has something new to report."""
        while (status := self.axis.status) is not self._status:
            self._status = status
            self._process_status(status)

    def ask_status(self) -> None:
        """Process the axis' status even when it is not new."""
        self._status = None

    def _process_status(self, status: AxisStatus) -> None:
        self._read_back(status)
        if self["MOVN"]:
            self._moving()
        else:
            self._stopped()
        self.check_jog_limits()
        if self["STOP"] or self.halted or self["DMOV"] or self.mip & Mip.RETRY:
            work.examine(self)
        self.report()
        if self["STUP"] == STUP_BUSY:
            self.change("STUP", STUP_OFF)

    def _read_back(self, status: AxisStatus) -> None:
        """Take position, direction and switches from the axis."""
        self.put_marked("MSTA", float(status.bits))
        self["RMP"] = self["REP"] = status.position
        self.put_marked("RRBV", status.position)
        self.put_marked("DRBV", status.position * self["MRES"])
        self.put_marked("RBV", self.to_user(self["DRBV"]))
        self.put_marked("TDIR", int(status.direction))
        upper = int(status.high_limit and self["CDIR"])
        lower = int(status.low_limit and not self["CDIR"])
        self["RHLS"], self["RLLS"] = upper, lower
        straight = (self.sign > 0) == (self["MRES"] >= 0)
        for field, raw, state in (
            ("HLS", "RHLS", upper if straight else lower),
            ("LLS", "RLLS", lower if straight else upper),
        ):
            if self[field] != state:
                self[field] = state
                self.mark(field, raw)
        if upper or lower:
            self.clear_buttons()
        self.put_marked("MOVN", int(not (status.done or upper or lower)))
        self.show_difference()

    def show_difference(self) -> None:
        """Show how far the target is."""
        self["DIFF"] = self["DVAL"] - self["DRBV"]
        self["RDIF"] = nearest_step(self["DIFF"] / self["MRES"])
        self.mark("DIFF", "RDIF")

    def _moving(self) -> None:
        if self["DMOV"]:  # something else than this record has moved the axis
            self["DMOV"] = 0
            self.mark("DMOV")
            self.mip |= Mip.EXTERNAL
            self.post_process = True
        deadband = self["NTMF"] * (abs(self["BDST"]) + self["RDBD"])
        turns_back = (self["RDIF"] >= 0) != bool(self["CDIR"]) and abs(self["DIFF"]) > deadband
        moves = self.mip & (Mip.MOVE | Mip.RETRY) and not self.mip & Mip.STOP
        if self["NTM"] and turns_back and moves:
            # A new target lies behind: stop, then go there.
            self.axis.stop()
            self.mip |= Mip.STOP
            self.post_process = False

    def _stopped(self) -> None:
        self.put_marked("DMOV", 1)
        at_limit = bool(self["RHLS"] or self["RLLS"])
        if at_limit and self.mip != Mip.DONE:
            self.mip = Mip.DONE
            self.post_process = True
        if self.post_process:
            if self["VAL"] != self["LVAL"] and not self.mip & (Mip.STOP | Mip.JOG_STOP):
                self.mip = Mip.DONE
                return
            work.finish(self)
        if self["DMOV"] and not at_limit and self.mip != Mip.DONE:
            self._settle()

    def _settle(self) -> None:
        """Wait for DLY, then decide whether the axis has arrived."""
        if self["DLY"] > 0 and not self.mip & Mip.DELAY_ACK:
            if not self.mip & Mip.DELAY_REQ:
                self.mip |= Mip.DELAY_REQ
                asyncio.get_running_loop().call_later(self["DLY"], self._delay_ended)
            self["DMOV"] = 0
            self.unmark("DMOV")
            return
        self.mip &= ~(Mip.DELAY_REQ | Mip.DELAY_ACK)
        work.retry_if_needed(self)

    def _delay_ended(self) -> None:
        self.mip |= Mip.DELAY_ACK
        self._process_status(self.axis.status)
        self.follow()

    def check_jog_limits(self) -> None:
        """Stop a jog before it reaches a soft limit; a home search has none."""
        violated = bool(self["LVIO"])
        if self["DHLM"] == self["DLLM"] == 0:
            violated = False
        elif self.mip & Mip.JOG:
            forward = self["JOGF"] and self["DRBV"] > self["DHLM"] - self["JVEL"]
            backward = self["JOGR"] and self["DRBV"] < self["DLLM"] + self["JVEL"]
            violated = bool(forward or backward)
        elif self.mip & Mip.HOME:
            violated = False
        if violated != bool(self["LVIO"]):
            self.put_marked("LVIO", int(violated))
            if violated and not self["SET"]:
                self["STOP"] = 1
                self.mark("STOP")
                self.clear_buttons()

    def clear_buttons(self) -> None:
        """Release the jog and home buttons."""
        for button in BUTTONS:
            self.put_marked(button, 0)

    def stop(self) -> None:
        """Press STOP, unless the motor is locked."""
        if not self["DISP"]:
            self._put("STOP", 1)

    def take_read_back_as_target(self) -> None:
        """Make the targets agree with where the axis is."""
        self["VAL"] = self["LVAL"] = self["RBV"]
        self["DVAL"] = self["LDVL"] = self["DRBV"]
        self["RVAL"] = self["LRVL"] = nearest_step(self["DVAL"] / self["MRES"])
        self.mark("VAL", "DVAL", "RVAL")
        self.show_difference()

    def keep_targets(self) -> None:
        """Remember the targets, to notice the next change."""
        self["LVAL"], self["LDVL"], self["LRVL"] = self["VAL"], self["DVAL"], self["RVAL"]

    def report(self) -> None:
        """Post what processing has changed, and end put-callbacks when nothing moves."""
        if self.show_alarm(*self._alarm()):
            self.post("VAL", event=ALARM_EVENT)
        marked, self._marked = self._marked, set()
        self.post(*(field for field in POSTING_ORDER if field in marked))
        if self["DMOV"]:
            self.finished()

    def _alarm(self) -> tuple[int, int]:
        severity = self["HLSV"]
        if severity and (self["HLS"] or self["DVAL"] > self["DHLM"]):
            return severity, HIGH_ALARM
        if severity and (self["LLS"] or self["DVAL"] < self["DLLM"]):
            return severity, LOW_ALARM
        return 0, 0
