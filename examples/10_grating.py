"""Grating stepping: intensity, visibility and phase of each pixel, while the images come.

The simulated beamline has no grating.  Here the grating is a soft positioner, and the program
multiplies the fringes that a grating would make into the camera's real frames, before they are
processed: with the sample, the fringes are shifted and weaker by an amount that the program
knows, and that comes out again in the end.

    python examples/10_grating.py --ioc im:
    python examples/10_grating.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
from dataclasses import replace

from example_options import at_least, make_directory

parser = argparse.ArgumentParser(description="Grating stepping, with synthetic fringes.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument(
    "--steps", default=8, type=at_least(3, 1000), help="in each period of the grating"
)
parser.add_argument("--periods", default=2, type=at_least(1, 1000), help="of the grating")
parser.add_argument("--binning", default=2, type=int, choices=(1, 2, 4), help="of pixels")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
out = make_directory(parser, args.out / "grating")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import matplotlib
import numpy as np
from bluesky import RunEngine
from imaging_station import Station, run_or_abort
from matplotlib import pyplot as plt
from ophyd.sim import SynAxis

from adsupport.file_tree import tree_lines
from adsupport.imaging import GratingConfig, ImagingProgress, grating_interferometry_stepping
from adsupport.imaging.addons import GratingProcessing
from adsupport.imaging.frames import HDF5FileSource

matplotlib.use("Agg")  # pictures go to files: no display needed
EXPOSURE = 0.08 / args.binning**2  # s: as many counts in a pixel, whatever the binning

# --- what is asked for: refused here if it can't be ----------------------------------------

config = GratingConfig(
    grating_period=2.4,  # um
    periods=args.periods,
    steps_per_period=args.steps,
    exposure=EXPOSURE,
    darks=10,
)

# --- the grating that isn't there ----------------------------------------------------------


class SyntheticFringes(GratingProcessing):
    """Puts fringes into frames, then processes them."""

    VISIBILITY, PHASE, WEAKER = 0.4, 1.0, 0.75

    def begin(self, about):
        """Count the steps anew."""
        self.step = 0
        super().begin(about)

    def frame(self, frame):
        """Let a grating stand in the beam: without beam it does nothing."""
        if frame.stream != "darks":
            y, x = np.indices(frame.data.shape) / frame.data.shape[0]
            phase, visibility = 2 * np.pi * x, self.VISIBILITY  # the grating isn't perfect
            if frame.stream == "primary":
                inside = (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.3**2
                phase = phase + self.PHASE * inside
                visibility = visibility * np.where(inside, self.WEAKER, 1)
            wave = np.cos(2 * np.pi * self.step / config.steps_per_period + phase)
            light = frame.data - self.dark
            frame = replace(frame, data=self.dark + light * (1 + visibility * wave))
            self.step += 1
        super().frame(frame)


station = Station(args.ioc, out / "scans")
grating = SynAxis(name="grating")
processing = SyntheticFringes.of(config, walker=station.walker, files=["tiff", "hdf5"])
experiment = grating_interferometry_stepping(
    station.camera,
    grating,
    config,
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    frames=HDF5FileSource(station.detector.hdf1),
    addons=[processing],
    md={"sample": "head"},
)

# --- one run: darks, a stepping without the sample, one with it ----------------------------

RE = RunEngine({})
progress = ImagingProgress()  # a bar for each stream
RE.subscribe(progress)
RE.waiting_hook = progress.waiting  # follow the camera frame by frame, too
run_or_abort(RE, station.get_ready(args.binning))
run_or_abort(RE, experiment.run())

maps = processing.images()
for name, values in maps.items():
    print(f"{name}: {values.shape}, median {np.nanmedian(values):.3f}")

# --- what the program put in comes out -----------------------------------------------------

middle = tuple(slice(size * 2 // 5, size * 3 // 5) for size in maps["differential_phase"].shape)
shift = np.median(maps["differential_phase"][middle])
weaker = np.median(maps["visibility_contrast"][middle])
print(f"phase: put in {processing.PHASE}, came out {shift:.3f}")
print(f"visibility: put in {processing.WEAKER}, came out {weaker:.3f}")

# --- results and picture -------------------------------------------------------------------

for path in processing.written:  # in the scan's directory: a TIFF file for each, an HDF5 file
    print(path)
for line in tree_lines(path):
    print(line)

names = "intensity_contrast", "visibility_contrast", "differential_phase"

figure, axes = plt.subplots(1, 3, figsize=(13, 4))
for place, name in zip(axes, names, strict=True):
    low, high = np.nanpercentile(maps[name], (1, 99))
    shown = place.imshow(maps[name], vmin=low, vmax=high)
    place.set(title=name.replace("_", " "), xlabel="x (pixel)", ylabel="y (pixel)")
    figure.colorbar(shown, label="rad" if "phase" in name else "")
figure.tight_layout()
figure.savefig(out / "grating.png", dpi=100)
plt.close(figure)
print(f"maps, images and picture: {out}")
