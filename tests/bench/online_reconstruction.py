"""Time of an online reconstruction, from frames on the bus to files, beside what is wanted.

Frames of 512 x 512 counts go through a bus to `OnlineReconstruction`, which makes 8 slices of them.
The rate is that from the first projection to the last; the end is the time from the last one to the
finished slices, and to the files.
``python -m tests.bench.online_reconstruction`` prints the figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adsupport.imaging import DirectoryWalker
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.frame import StreamAbout
from adsupport.imaging.frames.replay import ReplaySource, StoredAcquisition

from .reconstruction import SLICES, WIDTH, lines

CASES = ("centre given", "flats last", "centre auto", "centre auto, 360 degrees")


@dataclass(frozen=True)
class Times:
    """Of a run."""

    rate: float  # projections/s
    end: float  # s, from the last frame to the slices
    files: float  # s, from the last frame to the files


class _Timed(OnlineReconstruction):
    """Notes when its last projection is done, and its slices."""

    def frame(self, frame: Any) -> None:
        super().frame(frame)
        if frame.stream == "primary":
            self.last = time.perf_counter()

    def _tomogram(self, *arguments: Any) -> Any:
        self.done = time.perf_counter()
        return super()._tomogram(*arguments)


def measure(case: str, projections: int = 400) -> Times:
    """Reconstruct once.

    Parameters
    ----------
    case
        One of `CASES`.
    projections
        Of the scan.

    Returns
    -------
    Times
        They.
    """
    absorbed, angles = lines(projections)
    if "360" in case:
        angles = angles * 2
        turned = np.arange(projections) * 2 % projections
        absorbed = np.where(
            (np.arange(projections) >= projections / 2)[:, None, None],
            np.roll(absorbed[turned][..., ::-1], 1, axis=-1),
            absorbed[turned],
        )
    light = np.random.default_rng(1).uniform(20_000, 40_000, (SLICES, WIDTH))
    counts = np.round(100 + light * np.exp(-absorbed)).astype(np.uint16)
    order = ["darks", "flats", "primary"]
    if case == "flats last":
        order = ["darks", "primary", "flats"]
    with tempfile.TemporaryDirectory() as directory:
        walker = DirectoryWalker(Path(directory))
        centre: Any = "auto" if "auto" in case else float(WIDTH // 2)
        addon = _Timed(rows=range(SLICES), centre=centre, filter="hann", walker=walker)
        addon.ready()
        stored = {each: _stored(each, order, counts, light, angles) for each in order}
        with FrameBus(ReplaySource(stored.values()), [addon]) as bus:
            began = 0.0
            for stream in order:
                if stream == "primary":
                    began = time.perf_counter()
                bus.begin(stored[stream].about)
                bus.end(stored[stream].about.expected, timeout=600)
                bus.drain()
        ended = time.perf_counter()
    return Times(projections / (addon.last - began), addon.done - addon.last, ended - addon.last)


def _stored(
    stream: str, order: list[str], counts: np.ndarray, light: np.ndarray, angles: np.ndarray
) -> StoredAcquisition:
    """Make an acquisition whose frames are as large as a camera's: 512 x 512."""
    projections = stream == "primary"
    number = len(angles) if projections else 10
    told = tuple(angles.tolist()) if projections else ()
    about = StreamAbout("run", stream, number, {"acquisitions": order}, told)
    constant = 100 + (light if stream == "flats" else 0 * light)

    def frames() -> Iterator[Arrival]:
        whole = np.zeros((WIDTH, WIDTH), np.uint16)
        for index in range(number):
            image = whole.copy()
            image[:SLICES] = counts[index] if projections else constant
            yield Arrival(lambda image=image: image, stored=False, unique_id=index, place=index)

    return StoredAcquisition(about, frames)


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--projections", type=int, default=400)
    given = parser.parse_args()
    print(f"{given.projections} projections; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}")
    for case in CASES:
        found = [measure(case, given.projections) for _ in range(given.repeat)]
        rate, end, files = (
            statistics.median(getattr(each, name) for each in found)
            for name in ("rate", "end", "files")
        )
        print(
            f"{case}: {rate:.0f} projections/s (50 wanted), slices {end:.2f} s after the last "
            f"(1 allowed), files {files:.2f} s"
        )


if __name__ == "__main__":
    main()
