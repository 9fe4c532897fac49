"""Time to pack runs and their files with digests, beside ``cp -r``, ``sha256sum`` and a peer.

``python -m tests.bench.packing --size 1024`` prints seconds; the contestants take turns on the
same files, which are in memory, and what they made is looked at.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml
from event_model import compose_run

from adsupport.documents.assets import ADCORE_DATASET
from adsupport.documents.json_text import encode_document
from adsupport.pack import pack
from adsupport.pack.checking.verifying import verify

_EVENTS = 5
_CATALOG = "bench"


def measure(
    directory: Path, runs: int, megabytes: int, rounds: int = 5, peer: Path | None = None
) -> dict[str, list[float]]:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    directory
        Where the files are made.
    runs
        How many, of 5 events and one image file each.
    megabytes
        MiB of all image files.
    rounds
        How often each.
    peer
        Directory of programs that has ``databroker-pack``.

    Returns
    -------
    dict
        Seconds of each round, by contestant: ``pack``, ``cp``, ``sha256sum``, ``command``
        (``adsupport pack``, with the start of Python), and ``databroker-pack`` if there is one.
    """
    source = directory / "source"
    make(source, runs, megabytes)
    files = sorted(str(each) for each in source.rglob("*") if each.is_file())
    documents = sorted((source / "documents").iterdir())
    command = [sys.executable, "-m", "adsupport", "pack", "--file", str(source / "documents")]
    ways: dict[str, Callable[[Path], Any]] = {
        "pack": lambda target: pack([*documents], target),
        "cp": lambda target: _run(["cp", "-r", str(source), str(target)]),
        "sha256sum": lambda target: _run(["sha256sum", *files]),
        "command": lambda target: _run([*command, "--dir", str(target)]),
    }
    if peer is not None:
        environment = _catalog(directory, source)
        ways["databroker-pack"] = lambda target: _run(
            [str(peer / "databroker-pack"), _CATALOG, str(target), "--all", "--copy-external"],
            environment,
        )
    times: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, run in random.sample(list(ways.items()), len(ways)):
            target = directory / f"made-by-{way}"
            os.sync()  # or the kernel makes one wait for what another one wrote
            began = time.perf_counter()
            run(target)
            spent = time.perf_counter() - began
            if turn:
                times[way].append(spent)
            else:
                _check(way, target, runs)
            shutil.rmtree(target, ignore_errors=True)
    return times


def make(directory: Path, runs: int, megabytes: int) -> None:
    """Make runs: their documents, a file each, and their images, another file each.

    Parameters
    ----------
    directory
        Where.
    runs, megabytes
        See :func:`measure`.
    """
    (directory / "images").mkdir(parents=True)
    (directory / "documents").mkdir()
    side = max(1, int((megabytes * 2**20 / (runs * _EVENTS * 2)) ** 0.5))
    noise = np.random.default_rng(5)
    for number in range(runs):
        path = directory / f"images/scan_{number:04d}.h5"
        with h5py.File(path, "w") as file:
            frames = noise.integers(0, 2**16, (_EVENTS, side, side), np.uint16)
            file.create_dataset(ADCORE_DATASET, data=frames, chunks=(1, side, side))
        lines = b"".join(encode_document(*each) for each in _documents(number, path, side))
        (directory / f"documents/{number:04d}.jsonl").write_bytes(lines)


def _documents(number: int, path: Path, side: int) -> Iterator[tuple[str, Any]]:
    run = compose_run(metadata={"scan_id": number}, time=1.7e9 + number)
    keys: dict[str, Any] = {
        "m1": {"source": "PV:m1", "dtype": "number", "shape": []},
        "img": {
            "source": "PV:img",
            "dtype": "array",
            "shape": [1, side, side],
            "external": "FILESTORE:",
        },
    }
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    resource = run.compose_resource(
        spec="AD_HDF5",
        root=str(path.parent),
        resource_path=path.name,
        resource_kwargs={"frame_per_point": 1},
    )
    yield "start", run.start_doc
    yield "descriptor", stream.descriptor_doc
    yield "resource", resource.resource_doc
    for index in range(_EVENTS):
        datum = resource.compose_datum(datum_kwargs={"point_number": index})
        yield "datum", datum
        data = {"m1": 0.5 * index, "img": datum["datum_id"]}
        stamps = dict.fromkeys(data, 1.7e9 + index)
        yield (
            "event",
            stream.compose_event(data=data, timestamps=stamps, filled={"img": False}),
        )
    yield "stop", run.compose_stop()


def _catalog(directory: Path, source: Path) -> dict[str, str]:
    """Let databroker find the documents, and return the environment in which it does."""
    args = {"paths": [str(source / "documents/*.jsonl")]}
    catalog = {"sources": {_CATALOG: {"driver": "bluesky-jsonl-catalog", "args": args}}}
    (directory / "data/intake").mkdir(parents=True)
    (directory / "data/intake/bench.yml").write_text(yaml.safe_dump(catalog))
    return {**os.environ, "XDG_DATA_HOME": str(directory / "data")}


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{result.stderr[-3000:]}")


def _check(way: str, target: Path, runs: int) -> None:
    if way in ("pack", "command"):
        report = verify(target)
        if not report.ok or report.runs != runs:
            raise RuntimeError(f"{way}: {report}")
    elif way != "sha256sum":
        found = len(list(target.rglob("*.h5")))
        if found != runs:
            raise RuntimeError(f"{way}: {target} has {found} image files; expected {runs}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--size", type=int, default=1024, help="MiB of images (default 1024)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer", type=Path, help="directory that has databroker-pack")
    parser.add_argument("--dir", type=Path, help="where to make the files")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        found = measure(Path(name), options.runs, options.size, options.rounds, options.peer)
    for way, times in found.items():
        print(f"{way:16} median {statistics.median(times):.3f} s  min {min(times):.3f} s")
    larger = max(statistics.median(found[way]) for way in ("cp", "sha256sum"))
    print(f"pack at {statistics.median(found['pack']) / larger:.2f} of the larger of both")


if __name__ == "__main__":
    main()
