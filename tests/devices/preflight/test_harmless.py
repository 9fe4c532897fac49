"""A check changes nothing on the IOC; a probe puts everything back."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import epics
import pytest

from adsupport.devices import PlannedRun, check
from adsupport.launch import IOCProcess

# What tells of the last file: it can't be written, so can't be put back.
OF_THE_LAST_FILE = (
    "FullFileName_RBV",
    "NumCaptured_RBV",
    "WriteFile_RBV",
    "WriteMessage",
    "ExecutionTime_RBV",
    "IOSpeed",
    "NumColChunks_RBV",
    "NumRowChunks_RBV",
    "RunTime",
)


def test_a_check_writes_nothing_and_leaves_every_record_as_it_was(
    det: Any,
    adsim: IOCProcess,
    everything: Callable[[IOCProcess], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
):
    puts: list[Any] = []
    before = everything(adsim)
    original = epics.ca.put
    monkeypatch.setattr(epics.ca, "put", lambda chid, *args, **kw: puts.append(epics.ca.name(chid)))
    report = check(det, run=PlannedRun(points=3, frames_per_point=7, acquire_period=0.01))
    monkeypatch.setattr(epics.ca, "put", original)
    after = everything(adsim)
    assert report.ok, report
    assert puts == []
    assert {pv: (before[pv], after[pv]) for pv in before if before[pv] != after[pv]} == {}


def test_a_probe_leaves_no_trace(
    det: Any, adsim: IOCProcess, everything: Callable[..., dict[str, Any]], disk: pathlib.Path
):
    files = sorted(disk.rglob("*"))
    before = everything(adsim)
    report = check(det, write=True)
    after = everything(adsim)
    assert report.ok, report
    assert [each.severity for each in report.findings if each.topic == "probe"] == ["ok"]
    assert sorted(disk.rglob("*")) == files
    changed = {pv for pv in before if before[pv] != after[pv]}
    assert {pv for pv in changed if not pv.endswith(OF_THE_LAST_FILE)} == set()
