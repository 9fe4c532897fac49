"""Time and memory to write a run of many events to a file, each writer in a program of its own.

The contestants take turns, get the same documents, and what they wrote is read back and compared
with these documents each time.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.bench.run_documents import BEGUN, KEYS, documents

_ROOT = Path(__file__).parents[2]

#: Longest time for one contestant's turn, in seconds.
_LIMIT = 900.0

#: What is compared with what: our writer, its peers and how many times fewer events these get.
#: suitcase-csv takes a minute for 100 000.
PEERS = {
    "nexus": {"apstools_nexus": 1},
    "spec": {"apstools_spec2": 5, "apstools_spec": 1},
    "csv": {"suitcase_csv": 40, "bare_csv": 1},
    "jsonl": {"suitcase_jsonl": 1},
}

#: Those that need no peer's package.
_OURS = ("nexus", "spec", "csv", "jsonl", "bare_csv")


@dataclass(frozen=True)
class Writing:
    """Medians of one contestant's turns.

    Attributes
    ----------
    seconds
        For an event, from its document to the file under its final name; the making of the
        documents doesn't count.
    processor
        Processor time for an event, in seconds: it says more than the clock on a busy computer.
    peak
        Highest memory over that of the program before the first document, in MiB.
    turns
        How many turns these are of.
    """

    seconds: float
    processor: float
    peak: float
    turns: int


def measure(peer: Path, directory: Path, events: int, rounds: int) -> dict[str, Writing]:
    """Let all writers take turns; a first turn of each doesn't count.

    Parameters
    ----------
    peer
        Interpreter that has apstools and suitcase.
    directory
        Where files are made, and removed.
    events
        Events of a run.
    rounds
        How often each.
    """
    shares = dict.fromkeys(PEERS, 1) | {k: v for found in PEERS.values() for k, v in found.items()}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in shares}
    for turn in range(rounds + 1):
        for name, share in shares.items():
            answer = take_turn(name, peer, directory, max(1, events // share), _compare)
            if turn:
                found[name].append(answer)
    return {
        name: Writing(
            seconds=_median(answers, "seconds") / max(1, events // shares[name]),
            processor=_median(answers, "processor") / max(1, events // shares[name]),
            peak=max(answer["peak"] for answer in answers),
            turns=len(answers),
        )
        for name, answers in found.items()
    }


def thread_times(peer: Path, directory: Path, events: int, rounds: int) -> dict[str, float]:
    """Measure what a writer takes of the RunEngine's thread when documents come in bursts.

    Parameters
    ----------
    peer, directory, events, rounds
        See :func:`measure`.

    Returns
    -------
    dict
        Median processor time of that thread for an event, in seconds, by contestant.
    """
    names = ("nexus", "apstools_nexus")
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names:
            answer = take_turn(name, peer, directory, events, _compare, "--slowly")
            if turn:
                found[name].append(answer["thread"] / events)
    return {name: statistics.median(times) for name, times in found.items()}


def peak_memory(directory: Path, events: int) -> dict[str, float]:
    """Measure how much memory each writer of ours takes at most, in MiB, for a run of a length."""
    return {
        name: take_turn(name, Path(sys.executable), directory, events, None)["peak"]
        for name in PEERS
    }


def take_turn(
    name: str,
    peer: Path,
    directory: Path,
    events: int,
    compare: Callable[[str, Path, int], None] | None,
    *options: str,
) -> dict[str, Any]:
    """Let one contestant write a run, compare what it wrote, and remove it.

    Parameters
    ----------
    name
        Of :data:`tests.bench.writers_once.CONTESTANTS`.
    peer
        Interpreter of those that aren't ours.
    directory
        Where a directory for the files is made.
    events
        Events of the run.
    compare
        Called with the contestant's name, its file and the number of events.
    *options
        For the program.
    """
    python = sys.executable if name in _OURS else str(peer)
    with tempfile.TemporaryDirectory(dir=directory, prefix=f"{name}-") as inside:
        command = [python, "-m", "tests.bench.writers_once", name, str(events), inside, *options]
        result = subprocess.run(
            command, cwd=_ROOT, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr[-3000:]}")
        answer = json.loads(result.stdout.splitlines()[-1])
        if compare is not None:
            compare(name, Path(answer["paths"][0]), events)
        # so that no one's turn has to wait for what another one wrote
        os.sync()
    return answer


def _median(answers: list[dict[str, Any]], key: str) -> float:
    return statistics.median(answer[key] for answer in answers)


# what was written


def _compare(name: str, path: Path, events: int) -> None:
    kind = name.removeprefix("apstools_").removeprefix("suitcase_").removeprefix("bare_")
    if kind == "jsonl":
        _compare_lines(name, path, events)
        return
    rows = [doc for document, doc in documents(events) if document == "event"]
    wanted = {key: np.array([row["data"][key] for row in rows]) for key in KEYS}
    times = np.array([row["time"] for row in rows])
    if kind == "nexus":
        found = _read_nexus(path)
        stamps = np.array([row["timestamps"][KEYS[0]] for row in rows])
        wanted |= {f"{key}:EPOCH": stamps for key in KEYS}
    elif kind == "csv":
        found = _read_csv(path)
        wanted["time"] = times
    else:
        found = _read_spec(path)
        wanted["Epoch_float"] = times - BEGUN
    for key, values in wanted.items():
        # apstools' SPEC files have 12 digits
        close = 1e-11 if name.startswith("apstools_spec") else 0
        if key not in found or found[key].shape != values.shape:
            raise RuntimeError(f"{name}: {path} has not all of {key}")
        if not np.allclose(found[key], values, rtol=close, atol=0):
            raise RuntimeError(f"{name}: {path} has other values of {key}")


def _compare_lines(name: str, path: Path, events: int) -> None:
    with path.open() as file:
        for line, document in zip_longest(file, documents(events)):
            if line is None or document is None or json.loads(line) != list(document):
                raise RuntimeError(f"{name}: {path} differs from the documents at {document}")


def _read_nexus(path: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path) as file:
        stream: Any = file["entry/instrument/bluesky/streams/primary"]
        for key in KEYS:
            found[key] = stream[key]["value"][()]
            found[f"{key}:EPOCH"] = stream[key]["EPOCH"][()]
    return found


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        lines = csv.reader(file)
        return _columns(next(lines), lines)


def _read_spec(path: Path) -> dict[str, np.ndarray]:
    with path.open() as file:
        labels = next(line for line in file if line.startswith("#L"))[2:].split()
        return _columns(labels, (line.split() for line in file if line[:1] not in ("#", "\n")))


def _columns(names: Iterable[str], lines: Iterator[list[str]]) -> dict[str, np.ndarray]:
    table = np.array([[float(cell) for cell in line] for line in lines])
    return dict(zip(names, table.T, strict=True))
