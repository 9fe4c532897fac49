"""Online reconstruction: slices of the sample while it turns.

An addon of the experiment adds each projection to the slices as it comes.  Pictures of them can be
had at any time, and the last one is there when the last frame is.  Here the sample is a phantom
whose densities are published, so that slices can be compared with what is true.

    python examples/12_online_reconstruction.py --ioc im:
    python examples/12_online_reconstruction.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib

from example_options import at_least, make_directory, seconds

parser = argparse.ArgumentParser(description="Tomography with slices while it goes on.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--step", action="store_true", help="stand still for each projection")
parser.add_argument("--projections", default=180, type=at_least(8), help="over half a turn")
parser.add_argument("--period", default=0.1, type=seconds, help="from frame to frame, s")
parser.add_argument("--binning", default=2, type=int, choices=(1, 2, 4), help="of pixels")
parser.add_argument("--centre", type=float, help="axis of rotation, pixels; found by default")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
out = make_directory(parser, args.out / "online-reconstruction")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import matplotlib
import numpy as np
from bluesky import RunEngine
from imaging_station import Station, run_or_abort
from matplotlib import pyplot as plt

from adsupport.file_tree import tree_lines
from adsupport.imaging import DirectoryWalker, ImagingProgress, TomographyConfig, tomography
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames import HDF5FileSource, play, run_acquisitions

matplotlib.use("Agg")  # pictures go to files: no display needed
ROWS = 64  # of the camera, in the middle: a slice for each after binning
PIXEL = 10 * args.binning  # um, in the sample's plane

# --- what is asked for: refused here if it can't be ----------------------------------------

config = TomographyConfig(
    projections=args.projections,
    exposure=0.08 / args.binning**2,  # as many counts in a pixel, whatever the binning
    period=args.period,
    darks=10,
    flats=10,
    mode="step" if args.step else "fly",
)


class Snapshots:
    """Shows slices to whom a LiveView would be too much: it keeps a few of them."""

    def __init__(self, *numbers):
        self.wanted, self.kept = list(numbers), {}

    def show_image(self, channel, image, facts):
        """Take a picture of a slice."""
        if channel == "slice z" and self.wanted and facts["projections"] >= self.wanted[0]:
            self.wanted.pop(0)
            self.kept[facts["projections"]] = image
            print(f"picture of a slice from {facts['projections']} projections")


station = Station(args.ioc, out / "scans")
station.detector.hdf1.stage_sigs["swmr_mode"] = 1  # frames come while the file grows
pictures = Snapshots(args.projections // 8, args.projections // 2)
slices = OnlineReconstruction(
    rows=slice(None),  # all
    centre="auto" if args.centre is None else args.centre,
    pixel_size=PIXEL,
    viewer=pictures,
    walker=station.walker,  # files go to the scan's directory
)
experiment = tomography(
    station.camera,
    station.rotation,
    config,
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    frames=HDF5FileSource(station.detector.hdf1),
    addons=[slices],
    md={"sample": "head"},
)

# --- one run, and its slices ---------------------------------------------------------------

RE = RunEngine({})
progress = ImagingProgress()  # a bar for each stream
RE.subscribe(progress)
RE.waiting_hook = progress.waiting  # follow the camera frame by frame, too
run_or_abort(RE, station.get_ready(args.binning, ROWS))
documents = []
RE.subscribe(lambda *document: documents.append(document))
run_or_abort(RE, experiment.run())

found = slices.result
print(f"{found.slices.shape=} in {found.units}, axis at column {found.centres[0]:.2f}")
facts = found.facts
print(f"angles: {facts['angles_from']}, {facts.get('angles_off_degrees', np.nan):.2f} degrees off")
for path in slices.written[:2]:
    print(path)
for line in tree_lines(slices.written[0]):
    print(line)

# --- a camera that was slower than asked for? Then once more, with the angles of the run -----

title = f"all {args.projections}"
if facts.get("angles_off"):
    again = OnlineReconstruction(
        rows=slice(None),
        centre="auto" if args.centre is None else args.centre,
        pixel_size=PIXEL,
        walker=DirectoryWalker(slices.written[0].parents[1]),
        output_directory="measured-slices",
    )
    stored = {each.about.stream: each for each in run_acquisitions(documents)}
    play([stored[name] for name in ("darks", "flats", "primary")], [again])
    found, title = again.result, f"{title}, measured angles"
    print(f"made once more with the angles: {found.facts['angles_from']}; {again.written[0]}")

# --- what is true: Shepp and Logan's head, 2 mm to each side -------------------------------

PLACES = {  # to the right and up, in mm, and how much it absorbs, in 1/mm
    "brain": (0.0, 0.0, 0.2),
    "ventricle": (0.44, 0.0, 0.0),
    "tumour": (0.0, 0.70, 0.3),
    "air": (1.7, 1.7, 0.0),
}
middle = found.slices[len(found.rows) // 2]
axis = middle.shape[0] // 2


def around(right, up, radius=0.08):
    """Tell the mean around a place, and the standard deviation there."""
    y, x = (np.indices(middle.shape) - axis) * PIXEL / 1000
    inside = middle[np.hypot(x - right, -y - up) < radius]
    return inside.mean(), inside.std()


for name, (right, up, true) in PLACES.items():
    mean, deviation = around(right, up)
    print(f"{name}: {true} per mm is true, {mean:.3f} +- {deviation:.3f} came out")

# --- the picture ---------------------------------------------------------------------------

extent = [each * PIXEL / 1000 for each in (-axis, axis, axis, -axis)]  # y goes down, as in the file
shown = {f"{number} projections": image for number, image in pictures.kept.items()}
shown[title] = middle
figure, axes = plt.subplots(
    1, len(shown), figsize=(4.2 * len(shown), 3.8), squeeze=False, layout="constrained"
)
for place, (title, image) in zip(axes[0], shown.items(), strict=True):
    drawn = place.imshow(image, vmin=-0.1, vmax=0.6, cmap="gray", extent=extent)
    place.set(title=title, xlabel="x (mm)", ylabel="y (mm)")
figure.colorbar(drawn, ax=axes[0].tolist(), label="attenuation (1/mm)")
figure.savefig(out / "slices.png", dpi=100)
plt.close(figure)
print(f"slices, images and picture: {out}")
