"""What the message about missing process variables says, without any IOC."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from ophyd import EpicsMotor, EpicsSignalRO
from ophyd.areadetector.plugins import ProcessPlugin

from adsupport.adcore import Release
from adsupport.devices import ad_creator
from adsupport.devices.connection import device_signals
from adsupport.devices.connection import report as connection_report
from adsupport.devices.connection.connect import epics_signals
from adsupport.devices.connection.device_signals import DeviceSignal
from adsupport.devices.connection.report import (
    MissingGroup,
    brief,
    group_missing,
    may_come_back,
    missing_pvs,
)
from adsupport.devices.connection.wait import LOST_TIME, OPTIONAL_TIME, ConnectionWait
from adsupport.devices.releases.installed import InstalledReleases
from adsupport.errors import ConnectionTimeoutError


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the IOC was asked for its release; it answers R3-14."""
    asked: list[str] = []

    def answer(prefix: str, timeout: float) -> InstalledReleases:
        asked.append(prefix)
        return InstalledReleases(Release.parse("R3-14"))

    monkeypatch.setattr(connection_report, "installed_releases", answer)
    return asked


def signals_of(*plugins: Any, prefix: str = "offline:") -> list[DeviceSignal]:
    """Make a detector of which everything answers, as far as its signals know."""
    return answering(ad_creator(prefix, name="det", plugins=list(plugins), adcore=None))


def answering(device: Any) -> list[DeviceSignal]:
    """Let all signals of a device answer, as far as they know."""
    signals = epics_signals(device)
    for each in signals:
        for states in (
            each.signal._connection_states,
            each.signal._received_first_metadata,
            each.signal._access_rights_valid,
        ):
            states.update(dict.fromkeys(states, True))
        each.signal._metadata["connected"] = True
    return signals


def lose(
    signals: list[DeviceSignal], which: Callable[[str], bool], required: bool = True
) -> list[DeviceSignal]:
    """Take the process variables away that a function chooses."""
    lost = []
    for each in signals:
        gone = [pv for pv in each.pvs if which(pv)]
        if gone:
            each.signal._connection_states.update(dict.fromkeys(gone, False))
            each.signal._metadata["connected"] = False
            each.required = required
            lost.append(each)
    return lost


def test_nothing_answers(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    (group,) = group_missing(signals, lose(signals, lambda pv: True))
    assert group.where == "det"
    assert "No process variable under 'offline:' answered" in group.cause
    assert len(group.pvs) == len({pv for each in signals for pv in each.pvs})
    assert ask == []


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [
        ("offline", "the prefix right (with its colon, 'offline:')? Does"),
        ("offline:", "the prefix right? Does"),
        ("XF:31ID1-ES{det}", "the prefix right? Does"),
        ("", "the prefix right? Does"),
    ],
)
def test_a_prefix_without_its_colon(prefix: str, hint: str) -> None:
    signals = signals_of("cam", "image", prefix=prefix)
    (group,) = group_missing(signals, lose(signals, lambda pv: True))
    assert hint in group.cause


def test_the_prefix_of_a_record_has_no_colon() -> None:
    signals = answering(EpicsMotor("offline:m1", name="m1"))
    (group,) = group_missing(signals, lose(signals, lambda pv: True))
    assert "the prefix right? Does" in group.cause


def test_a_whole_plugin_is_absent(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    (group,) = group_missing(signals, lose(signals, lambda pv: ":HDF1:" in pv))
    assert (group.where, group.required) == ("det.hdf1", True)
    assert "is `HDF1:` loaded" in group.remedy
    assert all(pv.startswith("offline:HDF1:") for pv in group.pvs)
    assert ask == []


def test_records_that_the_release_has_no_more(ask: list[str]) -> None:
    signals = signals_of("cam", {"process1": {"class": ProcessPlugin}})
    clips = ("Proc1:HighClip", "Proc1:HighClip_RBV", "Proc1:LowClip", "Proc1:LowClip_RBV")
    lost = lose(signals, lambda pv: pv.removeprefix("offline:") in clips, required=False)
    (group,) = group_missing(signals, lost)
    # ADCore's release notes: the clip records changed in R3-13
    assert group.text.startswith("not in ADCore R3-14: removed in R3-13; ad_creator(")
    assert sorted(group.pvs) == [f"offline:{clip}" for clip in clips]
    assert not group.required
    assert ask == ["offline:cam1:"]


def test_records_that_the_release_does_not_have_yet(
    ask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = signals_of("cam", "hdf1")
    old = InstalledReleases(Release.parse("R3-4"))
    monkeypatch.setattr(connection_report, "installed_releases", lambda *_: old)
    (group,) = group_missing(signals, lose(signals, lambda pv: pv.endswith("FlushNow")))
    assert "not in ADCore R3-4: added in R3-5" in group.text


def test_a_release_that_the_ioc_does_not_tell(
    ask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ConnectionTimeoutError("no answer")

    monkeypatch.setattr(connection_report, "installed_releases", fail)
    signals = signals_of("cam", "hdf1")
    (group,) = group_missing(signals, lose(signals, lambda pv: pv.endswith("FlushNow")))
    assert "not in every ADCore: added in R3-5" in group.text


def test_a_record_that_the_release_has_is_not_explained_by_it(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    (group,) = group_missing(signals, lose(signals, lambda pv: pv.endswith("HDF1:FlushNow")))
    assert group.cause.startswith("does not answer, others of this IOC do")
    assert next(group.lines()).startswith("det.hdf1: does not answer, others of this IOC do: check")
    assert list(group.lines())[1] == "  offline:HDF1:FlushNow (det.hdf1.flush_now)"


def test_a_class_that_does_not_fit(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    lost = lose(signals, lambda pv: ":HDF1:" in pv and pv.rsplit(":", 1)[1] > "N")
    (group,) = group_missing(signals, lost)
    total = sum(each.component == "hdf1" for each in signals)
    assert f"That is {len(lost)} of the {total} signals of det_hdf1" in group.cause
    assert "may be the wrong class" in group.remedy


@pytest.mark.parametrize("pattern", [":HDF1:", ":HDF1:A", ":cam1:B", ":"])
def test_nothing_is_blamed_while_signals_still_arrive(ask: list[str], pattern: str) -> None:
    signals = signals_of("cam", "hdf1")
    lost = lose(signals, lambda pv: pattern in pv and not pv.endswith("cam1:Acquire"))
    groups = group_missing(signals, lost, arriving=True)
    assert groups
    assert all("longer timeout" in group.text for group in groups)


def test_what_answers_but_cannot_be_read(ask: list[str]) -> None:
    signals = signals_of("cam")
    pv = "offline:cam1:Model_RBV"
    (lost,) = [each for each in signals if each.pvs == [pv]]
    lost.signal._received_first_metadata[pv] = False
    lost.signal._metadata["connected"] = False
    (group,) = group_missing(signals, [lost], {pv: "Read access denied"})
    assert group.text == "answers, but can't be read: Read access denied"
    assert group.pvs == {pv: "det.cam.model"}
    # what could not be read because the IOC went away is missing like anything else
    lost.signal._connection_states[pv] = False
    (group,) = group_missing(signals, [lost], {pv: "Virtual circuit disconnect"})
    assert group.cause.startswith("does not answer")


def test_what_was_connected_before_is_looked_for_again(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    for each in signals:
        each.signal._metadata["status"] = 0
    assert not any(each.is_lost for each in signals)
    lost = lose(signals, lambda pv: ":HDF1:" in pv and pv.rsplit(":", 1)[1] > "N")
    assert all(each.is_lost for each in lost)
    (group,) = group_missing(signals, lost)
    assert "was connected before, and isn't found again yet" in group.cause
    assert "wait_for_connection() again" in group.remedy
    assert ask == ["offline:cam1:"]  # once: another release may have come back


def test_a_whole_plugin_that_was_connected_before_is_looked_for_again(ask: list[str]) -> None:
    signals = signals_of("cam", "hdf1")
    for each in signals:
        each.signal._metadata["status"] = 0
    (group,) = group_missing(signals, lose(signals, lambda pv: ":HDF1:" in pv))
    assert "was connected before" in group.cause
    assert "loaded in this IOC" not in group.text


def test_what_an_earlier_signal_found_is_looked_for_again(
    ask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new device on an IOC of another release, just started again: some it never had."""
    signals = signals_of("cam", "hdf1")
    lost = lose(signals, lambda pv: ":HDF1:" in pv)
    monkeypatch.setattr(device_signals, "_was_up", lambda pv: pv.pvname < "offline:HDF1:N")
    assert {each.was_there for each in lost} == {True, False}
    assert not any(each.is_lost for each in lost)  # nobody waits for it without being asked
    groups = group_missing(signals, lost)
    assert "was connected before, and isn't found again yet" in groups[0].cause
    assert "was the IOC started again without it?" in groups[0].remedy
    assert not any("loaded in this IOC" in group.text for group in groups)


def test_an_ioc_that_was_there_is_asked_for(
    ask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = signals_of("cam", "hdf1")
    monkeypatch.setattr(device_signals, "_was_up", lambda pv: pv.pvname < "offline:HDF1:N")
    (group,) = group_missing(signals, lose(signals, lambda pv: True))
    assert group.cause.startswith("No process variable under 'offline:' answered")
    assert "Is the IOC running? It was connected before" in group.cause
    assert "prefix" not in group.cause


def test_what_another_release_lacks_does_not_come_back(
    ask: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = signals_of("cam", "hdf1")
    for each in signals:
        each.signal._metadata["status"] = 0
    lost = lose(signals, lambda pv: pv.endswith("FlushNow"))
    assert may_come_back(signals, lost)
    old = InstalledReleases(Release.parse("R3-4"))
    monkeypatch.setattr(connection_report, "installed_releases", lambda *_: old)
    assert not may_come_back(signals, lost)
    (group,) = group_missing(signals, lost)
    assert "not in ADCore R3-4: added in R3-5" in group.text


@pytest.mark.parametrize(("status", "over"), [(None, True), (0, False)])
def test_what_was_connected_before_is_waited_for_although_nothing_requires_it(
    status: int | None, over: bool
) -> None:
    signals = signals_of("cam")
    lost = lose(signals, lambda pv: pv.endswith("cam1:Model_RBV"), required=False)
    waiting = ConnectionWait([], False, lambda *_: None)
    waiting._waiting = {id(each): each for each in lost}
    for each in lost:
        each.signal._metadata["status"] = status
    assert waiting._is_over(waiting._last + OPTIONAL_TIME + 1, None) == over
    assert waiting._is_over(waiting._last + LOST_TIME + 1, None)
    assert waiting._is_over(waiting._last + OPTIONAL_TIME + 1, waiting._last)


def test_the_type_of_a_plugin_is_required_as_staging_needs_it() -> None:
    required = {each.name: each.required for each in signals_of("cam", "image")}
    assert required["image.plugin_type"]
    assert not required["image.driver_version"]


def test_a_signal_alone() -> None:
    signal = DeviceSignal("sensor", EpicsSignalRO("offline:sensor", name="sensor"), True)
    (group,) = group_missing([signal], [signal])
    assert group.where == "sensor"
    assert group.pvs == {"offline:sensor": "sensor"}


def test_a_long_list_is_counted_in_the_message_and_whole_in_the_error() -> None:
    pvs = {f"offline:cam1:Record{number}": f"det.cam.r{number}" for number in range(500)}
    lines = list(MissingGroup("det.cam", "gone", pvs).lines())
    assert lines[0] == "det.cam: gone"
    assert lines[-1].endswith(" and 492 more")
    assert max(map(len, lines)) <= 100
    error = pickle.loads(pickle.dumps(ConnectionTimeoutError("\n".join(lines), pvs)))
    assert error.pvs == pvs
    assert error.missing == tuple(pvs)


def test_few_groups_are_told_whole() -> None:
    group = MissingGroup("det.cam", "not in ADCore R3-4", {"a:b": "det.cam.b"}, detail="added in 3")
    assert brief([group]) == list(group.lines())


def test_many_groups_are_counted_by_cause() -> None:
    def group(where: str, cause: str, number: int, detail: str = "") -> MissingGroup:
        pvs = {f"{where}:{cause}:{detail}:{n}": where for n in range(number)}
        return MissingGroup(where, cause, pvs, detail=detail, remedy="change it")

    groups = [
        group("det.cam", "unlike", 1),
        group("det.cam", "too new", 30, "added in R3-3"),
        group("det.cam", "too new", 10, "added in R3-4"),
        group("det.hdf1", "too new", 5, "added in R3-4"),
        group("det.hdf1", "locked", 3),
        group("det.hdf1", "odd", 2),
    ]
    assert brief(groups) == [
        "det.cam 40, det.hdf1 5: too new: change it",
        "det.hdf1 3: locked: change it",
        "det.hdf1 2: odd: change it",
        "for other reasons 1",
    ]


def test_required_ones_come_first() -> None:
    signals = signals_of("cam")
    lose(signals, lambda pv: pv.endswith("Model_RBV"), required=False)
    lose(signals, lambda pv: pv.endswith("cam1:SizeX"))
    lost = [each for each in signals if not each.signal.connected]
    assert list(missing_pvs(lost)) == ["offline:cam1:SizeX", "offline:cam1:Model_RBV"]
