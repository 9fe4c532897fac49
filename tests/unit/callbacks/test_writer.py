"""What all writers do: with a RunEngine, with several runs, and when something goes wrong."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky import plans as bp
from ophyd.sim import SynSignal

from adsupport.callbacks.formats import FORMATS
from adsupport.callbacks.intake import MOMENT, Intake
from adsupport.callbacks.run_file import RunFile
from adsupport.callbacks.writer import RunWriter
from adsupport.errors import DocumentError, OutputError, WriterTimeoutError

from ..documents.encodings import ENCODINGS, SIMPLE, runs_of, singly


class Lines(RunFile):
    """Count rows into a text file."""

    def __init__(self, directory: Path, hold: threading.Event) -> None:
        super().__init__()
        self.directory, self.hold = directory, hold
        self.lines: list[str] = []

    def rows(self, run: Any, rows: Any) -> None:
        self.lines += [f"{rows.stream.name} {each}" for each in rows.seq_nums()]

    def end(self, run: Any) -> None:
        self.lines.append(run.exit_status)
        self.path = self.directory / f"{run.uid}.txt"

    def finish(self) -> list[Path]:
        assert self.hold.wait(10)
        try:
            self.path.write_text("\n".join(self.lines))
        except OSError as error:
            raise OutputError(str(error), path=self.path, kept="memory") from error
        return [self.path]

    def abandon(self) -> None:
        self.lines.clear()


class Writer(RunWriter):
    def __init__(self, directory: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.directory = directory
        self.hold = threading.Event()
        self.hold.set()
        self.files: list[Lines] = []

    def run_file(self, run: Any) -> Lines:
        self.files.append(Lines(self.directory, self.hold))
        return self.files[-1]


@pytest.fixture
def writer(tmp_path):
    writer = Writer(tmp_path)
    yield writer
    writer.hold.set()


@pytest.fixture
def detector():
    return SynSignal(name="det", labels={"detectors"})


def play(writer: Writer, documents: list[tuple[str, dict]]) -> None:
    for name, doc in documents:
        writer.receiver(name, doc)


def text(result: Any) -> list[str]:
    (path,) = result.paths
    return path.read_text().splitlines()


def test_a_run_of_the_run_engine_is_written(writer, detector):
    engine = RunEngine()
    engine.subscribe(writer.receiver)
    (uid,) = engine(bp.count([detector], num=3))
    (result,) = writer.wait_writer(timeout=10)
    assert (result.uid, result.scan_id, result.exit_status) == (uid, 1, "success")
    assert text(result) == ["primary 1", "primary 2", "primary 3", "success"]
    assert result.skipped == []
    assert writer.wait_writer(timeout=10) == []
    assert list(writer.results) == [result]


def test_the_writer_itself_can_be_subscribed(writer, detector):
    engine = RunEngine()
    engine.subscribe(writer)
    engine(bp.count([detector]))
    assert len(writer.wait_writer(timeout=10)) == 1


def test_a_receiver_keeps_its_writer_alive(detector, tmp_path):
    engine = RunEngine()
    writer = Writer(tmp_path)
    engine.subscribe(writer.receiver)
    held = weakref.ref(writer)
    del writer
    gc.collect()
    (uid,) = engine(bp.count([detector]))
    writer = held()
    assert [result.uid for result in writer.wait_writer(timeout=10)] == [uid]


def test_the_next_run_starts_while_the_last_is_finished(writer, detector):
    writer.hold.clear()
    engine = RunEngine()
    engine.subscribe(writer.receiver)
    for number in range(1, 4):
        engine(bp.count([detector], num=number))
    with pytest.raises(WriterTimeoutError, match="3 of the runs aren't written within 0.2 s"):
        writer.wait_writer(timeout=0.2)
    writer.hold.set()
    found = {result.scan_id: len(text(result)) for result in writer.wait_writer(timeout=10)}
    assert found == {1: 2, 2: 3, 3: 4}


def test_runs_that_are_open_together_have_a_file_each(writer):
    first, second = (runs_of(uid) for uid in ("aaaa", "bbbb"))
    for one, other in zip(first, second, strict=True):
        writer.receiver(*one)
        writer.receiver(*other)
    results = writer.wait_writer(timeout=10)
    assert {result.uid for result in results} == {"aaaa", "bbbb"}
    assert len({tuple(text(result)) for result in results}) == 1


def test_a_plan_can_wait(writer, detector):
    def plan() -> Any:
        yield from bp.count([detector])
        results = yield from writer.wait_writer_plan_stub(timeout=10)
        seen.extend(results)
        yield from bp.count([detector])

    seen: list[Any] = []
    engine = RunEngine()
    engine.subscribe(writer.receiver)
    engine(plan())
    assert [result.scan_id for result in seen] == [1]
    assert text(seen[0])[-1] == "success"


def test_a_plan_that_waits_gets_the_error(writer, detector, tmp_path):
    writer.directory = tmp_path / "missing"

    def plan() -> Any:
        yield from bp.count([detector])
        with pytest.raises(OutputError, match="missing"):
            yield from writer.wait_writer_plan_stub(timeout=10)
        seen.append(True)

    seen: list[bool] = []
    engine = RunEngine()
    engine.subscribe(writer.receiver)
    engine(plan())
    assert seen == [True]


def test_a_directory_that_is_not_there_stops_no_run_and_can_be_made_up_for(
    writer, detector, tmp_path
):
    writer.directory = tmp_path / "missing"
    engine = RunEngine()
    engine.subscribe(writer.receiver)
    engine(bp.count([detector]))
    engine(bp.count([detector]))
    with pytest.raises(OutputError, match="missing") as caught:
        writer.wait_writer(timeout=10)
    assert "Another run" in "".join(caught.value.__notes__)
    assert [result.paths for result in writer.results] == [[], []]
    with pytest.raises(OutputError):
        writer.retry()
    (tmp_path / "missing").mkdir()
    again = writer.retry()
    assert [text(result) for result in again] == [["primary 1", "success"]] * 2
    assert [result.error for result in writer.results] == [None, None]
    assert writer.retry() == []


def test_an_aborted_run_is_written_with_what_it_has(writer, detector):
    def plan() -> Any:
        yield from bps.open_run()
        yield from bps.trigger_and_read([detector])
        raise RuntimeError("beam lost")

    engine = RunEngine()
    engine.subscribe(writer.receiver)
    with pytest.raises(RuntimeError, match="beam lost"):
        engine(plan())
    (result,) = writer.wait_writer(timeout=10)
    assert text(result) == ["primary 1", "fail"]


def test_what_is_wrong_with_a_run_is_raised_and_its_file_is_there(tmp_path):
    documents = [each for each in runs_of("abc") if each[1].get("uid") != "primary/1"]
    writer = Writer(tmp_path)
    play(writer, documents)
    with pytest.raises(DocumentError, match=r"(?s)abc\.txt.*seq_num 2 never came.*strict=False"):
        writer.wait_writer(timeout=10)
    (result,) = writer.results
    assert "primary 3" in text(result)
    lenient = Writer(tmp_path, strict=False)
    play(lenient, documents)
    (result,) = lenient.wait_writer(timeout=10)
    assert result.error is None
    assert result.skipped == ["Stream 'primary': seq_num 2 never came."]


def test_a_run_without_stop_is_written_when_the_writer_is_closed(writer):
    play(writer, runs_of("abc")[:-1])
    assert writer.wait_writer(timeout=10) == []
    (result,) = writer.close(timeout=10)
    assert text(result)[-1] == "unknown"
    assert result.remarks == ["There is no stop document: the end of the run isn't known."]


def test_a_run_whose_documents_can_not_all_be_had_gets_no_file(writer, tmp_path):
    play(writer, runs_of("part")[:-3])
    with pytest.raises(ConnectionError, match="the server is gone"):
        writer.close(timeout=10, error=ConnectionError("the server is gone"))
    assert list(tmp_path.iterdir()) == []
    play(writer, runs_of("part"))
    (result,) = writer.wait_writer(timeout=10)
    assert text(result)[-1] == "success"


def test_an_error_of_a_writer_fails_its_run_alone(writer, monkeypatch):
    def fail(self: Any, run: Any, stream: Any) -> None:
        if run.uid == "bad":
            raise ValueError("what a column")

    monkeypatch.setattr(Lines, "stream", fail, raising=False)
    for one, other in zip(runs_of("bad"), runs_of("good"), strict=True):
        writer.receiver(*one)
        writer.receiver(*other)
    with pytest.raises(ValueError, match="what a column"):
        writer.wait_writer(timeout=10)
    results = {each.uid: each for each in writer.results}
    assert results["bad"].paths == []
    assert len(text(results["good"])) == 8


def test_an_error_before_there_is_a_file_is_told(writer, monkeypatch):
    def fail(self: Any, run: Any) -> Any:
        raise KeyError("sample")

    monkeypatch.setattr(Writer, "run_file", fail)
    play(writer, runs_of("abc"))
    with pytest.raises(KeyError, match="sample"):
        writer.wait_writer(timeout=10)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
def test_every_encoding_gives_the_same_file(encode, tmp_path):
    texts = []
    for name, each in (("singly", singly), ("other", encode)):
        (tmp_path / name).mkdir()
        writer = Writer(tmp_path / name)
        play(writer, each(SIMPLE))
        (result,) = writer.wait_writer(timeout=10)
        texts.append(text(result))
    assert sorted(texts[0]) == sorted(texts[1])


def test_images_put_into_a_document_afterwards_do_not_change_what_is_written(writer):
    documents = singly(
        {"streams": {"primary": {"kinds": [], "images": True, "table": [[]]}}, "stop": True}
    )
    seen: list[Any] = []
    writer.run_file = lambda run: Seeing(seen)  # type: ignore[method-assign]
    for name, doc in documents:
        writer.receiver(name, doc)
        if name == "event":
            doc["data"]["image"] = "pixels"
            doc["filled"]["image"] = "datum"
    writer.wait_writer(timeout=10)
    assert [(each.first, each.count) for each in seen] == [(0, 2)]


class Seeing(RunFile):
    def __init__(self, seen: list[Any]) -> None:
        super().__init__()
        self.seen = seen

    def rows(self, run: Any, rows: Any) -> None:
        self.seen += rows.values("image")

    def finish(self) -> list[Path]:
        return []

    def abandon(self) -> None:
        pass


def test_documents_are_shown_as_they_came_to_whom_wants_them(writer):
    seen: list[tuple[str, str]] = []

    class Wanting(Seeing):
        wants_documents = True

        def document(self, name: str, doc: dict) -> None:
            seen.append((name, doc.get("uid", doc.get("datum_id", ""))))

        def rows(self, run: Any, rows: Any) -> None:
            pass

    writer.run_file = lambda run: Wanting([])  # type: ignore[method-assign]
    documents = runs_of("abc")
    play(writer, documents)
    writer.wait_writer(timeout=10)
    assert seen == [(name, doc.get("uid", doc.get("datum_id", ""))) for name, doc in documents]


@pytest.mark.parametrize("owned", [True, False])
def test_documents_of_images_are_shown_once_in_any_order(writer, owned):
    seen: list[tuple[str, Any]] = []

    class Wanting(Seeing):
        wants_documents = True

        def document(self, name: str, doc: dict) -> None:
            seen.append((name, doc))

        def rows(self, run: Any, rows: Any) -> None:
            pass

    writer.run_file = lambda run: Wanting([])  # type: ignore[method-assign]
    for encode in (singly, ENCODINGS["streamed"]):
        seen.clear()
        start, *middle, stop = encode(SIMPLE)
        if not owned:
            middle = [
                (kind, {k: v for k, v in doc.items() if k != "run_start"})
                if kind.endswith("resource")
                else (kind, doc)
                for kind, doc in middle
            ]
        play(writer, [start, *reversed(middle), stop])
        writer.wait_writer(timeout=10)
        kinds = sorted(name for name, _ in seen)
        expected = sorted(name for name, _ in [start, *middle, stop])
        assert kinds == expected


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=list(ENCODINGS))
def test_who_wants_no_rows_gets_none_and_the_run_ends_when_all_have_come(writer, encode):
    class Counting(Seeing):
        wants_rows = False

        def rows(self, run: Any, rows: Any) -> None:
            if encode is not ENCODINGS["streamed"]:  # those are counted as rows
                raise AssertionError

        def end(self, run: Any) -> None:
            ended.append({name: stream.rows for name, stream in run.streams.items()})

    ended: list[dict[str, int]] = []
    writer.run_file = lambda run: Counting([])  # type: ignore[method-assign]
    start, *middle, stop = encode(SIMPLE)
    if encode is not ENCODINGS["shuffled"]:
        middle.insert(1, stop)  # the others are late
        stop = middle.pop()
    play(writer, [start, *middle, stop])
    writer.wait_writer(timeout=10)
    assert ended == [{"baseline": 2, "primary": 5}]


def test_events_that_never_come_are_counted_also_when_nobody_wants_rows(writer):
    class Counting(Seeing):
        wants_rows = False

    writer.run_file = lambda run: Counting([])  # type: ignore[method-assign]
    play(writer, [each for each in runs_of("abc") if each[1].get("uid") != "primary/1"])
    with pytest.raises(DocumentError, match="counts 5 events, and 4 came"):
        writer.wait_writer(timeout=10)


# the queue


def test_items_keep_their_order_over_rests():
    seen: list[int] = []
    resting = threading.Semaphore(0)

    def rest() -> bool:
        resting.release()
        return False

    intake = Intake(seen.extend, rest, lambda: None, "test")
    for first in (0, 100):
        for number in range(first, first + 100):
            intake.put(number)
        assert resting.acquire(timeout=10)
    assert seen == list(range(200))


def test_who_brings_too_much_waits_for_room():
    seen: list[int] = []
    go = threading.Event()

    def take(items: list[int]) -> None:
        assert go.wait(10)
        seen.extend(items)

    intake = Intake(take, lambda: False, lambda: None, "test", limit=10)
    bringing = threading.Thread(target=lambda: [intake.put(i) for i in range(100)])
    bringing.start()
    bringing.join(0.2)
    assert bringing.is_alive()
    go.set()
    bringing.join(10)
    assert not bringing.is_alive()
    intake_done = threading.Event()
    intake.put(-1)
    for _ in range(100):
        if seen[-1:] == [-1]:
            break
        intake_done.wait(0.05)
    assert seen == [*range(100), -1]


def test_a_backlog_is_waited_for_only_as_long_as_it_goes_down():
    seen: list[int] = []
    go = threading.Event()

    def take(items: list[int]) -> None:
        assert go.wait(10)
        seen.extend(items)

    stuck = Intake(take, lambda: False, lambda: None, "test", limit=20_000)
    began = time.monotonic()
    for number in range(10_000):
        stuck.put(number)
    assert MOMENT <= time.monotonic() - began < 10  # not once for each
    done = threading.Event()
    go.set()
    stuck.put(-1)
    while seen[-1:] != [-1]:
        assert time.monotonic() - began < 30
        done.wait(0.01)
    assert seen == [*range(10_000), -1]


def test_a_program_that_ends_leaves_whole_files(tmp_path):
    """One run was stopped just now, another never is."""
    program = f"""
import sys, pathlib
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.unit.callbacks.test_writer import Writer, play
from tests.unit.documents.encodings import runs_of
writer = Writer(pathlib.Path({str(tmp_path)!r}))
play(writer, runs_of("whole"))
play(writer, runs_of("open")[:-1])
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert (tmp_path / "whole.txt").read_text().endswith("success")
    assert (tmp_path / "open.txt").read_text().endswith("unknown")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_run_is_written_with_the_options_of_its_start(tmp_path, name):
    with h5py.File(tmp_path / "primary.h5", "w") as file:
        file["entry/data/data"] = np.zeros((20, 4, 5), "u2")
    writer: Any = FORMATS[name].load()(strict=False, path_map={"/data": str(tmp_path)})
    behind = threading.Event()
    writer.in_order(behind.wait)  # as if many documents were before these
    for number in range(3):
        if FORMATS[name].one_file:
            writer.newfile(tmp_path / f"run{number}.dat")
        else:
            writer.file_path, writer.file_name = tmp_path, f"run{number}"
        play(writer, runs_of(f"uid-{number}"))
    behind.set()
    results = sorted(writer.wait_writer(timeout=20), key=lambda each: each.uid)
    assert len(results) == 3
    assert all(each.paths for each in results)
    for number, result in enumerate(results):
        assert all(path.name.startswith(f"run{number}") for path in result.paths)
    if hasattr(writer, "output_nexus_file"):
        assert writer.output_nexus_file is not None


def test_a_call_in_order_that_fails_costs_nothing_else(writer):
    documents = runs_of("1")
    play(writer, documents[:4])
    writer.in_order(lambda: 1 / 0)
    play(writer, documents[4:])
    assert len(writer.wait_writer(timeout=10)) == 1


def test_an_error_is_told_however_many_runs_follow(writer, monkeypatch):
    monkeypatch.setattr("adsupport.callbacks.writer.RESULTS", 3)
    play(writer, [each for each in runs_of("bad") if each[0] != "descriptor"])
    for number in range(6):
        play(writer, runs_of(f"good-{number}"))
    with pytest.raises(DocumentError, match="bad"):
        writer.wait_writer(timeout=10)
    assert len(writer.results) == 3


def test_what_a_file_lacks_is_told_when_it_is_written_at_last(writer, tmp_path):
    writer.directory = tmp_path / "later"
    documents = runs_of("1")
    play(writer, [each for each in documents if each[1].get("seq_num") != 2])
    with pytest.raises(OutputError):
        writer.wait_writer(timeout=10)
    writer.directory.mkdir()
    with pytest.raises(DocumentError, match="never came"):
        writer.retry(timeout=10)
    assert writer.results[-1].paths


def test_a_run_is_waited_for_while_its_file_takes_the_end(writer):
    slow = threading.Event()

    class Slow(Lines):
        def end(self, run: Any) -> None:
            slow.set()
            time.sleep(0.3)
            super().end(run)

    writer.run_file = lambda run: Slow(writer.directory, writer.hold)
    play(writer, runs_of("1"))
    assert slow.wait(10)
    writer._tell()
    assert not writer._is_done()
    assert len(writer.wait_writer(timeout=10)) == 1
