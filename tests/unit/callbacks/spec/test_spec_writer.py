"""The writer of SPEC files: its methods, its files, its comments."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from adsupport.callbacks.spec import SpecWriterCallback, SpecWriterCallback2, spec_comment
from adsupport.errors import ConfigurationError, OutputError, OutputNameError

from .made import BEGUN, MadeRun, play
from .readback import both, by_silx, by_spec2nexus


def engine(scan_id=100):
    return SimpleNamespace(md={"scan_id": scan_id})


def one(scan_id=1, uid=None, **row):
    return MadeRun(uid or f"run-{scan_id}", scan_id).documents([row or {"x": 1.5}])


@pytest.fixture
def old(tmp_path):
    """Return a file that has scans already, up to number 12."""
    path = tmp_path / "old.dat"
    play(SpecWriterCallback(path), one(3), one(12), one(4))
    return path


@pytest.fixture
def foreign(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not to be lost\n")
    return path


def said(scan):
    return [each.partition(".  ")[2] for each in scan.comments]


def test_the_default_name_is_the_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = SpecWriterCallback()
    assert re.fullmatch(r"\d{8}-\d{6}\.dat", str(writer.spec_filename))
    assert not writer.spec_filename.exists()
    result = play(writer, one())[0]
    assert result.paths == [tmp_path / writer.spec_filename]
    assert both(tmp_path / writer.spec_filename)[0].column("x") == [1.5]


def test_a_relative_name_stays_where_it_was_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = SpecWriterCallback("scans/here.dat")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    play(writer, one())
    assert writer.spec_filename == Path("scans/here.dat")
    assert (tmp_path / "scans/here.dat").read_text().startswith("#F scans/here.dat\n")


def test_a_file_is_made_with_its_first_scan(tmp_path):
    path = tmp_path / "later.dat"
    writer = SpecWriterCallback(path)
    writer.newfile(path)
    assert list(tmp_path.iterdir()) == []
    play(writer, one())
    assert list(tmp_path.iterdir()) == [path]


def test_a_template_names_a_file_for_the_runs_that_are_alike(tmp_path):
    writer = SpecWriterCallback(tmp_path / "day-{start[scan_id]:02d}.dat")
    play(writer, one(7), one(8), one(7, uid="again"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["day-07.dat", "day-08.dat"]
    assert [each.number for each in by_silx(tmp_path / "day-07.dat")] == ["7.1", "7.2"]
    assert (tmp_path / "day-07.dat").read_text().count("#F ") == 1
    with pytest.raises(OutputNameError, match="no 'scan_id'"):
        play(writer, MadeRun("none", None).documents([{"x": 1.5}]))


def test_scans_are_appended_to_a_file_that_exists(old):
    before = old.read_bytes()
    play(SpecWriterCallback(old), one(13))
    assert old.read_bytes().startswith(before)
    assert old.read_text().count("#F ") == 1
    assert [each.number for each in by_silx(old)] == ["3.1", "12.1", "4.1", "13.1"]
    both(old)


def test_every_new_file_has_a_header(tmp_path):
    writer = SpecWriterCallback(tmp_path / "0.dat")
    for n in range(4):
        assert writer.newfile(tmp_path / f"{n}.dat") == tmp_path / f"{n}.dat"
        play(writer, one(n + 1, x=n))
    for n in range(4):
        path = tmp_path / f"{n}.dat"
        assert path.read_text().startswith(f"#F {path}\n#E {int(BEGUN)}\n#D ")
        assert both(path)[0].column("x") == [n]


@pytest.mark.parametrize(
    ("exists", "scan_id", "found"),
    [
        (False, None, 100),
        (False, False, 100),
        (False, True, 0),
        (False, 0, 0),
        (False, 57, 57),
        (True, None, 12),
        (True, False, 12),
        (True, True, 12),
        (True, 5, 12),
        (True, 57, 57),
    ],
)
def test_newfile_continues_the_numbers(old, tmp_path, exists, scan_id, found):
    path = old if exists else tmp_path / "new.dat"
    RE = engine()
    SpecWriterCallback(tmp_path / "other.dat").newfile(path, scan_id, RE)
    assert RE.md["scan_id"] == found


def test_newfile_leaves_a_run_engine_that_it_isnt_given(old):
    RE = engine()
    writer = SpecWriterCallback(old, RE=RE)
    writer.newfile(old)
    assert RE.md["scan_id"] == 100


@pytest.mark.parametrize(("reset", "found"), [(False, 100), (True, 12)])
def test_the_constructor_continues_the_numbers_when_asked_to(old, tmp_path, reset, found):
    RE = engine()
    assert SpecWriterCallback(old, RE=RE, reset_scan_id=reset).spec_filename == old
    assert RE.md["scan_id"] == found
    SpecWriterCallback(tmp_path / "new.dat", RE=RE, reset_scan_id=reset)
    assert RE.md["scan_id"] == found


def test_usefile_takes_up_its_own_files(old, tmp_path):
    writer = SpecWriterCallback(tmp_path / "another.dat")
    assert writer.usefile(str(old)) == 12
    assert writer.spec_filename == old
    play(writer, one(13))
    assert writer.usefile(old) == 13


def test_usefile_takes_up_files_of_others(tmp_path):
    path = tmp_path / "spec.dat"
    header = "#F spec.dat\n#E 1700000000.25\n#D Tue Nov 14 22:13:20 2023\n#O0 th  two th\n\n"
    path.write_text(f"{header}#S 7  ascan\n#N 1\n#L a b\n1 2\n\n#S  70 x\n#S9\n1 #S 99\n")
    writer = SpecWriterCallback(tmp_path / "another.dat")
    assert writer.usefile(path) == 70
    (tmp_path / "empty.dat").touch()
    assert writer.usefile(tmp_path / "empty.dat") == 0


def test_usefile_refuses_what_isnt_there(tmp_path, old):
    writer = SpecWriterCallback(old)
    with pytest.raises(OSError, match=r"gone\.dat can't be read: No such file") as caught:
        writer.usefile(tmp_path / "gone.dat")
    assert isinstance(caught.value, OutputError)
    assert writer.spec_filename == old


@pytest.mark.parametrize("method", ["usefile", "newfile"])
def test_a_file_of_another_kind_is_left_alone(tmp_path, foreign, method):
    writer = SpecWriterCallback(tmp_path / "mine.dat")
    with pytest.raises(ValueError, match="is no SPEC file") as caught:
        getattr(writer, method)(foreign)
    assert isinstance(caught.value, ConfigurationError)
    assert writer.spec_filename == tmp_path / "mine.dat"
    assert foreign.read_text() == "not to be lost\n"
    with pytest.raises(ConfigurationError, match="is no SPEC file"):
        SpecWriterCallback(foreign)


def test_comments_stand_where_they_were_made(tmp_path):
    path = tmp_path / "comments.dat"
    writer = SpecWriterCallback(path)
    start, descriptor, first, second, stop = MadeRun().documents([{"x": 1}, {"x": 2}])
    writer.spec_comment("before the run")
    writer(*start)
    writer.spec_comment("for the head", "start")
    writer.spec_comment("for the head, too", "descriptor")
    writer.spec_comment("for the end", "stop")
    writer(*descriptor)
    writer(*first)
    writer.spec_comment("between\nrows @ two lines")
    writer(*second)
    spec_comment("after rows", writer=writer)
    writer.spec_comment("too late for the head", "start")
    writer(*stop)
    writer.spec_comment("next one's")
    writer.wait_writer(20)
    lines = path.read_text().splitlines()
    at = lines.index("0 0.125 1")
    assert [each.partition(".  ")[2] for each in lines[at + 1 : at + 3]] == [
        "between",
        "rows @ two lines",
    ]
    assert lines[at + 3] == "0 0.25 2"
    assert said(both(path)[0]) == [
        *("plan_type = unknown", "uid = run-1", "before the run"),
        *("for the head", "for the head, too", "between", "rows @ two lines"),
        *("after rows", "too late for the head", "for the end"),
        *("num_events_primary = 2", "exit_status = success"),
    ]
    play(writer, one(2))
    assert said(both(path)[1])[2] == "next one's"


def test_a_comment_between_spectra_has_nothing_that_silx_takes_for_one(tmp_path):
    path = tmp_path / "spectra.dat"
    writer = SpecWriterCallback(path)
    rows = [{"mca": np.arange(3) * n} for n in (1, 2, 3)]
    *most, last, stop = MadeRun(mail="me@here").documents(rows)
    for name, doc in most:
        writer(name, doc)
    writer.spec_comment("me@here")
    play(writer, [last, stop])
    scan = both(path)[0]
    assert scan.arrays == [each["mca"].tolist() for each in rows]
    assert r"me\x40here" in said(scan)
    assert scan.metadata["mail"] == "me@here"


def test_a_comment_on_no_document_is_refused(tmp_path):
    writer = SpecWriterCallback(tmp_path / "x.dat")
    with pytest.raises(ValueError, match="no document 'evnt'"):
        writer.spec_comment("text", "evnt")
    with pytest.raises(ConfigurationError, match="no writer"):
        spec_comment("text")
    with pytest.raises(ConfigurationError, match="nan must be a number"):
        SpecWriterCallback(nan="0")  # type: ignore[arg-type]


def test_rows_are_in_the_file_before_the_run_ends(tmp_path):
    path = tmp_path / "live.dat"
    writer = SpecWriterCallback(path)
    *most, last, stop = MadeRun().documents([{"x": n / 2} for n in range(5)])
    for name, doc in most:
        writer(name, doc)
        writer.wait_writer(20)
    assert [each.column("x") for each in by_spec2nexus(path)] == [[0, 0.5, 1, 1.5]]
    play(writer, [last, stop])
    assert both(path)[0].column("x") == [0, 0.5, 1, 1.5, 2]


def test_live_and_replayed_files_are_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    documents = MadeRun().documents([{"x": n, "a": np.arange(n)} for n in range(5)], {"m": 1})
    text = []
    for name in ("live", "replayed"):
        writer = SpecWriterCallback("same.dat")
        for kind, doc in documents:
            writer(kind, doc)
            if name == "live":
                writer.wait_writer(20)
        writer.wait_writer(20)
        text.append(Path("same.dat").read_bytes())
        Path("same.dat").unlink()
    assert text[0] == text[1]


def test_a_run_that_never_stops_ends_with_the_writer(tmp_path):
    path = tmp_path / "open.dat"
    writer = SpecWriterCallback(path, strict=False)
    for name, doc in one(1)[:-1]:
        writer(name, doc)
    result = writer.close(20)[0]
    assert said(both(path)[0])[-2:] != ["exit_status = success"]
    assert "exit_status = unknown" in said(both(path)[0])
    assert result.exit_status == "unknown"


def test_without_auto_write_scans_wait_to_be_written(tmp_path):
    path = tmp_path / "asked.dat"
    writer = SpecWriterCallback(path, auto_write=False)
    play(writer, one(1), one(2))
    assert not path.exists()
    assert writer.write_scan(20) == [path, path]
    assert [each.number for each in both(path)] == ["1", "2"]
    assert path.read_text().count("#F ") == 1
    assert writer.write_scan(20) == []


def test_images_are_told_and_not_written(tmp_path):
    path = tmp_path / "images.dat"
    writer = SpecWriterCallback(path, strict=False)
    run = MadeRun()
    external = {"dtype": "array", "shape": [2, 5, 4], "external": "FILESTORE:"}
    rows = [{"x": 1, "image": "res/0"}, {"x": 2, "image": "res/1"}]
    documents = run.documents(rows, image=external)
    resource = {
        "uid": "res",
        "spec": "AD_HDF5",
        "root": "/",
        "resource_path": "ioc/images.h5",
        "resource_kwargs": {"frame_per_point": 2},
        "path_semantics": "posix",
        "run_start": run.uid,
    }
    datums = [
        {"datum_id": f"res/{n}", "resource": "res", "datum_kwargs": {"point_number": n}}
        for n in range(2)
    ]
    extra = [("resource", resource), *(("datum", each) for each in datums)]
    for name, doc in documents:
        if name == "event":
            doc["filled"] = {"image": False}
    result = play(writer, [*documents[:2], *extra, *documents[2:]])[0]
    scan = both(path)[0]
    assert scan.labels == ["Epoch", "Epoch_float", "x"]
    assert "images of image are in /ioc/images.h5" in said(scan)
    assert "Images of 'image': a SPEC file doesn't hold them; see /ioc/images.h5." in result.remarks


def test_two_runs_at_once_are_written_one_behind_the_other(tmp_path):
    path = tmp_path / "nested.dat"
    writer = SpecWriterCallback(path)
    outer, inner = one(1, x=1), one(2, x=2)
    for name, doc in outer[:3]:
        writer(name, doc)
    writer.wait_writer(20)  # so that its row is in the file
    for name, doc in (*inner, *outer[3:]):
        writer(name, doc)
    assert [each.error for each in writer.wait_writer(20)] == [None, None]
    scans = both(path)
    assert [each.number for each in scans] == ["1", "2"]
    assert [each.column("x") for each in scans] == [[1], [2]]


def test_many_threads_share_a_file(tmp_path):
    path = tmp_path / "shared.dat"
    writers = [SpecWriterCallback(path) for _ in range(4)]

    def work(number):
        for n in range(5):
            play(writers[number], one(number * 5 + n, x=number * 5 + n))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    scans = both(path)
    assert sorted(int(each.number) for each in scans) == list(range(20))
    assert all(each.column("x") == [int(each.number)] for each in scans)
    assert path.read_text().count("#F ") == 1


def test_both_names_of_the_peers_are_there():
    assert SpecWriterCallback2 is SpecWriterCallback
