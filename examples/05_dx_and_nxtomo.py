"""Tomography data for the programs that reconstruct: Data Exchange (DX) and NXtomo.

A camera takes dark fields, flat fields and projections of a turning sample, each in a stream of
its own.  A writer that is subscribed to the RunEngine makes a DX file of them, in which nothing
is copied; a view in the form of NXtomo is laid over that.

    python examples/05_dx_and_nxtomo.py --ioc im:
    python examples/05_dx_and_nxtomo.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import time

from example_options import at_least, make_directory

parser = argparse.ArgumentParser(description="Data Exchange and NXtomo files of a tomography.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--projections", default=37, type=at_least(2), help="over half a turn")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
make_directory(parser, args.out)

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

import h5py
import matplotlib
import numpy as np
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky import preprocessors as bpp
from matplotlib import pyplot as plt
from ophyd import EpicsMotor, EpicsSignal

from adsupport.callbacks import DataExchangeWriter, nxtomo_view
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    ad_creator,
    connect,
    ensure_AD_plugin_primed,
)
from adsupport.file_tree import tree_lines
from adsupport.plans import prepare_count

matplotlib.use("Agg")  # pictures go to files: no display needed
IOC = args.ioc

# --- ophyd: camera, stages, shutter and tube -----------------------------------------------

images = args.out.resolve() / f"tomography-{time.strftime('%Y%m%d-%H%M%S')}"
hdf1 = {
    "class": AD_EpicsFileNameHDF5Plugin,
    "write_path_template": f"{images}/",
    "read_path_template": f"{images}/",
}
camera = ad_creator(IOC, name="camera", plugins=["cam", {"hdf1": hdf1}])
camera.read_attrs = ["hdf1"]
rotation = EpicsMotor(f"{IOC}m1", name="rotation")
across = EpicsMotor(f"{IOC}m5", name="across")
shutter = EpicsSignal(f"{IOC}shutter:Control", name="shutter", string=True, put_complete=True)
tube = EpicsSignal(f"{IOC}tube:On", name="tube", string=True, put_complete=True)
connect(camera, rotation, across, shutter, tube, timeout=15)
images.mkdir()
ensure_AD_plugin_primed(camera.hdf1, True)

# --- bluesky: one run, three streams -------------------------------------------------------


def expose(stream, number):
    """Take some images where everything stands."""
    for _ in range(number):
        yield from bps.trigger_and_read([camera, rotation], name=stream)


@bpp.stage_decorator([camera])
@bpp.run_decorator(md={"plan_name": "tomography", "motors": ["rotation"], "sample": "head"})
def tomography(angles, darks=3, flats=3):
    """Dark fields, flat fields, and a projection at each angle."""
    yield from expose("darks", darks)
    yield from bps.abs_set(shutter, "Open", wait=True)
    yield from bps.mv(across, 6)  # mm: out of the beam
    yield from expose("flats", flats)
    yield from bps.mv(across, 0)
    for angle in angles:
        yield from bps.mv(rotation, angle)
        yield from expose("primary", 1)


def close_shutter():
    """Leave the beam off, whatever happened."""
    yield from bps.abs_set(shutter, "Close", wait=True)
    yield from bps.mv(across, 0)


RE = RunEngine({})
writer = DataExchangeWriter(args.out, "tomography", exists="replace", theta="rotation")
RE.subscribe(writer.receiver)

RE(bps.abs_set(tube, "On", wait=True))
RE(prepare_count(camera.hdf1, "head", acquire_time=0.01, acquire_period=0.02, n_images=1))
angles = np.linspace(0, 180, args.projections)
RE(bpp.finalize_wrapper(tomography(angles), close_shutter))
(result,) = writer.wait_writer(timeout=60)  # raises what went wrong
(dx_file,) = result.paths

# --- the same data in two forms ------------------------------------------------------------

nx_file = nxtomo_view(dx_file, exists="replace")
for path in (dx_file, nx_file):
    print(f"{path.name}: {path.stat().st_size / 2**10:.0f} KiB")
    for line in tree_lines(path):
        print(line)

# --- as a program reads it that reconstructs -----------------------------------------------

with h5py.File(dx_file) as file:
    row = file["exchange/data"].shape[1] // 2
    dark = file["exchange/data_dark"][:, row].mean(axis=0)
    white = file["exchange/data_white"][:, row].mean(axis=0)
    sinogram = -np.log((file["exchange/data"][:, row] - dark) / (white - dark))
    theta = file["exchange/theta"][:]
print(f"{theta.min()=:.1f}, {theta.max()=:.1f}, {sinogram.shape=}")

picture = args.out / "sinogram.png"
figure, axes = plt.subplots()
shown = axes.imshow(sinogram, aspect="auto", extent=(0, sinogram.shape[1], theta[-1], theta[0]))
figure.colorbar(shown, label="absorbance")
axes.set(title=f"{dx_file.name}: row {row}", xlabel="x (pixel)", ylabel="theta (degree)")
figure.savefig(picture, dpi=100)
plt.close(figure)
print(f"picture: {picture}")
