"""Measure, and print one table: ``make bench``.

Every figure has its counterpart from the same run on the same machine; the ratio is what
matters.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adsupport.launch import IOCProcess, client_environment, free_port
from tests.bench import (
    channels,
    connection,
    frame_consumers,
    image_copy,
    image_writers,
    imaging,
    imports,
    online_reconstruction,
    packing,
    per_point,
    priming,
    reconstruction,
    remote_frames,
    stxm,
    throughput,
    tomography,
    writers,
)

HEADINGS = (
    *("what", "adsupport", "compared with", "its value", "unit"),
    *("ratio (higher is better)", "wanted"),
)


@dataclass(frozen=True)
class Row:
    """One line of the table; for both values, smaller or larger is better as the unit says."""

    what: str
    ours: float
    peer_name: str
    peer: float
    unit: str
    larger_is_better: bool = False
    wanted: float | None = None  # of the ratio, at least

    @property
    def ratio(self) -> float:
        """How many times better than the peer: above 1 is better."""
        return self.ours / self.peer if self.larger_is_better else self.peer / self.ours


def _imports(repeat: int) -> int:
    return 2 * repeat + 1


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def import_rows(repeat: int) -> Iterator[Row]:
    """Compare how long the classes take to import."""
    turns = _imports(repeat)
    _say(f"import adsupport.devices and ophyd.areadetector, {turns} times each")
    ours, ophyd = imports.measure("adsupport.devices", "ophyd.areadetector", repeat=turns)
    yield Row("import adsupport.devices", ours, "ophyd.areadetector", ophyd, "s")


def connection_rows(peer: Path, repeat: int) -> Iterator[Row]:
    """Compare how long all signals take to connect."""
    _say(f"connect all signals of cam, HDF1 and image1, {repeat} times each")
    found = connection.measure(peer, repeat)
    ours, what = found.adsupport, f"connect {found.channels} channels"
    yield Row(what, ours, "stock ophyd", found.ophyd, "s", wanted=20)
    yield Row(what, ours, "bare pyepics", found.pyepics, "s", wanted=1 / 5)
    yield Row(what, ours, "ophyd-async (fewer)", found.ophyd_async, "s")


def priming_rows(peer: Path, repeat: int) -> Iterator[Row]:
    """Compare how long it takes to prime a plugin."""
    _say(f"time to primed, adsupport and apstools, {repeat} new IOCs each")
    ours = priming.measure("adsupport", None, repeat)
    theirs = priming.measure("apstools", peer, repeat)
    yield Row("time to primed", ours, "apstools", theirs, "s")


def counting_rows(peer: Path, directory: Path, repeat: int) -> Iterator[Row]:
    """Compare time per point, and around the points, of a count to HDF5."""
    points = 100
    _say(f"count of {points} points to HDF5, three contestants, {repeat} times two runs each")
    found = per_point.measure(peer, directory, points, repeat)
    ours = found.pop("adsupport")
    least = found.pop(per_point.LEAST)
    yield Row("time per point", ours.point, "the least there can be", least.point, "s")
    for what, value, wanted in (
        ("time per point", lambda each: each.point, 1 / 0.7),
        ("begin a run", lambda each: each.stage, 1),
        ("end a run", lambda each: each.unstage, 1),
        ("begin and end", lambda each: each.stage + each.unstage, 1),
    ):
        for name, theirs in found.items():
            peer_name = name.replace("_", "-") + _failed(theirs)
            yield Row(
                what + _failed(ours), value(ours), peer_name, value(theirs), "s", wanted=wanted
            )


def _failed(counted: per_point.Counting) -> str:
    """Tell of failed runs: a contestant that loses frames now and then may look fast."""
    return f" ({counted.failures} of {counted.runs} runs failed)" if counted.failures else ""


def file_rows(prefix: str, directory: Path, repeat: int) -> Iterator[Row]:
    """Compare the simulator's way to the disk with that of plain h5py."""
    for compression, frames in (("None", 400), ("zlib", 200)):
        _say(f"{frames} frames to HDF5, compression {compression}, {repeat} files each")
        result = throughput.measure(prefix, directory, compression, frames, repeat)
        mib = result.mib_per_frame
        name = f"to HDF5, {compression}"
        ours, plain = result.simulated, result.plain
        yield Row(f"frames {name}", ours, "plain h5py", plain, "frames/s", True)
        yield Row(f"bytes {name}", ours * mib, "plain h5py", plain * mib, "MiB/s", True)


def channel_rows(prefix: str) -> Iterator[Row]:
    """Compare what the simulator's server does with what is wanted of it."""
    _say("monitors of images, and put-completions")
    rates = channels.measure(prefix)
    for what, ours, wanted in (
        ("image1:ArrayData monitors", rates.images, 100.0),
        ("put-completions with them", rates.puts_meanwhile, 100.0),
        ("put-completions", rates.puts, 1500.0),
    ):
        yield Row(what, ours, "wanted", wanted, "1/s", True)


#: The least that a writer's ratio to a peer should be.
_WRITERS_WANTED = {
    "apstools_nexus": 5,
    "apstools_spec2": 3,
    "apstools_spec": 3,
    "suitcase_csv": 20,
    "bare_csv": 0.3,
    "suitcase_jsonl": 3,
}


def writer_rows(peer: Path, directory: Path, events: int, repeat: int) -> Iterator[Row]:
    """Compare how long writers of files take for an event, and how much memory for a run."""
    count = f"{events // 1000}k x 9"
    _say(f"{events} events of 9 numbers, {len(_WRITERS_WANTED) + 4} writers, {repeat} times each")
    found = writers.measure(peer, directory, events, repeat)
    for ours, peers in writers.PEERS.items():
        for name, share in peers.items():
            peer_name = f"{name}, 1/{share}" if share > 1 else name
            mine, theirs, wanted = found[ours], found[name], _WRITERS_WANTED[name]
            what = f"{ours}, {count}"
            times = mine.seconds * 1e6, theirs.seconds * 1e6
            yield Row(what, times[0], peer_name, times[1], "us/event", wanted=wanted)
            times = mine.processor * 1e6, theirs.processor * 1e6
            yield Row("  in processor time", times[0], peer_name, times[1], "us/event")
    times = writers.thread_times(peer, directory, max(1, events // 5), repeat)
    mine, theirs = times["nexus"] * 1e6, times["apstools_nexus"] * 1e6
    yield Row("nexus, in the RE's thread", mine, "apstools_nexus", theirs, "us/event")
    for length in (events, 3 * events):
        for name, peak in writers.peak_memory(directory, length).items():
            what = f"{name}, {length // 1000}k x 9"
            yield Row(what, peak, "allowed", 150.0, "MiB", wanted=1)


def image_rows(peer: Path, directory: Path, megabytes: int, repeat: int) -> Iterator[Row]:
    """Compare how long it takes to bring a stack of images into a file."""
    _say(f"images of {megabytes} MiB, linked and copied, {repeat} times each")
    times = image_copy.measure(directory, megabytes, repeat)
    link, copy, plain = map(statistics.median, (times.link, times.copy, times.plain))
    what = f"{megabytes} MiB"
    yield Row(f"{what}, link", link, "allowed", 0.05, "s", wanted=1)
    yield Row(f"{what}, copy", copy, "file copy, 4 MiB", plain, "s", wanted=0.9)
    yield Row(f"{what}, copy, best", min(times.copy), "the same", min(times.plain), "s")
    found = image_writers.measure(peer, directory, megabytes, repeat)
    name = "apstools_nexus, 1/8"
    for way in ("link", "copy"):
        row = f"nexus, {what}, {way}"
        yield Row(row, found[way], name, found["apstools"], "s", wanted=10)


def packing_rows(peer: Path, directory: Path, megabytes: int, repeat: int) -> Iterator[Row]:
    """Compare how long it takes to pack 200 runs and their files, with a digest of each."""
    programs = peer.parent if (peer.parent / "databroker-pack").exists() else None
    _say(f"pack of 200 runs with {megabytes} MiB, {repeat} times each")
    found = packing.measure(directory, 200, megabytes, repeat, programs)
    times = {name: statistics.median(each) for name, each in found.items()}
    larger = max(
        ("cp -r", times["cp"]), ("sha256sum", times["sha256sum"]), key=lambda each: each[1]
    )
    what = f"pack, 200 runs, {megabytes} MiB"
    yield Row(what, times["pack"], f"{larger[0]}, the larger", larger[1], "s", wanted=1 / 1.3)
    yield Row(what, times["pack"], "cp -r", times["cp"], "s")
    yield Row(what, times["pack"], "sha256sum", times["sha256sum"], "s")
    if programs is not None:
        name = "databroker-pack"
        yield Row("  as a command", times["command"], name, times[name], "s")


def tomography_rows(directory: Path, megabytes: int, repeat: int) -> Iterator[Row]:
    """Compare how long the files of a tomography run take."""
    _say(f"Data Exchange files of {megabytes} MiB, and views of them, {repeat} times each")
    found = tomography.measure(directory, megabytes, repeat)
    times = {name: statistics.median(each) for name, each in found.items()}
    what = f"dx, {megabytes} MiB"
    yield Row(f"{what}, link", times["link"], "allowed", 0.1, "s", wanted=1)
    yield Row(f"{what}, nxtomo_view", times["view"], "allowed", 0.1, "s", wanted=1)
    yield Row(f"{what}, copy", times["copy"], "file copy, 4 MiB", times["plain"], "s", wanted=0.9)
    best = min(found["copy"]), min(found["plain"])
    yield Row(f"{what}, copy, best", best[0], "the same", best[1], "s")


def stxm_rows(directory: Path, energies: int, repeat: int) -> Iterator[Row]:
    """Compare how long the file of an STXM stack takes, and how much memory."""
    stack, fewer = stxm.Stack(energies), stxm.Stack(max(1, energies // 5))
    _say(f"NXstxm file of {energies} energies x {stack.side} x {stack.side}, {repeat} times each")
    found = {
        name: stxm.middle(each) for name, each in stxm.measure(directory, stack, repeat).items()
    }
    what, ours, plain = f"nxstxm, {energies} energies", found["nxstxm"], found["plain"]
    yield Row(what, ours.seconds, "h5py, same arrays", plain.seconds, "s", wanted=0.5)
    yield Row("  in processor time", ours.processor, "the same", plain.processor, "s")
    yield Row(what, ours.seconds, "counter alone", found["counter_alone"].seconds, "s")
    few, many = (stxm.peak_memory(directory, each) for each in (fewer, stack))
    yield Row(what, many, f"{fewer.energies} energies", few, "MiB", wanted=0.75)


def imaging_rows(directory: Path, repeat: int) -> Iterator[Row]:
    """Compare how long a step tomography takes, and how long with a slow consumer."""
    projections, rounds = 40, 2 * repeat + 1
    _say(f"step tomography with {projections} projections, three plans, {rounds} times each")
    found = imaging.measure(directory, projections, rounds)
    name, allowed = "bare plan, same moves", 1.05
    for what, other, peer, times in (
        (f"{projections} projections", "bare", name, "whole"),
        ("  until the last frame", "bare", name, "frames"),
        ("  consumer of 0.1 s/frame", "ours", "without a consumer", "frames"),
    ):
        ours = "with a consumer" if other == "ours" else "ours"
        ratio = imaging.paired(found, ours, other, times)
        value = statistics.median(each[times] for each in found[other])
        yield Row(what, ratio * value, peer, value, "s, paired", wanted=1 / allowed)
    more = statistics.median(
        one["processor"] - two["processor"]
        for one, two in zip(found["with a consumer"], found["ours"], strict=True)
    )
    least = statistics.median(each["frames"] for each in found["ours"])
    yield Row("  its processor time", max(more, 1e-3), "5 % of that", 0.05 * least, "s", wanted=1)


def consumer_rows(repeat: int) -> Iterator[Row]:
    """Compare how long frames take with a slow consumer behind each source of frames."""
    frames = 100
    _say(f"{frames} frames with a consumer of 0.1 s behind each source, {repeat} times each")
    for name, found in frame_consumers.measured(frames, repeat).items():
        value = statistics.median(each["alone"] for each in found)
        ratio = statistics.median(each["taken"] / each["alone"] for each in found)
        what, peer = f"{frames} frames, {name}", "without a consumer"
        yield Row(what, ratio * value, peer, value, "s, paired", wanted=1 / 1.05)


def remote_rows(repeat: int) -> Iterator[Row]:
    """Compare how fast frames come to another process."""
    _say(f"{REMOTE_FRAMES} frames of 8 MiB to another process, twice {repeat} times")
    ours, peer = remote_frames.measure(REMOTE_FRAMES, repeat)
    what = "frames of 8 MiB to a process"
    yield Row(what, ours, "bare ZeroMQ", peer, "frames/s", larger_is_better=True)


def reconstruction_rows(repeat: int) -> Iterator[Row]:
    """Compare filtered back-projection with scikit-image's, and with what is wanted."""
    _say(f"slices of 400 projections, {repeat} times each")
    found = reconstruction.measure(repeat)
    ours, peer, frame, end, late = map(
        statistics.median, (found.ours, found.iradon, found.frame, found.end, found.late)
    )
    yield Row("a slice of 512 x 512", ours, "iradon", peer, "s", wanted=3)
    yield Row("  each of 8", frame * 50, "iradon", peer, "s", wanted=3)
    what, unit = "8 slices of 512 x 512", "projections/s"
    yield Row(what, 1 / frame, "wanted", 50, unit, larger_is_better=True, wanted=1)
    yield Row("  last frame to picture", end, "allowed", 1, "s", wanted=1)
    yield Row("  with late flats", late, "allowed", 1, "s")
    runs = [online_reconstruction.measure("centre given") for _ in range(repeat)]
    rate, files = (
        statistics.median(getattr(run, name) for run in runs) for name in ("rate", "files")
    )
    yield Row("  through a bus", rate, "wanted", 50, unit, larger_is_better=True, wanted=1)
    yield Row("  last frame to files", files, "allowed", 1, "s", wanted=1)


PARTS = (
    *("imports", "connection", "priming", "counting", "ioc"),
    *("writers", "images", "tomography", "imaging", "remote", "reconstruction"),
    *("stxm", "packing"),
)
REMOTE_FRAMES = 1000


def measure(options: argparse.Namespace, directory: Path) -> Iterator[Row]:
    """Run the measurements that are asked for."""
    peer, repeat, parts = options.peer, options.repeat, options.only or PARTS
    if "imports" in parts:
        yield from import_rows(repeat)
    if "connection" in parts:
        yield from connection_rows(peer, repeat)
    if "priming" in parts:
        yield from priming_rows(peer, repeat)
    if "counting" in parts:
        yield from counting_rows(peer, directory, repeat)
    if "ioc" in parts:
        port = free_port()
        with IOCProcess("adsim", "ad:", port) as ioc:
            throughput.connect(client_environment(port))
            yield from file_rows(ioc.prefix, directory, repeat)
            yield from channel_rows(ioc.prefix)
    if "writers" in parts:
        yield from writer_rows(peer, directory, options.events, repeat)
    if "images" in parts:
        yield from image_rows(peer, directory, options.megabytes, repeat)
    if "tomography" in parts:
        yield from tomography_rows(directory, options.megabytes, repeat)
    if "imaging" in parts:
        yield from imaging_rows(directory, repeat)
        yield from consumer_rows(repeat)
    if "remote" in parts:
        yield from remote_rows(repeat)
    if "reconstruction" in parts:
        yield from reconstruction_rows(repeat)
    if "stxm" in parts:
        yield from stxm_rows(directory, options.energies, options.repeat)
    if "packing" in parts:
        yield from packing_rows(peer, directory, options.megabytes // 2, repeat)


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="Python that has the peers")
    parser.add_argument("--repeat", type=int, default=3, help="times; the median counts")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part of it")
    parser.add_argument("--events", type=int, default=100_000, help="of a run (100000)")
    parser.add_argument("--megabytes", type=int, default=2048, help="MiB of images (2048)")
    parser.add_argument(
        "--energies", type=int, default=stxm.Stack.energies, help="of a stack (100)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adsupport-bench-") as directory:
        rows = list(measure(options, Path(directory)))
    table = Table(
        title=f"Python {platform.python_version()}, {platform.platform(terse=True)}",
        caption=f"Medians of {options.repeat} (imports: {_imports(options.repeat)}). "
        "A frame is exactly 1 MiB, in the counts 64 KiB, in stacks 2 MiB. "
        "Paired: median of the ratios of each turn. "
        "Writers take the time of an event, or of all images; 1/5: the peer has a fifth of them. "
        f"Load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.",
    )
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("what", "unit") else "right")
    for row in rows:
        table.add_row(
            row.what,
            f"{row.ours:.4g}",
            row.peer_name,
            f"{row.peer:.4g}",
            row.unit,
            f"{row.ratio:.2f}",
            "" if row.wanted is None else f"{row.wanted:.2f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
