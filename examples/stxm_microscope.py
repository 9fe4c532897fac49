"""A simulated X-ray microscope: a sample, stages, counters and a camera for bluesky.

It stands for the devices of a beamline in ``07_stxm.py``.
"""

import time

import numpy as np
from ophyd.sim import NullStatus

# --- the sample: beads of iron on a magnetic film ------------------------------------------

BEADS = [(-1.2, 0.6, 0.8, 0.9), (1.0, -0.9, -0.5, 0.6), (0.4, 1.3, 0.2, 0.35)]  # x, y, z, radius


def absorbance(x, y, energy, polarization, angle):
    """Of places in µm, at an energy in eV, when the sample is turned by degrees."""
    line = 1 / (1 + (energy - 708) ** 2)  # the L3 line of iron, 1 eV wide
    domains = np.tanh(4 * np.sin(3 * x + np.sin(2 * y)))  # magnetized up or down
    helicity = -1 if polarization == 1 else 1  # circular right, as pyStxm numbers it
    total = 0.05 + line * (0.4 + 0.2 * helicity * domains)
    turn = np.radians(angle)
    for bead_x, bead_y, bead_z, radius in BEADS:
        aside = x - bead_x * np.cos(turn) - bead_z * np.sin(turn)
        half_depth = np.sqrt(np.maximum(radius**2 - aside**2 - (y - bead_y) ** 2, 0))
        total = total + half_depth * (0.4 + 1.6 * line)
    return total


# --- devices: what bluesky asks of them is a few methods ------------------------------------


class Device:
    """What is read."""

    parent = None

    def __init__(self, name):
        self.name = name

    def read_configuration(self):
        """Return nothing: there is nothing to configure."""
        return {}

    describe_configuration = read_configuration


class Stage(Device):
    """What is set to a number, and is there at once: a positioner, the monochromator."""

    def __init__(self, name, units, position=0.0, error=0.0):
        super().__init__(name)
        self.units, self.position, self.error = units, position, error

    def set(self, value):
        """Move."""
        self.position = float(value)
        return NullStatus()

    def reached(self, value):
        """Return where it stands when it's set to a value, or to each of several."""
        return value + self.error * np.sin(37 * np.asarray(value))

    def read(self):
        """Return where it stands."""
        return {self.name: {"value": float(self.reached(self.position)), "timestamp": time.time()}}

    def describe(self):
        """Return what that is."""
        about = {"source": f"SIM:{self.name}", "dtype": "number", "shape": []}
        return {self.name: about | {"units": self.units}}


PLACES = ("fine", "coarse", "goni", "osa", "detector")
stages = {
    stage.name: stage
    for stage in (
        *(Stage(f"{place}_{axis}", "um", error=0.004) for place in PLACES for axis in "xy"),
        Stage("zoneplate_z", "um", error=0.1),
        Stage("mirror_pitch", "mrad", error=0.01),
        Stage("goni_theta", "deg"),
        Stage("energy", "eV", 708, error=0.02),
        Stage("epu_polarization", ""),
        Stage("epu_gap", "mm", 18),
        Stage("ring_current", "mA", 250),
    )
}


def light_at(line):
    """Return how much light there is, and where in the sample, when stages fly along a line."""
    at = {name: stage.reached(stage.position) for name, stage in stages.items()}
    at |= {name: stages[name].reached(values) for name, values in line.items()}

    def hole(place, radius, edge):  # it passes round holes with soft edges
        out_of_it = np.hypot(at[f"{place}_x"], at[f"{place}_y"]) - radius
        return 1 / (1 + np.exp(np.clip(out_of_it / edge, -50, 50)))

    blur = 0.02 + 0.02 * np.abs(at["zoneplate_z"])  # µm: the spot, where it's out of focus
    light = 8e3 * at["ring_current"] * np.exp(-(at["mirror_pitch"] ** 2))
    light = light * hole("osa", 20, 1 + blur) * hole("detector", 400, 40)
    x = at["fine_x"] + at["coarse_x"] + at["goni_x"]
    y = at["fine_y"] + at["coarse_y"] + at["goni_y"]
    return light, blur, (x, y, at["energy"], at["epu_polarization"], at["goni_theta"])


class Counters(Device):
    """Two counters; they count at a point, or at each point of a line that is flown."""

    dwell = 0.001  # s

    def __init__(self):
        super().__init__("counters")
        self.line = {}  # where the stages fly, by name
        self.noise = np.random.default_rng(7)

    def trigger(self):
        """Count."""
        light, blur, (x, *others) = light_at(self.line)
        spot = np.linspace(-2, 2, 9)
        share = np.exp(-(spot**2) / 2) / np.exp(-(spot**2) / 2).sum()
        passed = sum(
            part * np.exp(-absorbance(x + step * blur, *others))
            for part, step in zip(share, spot, strict=True)
        )
        self.values = {
            "counter0": self.noise.poisson(light * self.dwell * passed),  # photons behind it
            "counter1": self.noise.poisson(light * self.dwell * (1.01 - passed) / 50),  # electrons
        }
        for name, values in self.line.items():
            self.values[name] = stages[name].reached(values)
        stages["ring_current"].position -= 0.002
        return NullStatus()

    def read(self):
        """Return the counts, and where they were counted if that's a line."""
        now = time.time()
        return {name: {"value": value, "timestamp": now} for name, value in self.values.items()}

    def describe(self):
        """Return what these are."""
        shape = [len(values) for values in self.line.values()][:1]
        kind = "array" if shape else "integer"
        about = {"source": "SIM:counters", "dtype": kind, "shape": shape}
        counters = dict.fromkeys(("counter0", "counter1"), about | {"units": "counts"})
        return counters | {name: about | {"units": stages[name].units} for name in self.line}


class Camera(Device):
    """A small camera that sees how the sample scatters the light of the spot."""

    size = 32

    def __init__(self, name):
        super().__init__(name)
        away = np.hypot(*np.meshgrid(np.fft.fftfreq(self.size), np.fft.fftfreq(self.size)))
        ring = (away > 0.1) & (away < 0.3)  # the zone plate, and its central stop
        self.spot = np.fft.fftshift(np.fft.ifft2(ring))

    def trigger(self):
        """Take a frame."""
        light, _, (x, y, *others) = light_at({})
        beside = np.linspace(-0.6, 0.6, self.size)  # µm
        right, up = np.meshgrid(beside, beside)
        wave = self.spot * np.exp(-(0.5 + 1j) * absorbance(x + right, y + up, *others))
        frame = light / 1e3 * np.abs(np.fft.fftshift(np.fft.fft2(wave))) ** 2
        self.frame = np.minimum(frame, 65535).astype(np.uint16)
        return NullStatus()

    def read(self):
        """Return the frame."""
        return {self.name: {"value": self.frame, "timestamp": time.time()}}

    def describe(self):
        """Return what it is."""
        about = {"source": "SIM:ccd", "dtype": "array", "shape": [self.size, self.size]}
        return {self.name: about | {"dtype_numpy": "<u2"}}


counters, ccd = Counters(), Camera("ccd")
