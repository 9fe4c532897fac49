"""Several programs at one STXM file: at the same time, killed at any moment, on a full disk."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adsupport import nxstxm
from adsupport.callbacks.output import atomic_file
from adsupport.errors import OutputError
from adsupport.nxstxm import finish

from .stxm_checks import check_file
from .stxm_runs import cut, runs
from .stxm_scan import StxmScan

FIRST = "stxm-0000"
STACK = StxmScan(7, nx=4, ny=2, energies=(700.0, 701.5), counters=("counter0",))

#: Programs that fork when all is imported; `sent` are the runs of `STACK`.
COMMON = """
import collections, fcntl, os, random, resource, shutil, signal, sys, time
from pathlib import Path
import h5py, numpy
from adsupport import nxstxm
from adsupport.callbacks.output import atomic_file, temporary
from adsupport.errors import AdsupportError, OutputError, RunNotFoundError
from tests.unit.nxstxm.stxm_runs import runs
from tests.unit.nxstxm.test_two_programs import FIRST, STACK, names

here = Path(sys.argv[1])
sent = runs(STACK)

def export(where, chosen=range(len(sent))):
    for number in chosen:
        nxstxm.export(sent[number], where, "C1", FIRST)

def forked(call):
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        code = call() or 0
    except BaseException as error:
        print(type(error).__name__, error, file=sys.stderr, flush=True)
    finally:
        os._exit(code)

whole_data = STACK.value(0, *numpy.ogrid[:2, :4], e=numpy.arange(2)[:, None, None])

def whole(path):
    with h5py.File(path) as file:
        assert numpy.array_equal(file["entry0/counter0/data"], whole_data)
        assert len(file["entry0/collection/runs/uid"]) == 2
"""

RACE = (
    COMMON
    + """
def one():
    os.close(open_gate)
    os.read(gate, 1)  # until all are there
    try:
        nxstxm.finish_export(where, "C1", FIRST)
        return 0
    except OutputError as error:
        return 1 if "being finished" in str(error) else 98
    except RunNotFoundError:
        return 2

for turn in range(int(sys.argv[2])):
    where = here / str(turn)
    export(where)
    gate, open_gate = os.pipe()
    children = [forked(one) for _ in range(3)]
    os.close(open_gate)
    os.close(gate)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes[0] == 0 and set(codes[1:]) <= {1, 2}, codes
    whole(where / "C1.hdf5")
    assert names(where) == ["C1.hdf5"], names(where)
"""
)

TOGETHER = (
    COMMON
    + """
for turn in range(2):
    where = here / str(turn)
    # each run from two programs
    children = [forked(lambda n=n: export(where, [n % 2])) for n in range(4)]
    assert not any(os.waitpid(child, 0)[1] for child in children)
    nxstxm.finish_export(where, "C1", FIRST)
    whole(where / "C1.hdf5")
    assert names(where) == ["C1.hdf5"], names(where)
"""
)

#: A program dies at a call, or after some time; the next ones complete what it began.
KILLED = (
    COMMON
    + """
what, how, most, step = sys.argv[2], sys.argv[3], *map(int, sys.argv[4:6])
random.seed(most)
WATCHED = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "fcntl.flock")
count = limit = 0

def count_call():
    global count
    count += 1
    if count == limit:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if limit and event in WATCHED and (event == "fcntl.flock" or str(here) in str(arguments)):
        count_call()

def around(call):
    def counted(*arguments):
        count_call()
        call(*arguments)
        count_call()
    return counted

sys.addaudithook(hook)
atomic_file.rename_new = around(atomic_file.rename_new)
from adsupport.nxstxm import finish
finish._KILLED_AGO = 0.0

def work():
    if what == "finish":
        nxstxm.finish_export(where, "C1", FIRST)
    else:
        export(where)

export(here / "exported")
where = here / "warm"
shutil.copytree(here / "exported", where)
start = time.monotonic()
nxstxm.finish_export(where, "C1", FIRST)
took = time.monotonic() - start
states = collections.Counter()
for turn in range(1, most, step):
    where = here / str(turn)
    if what == "finish":
        shutil.copytree(here / "exported", where)
    def dying():
        global count, limit
        if how == "calls":
            count, limit = 0, turn
        work()
    child = forked(dying)
    if how == "time":
        time.sleep(random.uniform(0, 1.2 * took))
        os.kill(child, signal.SIGKILL)
    died = os.WIFSIGNALED(status := os.waitpid(child, 0)[1])
    assert died or not status, status
    path = where / "C1.hdf5"
    there = path.exists()
    states["whole" if there else "absent"] += 1
    if there:
        whole(path)
    if what == "export":
        assert not there
        export(where)
    try:
        done = nxstxm.finish_export(where, "C1", FIRST)
        assert done.path == path and done.entries == ("entry0",) and not done.missing, done
    except RunNotFoundError:
        assert there
    whole(path)
    assert names(where) == ["C1.hdf5"], names(where)
    shutil.rmtree(where)
    if not died and how == "calls":
        break
else:
    assert how == "time", "there are more calls"
print(states["absent"], states["whole"])
"""
)


def names(directory: Path) -> list[str]:
    return sorted(str(each.relative_to(directory)) for each in directory.rglob("*"))


def run(code: str, *arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("times", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_one_of_three_programs_finishes_the_file(times: int, tmp_path: Path) -> None:
    run(RACE, tmp_path, times)


@pytest.mark.slow
def test_programs_export_runs_at_the_same_time(tmp_path: Path) -> None:
    run(TOGETHER, tmp_path)


@pytest.mark.parametrize(
    ("what", "step"),
    [
        ("finish", 4),
        *(pytest.param(each, 1, marks=pytest.mark.slow) for each in ("finish", "export")),
    ],
)
def test_killed_at_each_call(what: str, step: int, tmp_path: Path) -> None:
    absent, whole = map(int, run(KILLED, tmp_path, what, "calls", 200, step))
    assert absent > 1
    assert what == "export" or whole > 1


@pytest.mark.slow
@pytest.mark.parametrize("what", ["finish", "export"])
def test_killed_at_many_moments(what: str, tmp_path: Path) -> None:
    absent, whole = map(int, run(KILLED, tmp_path, what, "time", 100, 1))
    assert absent > 20
    assert what == "export" or whole > 1


@pytest.mark.parametrize("calls", [0, 3])
def test_a_disk_that_gets_full(calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = runs(STACK)
    found, asked = os.statvfs(tmp_path), itertools.count()
    full = os.statvfs_result((found.f_bsize, found.f_frsize, found.f_blocks, 0, 0, *found[5:]))

    def statvfs(_path: object) -> os.statvfs_result:
        return full if next(asked) >= calls else found

    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", statvfs)
        with pytest.raises(OutputError, match=r"needs .* has room for 0"):
            nxstxm.export(sent[0], tmp_path, "C1", FIRST)
    assert names(tmp_path) == []
    for documents in sent:
        nxstxm.export(documents, tmp_path, "C1", FIRST)
    asked = itertools.count(2)
    with monkeypatch.context() as patched:
        patched.setattr(os, "statvfs", statvfs)
        with pytest.raises(OutputError, match=r"C1.hdf5 needs .* has room for 0"):
            nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert [each for each in names(tmp_path) if "hdf5" in each] == []
    check_file(nxstxm.finish_export(tmp_path, "C1", FIRST).path, STACK, dict(enumerate(sent)))


def test_too_little_room_is_told_before(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6, nx=3, ny=1, per_line=False))
    told = json.loads(documents[0][1]["metadata"])
    for axis, count in (("X", 10**6), ("Y", 10**6)):  # 8 TB
        roi = told["rois"]["0"][axis]
        del roi["SETPOINTS"]
        roi.update(NPOINTS=count, START=0.0, STOP=1.0)
    documents[0][1]["metadata"] = json.dumps(told)
    nxstxm.export(cut(documents, 2), tmp_path, "C1")
    with pytest.raises(OutputError, match=r"needs \d{14} bytes.*room for"):
        nxstxm.finish_export(tmp_path, "C1")
    assert [each for each in names(tmp_path) if ".tmp" not in each] == []
    assert "stxm-0000-C1.tmp/stxm-0000.h5" in names(tmp_path)


def test_a_directory_that_cant_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (documents,) = runs(replace(STACK, energies=(700.0,)))
    nxstxm.export(documents, tmp_path, "C1")
    make = atomic_file.make_temporary

    def refusing(directory: Path, name: str) -> object:
        if directory == tmp_path:
            raise PermissionError(13, "Permission denied")
        return make(directory, name)

    with monkeypatch.context() as patched:
        patched.setattr(atomic_file, "make_temporary", refusing)
        patched.setattr(finish, "EntryWriter", None)  # nothing is written in vain
        with pytest.raises(OutputError, match=r"can't be written: Permission denied"):
            nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert nxstxm.finish_export(tmp_path, "C1", FIRST).path == tmp_path / "C1.hdf5"
    assert names(tmp_path) == ["C1.hdf5"]


def test_a_file_has_the_directorys_name(tmp_path: Path) -> None:
    (documents,) = runs(StxmScan(6))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="can't be written"):
        nxstxm.export(documents, tmp_path / "file", "C1")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_work_that_cant_be_locked(tmp_path: Path) -> None:
    nxstxm.export(runs(StxmScan(6))[0], tmp_path, "C1")
    (tmp_path / "target").write_text("mine")
    lock = tmp_path / "stxm-0000-C1.tmp" / "lock"
    lock.symlink_to(tmp_path / "target")
    with pytest.raises(OutputError, match="can't be written"):
        nxstxm.finish_export(tmp_path, "C1")
    lock.unlink()
    assert nxstxm.finish_export(tmp_path, "C1").path.name == "C1.hdf5"


def test_runs_that_come_while_the_file_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = runs(STACK)
    for documents in sent:
        nxstxm.export(documents, tmp_path, "C1", FIRST)
    write = finish._write_root

    def again(*arguments: object) -> None:
        nxstxm.export(sent[1], tmp_path, "C1", FIRST)
        write(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(finish, "_write_root", again)
        with pytest.raises(OutputError, match="exported to .* again while"):
            nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert not (tmp_path / "C1.hdf5").exists()
    # another run comes when the file has its name already
    other = runs(replace(STACK, uids="b"))[1]
    remove = finish.remove_work

    def late(*arguments: object) -> bool:
        nxstxm.export(other, tmp_path, "C1", FIRST)
        return remove(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(finish, "remove_work", late)
        done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    check_file(done.path, STACK, dict(enumerate(sent)))
    assert any("is still there" in each for each in done.remarks)
    assert "stxm-0000-C1.tmp/b-0001.h5" in names(tmp_path)


def test_leftovers_of_killed_programs_are_cleared(tmp_path: Path) -> None:
    nxstxm.export(runs(StxmScan(6))[0], tmp_path, "C1")
    work = tmp_path / "stxm-0000-C1.tmp"
    left = [work / ".stxm-0000.h5.123-0123abcd.tmp", work / ".b.h5.123-0123abcd.tmp",
            tmp_path / ".C1.hdf5.123-0123abcd.tmp"]  # fmt: skip
    kept = tmp_path / ".C2.hdf5.123-0123abcd.tmp"  # of another file: another program's
    for each in (*left, kept):
        each.write_bytes(b"half")
        os.utime(each, (time.time() - 60, time.time() - 60))
    nxstxm.finish_export(tmp_path, "C1")
    assert names(tmp_path) == [kept.name, "C1.hdf5"]
