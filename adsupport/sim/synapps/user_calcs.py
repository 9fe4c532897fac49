"""The user calculations of an IOC, and the switches of all families of calculations."""

from __future__ import annotations

from typing import Any

from adsupport.sim.ioc import IOC
from adsupport.sim.record import Record
from adsupport.sim.scan import PeriodicScans
from adsupport.sim.synapps.calc import Random16
from adsupport.sim.synapps.swait import SwaitRecord

FAMILIES = {
    "userCalc": ("UserCalcs", 0),
    "userCalcOut": ("UserCalcOuts", 0),
    "userStringCalc": ("UserSCalcs", 0),
    "userArrayCalc": ("ArrayCalcs", 0),
    "userTran": ("UserTrans", 1),
    "userAve": ("UserAves", 0),
    "userStringSeq": ("StringSeqs", 0),
}
"""Families of calculations: the name that their switches have, and whether they start enabled."""

PER_FAMILY = 10
"""Calculations of one family."""


def add_user_calcs(ioc: IOC) -> list[SwaitRecord]:
    """Add ``userCalc1`` to ``userCalc10`` and the switches of every family.

    Parameters
    ----------
    ioc : IOC
        Gets the records, and starts their scans.

    Returns
    -------
    list of SwaitRecord
        The calculations, in order.
    """
    for name, (switches, enabled) in FAMILIES.items():
        _add_switches(ioc, name, switches, str(enabled))
    scans, random = PeriodicScans(), Random16()
    ioc.starters.append(scans.start)
    calcs = []
    for number in range(1, PER_FAMILY + 1):
        r = f"userCalc{number}"
        macros = {"P": ioc.prefix, "R": r, "N": str(number)}
        calc = SwaitRecord(ioc.prefix + r, macros, ioc.database, scans, random)
        ioc.database.add(calc.name, calc.channel("VAL"))
        calcs.append(calc)
    return calcs


def _add_switches(ioc: IOC, name: str, switches: str, enabled: str) -> None:
    macros = {"NAME": name, "ALL": switches, "ENABLED": enabled}
    records = ioc.load(["userCalcEnables"], "", macros=macros)
    family = records[f"{name}Enable"]
    records[f"Enable{switches}"].on_process.append(lambda _: family.put(1))
    records[f"Disable{switches}"].on_process.append(lambda _: family.put(0))
    for number in range(1, PER_FAMILY + 1):
        one = ioc.load(["userCalcEnable"], "", macros=macros | {"N": str(number)})
        _link_enable(family, one[f"{name}{number}Enable"], one[f"{name}{number}EnableCalc"])


def _link_enable(family: Record, own: Record, both: Record) -> None:
    """Make ``EnableCalc`` 1 when the family and the calculation are enabled."""

    def compute(_: Any) -> None:
        both.post(float(bool(family.channel.value and own.channel.value)))

    family.on_process.append(compute)
    own.on_process.append(compute)
