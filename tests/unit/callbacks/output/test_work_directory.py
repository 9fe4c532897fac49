"""Directories for work: in the target's, on their own, and gone in the end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from adsupport.callbacks.output.work_directory import WorkDirectory


def test_work_lies_in_its_target_and_is_removed(tmp_path):
    target = tmp_path / "new" / "x"
    work = WorkDirectory(target)
    assert work.path.parent == target and work.path.name.startswith(".")
    (work.path / "a").write_text("a")
    other = WorkDirectory(target)
    work.remove()
    assert list(target.iterdir()) == [other.path]
    work.remove()
    other.remove()
    assert list(target.iterdir()) == []


def test_where_the_target_cant_be_written_work_lies_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "x").write_text("a file")
    work = WorkDirectory(tmp_path / "x")
    assert work.path.is_dir() and work.path.parent.name.startswith("adsupport-spool-")
    work.remove()
    assert not work.path.exists()


def killed(target: Path, age: float) -> Path:
    """What a process leaves behind that died some seconds ago."""
    work = WorkDirectory(target)
    (work.path / "a.tif").write_text("a")
    work._lock.release()
    for each in work.path.iterdir():
        os.utime(each, (time.time() - age, time.time() - age))
    return work.path


def test_work_of_the_dead_is_cleared_away(tmp_path):
    old, young = killed(tmp_path, 4000), killed(tmp_path, 60)
    alive = WorkDirectory(tmp_path)
    (lock,) = alive.path.iterdir()
    os.utime(lock, (0, 0))
    (tmp_path / ".adsupport-work-mine.tmp").write_text("a file of that name")
    WorkDirectory(tmp_path)
    assert not old.exists()
    assert young.exists() and alive.path.exists()
    assert (tmp_path / ".adsupport-work-mine.tmp").exists()


def test_a_forked_process_leaves_it(tmp_path, monkeypatch):
    work = WorkDirectory(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: -1)
        work.remove()
    assert work.path.exists()


def test_nowhere_to_work_is_told(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("a file")
    monkeypatch.setattr(
        "adsupport.callbacks.output.work_directory.spool_directory", lambda: tmp_path / "x"
    )
    with pytest.raises(OSError, match="x"):
        WorkDirectory(tmp_path / "x")
