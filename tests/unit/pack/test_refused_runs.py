"""Runs that are refused beside others, that aren't finished, or that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adsupport.documents.json_lines import read_documents
from adsupport.errors import DocumentError, PackError, RunNotFoundError
from adsupport.pack import open_pack, pack, verify

from .made_packs import images, run_of, write_hdf5
from .source_runs import hdf5_run, sums_are_right, tree

JOURNAL = ".adsupport-pack.journal"


def changed(documents: list[Any]) -> list[Any]:
    documents[1][1]["name"] = "another"
    return documents


def test_others_are_packed_beside_a_run_that_is_refused(tmp_path: Path) -> None:
    pack(run_of(2), tmp_path / "out")
    runs = [hdf5_run(tmp_path, 1), changed(run_of(2)), hdf5_run(tmp_path, 3)]
    uids = [run[0][1]["uid"] for run in runs]
    with pytest.raises(PackError, match=f"1 run is refused .*{uids[1]}.* with other documents"):
        pack(runs, tmp_path / "out")
    assert verify(tmp_path / "out").ok
    assert [run.uid for run in open_pack(tmp_path / "out")] == uids
    result = pack(runs, tmp_path / "out", strict=False)
    assert [*result.failed] == [uids[1]]
    assert result.known == (uids[0], uids[2])
    assert f"1 refused:\nrun {uids[1]}: " in str(result)


def test_runs_of_one_stream_are_packed_beside_one_that_is_refused(tmp_path: Path) -> None:
    pack(run_of(2), tmp_path / "out")
    stream = [each for run in (run_of(1), changed(run_of(2)), run_of(3)) for each in run]
    bad = [*stream, ("start", {"uid": "x"}), ("resource", {}), ("event", {}), *run_of(4)]
    result = pack(bad, tmp_path / "out", strict=False)
    assert [uid[-1] for uid in result.failed] == ["2", "x"]
    assert [uid[-1] for uid in result.added] == ["1", "3", "4"]
    assert verify(tmp_path / "out").ok


def test_a_source_that_breaks_off_leaves_a_finished_pack(tmp_path: Path) -> None:
    def broken() -> Any:
        yield from run_of(2)[:3]
        raise DocumentError("line 4 isn't a document")

    result = pack([run_of(1), broken(), run_of(3)], tmp_path / "out", strict=False)
    assert len(result.added) == 2
    assert len(result.failed) == 1
    with pytest.raises(DocumentError, match="isn't a stored run"):
        pack([run_of(4), 7], tmp_path / "out")
    assert len(open_pack(tmp_path / "out")) == 3
    assert verify(tmp_path / "out").ok


def test_files_of_a_run_that_is_refused_leave_no_trace(tmp_path: Path) -> None:
    for where in "ab":
        write_hdf5(tmp_path / where / "scan_2.h5", images() + ord(where))
        write_hdf5(tmp_path / where / "first.h5", images())
    first = hdf5_run(tmp_path / "a", 2)
    pack(first, tmp_path / "out")
    before = tree(tmp_path / "out")
    second = run_of(3)
    second[2:2] = [
        each for each in hdf5_run(tmp_path / "a", 1, "first.h5") if each[0] in ("resource", "datum")
    ]
    last = dict(first[2][1], uid="r", run_start=second[0][1]["uid"])
    datum = {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"point_number": 0}}
    second[-1:-1] = [("resource", last), ("datum", datum)]
    with pytest.raises(PackError, match="can't be packed beside"):
        pack(second, tmp_path / "out", path_map={str(tmp_path / "a"): tmp_path / "b"})
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("form", ["jsonl", "msgpack"])
def test_a_run_that_goes_on_replaces_its_beginning(tmp_path: Path, form: Any) -> None:
    whole = hdf5_run(tmp_path / "data")
    write_hdf5(tmp_path / "data/scan_1.h5", images(2))
    begun = whole[: [name for name, _ in whole].index("event") + 1]
    result = pack(begun, tmp_path / "out", format=form)
    assert result.remarks == (
        f"Run {whole[0][1]['uid']} has no stop document: once it's finished, pack it again.",
    )
    write_hdf5(tmp_path / "data/scan_1.h5", images(3))
    for cut in (-1, None):
        result = pack(whole[:cut], tmp_path / "out")
        assert (len(result.added), result.known) == (1, ())
        assert sums_are_right(tmp_path / "out")
    assert result.remarks == ()
    assert tree(tmp_path / "out") == tree(pack(whole, tmp_path / "b", format=form).directory)
    assert pack(whole, tmp_path / "out").known == (whole[0][1]["uid"],)


def test_a_run_that_goes_on_loses_no_whole_file(tmp_path: Path) -> None:
    whole = hdf5_run(tmp_path / "data")
    pack(whole[:-1], tmp_path / "out")
    before = (tmp_path / "data/scan_1.h5").read_bytes()
    (tmp_path / "data/scan_1.h5").write_bytes(before[:1000])
    (missing,) = pack(whole, tmp_path / "out", strict=False).missing
    assert "before it was changed" in missing.reason
    assert verify(tmp_path / "out").ok
    (tmp_path / "data/scan_1.h5").write_bytes(before)
    assert pack(whole, tmp_path / "out").missing == ()


@pytest.mark.parametrize("cut", [3, -1])
def test_a_run_that_went_another_way_is_refused(tmp_path: Path, cut: int) -> None:
    pack(run_of(1)[:cut], tmp_path / "out")
    before = tree(tmp_path / "out")
    with pytest.raises(DocumentError, match="with other documents"):
        pack(changed(run_of(1)), tmp_path / "out")
    with pytest.raises(DocumentError, match="with other documents"):
        pack(run_of(1)[:2], tmp_path / "out")  # shorter
    assert tree(tmp_path / "out") == before


def test_nothing_follows_a_stop(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    with pytest.raises(DocumentError, match="with other documents"):
        pack([*run_of(1), ("event", {"x": 1})], tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello\n", r"line 1 of .*bad\.jsonl"),
        ('["start", {"uid": 1}]\n', r"line 1 of .*bad\.jsonl.* uid 1"),
        ("", r"bad\.jsonl has no run"),
    ],
)
def test_lines_that_are_no_run_make_no_pack(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bad.jsonl").write_text(text)
    for source in ("in", "in/bad.jsonl"):
        match = problem if text or source != "in" else "in has no run"
        with pytest.raises((DocumentError, RunNotFoundError), match=match):
            pack(tmp_path / source, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_file_cut_short_is_remarked(tmp_path: Path) -> None:
    lines = [json.dumps(each) for each in run_of(1)]
    (tmp_path / "cut.jsonl").write_text("\n".join(lines)[:-50])
    assert "has no stop" in pack(tmp_path / "cut.jsonl", tmp_path / "out").remarks[0]
    assert len(list(read_documents(tmp_path / "cut.jsonl"))) == len(lines) - 1
