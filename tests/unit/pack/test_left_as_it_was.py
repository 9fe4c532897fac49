"""Packing that ends before anything is done: the directory is as it was."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from adsupport.errors import ConfigurationError, DocumentError, OutputError
from adsupport.pack import pack, verify

from .made_packs import run_of
from .source_runs import hdf5_run, tree

JOURNAL = ".adsupport-pack.journal"


def test_options_that_are_refused_leave_a_whole_pack_whole(tmp_path: Path) -> None:
    directory = pack(hdf5_run(tmp_path), tmp_path / "out").directory
    before = tree(directory)
    with pytest.raises(ConfigurationError):
        pack(run_of(2), directory, format="msgpack")
    assert tree(directory) == before and verify(directory).ok


def test_a_run_that_is_refused_leaves_a_whole_pack_whole(tmp_path: Path) -> None:
    directory = pack(hdf5_run(tmp_path), tmp_path / "out").directory
    before = tree(directory)
    changed = hdf5_run(tmp_path)
    changed[-1][1]["reason"] = "another"
    with pytest.raises(DocumentError, match="with other documents"):
        pack([changed], directory)
    assert tree(directory) == before and verify(directory).ok


def test_a_run_that_is_refused_leaves_a_new_directory_empty(tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        pack([run_of(1)[:1] + run_of(2)], tmp_path / "out")
    assert tree(tmp_path / "out") == {}
    assert len(pack(run_of(1), tmp_path / "out").added) == 1


@pytest.mark.parametrize(
    "records",
    [
        [{"documents": "x/../../../evil", "external": "copy"}, {}],
        [{"documents": "jsonl", "external": "steal"}, {}],
    ],
)
def test_a_journal_of_options_that_no_pack_has(tmp_path: Path, records: Any) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / JOURNAL).write_text("".join(json.dumps(each) + "\n" for each in records))
    with pytest.raises(OutputError, match="journal is damaged"):
        pack(hdf5_run(tmp_path), tmp_path / "out")
    assert os.listdir(tmp_path / "out") == [JOURNAL]


def test_a_journal_that_is_a_nest_or_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    journal = tmp_path / "out" / JOURNAL
    journal.write_text("[" * 10**5 + "\n")
    with pytest.raises(OutputError, match="journal is damaged"):
        pack(run_of(1), tmp_path / "out")
    journal.unlink()
    os.mkfifo(journal)
    with pytest.raises(OutputError, match="isn't a regular file"):
        pack(run_of(1), tmp_path / "out")


@pytest.mark.parametrize("more", [{"root": "\ud800"}, {"resource_path": "a\ud800.h5"}])
def test_paths_with_half_a_character_are_named(tmp_path: Path, more: Any) -> None:
    documents = hdf5_run(tmp_path)
    documents[2][1].update(more)
    (missing,) = pack([documents], tmp_path / "out", strict=False).missing
    assert missing.reason.count("half of a character") == 1


def test_a_directory_that_goes_away_is_named(tmp_path: Path) -> None:
    def remove(done: Any) -> None:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)

    with pytest.raises(OutputError, match="out"):
        pack([hdf5_run(tmp_path), hdf5_run(tmp_path, 2)], tmp_path / "out", progress=remove)
