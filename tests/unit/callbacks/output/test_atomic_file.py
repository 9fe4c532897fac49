"""Atomic files: the final name is free or has the whole file, and finished work isn't lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import h5py
import pytest

from adsupport.callbacks.output import AtomicFile, no_replace, temporary
from adsupport.errors import (
    ConfigurationError,
    OutputError,
    OutputExistsError,
    OutputNameError,
)


@pytest.fixture(autouse=True)
def spool(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory for temporary files, which has the spool directory, is the test's own."""
    directory = tmp_path_factory.mktemp("spool")
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture
def other_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each directory is on a file system of its own."""

    def across(rename):
        def tried(source: Path, target: Path) -> None:
            if Path(source).parent != Path(target).parent:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            rename(source, target)

        return tried

    where = "adsupport.callbacks.output.atomic_file.rename_new"
    monkeypatch.setattr(where, across(no_replace.rename_new))
    monkeypatch.setattr(os, "replace", across(os.replace))


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def blocked(tmp_path: Path) -> Path:
    """A directory that nobody can make, not even root: a file has its name."""
    (tmp_path / "blocked").write_text("a file")
    return tmp_path / "blocked"


def test_a_file_has_its_name_at_the_end_only(tmp_path: Path) -> None:
    target = tmp_path / "new" / "2026" / "a.csv"
    with AtomicFile(target) as file:
        assert file.problem == ""
        assert file.path == target
        assert not file.spooled
        assert file.temporary.parent == target.parent
        assert file.temporary.name.startswith(f".a.csv.{os.getpid()}-")
        assert file.temporary.suffix == ".tmp"
        file.temporary.write_text("1,2\n")
        assert not target.exists()
        assert not file.committed
    assert target.read_text() == "1,2\n"
    assert names(target.parent) == ["a.csv"]
    assert file.committed
    assert file.commit() == target
    file.abandon()
    assert target.exists()


def test_a_new_file_has_the_permissions_of_any(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "a") as file:
        file.temporary.write_text("x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_hdf5_takes_its_own_lock_beside_ours(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "a.h5") as file:
        with h5py.File(file.temporary, "w", locking=True) as h5:
            h5["x"] = 1
        assert temporary.clear_stale(tmp_path, "a.h5", older_than=-1) == []
    with h5py.File(tmp_path / "a.h5") as h5:
        assert list(h5) == ["x"]


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), AtomicFile(tmp_path / "a") as file:
        file.temporary.write_text("half")
        raise RuntimeError
    assert names(tmp_path) == []
    file.abandon()


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = AtomicFile("a.csv")
    monkeypatch.chdir("/")
    assert file.commit() == tmp_path / "a.csv"


def test_a_library_may_replace_the_temporary_file(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "a") as file:
        (tmp_path / "other").write_text("other")
        os.replace(tmp_path / "other", file.temporary)
    assert (tmp_path / "a").read_text() == "other"


@pytest.mark.parametrize("there", ["file", "directory", "dangling", "link"])
@pytest.mark.parametrize("when", ["before", "between"])
def test_what_has_the_name_is_refused_and_untouched(tmp_path: Path, there: str, when: str) -> None:
    target, other = tmp_path / "a.csv", tmp_path / "other"
    other.write_text("other")

    def take() -> None:
        match there:
            case "file":
                target.write_text("old")
            case "directory":
                target.mkdir()
            case "dangling":
                target.symlink_to(tmp_path / "nowhere")
            case "link":
                target.symlink_to(other)

    if when == "before":
        take()
    file = AtomicFile(target)
    assert file.problem == (f"{target} exists already." if when == "before" else "")
    file.temporary.write_text("new")
    if when == "between":
        take()
    with pytest.raises(OutputExistsError, match="exists already, and isn't replaced") as caught:
        file.commit()
    kept = Path(str(caught.value.kept))
    assert caught.value.path == str(target)
    assert kept == file.temporary
    assert kept.read_text() == "new"
    assert kept.suffix == ".kept"
    assert isinstance(caught.value, FileExistsError)
    assert file.problem
    assert other.read_text() == "other"
    assert not (tmp_path / "nowhere").exists()
    # under another name
    assert file.commit(tmp_path / "deeper" / "b.csv") == tmp_path / "deeper" / "b.csv"
    assert (tmp_path / "deeper" / "b.csv").read_text() == "new"
    assert not kept.exists()
    assert file.problem == ""


def test_a_commit_can_be_tried_again_when_the_name_is_free(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    file = AtomicFile(target)
    file.temporary.write_text("new")
    for _ in range(2):
        with pytest.raises(OutputExistsError):
            file.commit()
    target.unlink()
    assert file.commit() == target
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a"]


def test_a_finished_file_is_only_named(tmp_path: Path) -> None:
    work = tmp_path / "work.tif"
    work.write_text("new")
    (tmp_path / "x.tif").write_text("old")
    with pytest.raises(OutputExistsError) as caught:
        AtomicFile(tmp_path / "x.tif", finished=work).commit(synced=True)
    assert caught.value.kept == str(work)
    AtomicFile(tmp_path / "x.tif", exists="replace", finished=work).commit(synced=True)
    assert os.listdir(tmp_path) == ["x.tif"] and (tmp_path / "x.tif").read_text() == "new"
    with pytest.raises(OutputError, match="work.tif") as lost:  # cleared away by somebody
        AtomicFile(tmp_path / "y.tif", finished=work).commit(synced=True)
    assert lost.value.kept is None


def test_kept_work_can_be_abandoned(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    file = AtomicFile(tmp_path / "a")
    with pytest.raises(OutputExistsError):
        file.commit()
    file.abandon()
    assert names(tmp_path) == ["a"]


def test_bump_takes_the_next_free_name(tmp_path: Path) -> None:
    taken = []
    for number in range(3):
        file = AtomicFile(tmp_path / "a.b.h5", exists="bump")
        assert file.problem == ""
        file.temporary.write_text(str(number))
        taken.append(file.commit())
        assert file.path == taken[-1]
    assert [path.name for path in taken] == ["a.b.h5", "a.b-1.h5", "a.b-2.h5"]
    assert [path.read_text() for path in taken] == ["0", "1", "2"]


def test_replace_replaces_a_file_or_a_link_but_no_directory(tmp_path: Path) -> None:
    target, other = tmp_path / "a", tmp_path / "other"
    target.write_text("old")
    for text in ("new", "newer"):
        with AtomicFile(target, exists="replace") as file:
            file.temporary.write_text(text)
        assert target.read_text() == text
        target.unlink()
        other.write_text("other")
        target.symlink_to(other)
    assert other.read_text() == "other"
    target.unlink()
    target.mkdir()
    file = AtomicFile(target, exists="replace")
    with pytest.raises(OutputError, match="can't be written"):
        file.commit()


def test_exists_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'refuse', 'bump' or 'replace'"):
        AtomicFile(tmp_path / "a", exists="overwrite")  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", ".", "..", "a/", "a/..", "a\0b", "x" * 256, "\ud800"])
def test_a_path_that_names_no_file_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutputNameError):
        AtomicFile(f"{tmp_path}/{path}")
    file = AtomicFile(tmp_path / "fine")
    with pytest.raises(OutputNameError):
        file.commit(f"{tmp_path}/{path}")
    file.abandon()
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * 255, "日" * 85, "é" * 120, "a*b[c]?", "\udcff", "-", ".a"])
def test_unusual_names_work(tmp_path: Path, name: str) -> None:
    with AtomicFile(tmp_path / name) as file:
        file.temporary.write_text("x")
        assert temporary.clear_stale(tmp_path, name, older_than=-1) == []
    assert names(tmp_path) == [name]


def test_two_long_names_have_different_temporaries() -> None:
    assert temporary._beginning("x" * 254 + "a") != temporary._beginning("x" * 254 + "b")


def test_an_unwritable_directory_only_delays(tmp_path: Path, spool: Path) -> None:
    directory = blocked(tmp_path)
    file = AtomicFile(directory / "a.csv")
    assert file.spooled
    assert str(directory) in file.problem
    assert file.temporary.is_relative_to(spool)
    assert file.temporary.parent.stat().st_mode & 0o777 == 0o700
    file.temporary.write_text("new")
    with pytest.raises(OutputError, match="the finished file is kept") as caught:
        file.commit()
    assert Path(str(caught.value.kept)).read_text() == "new"
    assert file.problem
    directory.unlink()
    assert file.commit() == directory / "a.csv"
    assert (directory / "a.csv").read_text() == "new"
    assert names(directory) == ["a.csv"]
    assert names(file.path.parent) == ["a.csv"]
    assert not any(path.is_file() for path in spool.rglob("*"))
    assert file.problem == ""
    assert file.committed


@pytest.mark.parametrize("exists", ["refuse", "bump", "replace"])
def test_work_is_copied_from_another_disk(tmp_path: Path, other_disk: None, exists: str) -> None:
    file = AtomicFile(tmp_path / "a.csv", exists=exists)  # type: ignore[arg-type]
    file.temporary.write_text("new")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.csv").write_text("old")
    target = tmp_path / "b" / "a.csv"
    if exists == "refuse":
        with pytest.raises(OutputExistsError):
            file.commit(target)
        assert names(tmp_path / "b") == ["a.csv"]
        assert target.read_text() == "old"
        target.unlink()
    found = file.commit(target)
    assert found.name == ("a-1.csv" if exists == "bump" else "a.csv")
    assert found.read_text() == "new"
    assert names(tmp_path) == ["b"]
    assert len(names(tmp_path / "b")) == (2 if exists == "bump" else 1)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no second file system")
def test_work_is_brought_from_a_second_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        monkeypatch.setattr(tempfile, "tempdir", other)
        directory = blocked(tmp_path)
        file = AtomicFile(directory / "a.csv")
        file.temporary.write_text("new")
        directory.unlink()
        assert file.commit().read_text() == "new"
        assert names(directory) == ["a.csv"]
        assert not any(path.is_file() for path in Path(other).rglob("*"))


def test_a_directory_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with AtomicFile(tmp_path / "link" / "a") as file:
        file.temporary.write_text("x")
    assert names(tmp_path / "real") == ["a"]


def test_room_is_checked_before(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "a") as file:
        file.check_room(1)
        with pytest.raises(OutputError, match=f"needs {2**62} bytes more") as caught:
            file.check_room(2**62)
    assert caught.value.path == str(tmp_path / "a")


def test_spooled_work_goes_elsewhere_or_away(tmp_path: Path, spool: Path) -> None:
    file = AtomicFile(blocked(tmp_path) / "a.csv")
    file.temporary.write_text("new")
    assert file.commit(tmp_path / "b.csv") == tmp_path / "b.csv"
    assert (tmp_path / "b.csv").read_text() == "new"
    with pytest.raises(RuntimeError), AtomicFile(tmp_path / "blocked" / "a.csv") as file:
        raise RuntimeError
    assert not any(path.is_file() for path in spool.rglob("*"))


def test_the_target_exists_where_spooled_work_should_go(tmp_path: Path) -> None:
    directory = blocked(tmp_path)
    file = AtomicFile(directory / "a.csv")
    file.temporary.write_text("new")
    directory.unlink()
    directory.mkdir()
    (directory / "a.csv").write_text("old")
    with pytest.raises(OutputExistsError) as caught:
        file.commit()
    assert Path(str(caught.value.kept)).read_text() == "new"
    assert names(directory) == ["a.csv"]
    file.abandon()


def test_nothing_can_be_written_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = blocked(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    with pytest.raises(OutputError, match="directory for temporary files") as caught:
        AtomicFile(directory / "a.csv")
    assert caught.value.path == str(directory / "a.csv")


def test_somebody_elses_spool_directory_isnt_trusted(tmp_path: Path, spool: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (spool / f"adsupport-spool-{os.getuid()}").symlink_to(evil)
    file = AtomicFile(blocked(tmp_path) / "a.csv")
    assert file.spooled
    assert names(evil) == []
    file.abandon()
    (spool / f"adsupport-spool-{os.getuid()}").unlink()
    (spool / f"adsupport-spool-{os.getuid()}").mkdir()
    (spool / f"adsupport-spool-{os.getuid()}").chmod(0o777)
    file = AtomicFile(tmp_path / "blocked" / "a.csv")
    assert file.temporary.parent.name != f"adsupport-spool-{os.getuid()}"
    file.abandon()


def test_the_temporary_was_removed(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "a")
    file.temporary.unlink()
    with pytest.raises(OutputError, match="didn't reach the disk") as caught:
        file.commit()
    assert caught.value.kept is None
    assert names(tmp_path) == []


def test_the_temporary_became_a_link(tmp_path: Path) -> None:
    file = AtomicFile(tmp_path / "a")
    file.temporary.unlink()
    file.temporary.symlink_to("/etc/passwd")
    with pytest.raises(OutputError, match="isn't a file any more"):
        file.commit()
    assert not (tmp_path / "a").is_symlink()


def _failing(number: int, only: str = ""):
    def fail(*args: object, **options: object) -> None:
        raise OSError(number, os.strerror(number), only)

    return fail


def test_content_that_the_disk_refused_never_gets_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AtomicFile(tmp_path / "a")
    file.temporary.write_text("new")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", _failing(errno.ENOSPC))
        with pytest.raises(OutputError, match="No space left on device") as caught:
            file.commit()
    assert caught.value.kept is None
    # the kernel forgets what it couldn't write: a second sync would succeed
    with pytest.raises(OutputError, match="No space left on device"):
        file.commit()
    assert not (tmp_path / "a").exists()
    file.abandon()
    assert names(tmp_path) == []


def test_no_room_for_the_copy_of_spooled_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_disk: None
) -> None:
    directory = blocked(tmp_path)
    file = AtomicFile(directory / "a")
    file.temporary.write_text("new")
    directory.unlink()
    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfileobj", _failing(errno.ENOSPC))
        with pytest.raises(OutputError, match="No space left on device") as caught:
            file.commit()
    assert names(directory) == []
    assert Path(str(caught.value.kept)).read_text() == "new"
    file.commit()
    assert (directory / "a").read_text() == "new"


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP])
def test_without_renameat2_the_name_is_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(no_replace, "_renameat2", lambda: lambda source, target: number)
    with AtomicFile(tmp_path / "a") as file:
        file.temporary.write_text("new")
    assert (tmp_path / "a").read_text() == "new"
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").stat().st_nlink == 1
    other = AtomicFile(tmp_path / "a")
    with pytest.raises(OutputExistsError):
        other.commit()
    assert (tmp_path / "a").read_text() == "new"
    other.abandon()


def test_a_link_that_was_made_though_the_server_denies_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def twice(*args: str, **options: bool) -> None:
        link(*args, **options)
        link(*args, **options)

    monkeypatch.setattr(no_replace, "_renameat2", lambda: None)
    monkeypatch.setattr(os, "link", twice)
    with AtomicFile(tmp_path / "a") as file:
        file.temporary.write_text("new")
    assert names(tmp_path) == ["a"]


def test_a_file_system_that_can_do_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = AtomicFile(tmp_path / "a")
    file.temporary.write_text("new")
    with monkeypatch.context() as patched:
        patched.setattr(no_replace, "_renameat2", lambda: lambda source, target: errno.EINVAL)
        patched.setattr(os, "link", _failing(errno.EPERM))
        with pytest.raises(OutputError, match="Operation not permitted") as caught:
            file.commit()
    assert Path(str(caught.value.kept)).read_text() == "new"
    assert names(tmp_path) == [file.temporary.name]
    file.commit()


def test_a_directory_that_cant_be_synced_doesnt_mind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr("adsupport.callbacks.output.atomic_file.sync_directory", synced.append)
    with AtomicFile(tmp_path / "b" / "c" / "a") as file:
        file.temporary.write_text("new")
    assert synced == [tmp_path / "b" / "c", tmp_path / "b", tmp_path]
    monkeypatch.setattr(
        "adsupport.callbacks.output.atomic_file.sync_directory", _failing(errno.EIO)
    )
    with AtomicFile(tmp_path / "a") as file:
        file.temporary.write_text("new")
    assert (tmp_path / "a").exists()


def test_stale_temporaries_of_the_same_target_are_cleared(tmp_path: Path) -> None:
    old = time.time() - 4000
    stale = tmp_path / ".a.h5.123-0123abcd.tmp"
    spared = [
        tmp_path / ".a.h5.124-0123abcd.tmp",  # young
        tmp_path / ".a.h5.125-0123abcd.kept",
        tmp_path / ".a.h5.9.126-0123abcd.tmp",  # of the target a.h5.9
        tmp_path / ".b.h5.127-0123abcd.tmp",
        tmp_path / ".a.h5.tmp",
    ]
    for path in (stale, *spared):
        path.write_text("x")
        if path != spared[0]:
            os.utime(path, (old, old))
    link = tmp_path / ".a.h5.128-0123abcd.tmp"
    link.symlink_to(spared[0])
    os.utime(link, (old, old), follow_symlinks=False)
    AtomicFile(tmp_path / "a.h5").abandon()
    held = AtomicFile(tmp_path / "b.h5")
    os.utime(held.temporary, (old, old))
    assert temporary.clear_stale(tmp_path, "b.h5") == [spared.pop(3)]
    assert not stale.exists()
    assert all(path.exists() for path in spared)
    assert link.is_symlink()
    assert held.temporary.exists()
    held.abandon()


def test_a_directory_isnt_looked_through_for_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr(temporary, "clear_stale", lambda *each: looked.append(each))
    for number in range(5):
        with AtomicFile(tmp_path / f"{number}.tif") as file:
            file.temporary.write_text("x")
    assert looked == [(tmp_path, "0.tif")]


def test_of_two_writers_of_one_target_one_wins(tmp_path: Path) -> None:
    files = [AtomicFile(tmp_path / "a") for _ in range(8)]
    for number, file in enumerate(files):
        file.temporary.write_text(str(number))
    barrier, won, lost = threading.Barrier(len(files)), [], []

    def commit(file: AtomicFile) -> None:
        barrier.wait(10)
        try:
            file.commit()
            won.append(file)
        except OutputExistsError:
            lost.append(file)

    threads = [threading.Thread(target=commit, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(won) == 1
    assert len(lost) == 7
    assert (tmp_path / "a").read_text() == str(files.index(won[0]))
    for file in lost:
        assert file.temporary.read_text() == str(files.index(file))
        file.exists = "bump"
        file.commit()
    assert names(tmp_path) == ["a", *(f"a-{number}" for number in range(1, 8))]
    texts = sorted(path.read_text() for path in tmp_path.iterdir())
    assert texts == [str(number) for number in range(8)]


def test_a_forked_process_doesnt_abandon_its_parents_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AtomicFile(tmp_path / "a")
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: -1)
        file.abandon()
    assert file.temporary.exists()
    file.abandon()
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_while_writing(tmp_path: Path) -> None:
    """The limit of a process stands for the end of a disk: real writes fail, h5py's too."""
    code = """
import errno, resource, signal, sys, tempfile
from pathlib import Path
import h5py, numpy
from adsupport.callbacks.output import AtomicFile, atomic_file
from adsupport.errors import OutputError
rename_new = atomic_file.rename_new
def on_other_disks(source, target):
    if source.parent != target.parent:
        raise OSError(errno.EXDEV, "")
    rename_new(source, target)
atomic_file.rename_new = on_other_disks
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
here = Path(sys.argv[1])
tempfile.tempdir = str(here / "spool")
(here / "spool").mkdir()
(here / "blocked").write_text("")
spooled = AtomicFile(here / "blocked" / "c.csv")
spooled.temporary.write_bytes(b"x" * 200_000)
(here / "blocked").unlink()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 1_000_000))
for name, write in {
    "a.csv": lambda path: path.write_bytes(b"x" * 200_000),
    "b.h5": lambda path: h5py.File(path, "w").create_dataset("x", data=numpy.ones(200_000)),
}.items():
    try:
        with AtomicFile(here / name) as file:
            write(file.temporary)
    except OSError as error:
        print(name, "File too large" in str(error) or error.errno)
try:
    spooled.commit()
except OutputError as error:
    print("c.csv", Path(error.kept).stat().st_size)
print(sorted(each.name for each in here.iterdir()), list((here / "blocked").iterdir()))
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
print(spooled.commit().stat().st_size)
import os; os._exit(0)  # h5py's file can't be closed
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert done.stdout.splitlines() == [
        "a.csv True",
        "b.h5 True",
        "c.csv 200000",
        "['blocked', 'spool'] []",
        "200000",
    ], done.stderr


def test_a_file_in_place_of_the_directory_isnt_a_target_that_exists(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "data").write_text("a file")
    file = AtomicFile(tmp_path / "data" / "scan.csv")
    with pytest.raises(OutputError, match="a file has the directory's name") as caught:
        file.commit()
    assert not isinstance(caught.value, OutputExistsError) and caught.value.kept
    (tmp_path / "data").unlink()
    assert file.commit().exists()


def test_a_file_that_neednt_last_isnt_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    for name in ("sync_directory", "sync_file"):
        monkeypatch.setattr(f"adsupport.callbacks.output.atomic_file.{name}", synced.append)
    file = AtomicFile(tmp_path / "b" / "x.tif")
    file.temporary.write_bytes(b"x")
    assert file.commit(lasting=False).read_bytes() == b"x"
    assert synced == []
