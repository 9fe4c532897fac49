"""Scans of all kinds: silx and spec2nexus read back what the documents said."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import silx.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adsupport.callbacks.spec import SpecWriterCallback

from .made import BEGUN, MadeRun, play
from .readback import both, by_silx, by_spec2nexus

NUMBERS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(2**80), 2**80),
    st.booleans(),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.integers(0, 2**64 - 1).map(np.uint64),
    st.booleans().map(np.bool_),
)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
ARRAYS = st.lists(st.floats(allow_nan=False), min_size=1, max_size=5).map(np.array)
METADATA = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.one_of(st.text(), st.none(), st.lists(st.text(), max_size=3), st.floats(), NUMBERS),
    max_size=4,
)
FIXED = ("uid", "time", "scan_id", "plan_name", "motors", "detectors", "positioners", "plan_args")


@st.composite
def runs(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    array_names = [f"mca{n}" for n in range(draw(st.integers(0, 2)))]
    lengths = [draw(st.integers(1, 4)) for _ in array_names]
    rows = draw(st.lists(st.tuples(*(NUMBERS for _ in names)), max_size=6))
    finite = st.floats(allow_nan=False)
    data = []
    for row in rows:
        arrays = [draw(st.lists(finite, min_size=n, max_size=n)) for n in lengths]
        named = dict(zip(names, row, strict=True))
        data.append({**named, **dict(zip(array_names, map(np.array, arrays), strict=True))})
    split = draw(st.integers(0, len(names)))
    metadata = {key: v for key, v in draw(METADATA).items() if key not in FIXED and key != "G"}
    baseline = draw(st.none() | st.dictionaries(NAMES, NUMBERS, max_size=12))
    return names[:split], names[split:], data, metadata, baseline


@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=st.lists(runs(), min_size=1, max_size=3))
def test_any_run_is_read_back(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "any.dat"
    writer = SpecWriterCallback(path)
    documents = []
    for number, (motors, detectors, rows, metadata, baseline) in enumerate(made, 5):
        run = MadeRun(f"run-{number}", number, motors=motors, detectors=detectors, **metadata)
        documents.append(run.documents(rows, baseline))
    results = play(writer, *documents)
    assert [each.skipped for each in results] == [[]] * len(made)

    scans = both(path)
    assert [each.number for each in scans] == [str(n) for n in range(5, 5 + len(made))]
    for scan, (motors, detectors, rows, _, baseline) in zip(scans, made, strict=True):
        order = [*motors, None, None, *detectors[1:], *detectors[:1]]
        columns = scan.columns if rows else []
        for key, found in zip(order, columns, strict=bool(rows)):
            if key is not None:
                assert found == [float(row[key]) for row in rows]
        if rows:
            at = len(motors)
            assert scan.columns[at + 1] == [(n + 1) / 8 for n in range(len(rows))]
            assert scan.columns[at] == [math.floor((n + 1) / 8 + 0.5) for n in range(len(rows))]
        arrays = [value for row in rows for key, value in row.items() if key not in order]
        assert scan.arrays == [each.tolist() for each in arrays]
        if baseline is not None:
            assert list(scan.positions.values()) == [float(each) for each in baseline.values()]


def test_a_scan_is_as_spec_would_write_it(tmp_path):
    run = MadeRun(
        scan_id=7,
        plan_name="scan",
        plan_args={"num": 2, "args": ["SynAxis(prefix='', name='m1')", -1, 1]},
        motors=("m1",),
        detectors=["i0", "det"],
        note="two\nlines",
    )
    rows = [{"det": 3, "m1": -1.0, "i0": 10, "t": 0.1}, {"det": 4, "m1": 1.0, "i0": 11, "t": 0.2}]
    hints = {"m1": ["m1"], "i0": ["i0"], "det": ["det"]}
    path = tmp_path / "one.dat"
    play(SpecWriterCallback(path), run.documents(rows, {"m1": 0.25, "m2": 5}, hints=hints))
    lines = path.read_text().splitlines()
    assert lines[0] == f"#F {path}"
    assert lines[1] == "#E 1700000000"
    assert lines[2].startswith("#D ")
    assert lines[3].startswith("#C Bluesky  user = ")
    assert lines[5:9] == ["#O0 m1  m2", "#o0 m1  m2", "", "#S 7  scan(num=2, args='['m1', -1, 1]')"]
    keys = [each.partition(" ")[0] for each in lines[8:]]
    assert keys == [
        *("#S", "#D", "#C", "#C", *["#MD"] * 8, "#P0", "#N", "#L"),
        *("-1.0", "1.0", "#C", "#C", "#C"),
    ]
    assert "#P0 0.25 5" in lines
    assert r"#MD note = two\nlines" in lines
    assert lines[-6:-3] == [
        "#L m1  Epoch  Epoch_float  t  det  i0",
        "-1.0 0 0.125 0.1 3 10",
        "1.0 0 0.25 0.2 4 11",
    ]
    assert [each.partition(".  ")[2] for each in lines[-3:]] == [
        "num_events_baseline = 1",
        "num_events_primary = 2",
        "exit_status = success",
    ]
    scan = both(path)[0]
    assert scan.metadata["note"] == r"two\nlines"
    assert scan.metadata["uid"] == "run-1"


@pytest.mark.parametrize(
    "metadata",
    [
        {"G": {"G0": [1.0, 0.5], "G1": "0 1 2"}},
        {"G": [np.array([1.0, 0.5]), (0, 1, 2)]},
        {"#G1": [0, 1, 2], "G0": "1.0 0.5", "G": "no geometry"},
    ],
)
def test_a_geometry_in_the_metadata_has_its_lines(tmp_path, metadata):
    path = tmp_path / "geometry.dat"
    play(SpecWriterCallback(path), MadeRun(**metadata).documents([{"x": 1}]))
    lines = path.read_text().splitlines()
    assert [each for each in lines if each.startswith("#G")] == ["#G0 1.0 0.5", "#G1 0 1 2"]
    assert by_silx(path)[0].column("x") == [1]


def test_all_of_silx_reads_a_file(tmp_path):
    path = tmp_path / "all.dat"
    rows = [{"x": n, "a": np.arange(3) + n, "b": np.arange(5.0) * n} for n in range(4)]
    first = MadeRun("run-1", 1).documents(rows, {"m1": 1.5})
    second = MadeRun("run-2", 2).documents([{"x": 1.5}])
    play(SpecWriterCallback(path), first, second, MadeRun("run-3", 3).documents([]))
    opened: Any = silx.io.open(str(path))
    with opened as file:
        assert file["1.1/title"][()].endswith("count()")
        assert file["1.1/measurement/x"][()].tolist() == [0, 1, 2, 3]
        assert file["1.1/instrument/positioners/m1"][()] == 1.5
        spectra = file["1.1/instrument/mca_1/data"][()]
        assert spectra.tolist() == [row["b"].tolist() for row in rows]
        assert file["1.1/instrument/mca_0/channels"][()].tolist() == [0, 1, 2]
        assert file["2.1/measurement/x"][()].tolist() == [1.5]
        assert list(file) == ["1.1", "2.1", "3.1"]


def test_arrays_of_varying_lengths_stay_with_their_rows(tmp_path):
    path = tmp_path / "varying.dat"
    rows = [{"n": n, "mca": np.arange(n), "grid": np.eye(2) * n} for n in range(1, 5)]
    varying = {"mca": {"shape": [None]}}
    results = play(SpecWriterCallback(path), MadeRun().documents(rows, **varying))
    assert results[0].remarks == []
    scan = both(path)[0]
    assert scan.arrays[0::2] == [list(range(n)) for n in range(1, 5)]
    assert scan.arrays[1::2] == [[n, 0, 0, n] for n in range(1, 5)]
    assert any(each.endswith("lines @A of a row = mca ?, grid 2x2") for each in scan.comments)


def test_what_is_no_number_stands_behind_its_row(tmp_path):
    path = tmp_path / "texts.dat"
    run = MadeRun()
    documents = run.documents(
        [
            {"x": 1, "name": "one", "mca": np.array([1, 2])},
            {"x": "broken", "name": "tab\tand @", "mca": np.array(["a"])},
            {"x": None, "name": "three", "mca": np.array([math.nan])},
        ]
    )
    late = {"x": 4, "name": "four", "mca": np.array([5, 6]), "late": {"a": 1}}
    descriptor = {**run.descriptor(late), "uid": "another"}
    documents[-1:] = [
        ("descriptor", descriptor),
        ("event", {**run.event(late), "descriptor": "another"}),
        ("stop", run.stop()),
    ]
    writer = SpecWriterCallback(path, strict=False)
    result = play(writer, documents)[0]
    scan = by_spec2nexus(path)[0]
    assert scan.texts == [
        "name = one",
        "mca = ['a']",
        r"name = tab\tand \x40",
        "x = broken",
        "mca = [nan]",
        "name = three",
        "name = four",
        "late = {'a': 1}",
    ]
    assert str(scan.column("x")) == "[1.0, nan, nan, 4.0]"
    assert scan.arrays == [[1, 2], [], [], [5, 6]]
    assert by_silx(path)[0].arrays == [[1, 2], [], [], [5, 6]]
    told = "".join(result.remarks)
    assert "Column 'x' has values that are no numbers (in 1 rows)" in told
    assert "Array 'mca' is NaN, or has values that are no numbers (in 2 rows)" in told
    assert "'late' came after the columns" in told


def test_nan_is_nan_for_spec2nexus_and_costs_silx_no_row(tmp_path):
    path = tmp_path / "nan.dat"
    rows = [{"m": 1.5, "x": math.nan}, {"m": math.nan, "x": -math.inf}, {"m": 3, "x": 4}]
    run = MadeRun(motors=["m"], detectors=["x"])
    result = play(SpecWriterCallback(path), run.documents(rows, {"pos": math.nan}))[0]
    scan, seen = by_spec2nexus(path)[0], by_silx(path)[0]
    assert str(scan.column("x")) == "[nan, -inf, 4.0]"
    assert str(scan.column("m")) == "[1.5, nan, 3.0]"
    # When silx learns to read NaN, this fails, and the remark can go.
    assert seen.column("x") == [0, -math.inf, 4]
    assert seen.column("m") == [1.5, 0, 3]
    assert math.isnan(scan.positions["pos"])
    assert math.isnan(seen.positions["pos"])
    assert len(result.remarks) == 2
    assert "Column 'x' has NaN" in "".join(result.remarks)
    assert sum("has NaN" in each for each in scan.comments) == 2


def test_another_number_can_stand_for_nan(tmp_path):
    path = tmp_path / "nan.dat"
    rows = [{"x": math.nan, "y": 1}, {"x": None, "y": 2}]
    play(SpecWriterCallback(path, nan=-1), MadeRun().documents(rows))
    assert both(path)[0].column("x") == [-1, -1]


def test_an_aborted_run_has_its_rows(tmp_path):
    path = tmp_path / "abort.dat"
    run = MadeRun()
    documents = run.documents([{"x": 1.0}, {"x": 2.0}])
    documents[-1] = ("stop", run.stop("abort", reason="beam\nlost"))
    play(SpecWriterCallback(path), documents)
    scan = both(path)[0]
    assert scan.column("x") == [1, 2]
    said = [each.partition(".  ")[2] for each in scan.comments]
    assert said[-4:] == [
        "num_events_primary = 2",
        "Scan aborted after 2 points.",
        "exit_status = abort",
        r"reason = beam\nlost",
    ]


def test_a_run_without_rows_is_a_scan(tmp_path):
    path = tmp_path / "empty.dat"
    play(
        SpecWriterCallback(path),
        MadeRun("run-1", 1).documents([]),
        MadeRun("run-2", 2).documents([{"x": 1}]),
        MadeRun("run-3", 3).documents([], {"m1": 1}),
    )
    scans = both(path)
    assert [each.labels for each in scans] == [[], ["Epoch", "Epoch_float", "x"], []]
    assert scans[2].positions == {"m1": 1}


def test_positions_of_all_motors_come_from_their_stream(tmp_path):
    path = tmp_path / "motors.dat"
    run = MadeRun()
    motors = {f"motor {n}": n / 4 for n in range(20)}
    documents = run.documents([{"x": 1}], {"temperature": 20.5, "motor 3": 99, "id": "sample"})
    extra = [
        ("descriptor", run.descriptor(motors, "label_start_motor")),
        ("event", run.event(motors, "label_start_motor")),
    ]
    documents[1:1] = extra
    play(SpecWriterCallback(path), documents)
    scan = both(path)[0]
    names = [each if len(each) > 7 else each.replace(" ", "_") for each in motors]
    assert scan.positions == {**dict(zip(names, motors.values(), strict=True)), "temperature": 20.5}
    assert scan.texts == ["id = sample"]
    text = path.read_text()
    assert "#O2 motor 16  motor 17  motor 18  motor 19  temperature\n" in text
    assert "#o2 motor_16  motor_17" in text
    assert "#P2 4.0 4.25 4.5 4.75 20.5\n" in text


def test_positioners_may_change_and_come_back(tmp_path):
    path = tmp_path / "change.dat"
    baselines = [{"a": 1}, {"a": 2}, {"b": 3, "a": 4}, None, {"a": 5}]
    runs = [
        MadeRun(f"run-{n}", n).documents([{"x": n}], each) for n, each in enumerate(baselines, 1)
    ]
    play(SpecWriterCallback(path), *runs)
    scans = both_but_positions(path)
    assert [each.positions for each in scans] == [each or {} for each in baselines]
    assert path.read_text().count("#F ") == 3


def both_but_positions(path):
    """Read with both; silx gives a scan without positions those of nobody."""
    found, seen = by_spec2nexus(path), by_silx(path)
    assert [each.columns for each in found] == [each.columns for each in seen]
    assert [each.positions for each in found] == [each.positions for each in seen]
    return found


def test_no_more_positioners_than_readers_have_room_for(tmp_path):
    path = tmp_path / "many.dat"
    many = {f"m{n}": n for n in range(400)}
    result = play(SpecWriterCallback(path), MadeRun().documents([{"x": 1}], many))[0]
    assert len(both(path)[0].positions) == 256
    assert "144 positioners from 'm256' on" in result.remarks[0]


@pytest.mark.parametrize("exit_status", ["success", "fail"])
def test_numbers_repeat_as_the_runs_do(tmp_path, exit_status):
    path = tmp_path / "twice.dat"
    for uid in ("first", "second"):
        play(SpecWriterCallback(path), MadeRun(uid, 3).documents([{"x": 1}]))
    assert [each.number for each in both(path)] == ["3", "3.1"]
    assert [each.number for each in by_silx(path)] == ["3.1", "3.2"]


def test_a_run_without_number_gets_the_next_one(tmp_path):
    path = tmp_path / "next.dat"
    play(
        SpecWriterCallback(path),
        MadeRun("a", 41).documents([{"x": 1}]),
        MadeRun("b", None).documents([{"x": 1}]),
    )
    assert [each.number for each in both(path)] == ["41", "42"]


def test_events_out_of_step_with_the_clock(tmp_path):
    path = tmp_path / "clock.dat"
    run = MadeRun()
    documents = run.documents([{"x": 1}])
    documents[2][1]["time"] = BEGUN - 3600.75
    play(SpecWriterCallback(path), documents)
    scan = both(path)[0]
    assert scan.column("Epoch") == [-3601]
    assert scan.column("Epoch_float") == [-3600.75]
