"""finish_export: what is missing is told, what exists is kept, and names are safe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adsupport import nxstxm
from adsupport.errors import (
    ConfigurationError,
    DocumentError,
    IncompleteScanError,
    OutputExistsError,
    OutputNameError,
    RunNotFoundError,
    StxmDataError,
)

from .slow_params import mostly_slow
from .stxm_checks import check_file, opened
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan

FIRST = "stxm-0000"
STACK = StxmScan(7, energies=(700.0, 701.5, 705.0))
IMAGE = StxmScan(6)


def export(directory: Path, sent: list[Documents], first: str | None = FIRST) -> None:
    for documents in sent:
        nxstxm.export(documents, directory, "C1", first)


def names(directory: Path) -> list[str]:
    return sorted(str(each.relative_to(directory)) for each in directory.rglob("*"))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    export(tmp_path, runs(STACK)[1:2])
    before = names(tmp_path)
    with pytest.raises(IncompleteScanError, match=r"1 run came.*entry0: e_idx 0, 2") as told:
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert told.value.missing == ("2 images of entry0: e_idx 0, 2",)
    assert "allow_partial=True" in str(told.value)
    assert set(names(tmp_path)) - set(before) <= {"stxm-0000-C1.tmp/lock"}
    done = nxstxm.finish_export(tmp_path, "C1", FIRST, allow_partial=True)
    assert done.missing == told.value.missing
    assert str(done).splitlines() == [
        f"{tmp_path / 'C1.hdf5'}: entry0",
        f"missing: {done.missing[0]}",
    ]
    check_file(done.path, STACK, {1: runs(STACK)[1]})
    assert names(tmp_path) == ["C1.hdf5"]
    with opened(Path(done)) as file:
        assert file["entry0/collection/missing"].asstr()[()].tolist() == [*done.missing]


@pytest.mark.parametrize("sequence", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_entries_of_which_nothing_came(sequence: bool, tmp_path: Path) -> None:
    scan = replace(
        STACK, regions=(4, 9), polarizations=((0, 0.0, 0.0), (1, 0.0, 0.0)), sequence=sequence
    )
    indexes = list(scan.indexes())
    came = [n for n, each in enumerate(indexes) if not (each["region"] and each["pol"])]
    sent = runs(scan)
    export(tmp_path, [sent[n] for n in came])
    with pytest.raises(IncompleteScanError) as told:
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    (missing,) = told.value.missing
    assert ("entry3" if sequence else "region 9, polarization 1") in missing
    done = nxstxm.finish_export(tmp_path, "C1", FIRST, allow_partial=True)
    assert done.entries == ("entry0", "entry1", "entry2")


def test_an_aborted_run_counts_as_one(tmp_path: Path) -> None:
    sent = dict(enumerate(runs(STACK)))
    sent[2] = cut(sent[2], 2)
    export(tmp_path, [*sent.values()])
    done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert not done.missing
    check_file(done.path, STACK, sent)


@pytest.mark.parametrize("exists", ["refuse", "bump", "replace"])
def test_a_file_that_exists(exists: str, tmp_path: Path) -> None:
    (tmp_path / "C1.hdf5").write_bytes(b"mine")
    export(tmp_path, runs(IMAGE))
    path = tmp_path / "C1.hdf5"
    if exists == "refuse":
        before = names(tmp_path)
        with pytest.raises(OutputExistsError, match=r"C1.hdf5 exists already"):
            nxstxm.finish_export(tmp_path, "C1", FIRST)
        assert [each for each in names(tmp_path) if "lock" not in each] == before
        path.rename(tmp_path / "other")
        done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    else:
        done = nxstxm.finish_export(tmp_path, "C1", FIRST, exists=exists)  # type: ignore[arg-type]
    assert done.path == (tmp_path / "C1-1.hdf5" if exists == "bump" else path)
    check_file(done.path, IMAGE, {0: runs(IMAGE)[0]})
    if exists == "bump":
        assert path.read_bytes() == b"mine"
    with opened(done.path) as file:
        assert file.attrs["file_name"] == done.path.name


def test_a_directory_or_link_has_the_name(tmp_path: Path) -> None:
    export(tmp_path, runs(IMAGE))
    (tmp_path / "C1.hdf5").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputExistsError):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    nxstxm.finish_export(tmp_path, "C1", FIRST, exists="replace")
    assert not (tmp_path / "nowhere").exists()
    export(tmp_path, runs(replace(IMAGE, uids="b")), None)
    (tmp_path / "C1.hdf5").unlink()
    (tmp_path / "C1.hdf5").mkdir()
    with pytest.raises(OSError, match="C1.hdf5"):
        nxstxm.finish_export(tmp_path, "C1", exists="replace")
    (tmp_path / "C1.hdf5").rmdir()
    assert nxstxm.finish_export(tmp_path, "C1").path == tmp_path / "C1.hdf5"


def test_works_of_the_same_name(tmp_path: Path) -> None:
    for uids in ("a", "b"):
        export(tmp_path, runs(replace(STACK, uids=uids)), f"{uids}-0000")
    with pytest.raises(RunNotFoundError, match=r"a-0000-C1.tmp, b-0000-C1.tmp.*first_uid"):
        nxstxm.finish_export(tmp_path, "C1")
    nxstxm.finish_export(tmp_path, "C1", "b-0000")
    (tmp_path / "C1.hdf5").rename(tmp_path / "b.hdf5")
    nxstxm.finish_export(tmp_path, "C1")
    for uids in ("a", "b"):
        scan = replace(STACK, uids=uids)
        path = tmp_path / ("b.hdf5" if uids == "b" else "C1.hdf5")
        check_file(path, scan, dict(enumerate(runs(scan))))


def test_the_name_of_another_work_ends_alike(tmp_path: Path) -> None:
    (documents,) = runs(IMAGE)
    nxstxm.export(documents, tmp_path, "A-C1")
    with pytest.raises(RunNotFoundError, match=r"'C1'.*stxm-0000-A-C1.tmp"):
        nxstxm.finish_export(tmp_path, "C1")
    nxstxm.export(documents, tmp_path, "C1")
    assert nxstxm.finish_export(tmp_path, "C1").path.name == "C1.hdf5"
    assert nxstxm.finish_export(tmp_path, "A-C1").path.name == "A-C1.hdf5"


def test_nothing_was_exported(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError, match=r"Nothing was exported.*C1"):
        nxstxm.finish_export(tmp_path, "C1")
    with pytest.raises(RunNotFoundError, match=r"stxm-0000-C1.tmp"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    with pytest.raises(RunNotFoundError):
        nxstxm.finish_export(tmp_path / "missing", "C1", FIRST)
    (tmp_path / "stxm-0000-C1.tmp").mkdir()
    with pytest.raises(RunNotFoundError, match="has no run"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert names(tmp_path) == []
    export(tmp_path, runs(IMAGE))
    nxstxm.finish_export(tmp_path, "C1", FIRST)
    with pytest.raises(RunNotFoundError, match="its file is finished"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)


TEMPLATES = {
    "{start[scan_id]:05d}-{start[plan_name]}": "00002-stxm",
    "S{start[time]:%Y}_{{x}}": "S2025_{x}",
    "C1.2.3": "C1.2.3",
    ".hidden": "_hidden",
    "Ĉü名🙂": "Ĉü名🙂",
    "line\nbreak": "line_break",
    "con": "_con",
    "C1.tmp": "C1.tmp",
    "*[a-z]?": "_[a-z]_",
}


@pytest.mark.parametrize("prefix", mostly_slow(TEMPLATES, quick=[*TEMPLATES][:1]))
@pytest.mark.parametrize("given", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_names(prefix: str, given: bool, tmp_path: Path) -> None:
    here = tmp_path / "here"
    # the first in time stands for all, in whatever order they come
    sent = runs(STACK)[1:] if given else runs(STACK)
    first = sent[0][0][1]["uid"]
    for documents in reversed(sent):
        parts = nxstxm.export(documents, here, prefix, first)["nxstxm"]
        assert all(part.parent.parent == here for part in parts)
    name = TEMPLATES[prefix] if given else TEMPLATES[prefix].replace("00002", "00001")
    done = nxstxm.finish_export(here, prefix, first if given else None, allow_partial=given)
    assert done.path == here / f"{name}.hdf5"
    assert names(tmp_path) == ["here", f"here/{name}.hdf5"]


@pytest.mark.slow
def test_very_long_names(tmp_path: Path) -> None:
    long, other = "x" * 300, "x" * 300 + "y"
    (documents,) = runs(IMAGE)
    for prefix in (long, other):
        nxstxm.export(documents, tmp_path, prefix)
    done = {nxstxm.finish_export(tmp_path, prefix).path for prefix in (long, other)}
    assert len(done) == 2 and all(len(each.name) < 256 for each in done)
    assert set(tmp_path.iterdir()) == done


@pytest.mark.parametrize(
    "prefix", ["{", "a}b", "{start.uid}", "{start[nothing]}", "", " ", "../C1", "a\\b"]
)
def test_bad_templates_are_told_before_anything_is_written(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(OutputNameError):
        nxstxm.export(runs(IMAGE)[0], tmp_path, prefix)
    assert names(tmp_path) == []


@pytest.mark.parametrize("prefix", [None, 3, Path("C1"), b"C1"])
def test_prefixes_that_are_no_text(prefix: object, tmp_path: Path) -> None:
    for call in (lambda: nxstxm.export(runs(IMAGE)[0], tmp_path, prefix),  # type: ignore[arg-type]
                 lambda: nxstxm.finish_export(tmp_path, prefix)):  # type: ignore[arg-type]  # fmt: skip
        with pytest.raises(ConfigurationError, match="file_prefix"):
            call()


@pytest.mark.parametrize(
    "uid",
    mostly_slow(
        ["../../../evil", "/abs", "a/b", ".", "u" * 300, "ünï", "{x}", "nul", "a\nb"],
        quick=("../../../evil", "u" * 300, "{x}"),
    ),
)
def test_hostile_uids(uid: str, tmp_path: Path) -> None:
    here = tmp_path / "a" / "b"
    (documents,) = runs(replace(IMAGE, uids=uid))
    nxstxm.export(documents, here, "C1")
    assert nxstxm.finish_export(here, "C1", documents[0][1]["uid"]).path == here / "C1.hdf5"
    assert names(tmp_path) == ["a", "a/b", "a/b/C1.hdf5"]


def test_uids_that_are_made_safe_alike(tmp_path: Path) -> None:
    one, two = (replace(STACK, energies=(700.0, 701.0), uids=uids) for uids in ("a/b", "a?b"))
    sent = [runs(one)[0], runs(two)[1]]
    export(tmp_path, sent)
    done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    check_file(done.path, one, dict(enumerate(sent)))


def test_the_same_run_again(tmp_path: Path) -> None:
    (documents,) = runs(IMAGE)
    export(tmp_path, [documents] * 3)
    nxstxm.export([*documents, *documents], tmp_path, "C1", FIRST)
    check_file(nxstxm.finish_export(tmp_path, "C1", FIRST).path, IMAGE, {0: documents})
    assert names(tmp_path) == ["C1.hdf5"]


def test_two_runs_for_one_place(tmp_path: Path) -> None:
    sent = dict(enumerate(runs(STACK)))
    # another try, later: the first one of the three whose all points came stays in its place
    (anew,) = runs(replace(STACK, energies=(700.0,), uids="anew"))
    meta = sent[0][0][1]["metadata"]
    anew = [(name, {**doc, "metadata": meta} if name == "start" else doc) for name, doc in anew]
    export(
        tmp_path, [*sent.values(), [(n, {**d, "time": d["time"] + 1e6}) for n, d in cut(anew, 1)]]
    )
    done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    (remark,) = done.remarks
    assert "anew-0000" in remark and "stxm-0000" in remark and "(abort)" in remark
    check_file(done.path, STACK, sent)


def test_runs_of_different_kinds(tmp_path: Path) -> None:
    export(tmp_path, [runs(STACK)[0], runs(replace(IMAGE, uids="image"))[0]])
    with pytest.raises(
        StxmDataError, match=r"image-0000: SAMPLE_IMAGE; stxm-0000: SAMPLE_IMAGE_STACK"
    ):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert "C1.hdf5" not in names(tmp_path)


def test_two_images_for_one_entry(tmp_path: Path) -> None:
    export(tmp_path, [*runs(IMAGE), *runs(replace(IMAGE, uids="b"))])
    with pytest.raises(StxmDataError, match=r"2 runs came for entry entry0: b-0000, stxm-0000"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)


def test_images_of_different_sizes(tmp_path: Path) -> None:
    other = replace(STACK, nx=6, uids="b")
    export(tmp_path, [runs(STACK)[0], runs(other)[1], runs(STACK)[2]])
    with pytest.raises(StxmDataError, match=r"stxm-0002: 3 x 5; b-0001: 3 x 6"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert "C1.hdf5" not in names(tmp_path)


def test_regions_of_different_sizes_have_entries_of_their_own(tmp_path: Path) -> None:
    small = replace(STACK, energies=(700.0,))
    large = replace(small, nx=7, uids="b")
    (documents,) = runs(large)
    told = json.loads(documents[0][1]["metadata"])
    told["img_idx_map"] = json.dumps({**json.loads(told["img_idx_map"]), "entry": "entry1"})
    documents[0][1]["metadata"] = json.dumps(told)
    export(tmp_path, [runs(small)[0], documents])
    done = nxstxm.finish_export(tmp_path, "C1", FIRST, allow_partial=True)
    with opened(done.path) as file:
        assert [file[f"{each}/counter0/data"].shape for each in done.entries] == [
            (1, 3, 5),
            (1, 3, 7),
        ]


def test_the_first_run_never_came(tmp_path: Path) -> None:
    sent = runs(STACK)
    export(tmp_path, sent[1:], "it-never-came")
    done = nxstxm.finish_export(tmp_path, "C1", allow_partial=True)
    assert done.missing == ("1 image of entry0: e_idx 0",)
    check_file(done.path, STACK, {1: sent[1], 2: sent[2]})


def test_bad_options(tmp_path: Path) -> None:
    export(tmp_path, runs(IMAGE))
    with pytest.raises(ConfigurationError, match="compat"):
        nxstxm.finish_export(tmp_path, "C1", FIRST, compat="als")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="exists"):
        nxstxm.finish_export(tmp_path, "C1", FIRST, exists="overwrite")  # type: ignore[arg-type]
    assert nxstxm.finish_export(tmp_path, "C1", FIRST).entries == ("entry0",)


def test_what_others_put_beside_the_parts_stays(tmp_path: Path) -> None:
    export(tmp_path, runs(IMAGE))
    (tmp_path / "stxm-0000-C1.tmp" / "notes.txt").write_text("mine")
    done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert names(tmp_path) == ["C1.hdf5", "stxm-0000-C1.tmp", "stxm-0000-C1.tmp/notes.txt"]
    assert any("stxm-0000-C1.tmp is still there" in each for each in done.remarks)


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (documents,) = runs(IMAGE)

    def broken() -> object:
        yield from documents[:-2]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        nxstxm.export(broken(), tmp_path, "C1")  # type: ignore[arg-type]
    assert names(tmp_path) == []


def test_forgotten_first_uids_are_told(tmp_path: Path) -> None:
    export(tmp_path, runs(STACK), first=None)
    with pytest.raises(IncompleteScanError, match="stxm-0001-C1.tmp: .*the same first_uid"):
        nxstxm.finish_export(tmp_path, "C1", FIRST)
    with pytest.raises(RunNotFoundError, match="again, all with the same first_uid"):
        nxstxm.finish_export(tmp_path, "C1")


@pytest.mark.parametrize("first", [FIRST, None])
def test_finishing_twice_tells_of_the_file(first: str | None, tmp_path: Path) -> None:
    export(tmp_path, runs(IMAGE))
    nxstxm.finish_export(tmp_path, "C1", first)
    with pytest.raises(RunNotFoundError, match=r"its file is finished \(C1.hdf5 is there\)"):
        nxstxm.finish_export(tmp_path, "C1", first)


@pytest.mark.parametrize("docs", ["stxm-0000", [("start",)], [{"uid": "stxm-0000"}]])
def test_what_isnt_names_and_documents(docs: object, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="pairs of a name and a document, not .*header"):
        nxstxm.export(docs, tmp_path, "C1")  # pyright: ignore[reportArgumentType]
    assert names(tmp_path) == []
