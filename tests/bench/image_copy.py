"""Time to bring a stack of images into another HDF5 file, beside a plain copy of its file.

``python -m tests.bench.image_copy --size 2048`` prints ratios; the contestants take turns, and
what they wrote is read back and compared.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from adsupport.documents.assets import ADCORE_DATASET, asset_of
from adsupport.documents.images import store_images

SIDE = 1024
_BUFFER = 4 * 2**20
_KINDS: dict[str, dict[str, Any]] = {
    "raw": {"chunks": (1, SIDE, SIDE)},
    "blosc": {"chunks": (1, SIDE, SIDE), **hdf5plugin.Blosc(cname="lz4", clevel=5)},
    "contiguous": {},
}


@dataclass(frozen=True)
class Times:
    """Seconds of each round.

    Attributes
    ----------
    link, copy
        ``store_images`` with ``images="link"`` and ``"copy"``, without the syncing of the file.
    plain
        The source file read and written through one buffer of 4 MiB.
    cpu
        Processor time of the same, by name: it says more than the clock on a busy computer.
    peak
        How many MiB of memory ``copy`` took, at most.
    """

    link: list[float]
    copy: list[float]
    plain: list[float]
    cpu: dict[str, list[float]]
    peak: float


def measure(directory: Path, megabytes: int, rounds: int = 7, kind: str = "raw") -> Times:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    directory
        Where the files are made, and removed.
    megabytes
        Size of the stack in memory.
    rounds
        How often each.
    kind
        ``"raw"``, ``"blosc"`` or ``"contiguous"``.
    """
    frames = max(1, megabytes * 2**20 // (2 * SIDE**2))
    source = directory / "source.h5"
    make(source, frames, kind)
    document = {
        **{"uid": "bench", "spec": "AD_HDF5", "root": "/", "resource_path": str(source)},
        "resource_kwargs": {"frame_per_point": 1},
    }
    asset = asset_of(document)
    rows = [asset.frames_of_datum({"point_number": number}) for number in range(frames)]

    def store(images: Any) -> Callable[[Path], None]:
        def run(target: Path) -> None:
            with h5py.File(target, "w") as file:
                stored = store_images(file, "data", rows, target, images=images, timeout=0)
                if stored.notes:
                    raise RuntimeError(f"{images}: {stored.notes}")

        return run

    ways = {
        "link": store("link"),
        "copy": store("copy"),
        "plain": lambda to: copy_plainly(source, to),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    cpu: dict[str, list[float]] = {way: [] for way in ways}
    peak = 0.0
    for turn in range(rounds + 1):
        for way, run in random.sample(list(ways.items()), len(ways)):
            target = directory / f"{way}.h5"
            target.unlink(missing_ok=True)
            os.sync()  # or the kernel makes one wait for what another one wrote
            _peak()
            before = _peak()
            began, busy = time.perf_counter(), time.process_time()
            run(target)
            spent, used = time.perf_counter() - began, time.process_time() - busy
            if way == "copy":
                peak = max(peak, _peak() - before)
            if turn:
                times[way].append(spent)
                cpu[way].append(used)
    for way in ("link", "copy"):
        compare(way, directory / f"{way}.h5", "data", source)
    return Times(**times, cpu=cpu, peak=peak)


def _peak() -> float:
    """Return the highest memory since the last call, in MiB, and start anew."""
    lines = Path("/proc/self/status").read_text().splitlines()
    Path("/proc/self/clear_refs").write_text("5")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def make(path: Path, frames: int, kind: str = "raw") -> Path:
    """Make a file as ADCore's HDF5 plugin does.

    Parameters
    ----------
    path
        The file.
    frames
        Images in it, of 2 MiB each.
    kind
        See :func:`measure`.

    Returns
    -------
    pathlib.Path
        The file.
    """
    noise = np.random.default_rng(5)
    models = [noise.poisson(200, (SIDE, SIDE)).astype(np.uint16) for _ in range(4)]
    with h5py.File(path, "w") as file:
        shape = frames, SIDE, SIDE
        data = file.create_dataset(ADCORE_DATASET, shape=shape, dtype=np.uint16, **_KINDS[kind])
        for index in range(frames):
            data[index] = models[index % 4] + index % 1000
    return path


def copy_plainly(source: Path, target: Path) -> None:
    """Read a file and write another one, through one buffer of 4 MiB."""
    buffer = memoryview(bytearray(_BUFFER))
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        while count := reader.readinto(buffer):
            writer.write(buffer[:count])


def compare(what: str, path: Path, address: str, source: Path) -> None:
    """Make sure that a file has the images that it should have; some are compared.

    Parameters
    ----------
    what
        Who made it, for messages.
    path
        The file.
    address
        Of the images in it, one a row.
    source
        See :func:`make`.
    """
    with h5py.File(path) as file, h5py.File(source) as original:
        found: Any = file[address]
        wanted: Any = original[ADCORE_DATASET]
        frames = len(wanted)
        if len(found) != frames:
            raise RuntimeError(f"{what}: {path} has {len(found)} of {frames} images")
        for index in {0, frames // 3, frames // 2, frames - 1}:
            if not np.array_equal(np.squeeze(found[index]), wanted[index]):
                raise RuntimeError(f"{what}: image {index} differs in {path}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="MiB of the stack (default 512)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kind", choices=sorted(_KINDS), default="raw")
    parser.add_argument("--dir", type=Path, help="where to make the files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        os.sync()
        found = measure(Path(name), options.size, options.rounds, options.kind)
    for way in ("link", "copy", "plain"):
        times = getattr(found, way)
        print(
            f"{way:6} median {statistics.median(times):.4f} s  min {min(times):.4f} s  "
            f"processor {statistics.median(found.cpu[way]):.4f} s"
        )
    middle = statistics.median(found.plain) / statistics.median(found.copy)
    best = min(found.plain) / min(found.copy)
    work = min(found.cpu["plain"]) / min(found.cpu["copy"])
    print(
        f"copy at {middle:.2f} (median), {best:.2f} (min) of the speed of a plain copy; "
        f"{work:.2f} by processor time (min)"
    )
    print(f"copy raised the peak memory by {found.peak:.1f} MiB")


if __name__ == "__main__":
    main()
