"""A check changes nothing on the IOC; a probe puts everything back."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import epics
import pytest

from adsupport.devices import PlannedRun, check
from adsupport.launch import IOCProcess

pytestmark = pytest.mark.slow

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


def test_a_check_writes_nothing_and_a_probe_leaves_no_trace(
    det: Any,
    adsim: IOCProcess,
    disk: pathlib.Path,
    everything: Callable[[IOCProcess], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
):
    puts: list[str] = []
    files = sorted(disk.rglob("*"))
    before = everything(adsim)
    with monkeypatch.context() as spy:
        spy.setattr(epics.ca, "put", lambda chid, *args, **kw: puts.append(epics.ca.name(chid)))
        run = PlannedRun(points=3, frames_per_point=7, acquire_period=0.01)
        report = check(det, run=run)
    assert report.ok, report
    assert puts == []
    checked = everything(adsim)
    assert {pv: (before[pv], checked[pv]) for pv in before if before[pv] != checked[pv]} == {}

    report = check(det, write=True)
    assert report.ok, report
    assert [each.severity for each in report.findings if each.topic == "probe"] == ["ok"]
    probed = everything(adsim)
    changed = {pv for pv in before if before[pv] != probed[pv]}
    assert f"{adsim.prefix}HDF1:FullFileName_RBV" in changed
    assert {pv for pv in changed if not pv.endswith(OF_THE_LAST_FILE)} == set()
    assert sorted(disk.rglob("*")) == files
