"""Motions of a motor record over Channel Access, as recorded from a running motor IOC.

Times are compared with generous limits only: test machines are shared.
"""

from __future__ import annotations

import threading
import time

import epics
import pytest
from caproto.threading.client import Context

TIMEOUT = 30.0
SLOW = 3.0
"""Seconds that a busy machine may add to a recorded duration."""

TARGETS = ("DMOV", "VAL", "DVAL", "RVAL", "MIP", "MOVN", "RBV", "TDIR")


def from_another_client(name: str, value: object):
    """Write with a put-callback through a connection of its own; return the thread."""

    def write():
        context = Context()
        try:
            (pv,) = context.get_pvs(name)
            pv.wait_for_connection(timeout=TIMEOUT)
            pv.write(value, wait=True, timeout=TIMEOUT)
        finally:
            context.disconnect()

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_move_posts_in_the_recorded_order(motor, caput, watch):
    with watch(f"{motor}.", *TARGETS) as seen:
        elapsed = caput(f"{motor}.VAL", 1.0)
        seen.note("returned")
        seen.wait_for("DMOV", 1)
    order = [pair for pair in seen.pairs() if pair[0] not in ("RBV", "returned")]
    assert order == [
        ("DMOV", 0), ("VAL", 1.0), ("DVAL", 1.0), ("RVAL", 100), ("MIP", 32), ("MOVN", 1),
        ("TDIR", 1), ("TDIR", 0), ("MIP", 0), ("MOVN", 0), ("DMOV", 1),
    ]  # fmt: skip
    read_backs = seen.values("RBV")
    assert read_backs == sorted(read_backs)
    assert read_backs[-1] == 1.0
    assert 7 <= len(read_backs) <= 13  # recorded: 12, every 100 ms
    assert 1.1 <= elapsed <= 1.25 + SLOW  # recorded: 1.246 s
    names = [name for name, _ in seen.pairs()]
    assert names.index("RBV") == names.index("TDIR") - 1  # of one look at the axis, RBV comes first


def test_done_and_moving_records_follow(motor, caput, caget, watch):
    with watch("gp:", "alldone", "moving", "m3.DMOV") as seen:
        caput(f"{motor}.VAL", 0.3)
        seen.wait_for("moving", 0)
    assert seen.pairs("alldone") == [("alldone", 0), ("alldone", 1)]
    assert seen.pairs("moving") == [("moving", 1), ("moving", 0)]
    assert seen.pairs()[-3:] == [("m3.DMOV", 1), ("alldone", 1), ("moving", 0)]
    assert epics.PV("gp:alldone").get_ctrlvars(timeout=TIMEOUT)["severity"] == 0


@pytest.mark.parametrize(
    ("target", "velocity", "shortest", "recorded"),
    [(1.0, 1, 1.1, 1.246), (-2.0, 1, 2.1, 2.3), (0.5, 1, 0.6, 0.799), (3.0, 10, 0.45, 0.599)],
)
def test_durations(motor, caput, caget, target, velocity, shortest, recorded):
    caput(f"{motor}.VELO", velocity)
    assert shortest <= caput(f"{motor}.VAL", target) <= recorded + SLOW
    assert caget(f"{motor}.RBV") == caget(f"{motor}.VAL") == target
    assert caget(f"{motor}.DMOV") == 1


def test_targets_are_rounded_to_steps(motor, caput, caget):
    caput(f"{motor}.VAL", 0.505)
    assert caget(f"{motor}.RBV") == pytest.approx(0.51)
    assert caget(f"{motor}.VAL") == 0.505
    assert caget(f"{motor}.RVAL") == 51
    assert caget(f"{motor}.DIFF") == pytest.approx(-0.005)


@pytest.mark.parametrize("target", [0.0, 0.001])
def test_a_null_move_pulses_dmov(motor, caput, caget, watch, target):
    with watch(f"{motor}.", "DMOV", "MOVN", "RBV", "VAL") as seen:
        elapsed = caput(f"{motor}.VAL", target)
        seen.wait_for("DMOV", 1)
    assert [pair for pair in seen.pairs() if pair[0] != "VAL"] == [("DMOV", 0), ("DMOV", 1)]
    assert seen.pairs("VAL") == ([("VAL", target)] if target else [])
    assert elapsed < SLOW
    assert caget(f"{motor}.VAL") == target


@pytest.mark.parametrize("target", [200.0, -100.01])
def test_a_soft_limit_restores_the_target(motor, caput, caget, watch, target):
    caput(f"{motor}.VAL", 0.5)
    with watch(f"{motor}.", "DMOV", "VAL", "LVIO") as seen:
        assert caput(f"{motor}.VAL", target) < SLOW
        seen.wait_for("DMOV", 1)
    assert seen.pairs() == [("DMOV", 0), ("VAL", 0.5), ("LVIO", 1), ("DMOV", 1)]
    reading = epics.PV(f"{motor}.VAL").get_with_metadata(use_monitor=False, form="time")
    assert (reading["value"], reading["severity"], reading["status"]) == (0.5, 0, 0)
    caput(f"{motor}.VAL", 0.6)
    assert caget(f"{motor}.LVIO") == 0


def test_stop_slows_down_and_takes_the_position(motor, caput, caget, watch):
    with watch(f"{motor}.", "DMOV", "VAL", "STOP", "RBV", "MOVN") as seen:
        returned = threading.Event()
        pv = epics.PV(f"{motor}.VAL")
        pv.wait_for_connection(TIMEOUT)
        pv.put(5.0, callback=lambda **_: returned.set())
        seen.wait(lambda events: any(e.field == "RBV" and e.value > 0.3 for e in events), "RBV")
        before = seen.values("RBV")[-1]
        caput(f"{motor}.STOP", 1, wait=False)
        seen.wait_for("DMOV", 1)
        assert returned.wait(SLOW)
    end = caget(f"{motor}.RBV")
    assert before + 0.1 <= end < 4  # 0.11 is the braking distance
    tail = [pair for pair in seen.pairs() if pair[0] != "RBV"][2:]
    assert tail == [("MOVN", 1), ("STOP", 1), ("STOP", 0), ("VAL", end), ("MOVN", 0), ("DMOV", 1)]
    assert caget(f"{motor}.DVAL") == end


def test_allstop_stops_and_releases_itself(motor, caput, caget, watch):
    with watch("gp:", "allstop", "m3.DMOV", "m3.RBV") as seen:
        caput(f"{motor}.VAL", 50, wait=False)
        seen.wait(lambda events: any(e.field == "m3.RBV" and e.value > 0.1 for e in events), "RBV")
        caput("gp:allstop", 1, wait=False)
        seen.wait_for("m3.DMOV", 1)
        seen.wait_for("allstop", 0)
    assert caget(f"{motor}.VAL") == caget(f"{motor}.RBV") < 40
    assert caget("gp:alldone") == 1


def test_a_put_callback_while_moving_waits_for_its_turn(motor, caput, caget, watch):
    with watch(f"{motor}.", "DMOV", "VAL", "MIP") as seen:
        first = epics.PV(f"{motor}.VAL")
        first.wait_for_connection(TIMEOUT)
        first.put(0.5, callback=lambda **_: seen.note("first"))
        seen.wait_for("VAL", 0.5)
        second = from_another_client(f"{motor}.VAL", [0.2])
        seen.wait_for("first", None)
        seen.wait_for("DMOV", 1, times=2)
        second.join(TIMEOUT)
        assert not second.is_alive()
    assert [pair for pair in seen.pairs() if pair[0] != "first"] == [
        ("DMOV", 0), ("VAL", 0.5), ("MIP", 32), ("MIP", 0), ("DMOV", 1),
        ("DMOV", 0), ("VAL", 0.2), ("MIP", 32), ("MIP", 0), ("DMOV", 1),
    ]  # fmt: skip
    assert caget(f"{motor}.RBV") == 0.2


def test_the_moves_of_a_client_that_has_gone_are_not_begun(motor, caput, caget):
    clients = [Context() for _ in range(3)]
    # connected before the first move, which must not end meanwhile
    values = [client.get_pvs(f"{motor}.VAL")[0] for client in clients]
    for pv in values:
        pv.wait_for_connection(timeout=TIMEOUT)
    for pv, target in zip(values, (0.5, 1.0, 1.5), strict=True):
        pv.write([target], notify=True, wait=False)
        pv.read(timeout=TIMEOUT)  # answered after the write was taken
    for client in clients[1:]:
        client.disconnect()
    caput(f"{motor}.TWV", 0.1)  # a put-callback: it waits for the moves before it
    assert caget(f"{motor}.RBV") == 0.5
    clients[0].disconnect()


def test_a_plain_put_while_moving_is_done_next(motor, caput, caget, watch):
    with watch(f"{motor}.", "DMOV", "VAL", "RBV") as seen:
        caput(f"{motor}.VAL", 1.5, wait=False)
        seen.wait(lambda events: any(e.field == "RBV" and e.value > 0.1 for e in events), "RBV")
        caput(f"{motor}.VAL", -0.2, wait=False)  # behind: it stops and turns back
        seen.wait_for("DMOV", 1)
    assert seen.pairs("DMOV") == [("DMOV", 0), ("DMOV", 1)]
    assert max(seen.values("RBV")) < 1.2
    assert caget(f"{motor}.RBV") == pytest.approx(-0.2)


@pytest.mark.parametrize(("button", "end"), [("TWF", 0.1), ("TWR", -0.1)])
def test_tweak_releases_itself(motor, caput, caget, watch, button, end):
    caput(f"{motor}.TWV", 0.1)
    with watch(f"{motor}.", button, "VAL") as seen:
        caput(f"{motor}.{button}", 1)
        seen.wait_for(button, 0)
    assert seen.pairs(button) == [(button, 1), (button, 0)]
    assert caget(f"{motor}.VAL") == caget(f"{motor}.RBV") == pytest.approx(end)


def test_relative_and_raw_targets(motor, caput, caget):
    caput(f"{motor}.RLV", 0.1)
    assert caget(f"{motor}.RBV") == pytest.approx(0.1)
    assert caget(f"{motor}.RLV") == 0
    caput(f"{motor}.RVAL", 20)
    assert caget(f"{motor}.VAL") == caget(f"{motor}.DVAL") == pytest.approx(0.2)
    caput(f"{motor}.DVAL", 0.3)
    assert caget(f"{motor}.RRBV") == 30


def test_spmg_stop_holds_a_move_back(motor, caput, caget, watch):
    caput(f"{motor}.SPMG", 0)
    with watch(f"{motor}.", "DMOV", "VAL", "MIP", "SPMG", "MOVN") as seen:
        waiting = epics.PV(f"{motor}.VAL")
        waiting.wait_for_connection(TIMEOUT)
        waiting.put(0.5, callback=lambda **_: seen.note("returned"))
        seen.wait_for("VAL", 0.5)
        time.sleep(0.3)  # nothing may happen meanwhile
        assert seen.pairs() == [("DMOV", 0), ("VAL", 0.5)]
        assert caget(f"{motor}.RBV") == 0
        caput(f"{motor}.SPMG", 3, wait=False)
        seen.wait_for("returned", None)
        seen.wait_for("DMOV", 1)
    assert [pair for pair in seen.pairs() if pair[0] != "returned"] == [
        ("DMOV", 0), ("VAL", 0.5), ("SPMG", 3), ("VAL", 0.5), ("MIP", 32), ("MOVN", 1),
        ("MIP", 0), ("MOVN", 0), ("DMOV", 1),
    ]  # fmt: skip


def test_spmg_pause_and_go(motor, caput, caget, watch):
    with watch(f"{motor}.", "DMOV", "MIP", "SPMG", "RBV") as seen:
        caput(f"{motor}.VAL", 1.0, wait=False)
        seen.wait(lambda events: any(e.field == "RBV" and e.value > 0.2 for e in events), "RBV")
        caput(f"{motor}.SPMG", 1, wait=False)
        seen.wait_for("MIP", 64)
        assert 0.2 < caget(f"{motor}.RBV") < 1.0
        assert caget(f"{motor}.VAL") == 1.0
        caput(f"{motor}.SPMG", 3, wait=False)
        seen.wait_for("DMOV", 1)
    assert [pair for pair in seen.pairs() if pair[0] != "RBV"] == [
        ("DMOV", 0), ("MIP", 32), ("SPMG", 1), ("MIP", 512), ("MIP", 64), ("SPMG", 3), ("MIP", 96),
        ("MIP", 0), ("DMOV", 1),
    ]  # fmt: skip
    assert caget(f"{motor}.RBV") == 1.0


def test_spmg_move_pauses_after_one_move(motor, caput, caget):
    caput(f"{motor}.SPMG", 2)
    caput(f"{motor}.VAL", 0.1)
    assert caget(f"{motor}.SPMG") == 1
    caput(f"{motor}.SPMG", 3)


def test_jog_until_the_button_is_released(motor, caput, caget, watch):
    with watch(f"{motor}.", "DMOV", "RBV", "VAL") as seen:
        caput(f"{motor}.JOGR", 1, wait=False)
        seen.wait(lambda events: any(e.field == "RBV" and e.value < -0.2 for e in events), "RBV")
        assert caget(f"{motor}.DMOV") == 0
        caput(f"{motor}.JOGR", 0, wait=False)
        seen.wait_for("DMOV", 1)
    assert caget(f"{motor}.VAL") == caget(f"{motor}.RBV") <= -0.3


def test_a_jog_ends_before_the_soft_limit(motor, caput, caget, watch):
    caput(f"{motor}.HLM", 1.5)
    with watch(f"{motor}.", "DMOV", "LVIO", "JOGF") as seen:
        caput(f"{motor}.JOGF", 1, wait=False)
        seen.wait_for("DMOV", 1)
    assert ("LVIO", 1) in seen.pairs()
    assert ("JOGF", 0) in seen.pairs()
    assert 0.5 <= caget(f"{motor}.RBV") <= 1.5


def test_home_from_below(motor, caput, caget, watch):
    caput(f"{motor}.VAL", -0.3)
    caput(f"{motor}.HVEL", 1)
    with watch(f"{motor}.", "DMOV", "HOMF") as seen:
        caput(f"{motor}.HOMF", 1)
        seen.wait_for("HOMF", 0)
    assert seen.pairs("HOMF") == [("HOMF", 1), ("HOMF", 0)]
    expected = {"VAL": 0, "RBV": 0, "ATHM": 0, "DMOV": 1}
    assert {field: caget(f"{motor}.{field}") for field in expected} == expected
    assert int(caget(f"{motor}.MSTA")) & 0x4000  # homed


def test_backlash_is_taken_out_from_below(motor, caput, caget, watch):
    caput(f"{motor}.BDST", 0.2)
    caput(f"{motor}.BVEL", 0.5)
    with watch(f"{motor}.", "RBV", "DMOV") as seen:
        caput(f"{motor}.VAL", -0.5)
        seen.wait_for("DMOV", 1)
    assert min(seen.values("RBV")) == pytest.approx(-0.7)
    assert caget(f"{motor}.RBV") == pytest.approx(-0.5)
    assert seen.pairs("DMOV") == [("DMOV", 0), ("DMOV", 1)]


def test_delay_before_done(motor, caput, caget):
    caput(f"{motor}.DLY", 0.3)
    assert caput(f"{motor}.VAL", 0.01) >= 0.3
    assert caget(f"{motor}.DMOV") == 1
