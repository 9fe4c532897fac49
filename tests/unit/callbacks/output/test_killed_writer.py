"""Writers that die: at every system call, and at random moments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What the processes of these tests have in common; each writes `TEXT` to a target.
COMMON = """
import errno, os, random, signal, sys, tempfile, time
from pathlib import Path
from adsupport.callbacks.output import AtomicFile, atomic_file, no_replace
from adsupport.callbacks.output.temporary import clear_stale

here = Path(sys.argv[1])
tempfile.tempdir = str(here / "spool")
(here / "spool").mkdir(exist_ok=True)
TEXT = bytes(range(256)) * 4096

def write(target, exists):
    file = AtomicFile(target, exists=exists)
    with file.temporary.open("wb") as open_file:
        for first in range(0, len(TEXT), 65536):
            open_file.write(TEXT[first:first + 65536])
    if target.parent.name == "blocked":
        target.parent.unlink()
    file.commit()

def state(target, old):
    found = target.read_bytes() if target.exists() else b""
    assert found in (old, TEXT), (target, len(found))
    clear_stale(target.parent, target.name, older_than=-1)
    names = [each.name for each in target.parent.iterdir()]
    assert names in ([], [target.name]), names
    return "whole" if found == TEXT else "absent"
"""

#: An audit hook sees each opening, linking, renaming, removing and making: it dies at one of them.
AT_EACH_CALL = (
    COMMON
    + """
mode = sys.argv[2]
if mode == "link":
    no_replace._renameat2 = lambda: None
if mode == "copy":
    rename_new = atomic_file.rename_new

    def on_other_disks(source, target):
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "")
        rename_new(source, target)

    atomic_file.rename_new = on_other_disks
spooled = mode in ("spool", "copy")
count = limit = 0

def hook(event, arguments):
    global count
    if limit and event in WATCHED and str(here) in str(arguments):
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)

WATCHED = {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}
sys.addaudithook(hook)
found = []
for turn in range(1, 100):
    directory = here / str(turn) / ("blocked" if spooled else "data")
    directory.parent.mkdir()
    old = b""
    if spooled:
        directory.write_bytes(b"")
    if mode == "replace":
        directory.mkdir()
        (directory / "a").write_bytes(old := b"old")
    child = os.fork()
    if not child:
        try:
            limit = turn
            write(directory / "a", "replace" if mode == "replace" else "refuse")
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    died = os.WIFSIGNALED(status)
    assert died or status == 0, status
    if directory.is_dir():
        found.append(state(directory / "a", old))
    if not died:
        break
print(*found)
"""
)

AT_RANDOM = (
    COMMON
    + """
wanted = int(sys.argv[2])
random.seed(sys.argv[3])
write(here / "warm", "refuse")
(here / "warm").unlink()
(here / "data").mkdir()
target = here / "data" / "a"
duration, found, kills = 0.02, {"absent": 0, "whole": 0}, 0
while kills < wanted:
    start = time.monotonic()
    child = os.fork()
    if not child:
        try:
            write(target, "refuse")
            os._exit(0)
        finally:
            os._exit(1)
    signal.sigtimedwait([signal.SIGCHLD], random.uniform(0, 1.2 * duration))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        kills += 1
    else:
        assert status == 0, status
        duration = time.monotonic() - start
    found[state(target, b"")] += 1
    target.unlink(missing_ok=True)
print(found["absent"], found["whole"])
"""
)


def _run(code: str, *arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("mode", ["rename", "link", "replace", "spool", "copy"])
def test_killed_at_each_call_the_name_is_free_or_has_the_whole_file(
    tmp_path: Path, mode: str
) -> None:
    found = _run(AT_EACH_CALL, tmp_path, mode)
    # it died at several calls before the name was given, and not once did the name come and go
    assert found.count("absent") >= (0 if mode == "spool" else 3)
    assert len(found) >= 3
    assert found[-1] == "whole"
    assert found == sorted(found)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    absent, _whole = map(int, _run(AT_RANDOM, tmp_path, 50, "few"))
    assert absent >= 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_many_random_moments(tmp_path: Path, seed: int) -> None:
    absent, whole = map(int, _run(AT_RANDOM, tmp_path, 300, seed))
    assert absent >= 50
    assert whole >= 1
