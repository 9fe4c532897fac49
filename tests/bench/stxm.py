"""Time and memory to make the file of an STXM stack, beside plain h5py writing the same arrays.

``python -m tests.bench.stxm --energies 500`` prints ratios; the contestants take turns on the
same runs, which are made one by one, and what they wrote is read back and compared.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from adsupport import nxstxm
from tests.bench.stxm_documents import DWELL, Stack, documents

_ROOT = Path(__file__).parents[2]
_PREFIX = "stack"
#: Longest time for one file, in seconds.
_LIMIT = 900.0


# the contestants


def arrays(stack: Stack, e_idx: int) -> dict[str, np.ndarray]:
    """Tell what the file of a stack has of an image.

    Parameters
    ----------
    stack
        Which stack.
    e_idx
        Which energy.

    Returns
    -------
    dict
        By the dataset's name, (side, side): all that has a value for each point.
    """
    side = stack.side
    image, current = stack.image(e_idx), np.repeat(stack.currents(e_idx), side)
    heights = np.repeat(stack.heights(e_idx), side)
    times = np.full(side**2, DWELL / 1000)
    found = {
        "counter0/data": image,
        "control/data": current,
        "instrument/counter0/data": image,
        "instrument/counter0/count_time": times,
        "instrument/monochromator/energy": np.full(side**2, stack.energy(e_idx)),
        "instrument/sample_x/data": np.tile(stack.setpoints(), side),
        "instrument/sample_y/data": heights,
        "instrument/SampleY/data": heights,
        "instrument/StorageRingCurrent/data": current,
    }
    return {f"entry0/{name}": each.reshape(side, side) for name, each in found.items()}


def _is_grid(name: str) -> bool:
    return "instrument" not in name


#: What its time is taken of; what lies between isn't.
Steps = Iterator[Callable[[], Any]]


def _ours(stack: Stack, target: Path) -> Steps:
    for e_idx in range(stack.energies):
        docs = list(documents(stack, e_idx))
        yield lambda docs=docs: nxstxm.export(docs, target.parent, target.stem, stack.first_uid)
    yield lambda: nxstxm.finish_export(target.parent, target.stem, stack.first_uid)


def _plain(stack: Stack, target: Path) -> Steps:
    file = h5py.File(target, "w")
    images, points = (stack.energies, stack.side, stack.side), stack.energies * stack.side**2

    def make() -> None:
        for name, each in arrays(stack, 0).items():
            file.create_dataset(name, images if _is_grid(name) else (points,), each.dtype)

    def write(e_idx: int, found: dict[str, np.ndarray]) -> None:
        flat = slice(e_idx * stack.side**2, (e_idx + 1) * stack.side**2)
        for name, each in found.items():
            dataset: Any = file[name]
            if _is_grid(name):
                dataset[e_idx] = each
            else:
                dataset[flat] = each.ravel()

    yield make
    for e_idx in range(stack.energies):
        found = arrays(stack, e_idx)
        yield lambda e_idx=e_idx, found=found: write(e_idx, found)
    yield lambda: _ended(file, target)


def _line_by_line(stack: Stack, target: Path) -> Steps:
    file = h5py.File(target, "w")
    shape = stack.energies, stack.side, stack.side
    dataset = file.create_dataset("entry0/counter0/data", shape, np.float64)

    def write(e_idx: int, docs: Iterable[tuple[str, dict[str, Any]]]) -> None:
        for name, doc in docs:
            if name == "event" and "counter0" in doc["data"]:
                dataset[e_idx, doc["seq_num"] - 1] = doc["data"]["counter0"]

    for e_idx in range(stack.energies):
        docs = list(documents(stack, e_idx))
        yield lambda e_idx=e_idx, docs=docs: write(e_idx, docs)
    yield lambda: _ended(file, target)


def _ended(file: h5py.File, target: Path) -> None:
    file.close()
    with target.open("rb") as written:
        os.fsync(written.fileno())


_WAYS: dict[str, Callable[[Stack, Path], Steps]] = {
    "nxstxm": _ours,
    "plain": _plain,
    "counter_alone": _line_by_line,
}


class Spent(NamedTuple):
    """What a file took.

    Attributes
    ----------
    seconds
        On the clock.
    processor
        Processor time, in seconds: it says more than the clock on a busy computer.
    """

    seconds: float
    processor: float


def middle(spent: Sequence[Spent]) -> Spent:
    """Take the medians of rounds."""
    return Spent(*map(statistics.median, zip(*spent, strict=True)))


def measure(directory: Path, stack: Stack, rounds: int) -> dict[str, list[Spent]]:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    directory
        Where the files are made, and removed.
    stack
        How large.
    rounds
        How often each.

    Returns
    -------
    dict
        Each round, without the making of documents and arrays, with the file's way to the disk:
        ``"nxstxm"``, from the first document on; ``"plain"``, the same arrays written with h5py,
        image by image and uncompressed; ``"counter_alone"``, only the counter's, line by line as
        the documents come.
    """
    found: dict[str, list[Spent]] = {way: [] for way in _WAYS}
    for turn in range(rounds + 1):
        for way, steps in random.sample(list(_WAYS.items()), len(_WAYS)):
            target = directory / f"{way}-{turn}.hdf5"
            os.sync()  # or the kernel makes one wait for what another one wrote
            seconds = processor = 0.0
            for step in steps(stack, target):
                began, busy = time.perf_counter(), time.process_time()
                step()
                seconds += time.perf_counter() - began
                processor += time.process_time() - busy
            if turn:
                found[way].append(Spent(seconds, processor))
            compare(way, target, stack)
            target.unlink()
    return found


def compare(way: str, path: Path, stack: Stack) -> None:
    """Make sure that a file has the arrays that it should have, and no other large ones.

    Parameters
    ----------
    way
        Who made it.
    path
        The file.
    stack
        How large.
    """
    points = stack.energies * stack.side**2
    with h5py.File(path) as file:
        large: dict[str, h5py.Dataset] = {}

        def take(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset) and (item.size or 0) >= points:
                large[name] = item

        file.visititems(take)
        wanted = {"entry0/counter0/data"} if way == "counter_alone" else {*arrays(stack, 0)}
        if set(large) != wanted:
            raise RuntimeError(f"{way}: other arrays than expected: {set(large) ^ wanted}")
        for e_idx in range(stack.energies):
            for name, each in arrays(stack, e_idx).items():
                if name not in large:
                    continue
                flat = slice(e_idx * stack.side**2, (e_idx + 1) * stack.side**2)
                dataset = large[name]
                values = dataset[e_idx] if _is_grid(name) else dataset[flat].reshape(each.shape)
                if values.dtype != each.dtype or not np.array_equal(values, each):
                    raise RuntimeError(f"{way}: {name} of image {e_idx} differs in {path}")


# memory


def peak_memory(directory: Path, stack: Stack) -> float:
    """Measure how much memory the file of a stack takes, in a program of its own.

    Parameters
    ----------
    directory
        Where the file is made, and removed.
    stack
        How large.

    Returns
    -------
    float
        The highest, in MiB, over that of the program before the first document.
    """
    with tempfile.TemporaryDirectory(dir=directory) as inside:
        options = ["--energies", str(stack.energies), "--side", str(stack.side), "--dir", inside]
        command = [sys.executable, "-m", "tests.bench.stxm", "--once", *options]
        result = subprocess.run(
            command, cwd=_ROOT, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        if result.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr[-3000:]}")
        return float(result.stdout.splitlines()[-1])


def _once(directory: Path, stack: Stack) -> float:
    for _ in documents(stack, 0):
        pass  # what all runs share is made once
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _memory("VmRSS")
    for e_idx in range(stack.energies):
        nxstxm.export(documents(stack, e_idx), directory, _PREFIX, stack.first_uid)
    nxstxm.finish_export(directory, _PREFIX, stack.first_uid)
    return _memory("VmHWM") - before


def _memory(kind: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--energies", type=int, default=Stack.energies)
    parser.add_argument("--side", type=int, default=Stack.side, help="points of a line, and lines")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where to make the files")
    parser.add_argument("--once", action="store_true", help="one file; print its memory, MiB")
    options = parser.parse_args()
    stack = Stack(options.energies, options.side)
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        if options.once:
            print(_once(Path(name), stack))
            return
        found = measure(Path(name), stack, options.rounds)
        fewer = Stack(max(1, stack.energies // 5), stack.side)
        peaks = {each.energies: peak_memory(Path(name), each) for each in (fewer, stack)}
    for way, each in found.items():
        least = min(spent.seconds for spent in each)
        seconds, processor = middle(each)
        print(f"{way:14} median {seconds:.3f} s  min {least:.3f} s  processor {processor:.3f} s")
    ours, plain = middle(found["nxstxm"]), middle(found["plain"])
    print(
        f"nxstxm at {plain.seconds / ours.seconds:.2f} of plain h5py, "
        f"{plain.processor / ours.processor:.2f} by processor time"
    )
    for energies, peak in peaks.items():
        print(f"{energies} energies: {peak:.1f} MiB of memory")


if __name__ == "__main__":
    main()
