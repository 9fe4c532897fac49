"""What may happen to a SPEC file while it's written: others, full disks, death."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from adsupport.callbacks.spec import SpecWriterCallback
from adsupport.callbacks.spec.appending import _pieces
from adsupport.callbacks.spec.existing import SpecContent
from adsupport.errors import OutputError

from .made import MadeRun, play
from .readback import both, by_silx, by_spec2nexus


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch):
    """Give the test a spool directory of its own."""
    directory = tmp_path / "spool"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def one(scan_id=1, count=3):
    rows = [{"x": scan_id * 100 + n} for n in range(count)]
    return MadeRun(f"run-{scan_id}", scan_id).documents(rows, {"m": scan_id})


def kept_in(directory: Path) -> list[Path]:
    return [each for each in directory.rglob("*") if each.is_file()]


def test_a_file_of_another_program_is_waited_for(tmp_path, spool):
    path = tmp_path / "busy.dat"
    play(SpecWriterCallback(path), one(1))
    writer = SpecWriterCallback(path)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for name, doc in one(2):
            writer(name, doc)
        while not kept_in(spool):
            writer._wait_for_documents(None)
        assert [each.number for each in by_spec2nexus(path)] == ["1"]
    assert writer.wait_writer(20)[0].paths == [path]
    assert [each.column("x") for each in both(path)] == [[100, 101, 102], [200, 201, 202]]
    assert kept_in(spool) == []


def test_a_file_that_stays_busy_is_an_error_that_can_be_tried_again(tmp_path, spool):
    path = tmp_path / "busy.dat"
    writer = SpecWriterCallback(path, lock_timeout=0.1)
    play(writer, one(1))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another scan is being written to it") as caught:
            play(writer, one(2))
        (kept,) = kept_in(spool)
        assert caught.value.kept == str(kept)
        assert by_silx(kept)[0].column("x") == [200, 201, 202]  # which is a SPEC file itself
        with pytest.raises(OutputError, match="another scan"):
            writer.retry(20)
    assert writer.retry(20)[0].paths == [path]
    assert [each.positions for each in both(path)] == [{"m": 1}, {"m": 2}]
    assert kept_in(spool) == []


def test_a_directory_that_cant_be_written_doesnt_stop_the_run(tmp_path, spool):
    where = tmp_path / "share"
    where.write_text("no directory")
    writer = SpecWriterCallback(where / "scans.dat")
    with pytest.raises(OutputError, match=r"isn't in .*scans\.dat: .*(exists|Not a dir)") as caught:
        play(writer, one(1), one(2))
    assert len(caught.value.__notes__) == 1
    assert [type(each.error) for each in writer.results] == [OutputError, OutputError]
    assert len(kept_in(spool)) == 2
    where.unlink()
    play(writer, one(3))
    writer.retry(20)
    assert sorted(each.number for each in both(where / "scans.dat")) == ["1", "2", "3"]
    assert (where / "scans.dat").read_text().count("#F ") == 1
    assert kept_in(spool) == []


def full_after(monkeypatch, path, size):
    """Let the file's disk be full from a size on; return what ends that."""
    room = [size + len(str(path))]  # which is in the header
    write = os.write

    def limited(descriptor, data):
        if os.readlink(f"/proc/self/fd/{descriptor}") != str(path):
            return write(descriptor, data)
        left = room[0] - os.fstat(descriptor).st_size
        if left <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, bytes(data)[:left])

    monkeypatch.setattr(os, "write", limited)
    return lambda: room.append(room.pop() + 10**9)


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("room", [-90, 5, 300, 372, 380, 450, 500, 550])
def test_a_disk_that_gets_full_keeps_whole_lines_and_loses_none(
    tmp_path, spool, monkeypatch, room, later
):
    path = tmp_path / "full.dat"
    free = full_after(monkeypatch, path, room)
    writer = SpecWriterCallback(path)
    begun = False
    with pytest.raises(OutputError, match="No space left"):
        for name, doc in one(1, 12):
            writer(name, doc)
            writer._wait_for_documents(None)
            if name != "stop":
                begun |= path.exists() and path.stat().st_size > 0
        writer.wait_writer(20)
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    assert begun == (room > 376)
    free()
    if not later:
        play(writer, one(2))  # another scan comes first
    writer.retry(20)
    assert kept_in(spool) == []
    scans = both(path)
    whole = [n for n in scans if n.column("x") == [100 + n for n in range(12)]]
    assert len([n for n in whole if "exit_status = success" in n.comments[-1]]) == 1
    # What had been written is gone on with, when nothing stands behind it; otherwise it stays.
    parts = len(scans) - 1 - (not later)
    assert parts == (0 if later or not begun else 1)


def test_a_full_disk_that_has_room_again_at_the_end_is_no_error(tmp_path, spool, monkeypatch):
    path = tmp_path / "full.dat"
    free = full_after(monkeypatch, path, 420)
    writer = SpecWriterCallback(path)
    *most, stop = one(1, 12)
    for name, doc in most:
        writer(name, doc)
        writer._wait_for_documents(None)
    free()
    play(writer, [stop])
    assert [each.column("x") for each in both(path)] == [[100 + n for n in range(12)]]
    assert kept_in(spool) == []


def test_neither_the_file_nor_a_spool_can_be_written(tmp_path, spool):
    spool.rmdir()
    spool.touch()
    where = tmp_path / "share"
    where.touch()
    writer = SpecWriterCallback(where / "scans.dat")
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        play(writer, one(1))
    writer.newfile(tmp_path / "fine.dat")
    play(writer, one(2))
    assert [each.number for each in both(tmp_path / "fine.dat")] == ["2"]


def test_a_file_that_becomes_another_is_left_alone(tmp_path, spool):
    path = tmp_path / "taken.dat"
    writer = SpecWriterCallback(path)
    path.write_text("somebody's notes\n")
    with pytest.raises(OutputError, match="no SPEC file"):
        play(writer, one(1))
    assert path.read_text() == "somebody's notes\n"
    path.unlink()
    writer.retry(20)
    assert [each.number for each in both(path)] == ["1"]


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    path = tmp_path / "new.dat"
    writer = SpecWriterCallback(path)
    play(writer, one(1))
    path.unlink()
    play(writer, one(2))
    assert path.read_text().startswith("#F ")
    assert [each.number for each in both(path)] == ["2"]


def test_a_line_without_its_end_is_ended(tmp_path):
    path = tmp_path / "torn.dat"
    play(SpecWriterCallback(path), one(1))
    path.write_bytes(path.read_bytes()[: path.read_bytes().index(b"num_events")])
    play(SpecWriterCallback(path), one(2))
    assert [each.column("x") for each in both(path)] == [[100, 101, 102], [200, 201, 202]]


def test_a_failed_writer_leaves_the_file_to_others(tmp_path, monkeypatch):
    path = tmp_path / "failed.dat"
    writer = SpecWriterCallback(path)
    *most, stop = one(1)
    for name, doc in most:
        writer(name, doc)
    writer.wait_writer(20)
    monkeypatch.setattr("adsupport.callbacks.spec.scan.scan_tail", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        play(writer, [stop])
    monkeypatch.undo()
    play(writer, one(2))
    assert [each.column("x") for each in both(path)] == [[100, 101, 102], [200, 201, 202]]


@pytest.mark.parametrize(
    ("torn", "ended"),
    [
        (b"2 0.5 1", b"#C unfinished line: 2 0.5 1\n"),
        (b"@A 1 2", b"#C unfinished line: \\x40A 1 2\n"),
        (b"#C some\xff", b"#C some\xff\n"),
    ],
)
def test_a_line_that_was_cut_is_no_row(tmp_path, torn, ended):
    path = tmp_path / "torn.dat"
    play(SpecWriterCallback(path), one(1, 2))
    before = path.read_bytes()
    before = before[: before.rindex(b"1 0.5") if b"1 0.5" in before else before.index(b"#C", 400)]
    path.write_bytes(before + torn)
    play(SpecWriterCallback(path), one(2))
    after = path.read_bytes()
    assert after.startswith(before + ended)
    if b"\xff" not in torn:
        assert [each.column("x") for each in both(path)] == [[100, 101], [200, 201, 202]]


@pytest.mark.parametrize("at", [0, 1, 4090, 4095])
def test_what_is_written_at_once_stays_in_a_page(at):
    lines = [b"x" * (n * 37 % 300) + b"\n" for n in range(500)] + [b"y" * 9000 + b"\n", b"z\n"]
    data = b"".join(lines)
    pieces = list(_pieces(data, at))
    assert b"".join(pieces) == data
    for piece in pieces:
        assert piece.endswith(b"\n")
        assert piece.count(b"\n") == 1 or at // 4096 == (at + len(piece) - 1) // 4096
        at += len(piece)


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_what_a_file_holds_is_read_by_pieces(tmp_path, monkeypatch, piece):
    monkeypatch.setattr("adsupport.callbacks.spec.existing._PIECE", piece)
    path = tmp_path / "pieces.dat"
    text = (
        "#F a\n#E 1\n#O0 a  b c\n#O1 d\n\n#S 3  x\n1 2\n#C #S 99\n\n#F b\n#O0 q\n#S 12 y\n#P0 1\n"
    )
    path.write_text(text)
    with path.open("rb", buffering=0) as file:
        content = SpecContent().read(file)
        assert (content.highest, content.positioners, content.size) == (12, ["q"], len(text))
        assert content.is_spec and content.has_header and content.whole
        path.write_text(text + "#S 1")
        assert (content.read(file).highest, content.whole, content.size) == (12, False, len(text))
        path.write_text(text + "#S 13 z\n#O0 r  s\n")
        assert (content.read(file).highest, content.whole) == (13, True)
        assert content.positioners == ["r", "s"]
        path.write_text("#S 2\n")
        assert (content.read(file).highest, content.has_header) == (2, False)


def test_a_line_of_megabytes_takes_no_memory_for_ever(tmp_path):
    path = tmp_path / "long.dat"
    path.write_text("#S 1 x\n#C " + "y" * (5 << 20) + "\n#S 2 x\n")
    with path.open("rb", buffering=0) as file:
        content = SpecContent().read(file)
    assert (content.highest, content.whole, content.size) == (2, True, path.stat().st_size)


KILLER = """
    import os, select, signal, sys
    sys.path.insert(0, sys.argv[1])
    from tests.unit.callbacks.spec.made import MadeRun
    from adsupport.callbacks.spec import SpecWriterCallback

    def write_on(path, number, ready):
        writer = SpecWriterCallback(path)
        run = MadeRun(f"run-{number}", number)
        row = lambda n: {f"column{c}": float(n) for c in range(40)}
        writer("start", run.start)
        writer("descriptor", run.descriptor(row(0)))
        for n in range(10**9):
            writer("event", run.event(row(n)))
            if n == 20:
                writer.wait_writer()
                os.write(ready, b"!")

    for number in range(1, int(sys.argv[3]) + 1):
        told, ready = os.pipe()
        child = os.fork()
        if not child:
            write_on(sys.argv[2], number, ready)
        os.read(told, 1)
        select.select([], [], [], number % 17 * 0.0037)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told), os.close(ready)
"""


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_a_killed_process_leaves_whole_lines(tmp_path, times):
    path = tmp_path / "killed.dat"
    root = str(Path(__file__).parents[4])
    command = [sys.executable, "-c", textwrap.dedent(KILLER), root, str(path), str(times)]
    subprocess.run(command, check=True)
    play(SpecWriterCallback(path), one(times + 1))
    scans = both(path)
    assert [int(each.number) for each in scans] == list(range(1, times + 2))
    for scan in scans[:-1]:
        found = scan.column("column0")
        assert len(found) > 20
        assert all(column == found for column in scan.columns[2:])
        assert found == list(range(len(found)))


@pytest.mark.parametrize("how", ["removed", "renamed", "directory"])
def test_a_file_that_goes_away_during_a_scan_loses_none(tmp_path, spool, how):
    path = tmp_path / "sub" / "gone.dat"
    path.parent.mkdir()
    play(SpecWriterCallback(path), one(1))
    writer = SpecWriterCallback(path)
    documents = list(one(2))
    for name, doc in documents[:-2]:
        writer(name, doc)
    writer._wait_for_documents(None)
    if how == "removed":
        path.unlink()
    elif how == "renamed":
        path.rename(tmp_path / "elsewhere.dat")
    else:
        path.unlink()
        path.parent.rmdir()
    for name, doc in documents[-2:]:
        writer(name, doc)
    assert writer.wait_writer(20)[0].paths == [path]
    assert [each.column("x") for each in both(path)] == [[200, 201, 202]]
    assert kept_in(spool) == []
