"""Tomography of a turning sample: darks, flats, projections; by steps, or on the fly.

An experiment of `adsupport.imaging` takes them in one bluesky run, and makes a Data Exchange (DX)
file and an NXtomo file of it.  Each run has a directory of its own, scans/scan_0000 and so on.

    python examples/08_tomography.py --ioc im:
    python examples/08_tomography.py --demo          # no hardware? simulate it
    python examples/08_tomography.py --demo --fly    # the rotation doesn't stop
"""

import argparse
import pathlib

from example_options import at_least, check_period, make_directory, seconds

parser = argparse.ArgumentParser(description="Tomography, by steps or on the fly.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--fly", action="store_true", help="turn at constant speed")
parser.add_argument("--projections", default=200, type=at_least(2), help="over half a turn")
parser.add_argument("--period", default=0.1, type=seconds, help="from frame to frame, s")
parser.add_argument("--binning", default=2, type=int, choices=(1, 2, 4), help="of pixels")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
EXPOSURE = 0.08 / args.binning**2  # s: as many counts in a pixel, whatever the binning
check_period(parser, args.period, EXPOSURE, args.fly)
out = make_directory(parser, args.out / "tomography")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import h5py
import matplotlib
import numpy as np
from bluesky import RunEngine
from imaging_station import Station, run_or_abort
from matplotlib import pyplot as plt

from adsupport.file_tree import tree_lines
from adsupport.imaging import ImagingProgress, TomographyConfig, tomography

matplotlib.use("Agg")  # pictures go to files: no display needed

# --- what is asked for: refused here if it can't be ----------------------------------------

config = TomographyConfig(
    projections=args.projections,
    angular_range=180,  # degrees
    exposure=EXPOSURE,
    period=args.period,
    darks=10,
    flats=10,
    order=["darks", "flats", "primary", "flats"],
    mode="fly" if args.fly else "step",
)

station = Station(args.ioc, out / "scans")
experiment = tomography(
    station.camera,
    station.rotation,
    config,
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    files=("dx", "nxtomo"),  # in the directory of the scan
    md={"sample": "head"},
)

# --- one run with three streams, two files -------------------------------------------------

RE = RunEngine({})
progress = ImagingProgress()  # a bar for each stream
RE.subscribe(progress)
RE.waiting_hook = progress.waiting  # follow the camera frame by frame, too
starts = []
RE.subscribe(lambda name, document: starts.append(document), "start")

run_or_abort(RE, station.get_ready(args.binning))
run_or_abort(RE, experiment.run())  # Ctrl-C ends it, and all is put back

scan = pathlib.Path(starts[-1]["scan_directory"])
(dx_file,), (nx_file,) = scan.glob("*.h5"), scan.glob("*.nxs")
for line in tree_lines(dx_file):
    print(line)

# --- a projection and a sinogram, as a program reads them that reconstructs ----------------

with h5py.File(dx_file) as file:
    dark = file["exchange/data_dark"][()].mean(axis=0)
    light = file["exchange/data_white"][()].mean(axis=0) - dark
    theta = file["exchange/theta"][()]
    row = len(dark) // 2
    projection = np.log(light / (file["exchange/data"][0] - dark))
    sinogram = np.log(light[row] / (file["exchange/data"][:, row] - dark[row]))
with h5py.File(nx_file) as file:
    image_key = file["entry/instrument/detector/image_key"][()]
print(f"{theta.min()=:.2f}, {theta.max()=:.2f}, {sinogram.shape=}")
for what, key in ("projections", 0), ("flats", 1), ("darks", 2):
    print(f"{nx_file.name}: {np.count_nonzero(image_key == key)} {what}")

picture = scan / "head.png"
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
shown = left.imshow(projection)
left.axhline(row, color="white", linewidth=0.5)
left.set(title=f"projection at {theta[0]:.1f} degrees", xlabel="x (pixel)", ylabel="y (pixel)")
figure.colorbar(shown, label="absorbance")
# each row at its angle: those of a fly scan needn't be even
shown = right.pcolormesh(np.arange(sinogram.shape[1]), theta, sinogram)
right.invert_yaxis()
right.set(title=f"sinogram of row {row}", xlabel="x (pixel)", ylabel="theta (degree)")
figure.colorbar(shown, label="absorbance")
figure.tight_layout()
figure.savefig(picture, dpi=100)
plt.close(figure)
print(f"files, images and picture: {scan}")
