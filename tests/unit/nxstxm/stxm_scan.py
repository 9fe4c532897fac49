"""What synthetic STXM scans measure where: the only source of what tests expect in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

DWELL = 2.5  # ms

#: Fast and slow positioner by scan type; a sample image's for all others.
POSITIONERS = {
    0: ("Detector.X", "Detector.Y"),
    1: ("OSA.X", "OSA.Y"),
    2: ("OSA.X", "OSA.Y"),
    8: ("GoniX", "None"),
    9: ("Coarse.X", "Coarse.Y"),
    10: ("GoniX", "GoniY"),
}
SAMPLE = ("SampleFineX", "SampleFineY")
FOCUS, STACKS = (2, 3), (7, 11, 13)
PER_LINE = (3, 5, 6, 7, 11, 12)  # whose events are lines in the existing programs

#: Process variables by device, as a beamline has them.
PVS = {
    "SampleFineX": "IOC:m100", "SampleFineY": "IOC:m101", "OSA.X": "IOC:m104",
    "OSA.Y": "IOC:m105", "GoniX": "IOC:m107", "GoniY": "IOC:m108", "GoniTheta": "IOC:m110",
    "ZonePlate.Z": "IOC:m111C", "Coarse.X": "IOC:m112", "Coarse.Y": "IOC:m113",
    "Detector.X": "IOC:m114", "Detector.Y": "IOC:m115", "SampleX": "IOC:m117",
    "SampleY": "IOC:m118", "ENERGY": "BL1610-I10:ENERGY",
    "EPUPolarization": "BL1610-I10:epuPolarization", "EPUOffset": "BL1610-I10:epuOffset",
    "Mono_ev_fbk": "MONO1610-I10-01:energy:fbk", "StorageRingCurrent": "PCT1402-01:mA:fbk",
    "Epu_pol_angle": "UND1410-01:polarAngle", "Epu_gap_fbk": "UND1410-01:gap:mm:fbk",
    "Epu_gap_offset": "UND1410-01:gap:offset", "Epu_harmonic": "UND1410-01:harmonic",
}  # fmt: skip
# Signals whose data keys the programs end with "_val"; all others are motors.
SIGNALS = ("Mono_ev_fbk", "StorageRingCurrent", "Epu_pol_angle", "Epu_gap_fbk", "Epu_gap_offset",
           "Epu_harmonic")  # fmt: skip


@dataclass(frozen=True)
class StxmScan:
    """A scan and how its runs are told.

    Parameters
    ----------
    scan_type : int
        0 to 13.
    nx, ny, nz : int
        Points along a line, lines, positions of the zone plate.
    energies : tuple of float
        Set-points, eV.
    dwells : tuple of float
        For each energy, ms; empty for the same.
    regions : tuple of int
        Their numbers.
    polarizations : tuple of (code, angle, offset)
        To be measured one after the other.
    angles : tuple of float
        Of the goniometer.
    counters : tuple of str
        Data keys; the first has integers, the others floats.
    per_line : bool or None
        An event has a line of points; None is as the existing programs do.
    positions : str
        Which positions are in the events: "both", "slow" or "none".
    jitter : float
        How far, at most, these are from the set-points, µm.
    energy, ring : str or None
        Where energy and ring current are: "primary", "baseline" or None.
    snaking : bool
        Every second line backwards.
    tells_snaking : bool
        The metadata say so.
    baseline : int
        How many readings.
    baseline_in : str
        "all" runs, or the "first" of each entry.
    pvs : bool
        Data keys are those of process variables.
    sequence : bool
        The metadata have a map of all runs.
    frame : tuple of int
        Shape of a frame at each point; empty for none.
    text : bool
        The metadata are a JSON text.
    dtype_numpy : bool
        Descriptors name numpy's types.
    positioner : str
        The fast one, other than usual.
    """

    scan_type: int
    nx: int = 5
    ny: int = 3
    nz: int = 4
    energies: tuple[float, ...] = (700.0,)
    dwells: tuple[float, ...] = ()
    regions: tuple[int, ...] = (0,)
    polarizations: tuple[tuple[int, float, float], ...] = ((0, 0.0, 0.0),)
    angles: tuple[float, ...] = (0.0,)
    counters: tuple[str, ...] = ("counter0", "counter1")
    per_line: bool | None = None
    positions: str = "both"
    jitter: float = 0.0
    energy: str | None = "primary"
    ring: str | None = "primary"
    snaking: bool = False
    tells_snaking: bool = False
    baseline: int = 2
    baseline_in: str = "all"
    pvs: bool = False
    sequence: bool = False
    frame: tuple[int, ...] = ()
    text: bool = True
    dtype_numpy: bool = True
    positioner: str = ""
    uids: str = "stxm"

    # What was measured where.

    @property
    def rows(self) -> int:
        """Lines of a run."""
        if self.scan_type in FOCUS:
            return self.nz
        if self.scan_type in (4, 5):
            return len(self.energies)
        return 1 if self.scan_type == 8 else self.ny

    @property
    def columns(self) -> int:
        """Points of a line; of point spectra the regions."""
        return len(self.regions) if self.scan_type == 4 else self.nx

    @property
    def lines(self) -> bool:
        """Whether an event is a line."""
        return self.scan_type in PER_LINE if self.per_line is None else self.per_line

    def value(
        self, counter: int, i: Any, j: Any, e: Any = 0, region: Any = 0, pol: Any = 0,
        angle: Any = 0,
    ) -> Any:  # fmt: skip
        """What a counter gives at line i and point j; all other numbers count from 0, too."""
        where = i * 1000 + j + e * 10**6 + region * 10**7 + pol * 10**8 + angle * 10**9
        # beyond 32 bits, and beyond what a float32 can tell apart
        return where + 2**33 + 1 if counter == 0 else where + counter * 10**10 + 0.25

    def frame_at(self, i: int, j: int, e: int = 0) -> np.ndarray:
        """The frame of a point."""
        first = i * 1000 + j * 10 + e * 10_000
        return (first + np.arange(np.prod(self.frame))).reshape(self.frame).astype(np.uint16)

    def x_setpoints(self, region: int = 0) -> np.ndarray:
        """Of the fast axis; of point spectra the one point."""
        count = 1 if self.scan_type == 4 else self.nx
        return 10.0 + 40.0 * region + 0.5 * np.arange(count)

    def y_setpoints(self, region: int = 0) -> np.ndarray:
        """Of the slow axis; for scans along a line those of its points."""
        if self.scan_type == 8:
            return np.zeros(1)
        alike = self.scan_type in (2, 3, 4, 5)
        return (
            -20.0 - 30.0 * region + 0.25 * np.arange(len(self.x_setpoints()) if alike else self.ny)
        )

    def z_setpoints(self) -> np.ndarray:
        """Of the zone plate."""
        return -3600.0 + 2.0 * np.arange(self.nz)

    def _jitter(self, i: Any, j: Any, e: Any, seed: float) -> Any:
        return self.jitter * np.sin(seed + 3.0 * i + 7.0 * j + 11.0 * e)

    def x_at(self, i: Any, j: Any, e: Any = 0, region: int = 0) -> Any:
        """Measured position of the fast axis."""
        at = 0 * j if self.scan_type == 4 else j
        return self.x_setpoints(region)[at] + self._jitter(i, j, e, 1.0 + region)

    def y_at(self, i: Any, j: Any, e: Any = 0, region: int = 0) -> Any:
        """Measured position of the slow axis; an event of a whole line has that of its start."""
        if self.scan_type in (2, 3, 4, 5):
            at = 0 * j if self.scan_type == 4 else j
            return self.y_setpoints(region)[at] + self._jitter(i, j, e, 2.0 + region)
        return self.y_setpoints(region)[i] + self._jitter(
            i, 0 * j if self.lines else j, e, 2.0 + region
        )

    def z_at(self, i: Any, j: Any) -> Any:
        """Measured position of the zone plate."""
        return self.z_setpoints()[i] + self._jitter(i, 0 * j if self.lines else j, 0, 3.0)

    def energy_at(self, e: Any) -> Any:
        """Measured energy: not quite the set-point, if it's measured."""
        return np.asarray(self.energies)[e] + (0.0 if self.energy is None else 0.0625)

    def ring_at(self, run: int, event: Any) -> Any:
        """Ring current at an event of a run."""
        return 220.0 - run - 0.015625 * event

    def order(self, i: int) -> list[int]:
        """The points of a line in the order of time."""
        columns = list(range(self.columns))
        # regions take turns always the same way
        return columns[::-1] if self.snaking and i % 2 and self.scan_type != 4 else columns

    # The documents.

    def entry(self, region: int = 0, pol: int = 0, angle: int = 0) -> str:
        """Name of the entry; the arguments count from 0."""
        if self.scan_type == 4:
            return f"entry{self.regions[region]}"
        count = (angle * len(self.regions) + region) * len(self.polarizations) + pol
        return f"entry{count}"

    def indexes(self) -> Iterator[dict[str, int]]:
        """Which runs there are, in the order of time: energies are the outer loop."""
        stack = self.scan_type in STACKS
        several = stack or self.scan_type in (6, 12)
        for angle in range(len(self.angles)):
            for e in range(len(self.energies) if stack else 1):
                for pol in range(len(self.polarizations)):
                    for region in range(len(self.regions) if several else 1):
                        yield {"e": e, "region": region, "pol": pol, "angle": angle}

    def index_map(self, e: int, region: int, pol: int, angle: int) -> dict[str, Any]:
        """What the metadata say about a run's place."""
        found = {"e_idx": e, "entry": self.entry(region, pol, angle), "sp_id": self.regions[region],
                 "pol_idx": pol, "sp_idx": region}  # fmt: skip
        return {**found, "rotation_angle": self.angles[angle]} if self.scan_type == 11 else found

    @property
    def positioners(self) -> tuple[str, str]:
        """Names of the fast and the slow one."""
        fast, slow = POSITIONERS.get(self.scan_type, SAMPLE)
        return self.positioner or fast, slow

    def key(self, device: str) -> str:
        """Data key of a device."""
        if not self.pvs:
            return device.replace(".", "_")  # keys have no dots
        if device in self.counters:
            return f"{device}_single_value_rbv"
        return PVS[device] + "_val" * (device in SIGNALS)
