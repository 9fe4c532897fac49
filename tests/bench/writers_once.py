"""Let one writer of files take a run, in a program of its own, which has no other writer.

``python -m tests.bench.writers_once CONTESTANT EVENTS DIRECTORY``: the interpreter needs what the
contestant needs.  Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench.run_documents import START_UID, documents, image_documents

Receive = Callable[[str, dict[str, Any]], Any]
Finish = Callable[[], list[Path]]
Contestant = tuple[Receive, Finish]

#: Documents that come together, and how long there are none then, in seconds.
_BURST, _PAUSE = 100, 0.003

#: Longest wait for a writer's thread, in seconds.
_LIMIT = 600.0


def _ours(writer: Any) -> Contestant:
    def finish() -> list[Path]:
        return [path for result in writer.wait_writer(_LIMIT) for path in result.paths]

    return writer.receiver, finish


def nexus(directory: Path, **options: Any) -> Contestant:
    """Make adsupport's NeXus writer."""
    from adsupport.callbacks.nexus import NXWriter

    return _ours(NXWriter(file_path=directory, warn_on_missing_content=False, **options))


def spec(directory: Path) -> Contestant:
    """Make adsupport's SPEC writer."""
    from adsupport.callbacks.spec import SpecWriterCallback

    return _ours(SpecWriterCallback(directory / "scans.dat"))


def csv(directory: Path) -> Contestant:
    """Make adsupport's CSV writer."""
    from adsupport.callbacks.csv import CSVWriter

    return _ours(CSVWriter(directory))


def jsonl(directory: Path) -> Contestant:
    """Make adsupport's writer of JSON lines."""
    from adsupport.callbacks.json import JSONLinesWriter

    return _ours(JSONLinesWriter(directory))


def bare_csv(directory: Path) -> Contestant:
    """Make the shortest loop that writes a run's events with csv.writer: no less can be done."""
    import csv as library

    path = directory / "bare.csv"
    file = path.open("w", newline="")
    writer = library.writer(file)

    def receive(name: str, doc: dict[str, Any]) -> None:
        if name == "event":
            writer.writerow((doc["seq_num"], doc["time"], *doc["data"].values()))
        elif name == "descriptor":
            writer.writerow(("seq_num", "time", *doc["data_keys"]))

    def finish() -> list[Path]:
        file.close()
        return [path]

    return receive, finish


def apstools_nexus(directory: Path) -> Contestant:
    """Make apstools' NeXus writer."""
    import apstools.utils  # noqa: F401  # pyright: ignore[reportMissingImports]  (later otherwise)
    from apstools.callbacks import NXWriter  # pyright: ignore[reportMissingImports]

    writer = NXWriter()
    writer.warn_on_missing_content = False
    writer.file_path = directory
    path = directory / "apstools.hdf"
    writer.file_name = path
    writer.output_nexus_file = None

    def finish() -> list[Path]:
        until = time.monotonic() + _LIMIT
        # its own wait takes half-second steps, and can begin before the thread has
        while writer.output_nexus_file is None:
            if time.monotonic() > until:
                raise TimeoutError(f"{path} isn't written")
            time.sleep(0.005)
        return [path]

    return writer.receiver, finish


def apstools_spec(directory: Path) -> Contestant:
    """Make apstools' SPEC writer that keeps a scan until its end."""
    from apstools.callbacks import SpecWriterCallback  # pyright: ignore[reportMissingImports]

    path = directory / "scans.dat"
    return SpecWriterCallback(filename=path).receiver, lambda: [path]


def apstools_spec2(directory: Path) -> Contestant:
    """Make apstools' SPEC writer that writes row by row."""
    import apstools.utils  # noqa: F401  # pyright: ignore[reportMissingImports]  (later otherwise)
    from apstools.callbacks import SpecWriterCallback2  # pyright: ignore[reportMissingImports]

    path = directory / "scans.dat"
    writer = SpecWriterCallback2()
    writer.newfile(path)
    return writer.receiver, lambda: [path]


def _suitcase(serializer: Any, path: Path) -> Contestant:
    def finish() -> list[Path]:
        serializer.close()
        return [path]

    return serializer, finish


def suitcase_csv(directory: Path) -> Contestant:
    """Make suitcase's CSV writer."""
    from suitcase.csv import Serializer  # pyright: ignore[reportMissingImports]

    return _suitcase(Serializer(str(directory)), directory / f"{START_UID}-primary.csv")


def suitcase_jsonl(directory: Path) -> Contestant:
    """Make suitcase's writer of JSON lines."""
    from suitcase.jsonl import Serializer  # pyright: ignore[reportMissingImports]

    return _suitcase(Serializer(str(directory)), directory / f"{START_UID}.jsonl")


CONTESTANTS: dict[str, Callable[..., Contestant]] = {
    each.__name__: each
    for each in (
        *(nexus, spec, csv, jsonl, bare_csv, suitcase_csv, suitcase_jsonl),
        *(apstools_nexus, apstools_spec, apstools_spec2),
    )
}


def _peak() -> float:
    """Return the highest memory of this program so far, in MiB.

    ``ru_maxrss`` won't do: it begins with that of the program that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _take(run: Iterator[tuple[str, dict[str, Any]]], receive: Receive) -> None:
    for name, doc in run:
        receive(name, doc)


def _take_slowly(run: Iterator[tuple[str, dict[str, Any]]], receive: Receive) -> float:
    """Let documents come in bursts; return the processor time of this thread alone, in seconds."""
    used, pause = 0.0, threading.Event()
    while burst := list(islice(run, _BURST)):
        began = time.thread_time()
        for name, doc in burst:
            receive(name, doc)
        used += time.thread_time() - began
        pause.wait(_PAUSE)
    return used


def main() -> None:
    """Take the run and tell what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant", choices=CONTESTANTS)
    parser.add_argument("events", type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--images", type=Path, help="file with an image for each event")
    parser.add_argument("--side", type=int, default=1024, help="height and width of an image")
    parser.add_argument("--sync", action="store_true", help="wait until the disk has the files")
    parser.add_argument("--slowly", action="store_true", help="with pauses: as in an experiment")
    parser.add_argument("--option", action="append", default=[], help="name=value of the writer")
    options = parser.parse_args()
    warnings.simplefilter("ignore")

    def run() -> Iterator[tuple[str, dict[str, Any]]]:
        if options.images:
            return image_documents(options.images, options.events, options.side)
        return documents(options.events)

    extra = dict(each.split("=", 1) for each in options.option)
    receive, finish = CONTESTANTS[options.contestant](options.directory, **extra)
    if options.slowly:
        used = _take_slowly(run(), receive)
        paths = [str(path) for path in finish()]
        sys.stdout.write(json.dumps({"thread": used, "paths": paths}) + "\n")
        return
    began, busy = time.perf_counter(), time.process_time()
    _take(run(), lambda *_: None)  # what it takes to make the documents doesn't count
    spare, spare_busy = time.perf_counter() - began, time.process_time() - busy

    before = _peak()
    began, busy = time.perf_counter(), time.process_time()
    _take(run(), receive)
    paths = finish()
    if options.sync:
        for path in paths:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    seconds, used = time.perf_counter() - began, time.process_time() - busy
    answer = {
        **{"seconds": seconds - spare, "processor": used - spare_busy},
        **{"peak": _peak() - before, "paths": [str(path) for path in paths]},
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
