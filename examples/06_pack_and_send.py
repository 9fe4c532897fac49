"""Runs that travel: documents and image files in one directory, checked by checksums.

Two runs of a detector are packed.  The pack is moved, as if it were sent; whoever gets it
verifies it, opens it without a catalog or any of the beamline's directories, and plots.

    python examples/06_pack_and_send.py --ioc ad:
    python examples/06_pack_and_send.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import shutil
import tempfile
import warnings

from example_options import make_directory

parser = argparse.ArgumentParser(description="Pack runs, move them, verify, open and plot.")
parser.add_argument("--ioc", default="ad:", help="prefix of the area detector IOC")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up a simulated detector, use it")
args = parser.parse_args()
make_directory(parser, args.out)

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("adsim")

import databroker
import matplotlib
from bluesky import RunEngine
from bluesky import plans as bp
from matplotlib import pyplot as plt

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator, ensure_AD_plugin_primed
from adsupport.pack import open_pack, pack, verify
from adsupport.plans import prepare_count

matplotlib.use("Agg")  # pictures go to files: no display needed
# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

# --- two runs, in a temporary catalog ------------------------------------------------------

scratch = pathlib.Path(tempfile.mkdtemp(prefix="beamline-", dir=args.out.resolve()))
hdf1 = {
    "class": AD_EpicsFileNameHDF5Plugin,
    "write_path_template": f"{scratch}/",
    "read_path_template": f"{scratch}/",
}
adsimdet = ad_creator(args.ioc, name="adsimdet", plugins=["cam", {"hdf1": hdf1}])
adsimdet.wait_for_connection(timeout=15)
adsimdet.read_attrs = ["hdf1"]
ensure_AD_plugin_primed(adsimdet.hdf1, True)

RE = RunEngine({})
cat = databroker.temp().v2
RE.subscribe(cat.v1.insert)
for sample in ("gold", "silver"):
    times = {"acquire_time": 0.01, "acquire_period": 0.02}
    RE(prepare_count(adsimdet.hdf1, sample, n_images=2, **times))
    RE(bp.count([adsimdet], num=3, md={"sample": sample}))

# --- pack: documents and image files, with the checksum of each ----------------------------

packed = scratch / "packed"
result = pack([cat.v1[1], cat.v1[2]], packed)
print(result)

# --- send: the directory can go anywhere, and what it was made of may be gone --------------

received = pathlib.Path(tempfile.mkdtemp(prefix="sent-", dir=args.out)) / "packed"
shutil.move(packed, received)
shutil.rmtree(scratch)

report = verify(received)
print(report)

# --- open: no catalog, no beamline ---------------------------------------------------------

runs = open_pack(received)
for run in runs:
    print(run.start["scan_id"], run.start["sample"], run.stop["exit_status"])

run = runs[-1]  # the latest, as in a catalog; runs["1a2b"] finds by uid, runs[2] by scan_id
images = run.read()["adsimdet_image"]
print(f"{images.shape=}, {images.dtype=}")

picture = args.out / "sent.png"
figure, axes = plt.subplots()
shown = axes.imshow(images[0][0], aspect="equal")
figure.colorbar(shown, label="counts")
axes.set(title=f"scan {run.start['scan_id']}: {run.start['sample']}", xlabel="x (pixel)")
axes.set_ylabel("y (pixel)")
figure.savefig(picture, dpi=100)
plt.close(figure)
print(f"picture: {picture}")
