"""Time to reconstruct slices, frame by frame, beside scikit-image's ``iradon``.

Both have the same line integrals in the same process, by turns, and their slices are compared.
The rate is that of frames of counts, from the detector's rows to slices of 512 x 512 pixels; the
end is the time from the last frame to the last picture, without and with flats that came late.
``python -m tests.bench --only reconstruction`` prints the figures,
``python -m tests.bench.reconstruction`` these alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass, field

import numpy as np

from adsupport.imaging.reconstruction import FilteredBackprojection, warm_up

WIDTH = 512
SLICES = 8


@dataclass
class Times:
    """Seconds of each round."""

    ours: list[float] = field(default_factory=list)  # a slice, of all projections
    iradon: list[float] = field(default_factory=list)  # the same
    frame: list[float] = field(default_factory=list)  # a frame of 8 slices
    end: list[float] = field(default_factory=list)  # from the last frame to the picture
    late: list[float] = field(default_factory=list)  # the same, with flats that came last
    difference: float = 0.0  # of the two slices, relative root mean square


def lines(projections: int) -> tuple[np.ndarray, np.ndarray]:
    """Return line integrals of balls, (N, slices, width), and their angles in degrees."""
    rng = np.random.default_rng(0)
    angles = np.arange(projections) * 180.0 / projections
    turned = np.deg2rad(angles)[:, None, None]
    columns, slices = np.arange(WIDTH) - WIDTH // 2, np.arange(SLICES)[:, None] * 4
    found = np.zeros((projections, SLICES, WIDTH), np.float32)
    for _ in range(12):
        x, y = rng.uniform(-130, 130, 2)
        radius, z = rng.uniform(10, 60), rng.uniform(0, 4 * SLICES)
        across = columns - x * np.cos(turned) - y * np.sin(turned)
        found += 2e-3 * np.sqrt(np.maximum(0, radius**2 - across**2 - (slices - z) ** 2))
    return found, angles


def measure(repeat: int, projections: int = 400) -> Times:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    repeat
        How often each.
    projections
        Of the scan.

    Returns
    -------
    Times
        They.
    """
    from skimage.transform import iradon

    warm_up()
    absorbed, angles = lines(projections)
    rng = np.random.default_rng(1)
    light = rng.uniform(20_000, 40_000, (SLICES, WIDTH))
    counts = np.round(100 + light * np.exp(-absorbed)).astype(np.uint16)
    sinogram = np.ascontiguousarray(absorbed[:, 0].T.astype(float))
    times = Times()
    for turn in range(repeat + 1):
        began = time.perf_counter()
        alone = FilteredBackprojection(WIDTH, input="absorption")
        for rows, angle in zip(absorbed, angles, strict=True):
            alone.add(rows[:1], angle)
        ours = alone.picture()[0]
        slice_time = time.perf_counter() - began
        began = time.perf_counter()
        theirs = iradon(sinogram, angles)
        iradon_time = time.perf_counter() - began
        rates = [_online(counts, light, angles, late) for late in (False, True)]
        if turn:
            times.ours.append(slice_time)
            times.iradon.append(iradon_time)
            times.frame.append(rates[0][0])
            times.end.append(rates[0][1])
            times.late.append(rates[1][1])
        times.difference = float(
            np.sqrt(np.mean(np.square(ours - theirs)) / np.mean(np.square(theirs)))
        )
    if times.difference > 1e-4:
        raise RuntimeError(f"the slices differ by {times.difference:.1e}")
    return times


def _online(
    counts: np.ndarray, light: np.ndarray, angles: np.ndarray, late: bool
) -> tuple[float, float]:
    """Return seconds of a frame, and from the last one to the picture."""
    online = FilteredBackprojection(WIDTH, SLICES, angles=angles, filter="hann")
    online.add_dark(np.full_like(light, 100))
    if not late:
        online.add_flat(light + 100)
    began = time.perf_counter()
    for place, rows in enumerate(counts):
        online.add(rows, angles[place], place, place)
    ended = time.perf_counter()
    if late:
        online.add_flat(light + 100)
    online.finish()
    return (ended - began) / len(counts), time.perf_counter() - ended


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--projections", type=int, default=400)
    given = parser.parse_args()
    found = measure(given.repeat, given.projections)
    ours, iradon, frame, end, late = map(
        statistics.median, (found.ours, found.iradon, found.frame, found.end, found.late)
    )
    print(f"{given.projections} projections; load {os.getloadavg()[0]:.1f} on {os.cpu_count()}")
    print(f"a slice of 512²: {ours:.3f} s, iradon {iradon:.3f} s, {iradon / ours:.1f} times faster")
    print(f"their difference: {found.difference:.1e}")
    each = iradon / (frame * given.projections / SLICES)
    print(f"8 slices of 512²: {1 / frame:.0f} projections/s, a slice {each:.1f} times faster")
    print(f"from the last frame to the picture: {end:.3f} s, with late flats {late:.3f} s")


if __name__ == "__main__":
    main()
