"""finish_dx that is killed, or whose disk refuses: nothing is lost, and a rerun completes it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import finish_dx, whole_edit
from adsupport.errors import ImageFileError, OutputError

from .ioc_file import DATA, SCAN, THETA, WHITE, ioc_file

#: Kills copies of a file's edit, each at a later system call, then finishes what is left.
AT_EACH_CALL = """
import json, os, random, shutil, signal, sys, time
from pathlib import Path
import h5py
from adsupport.callbacks.dataexchange import finish_dx
from adsupport.callbacks.dataexchange.file_edit import noted_edit

source, here, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
theta = [0.0, 36.0, 72.0, 108.0, 144.0]
old = source.read_bytes()

def content(path):
    found = {}
    with h5py.File(path) as file:
        def keep(name, item):
            numbers = isinstance(item, h5py.Dataset) and item.dtype.kind != "O"
            attributes = sorted((key, str(item.attrs[key])) for key in item.attrs)
            found[name] = (item[()].tobytes() if numbers else "", attributes)
        file.visititems(keep)
        if "implements" in file:
            assert file["implements"].asstr()[()] == "exchange"
    return found

def noted(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return noted_edit(descriptor) is not None
    finally:
        os.close(descriptor)

untouched = content(source)
whole = here / "whole.h5"
shutil.copy(source, whole)
start = time.perf_counter()
finish_dx(whole, theta=theta)
took = time.perf_counter() - start
expected = content(whole)

def die_at_call(limit):
    # half of each piece is written before the process dies at it, too
    count = 0
    pwrite = os.pwrite

    def torn(descriptor, data, at):
        nonlocal count
        count += 1
        if count == limit:
            pwrite(descriptor, data[: len(data) // 2], at)
            os.kill(os.getpid(), signal.SIGKILL)
        return pwrite(descriptor, data, at)

    os.pwrite = torn
    fallocate, fsync = os.posix_fallocate, os.fsync

    def at(call):
        def counted(*arguments):
            nonlocal count
            for after in (False, True):
                if after:
                    call(*arguments)
                count += 1
                if count == limit:
                    os.kill(os.getpid(), signal.SIGKILL)
        return counted

    os.posix_fallocate, os.fsync = at(fallocate), at(fsync)

    def hook(event, arguments):
        nonlocal count
        if event in ("open", "os.rename", "os.link", "os.remove", "os.truncate", "fcntl.flock"):
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)

def die_after(seconds):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)

states = dict.fromkeys(("untouched", "identical", "noted", "done", "killed"), 0)
rng = random.Random(7)
number = 0
while True:
    number += 1
    path = here / f"{number}.h5"
    shutil.copy(source, path)
    pid = os.fork()
    if not pid:
        die_at_call(number) if mode == "calls" else die_after(rng.uniform(1e-5, 1.2 * took))
        finish_dx(path, theta=theta)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or status == 0, status
    states["killed"] += killed
    if noted(path):
        states["noted"] += 1
    else:
        found = content(path)
        assert found in (untouched, expected)
        states["untouched" if found == untouched else "done"] += 1
        states["identical"] += path.read_bytes() == old
    finish_dx(path, theta=theta)
    assert content(path) == expected
    assert not noted(path)
    before = path.read_bytes()
    assert not finish_dx(path, theta=theta).changed
    assert path.read_bytes() == before
    path.unlink()
    if mode == "calls" and not killed or mode != "calls" and number == int(mode):
        break
print(json.dumps(states))
"""


def run(source: Path, directory: Path, mode: str) -> dict[str, int]:
    directory.mkdir()
    command = [sys.executable, "-c", AT_EACH_CALL, str(source), str(directory), mode]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_killed_at_every_system_call(tmp_path: Path) -> None:
    source = ioc_file(tmp_path / "scan.h5", [each for each in SCAN if each[0] != WHITE])
    states = run(source, tmp_path / "killed", "calls")
    assert states["untouched"] > states["identical"] > 2
    assert states["noted"] > 5
    assert states["done"] > 1


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    states = run(ioc_file(tmp_path / "scan.h5"), tmp_path / "killed", "200")
    assert states["killed"] > 100


# ---- disks that refuse


def refusing(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let writes into the file fail, all but the first ones."""
    pwrite, count = os.pwrite, 0

    def write(descriptor: int, data: Any, at: int) -> int:
        nonlocal count
        count += 1
        if count > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data[: len(data) // 2] if count % 2 else data, at)

    monkeypatch.setattr(whole_edit.os, "pwrite", write)


@pytest.mark.parametrize("after", range(6))
def test_a_disk_that_gets_full(after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    before, names = path.read_bytes(), sorted(os.listdir(tmp_path))
    with monkeypatch.context() as patch:
        refusing(patch, after)
        with pytest.raises(OutputError, match="No space left") as caught:
            finish_dx(path, theta=THETA)
    if after < 4:  # what is new, or the note
        assert "it's as it was" in str(caught.value)
        assert path.read_bytes() == before
    else:
        assert "call finish_dx again" in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == names
    assert finish_dx(path, theta=THETA).changed
    with h5py.File(path) as file:
        assert file["exchange/theta"][:].tolist() == THETA
        assert file["implements"].asstr()[()] == "exchange"
    assert sorted(os.listdir(tmp_path)) == names


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    before = path.read_bytes()

    def full(*_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="Disk quota exceeded; it's as it was"):
        finish_dx(path, theta=THETA)
    assert path.read_bytes() == before


# ---- notes


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of which some pieces are changed, with the note of the rest."""
    path = ioc_file(tmp_path / "scan.h5")
    with monkeypatch.context() as patch:
        refusing(patch, 5)
        with pytest.raises(OutputError, match="what is left to do is noted"):
            finish_dx(path, theta=THETA)
    return path


def test_a_file_that_the_ioc_wrote_anew_has_no_note(interrupted: Path) -> None:
    angles = [each + 1 for each in THETA]
    ioc_file(interrupted)
    finish_dx(interrupted, theta=angles)
    with h5py.File(interrupted) as file:
        assert file["exchange/theta"][:].tolist() == angles


def test_a_note_that_is_damaged_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill while it was written: the bytes behind the end mean nothing."""
    path = ioc_file(tmp_path / "scan.h5")
    with monkeypatch.context() as patch:
        patch.setattr(whole_edit, "_carry_out", lambda *_: None)
        finish_dx(path, theta=THETA)
    noted = path.read_bytes()
    for damaged in (noted[:-1], noted[:-60] + b"?" + noted[-59:], noted[:-30] + noted[-20:]):
        path.write_bytes(damaged)
        with h5py.File(path) as file:
            assert "implements" not in file
        assert finish_dx(path, theta=THETA[::-1]).changed
        with h5py.File(path) as file:
            assert file["exchange/theta"][:].tolist() == THETA[::-1]
    # what was added isn't what the note means: the disk kept the one and not the other
    with h5py.File(path) as file:
        assert file[DATA].shape == (5, 3, 4)
    at = noted.index(np.array(THETA).tobytes())
    path.write_bytes(noted[: at + 8] + bytes(8) + noted[at + 16 :])
    finish_dx(path, theta=THETA[::-1])
    with h5py.File(path) as file:
        assert file["exchange/theta"][:].tolist() == THETA[::-1]


def test_an_interrupted_file_that_was_moved(interrupted: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.move(interrupted, tmp_path / "elsewhere" / "other.h5")
    interrupted.symlink_to("elsewhere/other.h5")
    assert finish_dx(interrupted).changed
    with h5py.File(interrupted) as file:
        assert file["exchange/theta"][:].tolist() == THETA


def test_a_file_that_changes_between_reading_and_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ioc_file(tmp_path / "scan.h5")
    real = whole_edit._locked

    def late(file: Path) -> Any:
        with h5py.File(file, "r+") as other:
            other["more"] = 1
        return real(file)

    monkeypatch.setattr(whole_edit, "_locked", late)
    with pytest.raises(ImageFileError, match="was changed while it was looked at"):
        finish_dx(path, theta=THETA)
    with h5py.File(path) as file:
        assert "implements" not in file
