"""Measure, and print one table: ``make bench``.

Every figure has its counterpart from the same run on the same machine; the ratio is what
matters.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adsupport.launch import IOCProcess, client_environment, free_port
from tests.bench import channels, imports, priming, throughput

HEADINGS = ("what", "adsupport", "compared with", "its value", "unit", "ratio (higher is better)")


@dataclass(frozen=True)
class Row:
    """One line of the table; for both values, smaller or larger is better as the unit says."""

    what: str
    ours: float
    peer_name: str
    peer: float
    unit: str
    larger_is_better: bool = False

    @property
    def ratio(self) -> float:
        """How many times better than the peer: above 1 is better."""
        return self.ours / self.peer if self.larger_is_better else self.peer / self.ours


def _imports(repeat: int) -> int:
    return 2 * repeat + 1


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def measure(peer_python: Path, directory: Path, repeat: int) -> list[Row]:
    """Run every measurement."""
    rows = []
    turns = _imports(repeat)
    _say(f"import adsupport.devices and ophyd.areadetector, {turns} times each")
    ours, ophyd = imports.measure("adsupport.devices", "ophyd.areadetector", repeat=turns)
    rows.append(Row("import adsupport.devices", ours, "ophyd.areadetector", ophyd, "s"))

    _say(f"time to primed, adsupport and apstools, {repeat} new IOCs each")
    ours = priming.measure("adsupport", None, repeat)
    theirs = priming.measure("apstools", peer_python, repeat)
    rows.append(Row("time to primed", ours, "apstools 1.7.11", theirs, "s"))

    port = free_port()
    with IOCProcess("adsim", "ad:", port) as ioc:
        throughput.connect(client_environment(port))
        for compression, frames in (("None", 400), ("zlib", 200)):
            _say(f"{frames} frames to HDF5, compression {compression}, {repeat} files each")
            result = throughput.measure(ioc.prefix, directory, compression, frames, repeat)
            mib = result.mib_per_frame
            name = f"to HDF5, {compression}"
            ours, plain = result.simulated, result.plain
            rows.append(Row(f"frames {name}", ours, "plain h5py", plain, "frames/s", True))
            rows.append(Row(f"bytes {name}", ours * mib, "plain h5py", plain * mib, "MiB/s", True))
        _say("monitors of images, and put-completions")
        rates = channels.measure(ioc.prefix)
        for what, ours, wanted in (
            ("image1:ArrayData monitors", rates.images, 100.0),
            ("put-completions with them", rates.puts_meanwhile, 100.0),
            ("put-completions", rates.puts, 1500.0),
        ):
            rows.append(Row(what, ours, "wanted", wanted, "1/s", True))
    return rows


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, required=True, help="Python that has apstools")
    parser.add_argument("--repeat", type=int, default=3, help="times; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="adsupport-bench-") as directory:
        rows = measure(options.peer, Path(directory), options.repeat)
    table = Table(
        title=f"Python {platform.python_version()}, {platform.platform(terse=True)}",
        caption=f"Medians of {options.repeat} (imports: {_imports(options.repeat)}). "
        "A frame is exactly 1 MiB.",
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
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
