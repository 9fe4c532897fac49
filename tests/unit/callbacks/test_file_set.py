"""Files of one run take their names together, whatever the run or the user call them."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.callbacks.file_set import FileSet, writing
from adsupport.callbacks.file_writer import FileWriter
from adsupport.documents.run import Run
from adsupport.errors import ConfigurationError, OutputError, OutputExistsError, OutputNameError


class _Writer(FileWriter):
    file_extension = "dat"

    def run_file(self, run):
        raise NotImplementedError


RUN = Run({"uid": "0123456789", "scan_id": 42, "time": 1.7e9, "sample": "../../etc/passwd"})


def begun(stem, exists: Any = "refuse", suffixes=("-a", "-b")):
    files = FileSet(stem, exists)
    for suffix in suffixes:
        files.add(suffix, ".txt").temporary.write_text(ascii(suffix)[1:-1])
    return files


def test_all_take_their_names_in_order(tmp_path):
    files = begun(tmp_path / "x")
    assert files.choose() == files.commit() == [tmp_path / "x-a.txt", tmp_path / "x-b.txt"]
    assert sorted(os.listdir(tmp_path)) == ["x-a.txt", "x-b.txt"]
    assert (tmp_path / "x-b.txt").read_text() == "-b"


@pytest.mark.parametrize("taken", ["x-a.txt", "x-b.txt"])
def test_one_name_that_is_taken_keeps_all_back(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    files = begun(tmp_path / "x")
    files.choose()
    with pytest.raises(OutputExistsError):
        files.commit()
    assert len(list(tmp_path.glob("x-*"))) == 1
    assert len(list(tmp_path.glob(".*.kept"))) == 2
    (tmp_path / taken).unlink()
    assert files.commit() == [tmp_path / "x-a.txt", tmp_path / "x-b.txt"]
    assert (tmp_path / taken).read_text() == taken[1:3]


def test_sets_that_end_together_get_numbers_of_their_own(tmp_path):
    sets = [begun(tmp_path / "x", "bump") for _ in range(12)]
    told: list[list[Path]] = []
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda files: files.take_names(told.append), sets))
    assert len({path for paths in found for path in paths}) == 24
    assert all(paths in told for paths in found)


def test_a_number_that_another_program_takes_first_is_not_ours(tmp_path):
    def quicker(paths):
        if len(told) < 2:
            paths[1].write_text("theirs")
        told.append(paths)

    told: list[list[Path]] = []
    found = begun(tmp_path / "x", "bump").take_names(quicker)
    assert found == told[-1] == [tmp_path / "x-2-a.txt", tmp_path / "x-2-b.txt"]
    assert (tmp_path / "x-b.txt").read_text() == (tmp_path / "x-1-b.txt").read_text() == "theirs"


def test_bump_takes_a_number_that_is_free_for_all(tmp_path):
    (tmp_path / "x-a.txt").write_text("")
    (tmp_path / "x-1-b.txt").write_text("")
    files = begun(tmp_path / "x", "bump")
    files.choose()
    assert [path.name for path in files.commit()] == ["x-2-a.txt", "x-2-b.txt"]


def test_replace_replaces_and_abandon_leaves_nothing(tmp_path):
    (tmp_path / "x-a.txt").write_text("old")
    begun(tmp_path / "x", "replace").abandon()
    assert os.listdir(tmp_path) == ["x-a.txt"]
    begun(tmp_path / "x", "replace").commit()
    assert (tmp_path / "x-a.txt").read_text() == "-a"


def replacing(directory, monkeypatch, foreseen):
    """Three files of which the second has a directory in its way, and what happens."""
    for name in ("x-a.txt", "x-c.txt"):
        (directory / name).write_text("old")
    (directory / "x-b.txt").mkdir()
    files = begun(directory / "x", "replace", ("-a", "-b", "-c"))
    with monkeypatch.context() as patch:
        if not foreseen:
            patch.setattr("adsupport.callbacks.file_set.is_blocked", lambda *args: False)
        with pytest.raises(OutputError, match="x-b.txt can't be written") as caught:
            files.take_names()
    assert caught.value.kept and (directory / "x-c.txt").read_text() == "old"
    found = (directory / "x-a.txt").read_text(), str(caught.value)
    (directory / "x-b.txt").rmdir()
    assert len(files.take_names()) == 3
    assert [(directory / f"x-{each}.txt").read_text() for each in "abc"] == ["-a", "-b", "-c"]
    assert len(os.listdir(directory)) == 3
    return found


def test_nothing_is_replaced_where_one_is_known_to_fail(tmp_path, monkeypatch):
    content, text = replacing(tmp_path, monkeypatch, foreseen=True)
    assert content == "old" and "were replaced" not in text


def test_what_was_replaced_before_one_failed_is_told(tmp_path, monkeypatch):
    content, text = replacing(tmp_path, monkeypatch, foreseen=False)
    assert content == "-a"
    assert "these were replaced: x-a.txt; these weren't: x-b.txt, x-c.txt" in text


def test_nothing_is_replaced_when_the_disk_refuses_a_part(tmp_path, monkeypatch):
    def sync(path):
        if "x-b" in path.name:
            raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "x-a.txt").write_text("old")
    files = begun(tmp_path / "x", "replace")
    monkeypatch.setattr("adsupport.callbacks.output.atomic_file.sync_file", sync)
    with pytest.raises(OutputError, match="didn't reach the disk"):
        files.take_names()
    assert (tmp_path / "x-a.txt").read_text() == "old"


def test_names_that_would_be_the_same_get_numbers(tmp_path):
    files = begun(tmp_path / "x", suffixes=("-a/b", "-a:b", "-a?b"))
    assert len({path.name for path in files.choose()}) == 3


@pytest.mark.parametrize("suffix", ["-" + "x" * 300, "-../../y", "-a\0b", "-\udc80", "-\n"])
def test_any_suffix_stays_in_the_directory(tmp_path, suffix):
    files = begun(tmp_path / "in" / ("s" * 200), suffixes=(suffix,))
    (path,) = files.commit()
    assert path.parent == tmp_path / "in" and path.suffix == ".txt"
    assert os.listdir(tmp_path) == ["in"]


def test_errors_name_the_file():
    with pytest.raises(OutputError, match="/data/x.csv") as raised, writing(Path("/data/x.csv")):
        raise OSError(28, "No space left on device")
    assert raised.value.path == "/data/x.csv" and "No space" in str(raised.value)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("x", "x.dat"),
        ("x.dat", "x.dat"),
        ("x.DAT", "x.dat"),
        ("x.y", "x.y.dat"),
        ("{start[scan_id]:05d}_{start[uid]:.4}", "00042_0123.dat"),
        ("{start[sample]}", "_._.._etc_passwd.dat"),
        (".dat", "_dat.dat"),
    ],
)
def test_names_from_templates(tmp_path, template, name):
    assert _Writer(tmp_path, template).target(RUN) == tmp_path / name


def test_default_names_and_the_directory_may_change_at_any_time(tmp_path, monkeypatch):
    writer = _Writer()
    monkeypatch.chdir(tmp_path)
    found = writer.target(RUN)
    assert found.parent == tmp_path and found.name.endswith("-S00042-0123456.dat")
    writer.file_path, writer.file_name = tmp_path / "other", "y"
    assert writer.target(RUN) == tmp_path / "other" / "y.dat"
    assert "-S" not in _Writer().stem(Run({"uid": "u", "time": 0.0})).name


@settings(max_examples=200)
@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(["..", "/", "\\", "{start[sample]}", "{start[uid]}", "~", ".", "\0", "x",
                         "{start.__class__}", "{start[uid]!r}", "%s", "CON", " "]),
        max_size=6,
    ).map("".join),
    st.text(max_size=20),
)  # fmt: skip
def test_no_template_leads_out_of_the_directory(tmp_path_factory, template, sample):
    root = tmp_path_factory.getbasetemp() / "names"
    run = Run({"uid": sample, "time": 0.0, "sample": sample})
    try:
        found = _Writer(root, template).target(run)
    except OutputNameError:
        return
    assert found.parent == root and found.name not in ("", ".", "..")
    assert "/" not in found.name and "\0" not in found.name


def test_what_to_do_with_files_that_exist_is_checked_at_once(tmp_path):
    wrong: Any = "overwrite"
    with pytest.raises(ConfigurationError, match="expected 'refuse', 'bump' or 'replace'"):
        _Writer(tmp_path, exists=wrong)
