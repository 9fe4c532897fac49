"""Scans of a RunEngine, and what the peers' writers make of such runs wrongly."""

from __future__ import annotations

import math
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd.sim import SynAxis, SynSignal

from adsupport.callbacks.spec import SpecWriterCallback

from .made import MadeRun, play
from .readback import both, by_silx, by_spec2nexus


@pytest.fixture
def devices():
    m1, m2 = SynAxis(name="m1"), SynAxis(name="m2")
    det = SynSignal(name="det", func=lambda: np.int64(round(m1.position * 10)))
    mon = SynSignal(name="mon", func=lambda: bool(m1.position > 0))
    return m1, m2, det, mon


@pytest.fixture
def session(tmp_path):
    RE = RunEngine({}, call_returns_result=False)
    writer = SpecWriterCallback(tmp_path / "live.dat")
    RE.subscribe(writer.receiver)
    return RE, writer, tmp_path / "live.dat"


def test_plans_of_all_kinds_are_scans(session, devices):
    RE, writer, path = session
    m1, m2, det, mon = devices
    RE(bp.count([det], 2))
    RE(bp.scan([det, mon], m1, -1, 1, 3))
    RE(bpp.baseline_wrapper(bp.rel_scan([det], m1, -1, 1, 3), [m1, m2]))
    RE(bp.grid_scan([det], m1, 0, 1, 2, m2, 5, 7, 3, True))
    lists: list[Any] = [m1, [3, 1, 2], m2, [4, 5, 6]]
    RE(bp.list_scan([det], *lists))
    RE(bp.rel_list_scan([det], *[m1, [0, 2]]))
    writer.wait_writer(20)
    count, scan, rel, grid, listed, rel_list = both(path)
    assert count.labels == ["Epoch", "Epoch_float", "det"]
    assert scan.labels == ["m1", "Epoch", "Epoch_float", "m1_setpoint", "mon", "det"]
    assert scan.column("det") == [-10, 0, 10]
    assert scan.column("mon") == [0, 0, 1]
    assert rel.column("m1") == [0, 1, 2]
    assert rel.positions["m1"] == 1
    assert grid.labels[:3] == ["m1", "m2", "Epoch"]
    assert grid.column("m2") == [5, 6, 7, 7, 6, 5]
    assert listed.column("m1") == [3, 1, 2]
    assert rel_list.column("m1") == [2, 4]
    assert [each.command.partition("(")[0] for each in by_spec2nexus(path)] == [
        *("count", "scan", "rel_scan", "grid_scan", "list_scan", "rel_list_scan"),
    ]
    assert scan.command == (
        "scan(detectors=['det', 'mon'], num=3, args='['m1', -1, 1]', per_step='None')"
    )


def test_an_aborted_plan_is_a_scan(session, devices):
    RE, writer, path = session
    m1, _, det, _ = devices

    def plan():
        yield from bps.open_run({"motors": ["m1"], "detectors": ["det"]})
        for position in (0.5, 1):
            yield from bps.mv(m1, position)
            yield from bps.trigger_and_read([det, m1])
            writer.spec_comment(f"at {position}")
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        RE(plan())
    RE(bp.count([det]))
    writer.wait_writer(20)
    aborted, counted = both(path)
    assert aborted.column("m1") == [0.5, 1]
    said = [each.partition(".  ")[2] for each in aborted.comments]
    assert said.index("at 0.5") < said.index("at 1")
    assert said[-3:] == ["Scan aborted after 2 points.", "exit_status = fail", "reason = enough"]
    assert counted.column("det") == [10]


def test_numbers_of_numpy_and_booleans_are_numbers(tmp_path):
    path = tmp_path / "numbers.dat"
    rows = [
        {"i": np.int32(7), "u": np.uint64(2**64 - 1), "b": True, "nb": np.bool_(False)},
        {"i": np.int8(-7), "u": np.uint8(3), "b": False, "nb": np.bool_(True)},
    ]
    play(SpecWriterCallback(path), MadeRun().documents(rows))
    scan = both(path)[0]
    assert scan.column("i") == [7, -7]
    assert scan.column("u") == [float(2**64 - 1), 3]
    assert scan.column("b") == [1, 0]
    assert scan.column("nb") == [0, 1]
    assert "True" not in path.read_text()


def test_a_value_that_looks_like_code_is_text(tmp_path):
    path = tmp_path / "code.dat"
    rows = [{"x": "__import__('os')", "y": 1}, {"x": "nan", "y": 2}]
    play(SpecWriterCallback(path), MadeRun().documents(rows))
    scan = both(path)[0]
    assert scan.column("y") == [1, 2]
    assert scan.texts == ["x = __import__('os')", "x = nan"]


def test_a_line_in_the_metadata_is_no_row(tmp_path):
    path = tmp_path / "metadata.dat"
    title = "one\n1 2 3\n#S 99 none\r\n#E 5\x0b#N 7\x85#L a\u2028@A 1 2\\"
    run = MadeRun(title=title, **{"a = b": 1, "two words": [np.float64(1.5)]})
    play(SpecWriterCallback(path), run.documents([{"x": 1}]))
    scan = both(path)[0]
    assert scan.column("x") == [1]
    assert scan.number == "1"
    assert scan.metadata["title"].encode().decode("unicode_escape") == title
    assert scan.metadata[r"two\x20words"] == "[1.5]"
    assert scan.metadata[r"a\x20\x3d\x20b"] == "1"


def test_a_run_may_be_played_twice(tmp_path):
    path = tmp_path / "again.dat"
    writer = SpecWriterCallback(path)
    documents = MadeRun().documents([{"x": 1}])
    play(writer, documents)
    play(writer, documents)
    assert [each.number for each in by_silx(path)] == ["1.1", "1.2"]


def test_the_unusual_costs_no_row_around_it(tmp_path):
    path = tmp_path / "some.dat"
    rows = [{"x": float(n), "y": n} for n in range(1000)]
    rows[500] = {"x": math.inf, "y": 500}
    play(SpecWriterCallback(path), MadeRun().documents(rows))
    scan = both(path)[0]
    assert scan.column("y") == list(range(1000))
    assert scan.column("x") == [each["x"] for each in rows]


def test_pages_are_rows(tmp_path):
    path = tmp_path / "pages.dat"
    run = MadeRun()
    start, descriptor, *events, stop = run.documents([{"x": n / 4} for n in range(10)])
    docs = [doc for _, doc in events]
    page = {key: [doc[key] for doc in docs] for key in ("uid", "seq_num", "time")}
    page |= {"descriptor": docs[0]["descriptor"], "filled": {}}
    page |= {key: {"x": [doc[key]["x"] for doc in docs]} for key in ("data", "timestamps")}
    play(SpecWriterCallback(path), [start, descriptor, ("event_page", page), stop])
    assert both(path)[0].column("x") == [n / 4 for n in range(10)]


def test_positions_come_before_any_number_of_rows(tmp_path):
    path = tmp_path / "long.dat"
    run = MadeRun()
    rows = [{"x": n} for n in range(5000)]
    play(SpecWriterCallback(path), run.documents(rows, {"m": 1.5}))
    scan = both(path)[0]
    assert scan.positions == {"m": 1.5}
    assert len(scan.column("x")) == 5000
