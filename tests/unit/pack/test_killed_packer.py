"""Packers that die: at each call, and at random moments; the next one completes the pack."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adsupport.errors import OutputError, PackError
from adsupport.pack import PackProgress, pack

from .made_packs import run_of
from .source_runs import hdf5_run, sums_are_right, tiff_run, tree

REPOSITORY = Path(__file__).parents[3]

#: What the processes of these tests have in common: `begin` makes what is there before, `runs` is
#: what they pack.
COMMON = """
import os, random, shutil, signal, sys, time
from pathlib import Path
from adsupport.pack import pack
from tests.unit.pack.source_runs import hdf5_run, tiff_run, tree, write_bytes
from tests.unit.pack.made_packs import resource, run_of
import adsupport.pack.making.linked_files, adsupport.pack.making.packing

here, mode = Path(sys.argv[1]), sys.argv[2]
size = int(sys.argv[3])
write_bytes(here / "data/large.bin", random.Random(1).randbytes(size))
large = resource(3, spec="OTHER", root=str(here), resource_path="data/large.bin")
runs = [hdf5_run(here / "data", 1), tiff_run(here / "data", 2), run_of(3, large)]
external = "hardlink" if mode == "hardlink" else "copy"
form = "msgpack" if mode == "msgpack" else "jsonl"

def begin(out):
    if mode == "append":
        pack(runs[:1], out)

def work(out):
    pack(runs, out, external=external, format=form)

begin(here / "whole")
before = tree(here / "whole") if mode == "append" else {}
work(here / "whole")
whole = tree(here / "whole")
assert not [name for name in whole if name.startswith(".")], whole.keys()

def check(out):
    # under final names is only what belongs there
    for name, content in (tree(out) if out.exists() else {}).items():
        if not name.startswith(".adsupport-pack."):
            assert content in (whole[name], before.get(name)), name

def resume(out):
    work(out)
    found = tree(out)
    assert found == whole, found.keys() ^ whole.keys()
    shutil.rmtree(out)
"""

#: Counts what is opened, named, removed, written and brought to the disk; dies at one of these.
AT_EACH_CALL = (
    COMMON
    + """
every, first = int(sys.argv[4]), int(sys.argv[5])
count = limit = 0

def step():
    global count
    count += 1
    if limit and count == limit:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if limit and event in WATCHED and str(here / "out") in str(arguments):
        step()

def stepping(call):
    def stepped(*arguments, **options):
        step()
        return call(*arguments, **options)
    return stepped

WATCHED = {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}
sys.addaudithook(hook)
os.write, os.fsync, os.utime = stepping(os.write), stepping(os.fsync), stepping(os.utime)
deaths = 0
for turn in range(first, 10_000, every):
    out = here / f"out{turn}"
    begin(out)
    child = os.fork()
    if not child:
        try:
            count, limit = 0, turn
            work(out)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    died = os.WIFSIGNALED(status)
    assert died or status == 0, status
    check(out)
    resume(out)
    if not died:
        break
    deaths += 1
print(deaths)
"""
)

AT_RANDOM = (
    COMMON
    + """
wanted = int(sys.argv[4])
random.seed(sys.argv[5])
started = time.monotonic()
begin(here / "out")
work(here / "out")
shutil.rmtree(here / "out")
duration, deaths = time.monotonic() - started, 0
while deaths < wanted:
    begin(here / "out")
    for _ in range(random.randint(1, 3)):  # whoever goes on may be killed, too
        child = os.fork()
        if not child:
            try:
                work(here / "out")
                os._exit(0)
            finally:
                os._exit(1)
        signal.sigtimedwait([signal.SIGCHLD], random.uniform(0, 1.2 * duration))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or status == 0, status
        deaths += os.WIFSIGNALED(status)
        check(here / "out")
    resume(here / "out")
print(deaths)
"""
)


def _run(code: str, *arguments: object) -> int:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize(
    ("mode", "first"), [("copy", 5), pytest.param("append", 17, marks=pytest.mark.slow)]
)
def test_killed_at_some_calls_the_pack_is_completed(tmp_path: Path, mode: str, first: int) -> None:
    assert _run(AT_EACH_CALL, tmp_path, mode, 100_000, 23, first) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["copy", "append", "hardlink", "msgpack"])
def test_killed_at_each_call_the_pack_is_completed(tmp_path: Path, mode: str) -> None:
    assert _run(AT_EACH_CALL, tmp_path, mode, 100_000, 1, 1) >= 60


def test_killed_at_a_few_random_moments_the_pack_is_completed(tmp_path: Path) -> None:
    assert _run(AT_RANDOM, tmp_path, "copy", 3_000_000, 4, "few") >= 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_thirty_random_moments_the_pack_is_completed(tmp_path: Path, seed: int) -> None:
    assert _run(AT_RANDOM, tmp_path, "copy", 30_000_000, 30, seed) >= 30


class StoppedError(Exception):
    """What a user does, in the middle."""


def stop_at(run: int) -> Any:
    """Make a progress that stops packing before a run is done."""

    def told(progress: PackProgress) -> None:
        if progress.runs == run:
            raise StoppedError

    return told


def test_what_is_done_is_not_copied_again(tmp_path: Path) -> None:
    runs = [hdf5_run(tmp_path / "data", number) for number in (1, 2, 3)]
    whole = tree(pack(runs, tmp_path / "whole").directory)
    with pytest.raises(StoppedError):
        pack(runs, tmp_path / "out", progress=stop_at(2))
    told: list[PackProgress] = []
    pack(runs, tmp_path / "out", progress=told.append)
    assert told[-1].runs == 3
    assert told[-1].files == 1
    assert tree(tmp_path / "out") == whole


def test_a_source_that_changed_meanwhile_is_copied_again(tmp_path: Path) -> None:
    runs = [tiff_run(tmp_path / "data", 1), hdf5_run(tmp_path / "data", 2)]
    with pytest.raises(StoppedError):
        pack(runs, tmp_path / "out", progress=stop_at(1))
    (tmp_path / "data/im_001.tif").write_bytes(b"others")
    pack(runs, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(pack(runs, tmp_path / "whole").directory)


def test_what_is_not_wanted_any_more_is_removed(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        pack([run_of(1), tiff_run(tmp_path / "data", 2)], tmp_path / "out", progress=stop_at(1))
    other = hdf5_run(tmp_path / "data", 3)
    pack(other, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(pack([run_of(1), other], tmp_path / "whole").directory)


def test_a_second_packer_is_told(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    path = tmp_path / "out/.adsupport-pack.journal"
    with path.open("w") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="is being packed by another process"):
            pack(run_of(2), tmp_path / "out")
    pack(run_of(2), tmp_path / "out")
    assert sums_are_right(tmp_path / "out")


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    runs = [hdf5_run(tmp_path / "data", number) for number in (1, 2)]
    with pytest.raises(StoppedError):
        pack(runs, tmp_path / "out", progress=stop_at(1))
    path = tmp_path / "out/.adsupport-pack.journal"
    path.write_bytes(path.read_bytes()[:-5])
    pack(runs, tmp_path / "out")
    assert tree(tmp_path / "out") == tree(pack(runs, tmp_path / "whole").directory)


@pytest.mark.parametrize("text", ["{}\n{\n", "{}\n{}\n", "[]\n[]\n", '{"file": {}}\n{}\n'])
def test_a_damaged_journal_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.adsupport-pack.journal").write_text(text)
    with pytest.raises(OutputError, match=r"\.adsupport-pack\.journal is damaged"):
        pack(run_of(1), tmp_path / "out")


def test_a_hostile_journal_removes_nothing_elsewhere(tmp_path: Path) -> None:
    pack(run_of(1), tmp_path / "out")
    (tmp_path / "mine.txt").write_text("mine")
    entry = json.loads((tmp_path / "out/manifest.json").read_text())["runs"][0]
    records = [
        {"documents": "jsonl", "external": "copy"},
        {"run": {**entry, "path": "../mine.txt"}},
    ]
    journal = tmp_path / "out/.adsupport-pack.journal"
    journal.write_text("".join(json.dumps(each) + "\n" for each in records))
    with pytest.raises(PackError, match="isn't the path of a file in a pack"):
        pack(run_of(1), tmp_path / "out")
    assert (tmp_path / "mine.txt").read_text() == "mine"
