"""Spiral tomography: the sample rises while it turns, for samples taller than the beam.

The camera has a quarter of its rows here, so that each projection shows 1.3 mm of a sample that
is 4 mm tall.  Five half turns, 1 mm apart, cover it.

    python examples/09_spiral.py --ioc im:
    python examples/09_spiral.py --demo          # no hardware? simulate it
    python examples/09_spiral.py --demo --fly    # rotation and vertical stage don't stop
"""

import argparse
import pathlib
import warnings

from example_options import at_least, check_period, make_directory, seconds

parser = argparse.ArgumentParser(description="Spiral tomography, by steps or on the fly.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--fly", action="store_true", help="turn and lift at constant speed")
parser.add_argument("--projections", default=40, type=at_least(2), help="over each half turn")
parser.add_argument("--period", default=0.1, type=seconds, help="from frame to frame, s")
parser.add_argument("--binning", default=2, type=int, choices=(1, 2, 4), help="of pixels")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
EXPOSURE = 0.08 / args.binning**2  # s: as many counts in a pixel, whatever the binning
check_period(parser, args.period, EXPOSURE, args.fly)
out = make_directory(parser, args.out / "spiral")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import databroker
import h5py
import matplotlib
import numpy as np
from bluesky import RunEngine
from imaging_station import Station, run_or_abort
from matplotlib import pyplot as plt

from adsupport.file_tree import tree_lines
from adsupport.imaging import ImagingProgress, SpiralConfig, spiral_tomography

matplotlib.use("Agg")  # pictures go to files: no display needed
# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

# --- what is asked for: refused here if it can't be ----------------------------------------

config = SpiralConfig(
    projections=args.projections,
    angular_range=180,  # degrees
    vertical_shift=-1,  # mm: downwards, so that the beam sees ever higher parts
    sample_height=4,  # mm
    start_vertical=2,  # mm
    exposure=EXPOSURE,
    period=args.period,
    darks=10,
    flats=10,
    mode="fly" if args.fly else "step",
)
print(f"{config.tomograms=}, {config.total=}")

station = Station(args.ioc, out / "scans")
experiment = spiral_tomography(
    station.camera,
    station.rotation,
    station.vertical,
    config,
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    files=("dx",),  # in the directory of the scan
    md={"sample": "head"},
)

# --- one run -------------------------------------------------------------------------------

RE = RunEngine({})
progress = ImagingProgress()  # a bar for each stream
RE.subscribe(progress)
RE.waiting_hook = progress.waiting  # follow the camera frame by frame, too
db = databroker.temp().v1
RE.subscribe(db.insert)

run_or_abort(RE, station.get_ready(args.binning, rows=128))
(uid,) = run_or_abort(RE, experiment.run())
scan = pathlib.Path(db[uid].start["scan_directory"])
(dx_file,) = scan.glob("*.h5")
for line in tree_lines(dx_file):
    print(line)

# --- how high each projection was: in the run's documents ----------------------------------

key = "vertical_frames" if args.fly else "vertical"
heights = np.hstack(list(db[uid].data(key, "primary")))  # mm; fly: all in one event
with h5py.File(dx_file) as file:
    dark = file["exchange/data_dark"][()].mean(axis=0)
    light = file["exchange/data_white"][()].mean(axis=0) - dark
    theta = file["exchange/theta"][()]
    absorbance = np.log(light / (file["exchange/data"][()] - dark))
print(f"{theta[0]=:.1f}, {theta[-1]=:.1f}, {heights[0]=:.2f}, {heights[-1]=:.2f}")

# --- the sinogram of a slice, which is seen for a while only --------------------------------

PIXEL = 0.01 * args.binning  # mm
CUT = 0.5  # mm, above the sample's middle
rows = np.round((len(dark) - 1) / 2 - (CUT + heights) / PIXEL).astype(int)
(seen,) = np.nonzero((rows >= 0) & (rows < len(dark)))
sinogram = absorbance[seen, rows[seen]]
turned = abs(theta[seen[-1]] - theta[seen[0]])
print(f"slice at {CUT} mm: {len(seen)} projections over {turned:.0f} degrees, {sinogram.shape=}")

picture = scan / "spiral.png"
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5.5))
half = len(dark) * PIXEL / 2  # mm
for half_turn in range(config.tomograms):  # the projection next to its angle, where it belongs
    index = np.argmin(abs(theta - 180 * half_turn))
    projection = np.fliplr(absorbance[index]) if half_turn % 2 else absorbance[index]  # from behind
    height = -heights[index]
    extent = (0, sinogram.shape[1] * PIXEL, height - half, height + half)
    left.imshow(projection, extent=extent, vmin=0, vmax=absorbance.max())
    left.axhline(height - half, color="white", linewidth=0.5)
left.axhline(CUT, color="white", linestyle="--")
left.set(title="one projection of each half turn", xlabel="x (mm)", ylabel="height (mm)")
left.set_ylim(-heights[0] - half, height + half)
# each row at its angle: those of a fly scan needn't be even
shown = right.pcolormesh(np.arange(sinogram.shape[1]), theta[seen], sinogram)
right.invert_yaxis()
right.set(title=f"sinogram at {CUT} mm", xlabel="x (pixel)", ylabel="theta (degree)")
figure.colorbar(shown, label="absorbance")
figure.tight_layout()
figure.savefig(picture, dpi=100)
plt.close(figure)
print(f"files, images and picture: {scan}")
