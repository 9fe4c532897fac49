"""Samples one after the other: the next one is prepared as soon as the beam is free.

Three samples are on a holder that a stage lifts into the beam (here it's one sample at three
heights).  Each gets a tomogram: a run of its own, a directory, and a DX file.

    python examples/11_series.py --ioc im:
    python examples/11_series.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import time

from example_options import at_least, make_directory

parser = argparse.ArgumentParser(description="Tomograms of several samples.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--projections", default=30, type=at_least(2), help="over half a turn")
parser.add_argument("--binning", default=2, type=int, choices=(1, 2, 4), help="of pixels")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
out = make_directory(parser, args.out / "series")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import h5py
import matplotlib
import numpy as np
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from imaging_station import Station, run_or_abort
from matplotlib import pyplot as plt

from adsupport.file_tree import tree_lines
from adsupport.imaging import ImagingProgress, TomographyConfig, series, tomography

matplotlib.use("Agg")  # pictures go to files: no display needed
EXPOSURE = 0.08 / args.binning**2  # s: as many counts in a pixel, whatever the binning

# --- what is asked for ---------------------------------------------------------------------

SAMPLES = [  # what is said of each comes into its start document, and its file
    {"name": "bottom", "vertical": 1.0},  # mm: where the stage has to be
    {"name": "middle", "vertical": 0.0},
    {"name": "top", "vertical": -1.0},
]
times = {}  # when each was prepared

station = Station(args.ioc, out / "scans")
experiment = tomography(
    station.camera,
    station.rotation,
    TomographyConfig(projections=args.projections, exposure=EXPOSURE, darks=5, flats=5),
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    files=("dx",),  # in the directory of each scan
)


def prepare(sample):
    """Bring a sample to the beam's height."""
    times[sample["name"]] = [time.time()]
    yield from bps.mv(station.vertical, sample["vertical"])
    times[sample["name"]].append(time.time())


# --- a run for each sample -----------------------------------------------------------------

runs = []  # start documents, with the times of their ends


def remember(name, document):
    """Keep what tells of a run."""
    if name == "start":
        print(f"{document['sample']['name']}: {document['scan_directory']}")
        runs.append(dict(document))
    elif name == "stop":
        runs[-1]["end"] = document["time"]


RE = RunEngine({})
progress = ImagingProgress()  # a bar for each stream
RE.subscribe(progress)
RE.waiting_hook = progress.waiting  # follow the camera frame by frame, too
RE.subscribe(remember)
run_or_abort(RE, station.get_ready(args.binning))
run_or_abort(RE, series(SAMPLES, prepare, experiment))

for run, following in zip(runs, runs[1:], strict=False):
    before, name = (each["sample"]["name"] for each in (run, following))
    began, there = (moment - run["end"] for moment in times[name])
    print(
        f"{name} moved from {began:+.2f} s to {there:+.2f} s, counted from the end of "
        f"{before}'s run"
    )

# --- a projection of each ------------------------------------------------------------------

figure, grid = plt.subplots(1, len(runs), figsize=(4 * len(runs), 4))
for place, run in zip(grid, runs, strict=True):
    (dx_file,) = pathlib.Path(run["scan_directory"]).glob("*.h5")
    with h5py.File(dx_file) as file:
        dark = file["exchange/data_dark"][()].mean(axis=0)
        light = file["exchange/data_white"][()].mean(axis=0) - dark
        place.imshow(np.log(light / (file["exchange/data"][0] - dark)))
    place.set(title=run["sample"]["name"], xlabel="x (pixel)", ylabel="y (pixel)")
figure.tight_layout()
figure.savefig(out / "series.png", dpi=100)
plt.close(figure)

for line in tree_lines(dx_file):
    print(line)
print(f"files, images and picture: {out}")
