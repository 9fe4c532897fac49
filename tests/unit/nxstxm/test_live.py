"""NXstxmWriter: scans that come live, one file each, however they end."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from ophyd import Signal

from adsupport import nxstxm
from adsupport.errors import (
    ConfigurationError,
    OutputError,
    OutputExistsError,
    OutputNameError,
    RunNotFoundError,
    StxmDataError,
    StxmMetadataError,
)
from adsupport.nxstxm import writer as writer_module

from .stxm_checks import check_file, opened
from .stxm_metadata import metadata
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan

SLOW = functools.partial(pytest.param, marks=pytest.mark.slow)
NAME = "S{start[scan_id]:03d}"
IMAGE = StxmScan(6)
STACK = StxmScan(7, energies=(700.0, 701.5, 705.0))


def play(writer: nxstxm.NXstxmWriter, *sent: Documents) -> None:
    for documents in sent:
        for name, doc in documents:
            writer.receiver(name, doc)


def again(scan: StxmScan, uids: str, later: int = 100) -> list[Documents]:
    """The same scan later, as another one of the same session."""
    made = runs(replace(scan, uids=uids))
    for documents in made:
        documents[0][1]["scan_id"] += later
    return made


def files(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def soft_scan(scan: StxmScan, stop: int | None = None) -> Iterator[Any]:
    """A plan on soft signals: a run for each image, an event for each point."""
    counters: dict[str, Any] = {name: Signal(name=name, value=0) for name in scan.counters}
    moved: list[Any] = [Signal(name=scan.key(name), value=0.0) for name in scan.positioners]
    fast, slow = moved
    for number, index in enumerate(scan.indexes()):
        yield from bps.open_run(md={"metadata": json.dumps(metadata(scan, **index))})
        for i in range(scan.ny):
            for j in scan.order(i):
                if stop == number and i:
                    raise RuntimeError("beam dump")
                yield from bps.mv(slow, float(scan.y_at(i, j)), fast, float(scan.x_at(i, j)))
                for counter, signal in enumerate(counters.values()):
                    value = scan.value(counter, i, j, **{"e": index["e"], "pol": index["pol"]})
                    yield from bps.mv(signal, value)
                yield from bps.create()
                for signal in (*counters.values(), fast, slow):
                    yield from bps.read(signal)
                yield from bps.save()
        yield from bps.close_run()


SOFT = {"per_line": False, "energy": None, "ring": None, "baseline": 0}


@pytest.mark.parametrize(
    ("kind", "snaking"),
    [
        (6, True),
        (7, False),
        *(SLOW(*each) for each in [(0, True), (6, False), (7, True), (9, True)]),
    ],
)
def test_with_a_run_engine(kind: int, snaking: bool, tmp_path: Path) -> None:
    energies = STACK.energies if kind == 7 else (700.0,)
    scan = StxmScan(kind, nx=4, ny=2, snaking=snaking, energies=energies, **SOFT)  # type: ignore[arg-type]
    writer, came = nxstxm.NXstxmWriter(tmp_path, NAME), []
    engine = RunEngine({}, context_managers=[])
    engine.subscribe(writer.receiver)
    engine.subscribe(lambda name, doc: came.append((name, doc)))
    engine(soft_scan(scan))
    results = writer.wait_writer(30)
    assert results[-1].paths == [tmp_path / "S001.hdf5"]
    assert files(tmp_path) == ["S001.hdf5"]
    with opened(tmp_path / "S001.hdf5") as file:
        data = file["entry0/counter0/data"][()]
        for e, image in enumerate(data.reshape(-1, 2, 4)):
            assert image.tolist() == [[scan.value(0, i, j, e) for j in range(4)] for i in range(2)]
        uids = file["entry0/collection/runs/uid"].asstr()[()].tolist()
    assert uids == [doc["uid"] for name, doc in came if name == "start"]


def test_a_plan_that_fails_and_the_next_one(tmp_path: Path) -> None:
    scan = replace(STACK, nx=4, ny=2, **SOFT)  # type: ignore[arg-type]
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    engine = RunEngine({}, context_managers=[])
    engine.subscribe(writer.receiver)
    with pytest.raises(RuntimeError, match="beam dump"):
        engine(soft_scan(scan, stop=1))
    results = writer.wait_writer(30)
    # their files are finished at the same time
    assert sorted(each.exit_status for each in results) == ["fail", "success"]
    assert any("Still to come of this scan: 1 run;" in each.remarks[-1] for each in results)
    engine(soft_scan(scan))
    assert writer.wait_writer(30)[-1].paths == [tmp_path / "S003.hdf5"]
    (work,) = tmp_path.glob("*.tmp")
    assert str(work) in results[-1].remarks[-1]
    done = nxstxm.finish_export(tmp_path, "S001", allow_partial=True)
    assert done.missing == ("1 image of entry0: e_idx 2",)
    assert files(tmp_path) == ["S001.hdf5", "S003.hdf5"]


@pytest.mark.parametrize("kind", [4, 7, *map(SLOW, [*range(4), 5, 6, *range(8, 14)])])
def test_each_kind_is_finished_with_its_last_run(kind: int, tmp_path: Path) -> None:
    scan = StxmScan(kind, energies=(700.0, 701.0) if kind in (4, 5, 7, 11) else (700.0,),
                    regions=(3, 8) if kind in (4, 7) else (0,), frame=(2, 3) if kind == 13 else (),
                    per_line=False if kind in (8, 13) else None,
                    angles=(0.0, 30.0) if kind == 11 else (0.0,))  # fmt: skip
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    sent = runs(scan)
    for number, documents in enumerate(sent, 1):
        assert not list(tmp_path.glob("*.hdf5"))
        play(writer, documents)
        (result,) = writer.wait_writer(30)
        left = len(sent) - number
        if left:
            word = "runs" if left > 1 else "run"
            assert f"Still to come of this scan: {left} {word};" in result.remarks[0]
            assert result.paths[0].parent.name == "stxm-0000-S001.tmp"
        else:
            assert result.paths == [tmp_path / "S001.hdf5"]
    check_file(tmp_path / "S001.hdf5", scan, dict(enumerate(sent)))
    assert files(tmp_path) == ["S001.hdf5"]


@pytest.mark.slow
def test_all_runs_at_once(tmp_path: Path) -> None:
    scan = replace(STACK, energies=tuple(700.0 + each for each in range(12)))
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    sent = runs(scan)
    play(writer, *sent)
    results = writer.wait_writer(60)
    assert [path for each in results for path in each.paths].count(tmp_path / "S001.hdf5") == 1
    check_file(tmp_path / "S001.hdf5", scan, dict(enumerate(sent)))
    assert files(tmp_path) == ["S001.hdf5"]


def test_two_stacks_with_the_same_metadata(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    second = again(STACK, "second")
    play(writer, *runs(STACK), *second)
    writer.wait_writer(30)
    check_file(tmp_path / "S001.hdf5", STACK, dict(enumerate(runs(STACK))))
    check_file(tmp_path / "S101.hdf5", STACK, dict(enumerate(second)))
    assert files(tmp_path) == ["S001.hdf5", "S101.hdf5"]


@pytest.mark.parametrize(
    ("came", "stopped"),
    [
        SLOW(1, "between"),
        (2, "abort"),
        SLOW(2, "between"),
        SLOW(1, "abort"),
        SLOW(1, None),
        SLOW(2, None),
    ],
)
def test_an_aborted_stack_and_another_scan(came: int, stopped: str | None, tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    sent = runs(STACK)[:came]
    if stopped != "between":
        sent[-1] = cut(sent[-1], 2, stopped)
    other = again(STACK, "other")
    play(writer, *sent, *other, *again(IMAGE, "image", 200))
    results = writer.close(30)
    assert files(tmp_path) == ["S101.hdf5", "S201.hdf5", "stxm-0000-S001.tmp"]
    early = [each for each in results if each.uid in [one[0][1]["uid"] for one in sent]]
    assert len(early) == came
    assert all("Still to come of this scan" in each.remarks[-1] for each in early)
    check_file(tmp_path / "S101.hdf5", STACK, dict(enumerate(other)))
    done = nxstxm.finish_export(tmp_path, "S001", allow_partial=True)
    check_file(done.path, STACK, dict(enumerate(sent)))


def test_an_image_that_is_begun_anew(tmp_path: Path) -> None:
    """It may be another scan's, too: all of it is there, in two works."""
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    sent, anew = runs(STACK), again(STACK, "anew")[1:]
    play(writer, sent[0], cut(sent[1], 2), *anew)
    results = writer.wait_writer(30)
    assert all("Still to come of this scan" in each.remarks[-1] for each in results)
    assert [len(list(each.glob("*.h5"))) for each in sorted(tmp_path.iterdir())] == [2, 2]
    for documents in (sent[0], *anew):  # one file of them
        nxstxm.export(documents, tmp_path, "all", sent[0][0][1]["uid"])
    done = nxstxm.finish_export(tmp_path, "all")
    check_file(done.path, STACK, dict(enumerate([sent[0], *anew])))


def test_names(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path)
    play(writer, runs(IMAGE)[0])
    (result,) = writer.wait_writer(30)
    assert result.paths[0].name.endswith("-S00001.hdf5") and result.paths[0].name[:4] == "2025"
    writer = nxstxm.NXstxmWriter(tmp_path, "{{{start[scan_id]}}}")
    play(writer, *runs(STACK))
    assert writer.wait_writer(30)[-1].paths[0].name == "{1}.hdf5"
    writer = nxstxm.NXstxmWriter(tmp_path, "{start[nothing]}")
    play(writer, runs(IMAGE)[0])
    with pytest.raises(OutputNameError, match="has no 'nothing'"):
        writer.wait_writer(30)
    assert not writer.wait_writer(30)  # told once


@pytest.mark.parametrize("exists", ["refuse", "bump", "replace"])
def test_the_file_exists(exists: Any, tmp_path: Path) -> None:
    (tmp_path / "S001.hdf5").write_text("mine")
    writer = nxstxm.NXstxmWriter(tmp_path, NAME, exists=exists)
    play(writer, runs(IMAGE)[0])
    if exists == "refuse":
        with pytest.raises(OutputExistsError, match="S001.hdf5 exists already"):
            writer.wait_writer(30)
        assert (tmp_path / "S001.hdf5").read_text() == "mine"
        (tmp_path / "S001.hdf5").unlink()
        nxstxm.finish_export(tmp_path, "S001")
    else:
        (result,) = writer.wait_writer(30)
        assert result.paths == [tmp_path / ("S001-1.hdf5" if exists == "bump" else "S001.hdf5")]


def test_errors_of_a_run_are_told_once_and_cost_that_run_alone(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    (bad,) = again(IMAGE, "bad")
    bad[0][1]["metadata"] = "{}"
    (few,) = again(IMAGE, "few")
    few[0][1]["scan_id"] = 500
    short = [each for each in few if each[1].get("seq_num") != 3 or "baseline" in each[1]["uid"]]
    short[-1][1]["num_events"]["primary"] = 2
    play(writer, bad, short, runs(IMAGE)[0])
    with pytest.raises((StxmMetadataError, StxmDataError)) as told:
        writer.wait_writer(30)
    assert "bad-0000" in str(told.value) or "bad-0000" in "".join(told.value.__notes__)
    assert "few-0000" in str(told.value) or "few-0000" in "".join(told.value.__notes__)
    assert not writer.wait_writer(30)
    assert files(tmp_path) == ["S001.hdf5"]
    assert [each.error is None for each in writer.results].count(True) == 1


def test_a_run_that_isnt_stxm(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    (documents,) = runs(IMAGE)
    del documents[0][1]["metadata"]
    play(writer, documents)
    assert writer.wait_writer(30) == []
    assert files(tmp_path) == []


def test_metadata_that_dont_tell_how_many(tmp_path: Path) -> None:
    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    sent = runs(STACK)
    for documents in sent:
        told = json.loads(documents[0][1]["metadata"])
        del told["wdg_com"]
        for roi in told["rois"].values():
            del roi["EV_ROIS"]
        documents[0][1]["metadata"] = json.dumps(told)
    play(writer, *sent)
    results = writer.wait_writer(30)
    assert all("call finish_export()" in each.remarks[0] for each in results)
    assert nxstxm.finish_export(tmp_path, "S001").path == tmp_path / "S001.hdf5"


@pytest.mark.parametrize(("option", "value"), [("exists", "keep"), ("compat", "als")])
def test_options_are_checked(option: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=option):
        nxstxm.NXstxmWriter(tmp_path, NAME, **{option: value})  # type: ignore[arg-type]
    with pytest.raises(RunNotFoundError):
        nxstxm.finish_export(tmp_path, NAME)


def test_a_file_that_gets_no_name_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name(*_: Any, **__: Any) -> None:
        raise OutputError("no name for it", path=tmp_path, kept=tmp_path / "x.kept", remedy="wait")

    writer = nxstxm.NXstxmWriter(tmp_path, NAME)
    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "finish_export", no_name)
        play(writer, runs(IMAGE)[0])
        with pytest.raises(OutputError, match="no name for it"):
            writer.wait_writer(30)
    (result,) = writer.retry(30)
    assert result.paths == [tmp_path / "S001.hdf5"]
    assert files(tmp_path) == ["S001.hdf5"]
