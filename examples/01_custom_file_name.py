"""Area detector with a custom HDF5 file name.

An EPICS area detector takes five images in one bluesky run.  Its HDF5 plugin writes them to a
file whose name and place are the user's choice; the file is found again on this computer, and
the images are read back through the databroker.

    python examples/01_custom_file_name.py --ioc ad: --ioc-mount /tmp --local-mount /mnt/ioc/tmp
    python examples/01_custom_file_name.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import sys
import warnings

from example_options import make_directory

parser = argparse.ArgumentParser(description="Area detector with a custom HDF5 file name.")
parser.add_argument("--ioc", default="ad:", help="prefix of the area detector IOC")
parser.add_argument("--ioc-mount", default="/tmp", help="image directory as the IOC sees it")
parser.add_argument("--local-mount", default="/tmp", help="the same directory as seen from here")
parser.add_argument("--file-name", default="test_file", help="first part of the file name")
parser.add_argument("--acquire-time", default=0.001, type=float, help="exposure, s")
parser.add_argument("--acquire-period", default=0.002, type=float, help="frame to frame, s")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the picture")
parser.add_argument("--demo", action="store_true", help="bring up a simulated detector, use it")
args = parser.parse_args()
make_directory(parser, args.out)

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware, simulated_mounts

    simulated_hardware("adsim")
    args.ioc_mount, args.local_mount = simulated_mounts(args.out)

import bluesky
import bluesky.plans as bp
import databroker
import hdf5plugin
import matplotlib
from bluesky.utils import ProgressBarManager
from matplotlib import pyplot as plt

import adsupport
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    SimDetectorCam_V34,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.file_tree import tree_lines
from adsupport.plans import prepare_count

matplotlib.use("Agg")  # pictures go to files: no display needed
# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

IOC = args.ioc
IMAGE_DIR = "adsimdet/%Y/%m/%d"  # a new directory every day
NUM_FRAMES = 5

# --- ophyd: describe the detector ----------------------------------------------------------

plugins = []
plugins.append({"cam": {"class": SimDetectorCam_V34}})
plugins.append(
    {
        "hdf1": {
            "class": AD_EpicsFileNameHDF5Plugin,
            "write_path_template": f"{args.ioc_mount}/{IMAGE_DIR}/",  # where the IOC writes
            "read_path_template": f"{args.local_mount}/{IMAGE_DIR}/",  # where it is found here
            # An IOC that was restarted counts from 0 again: take the next free number then.
            "if_exists": "bump",
        }
    }
)
plugins.append("image")

adsimdet = ad_creator(IOC, name="adsimdet", plugins=plugins)
adsimdet.wait_for_connection(timeout=15)
adsimdet.read_attrs.append("hdf1")
adsimdet.hdf1.create_directory.put(-5)

# trigger() is done when the plugins are, and they don't hold up the camera
adsimdet.cam.stage_sigs["wait_for_plugins"] = "Yes"
adsimdet.hdf1.stage_sigs["blocking_callbacks"] = "No"
adsimdet.hdf1.stage_sigs.move_to_end("capture", last=True)
adsimdet.image.stage_sigs["blocking_callbacks"] = "No"

# An IOC that has just been started: the HDF5 plugin must see one image before it can open a file.
ensure_AD_plugin_primed(adsimdet.hdf1, True)
print(f"{adsimdet.hdf1.stage_sigs=}")

# --- bluesky: prepare, then take the images ------------------------------------------------

RE = bluesky.RunEngine({})
if sys.stdout.isatty():  # a file has no use for a bar that moves
    RE.waiting_hook = ProgressBarManager()
cat = databroker.temp().v2
RE.subscribe(cat.v1.insert)
RE.md["versions"]["adsupport"] = adsupport.__version__
RE.md["versions"]["hdf5plugin"] = hdf5plugin.version

times = args.acquire_time, args.acquire_period
RE(prepare_count(adsimdet.hdf1, args.file_name, *times, NUM_FRAMES))
uids = RE(
    bp.count(
        [adsimdet],
        md={
            "title": "Area Detector with custom HDF5 File Name",
            "purpose": "image",
            "image_file_name_style": "EPICS(AD PVs)",
        },
    )
)
print(f"{adsimdet.hdf1.num_captured.get()=}")

# --- databroker: the same file, the same images --------------------------------------------

run = cat.v2[uids[0]]

# what the IOC says it wrote, as seen from this computer
local_file_name = AD_full_file_name_local(adsimdet.hdf1)
print(f"{local_file_name.exists()=}\n{local_file_name=}")

# what the run says
resource = run.primary._resources[0]
fname = pathlib.Path(f"{resource['root']}{resource['resource_path']}")
print(f"{fname.exists()=}\n{fname=}")
print(f"{(local_file_name == fname)=}")

dataset = run.primary.read()
print(f"{dataset['adsimdet_image'].shape=}")

picture = args.out / f"{local_file_name.stem}.png"
figure, axes = plt.subplots()
shown = axes.imshow(dataset["adsimdet_image"][0][0], aspect="equal")
figure.colorbar(shown, label="counts")
axes.set(title=f"{local_file_name.name}: image 1 of {NUM_FRAMES}", xlabel="x (pixel)")
axes.set_ylabel("y (pixel)")
figure.savefig(picture, dpi=100)
plt.close(figure)
print(f"{picture=}")

# --- what is in the file -------------------------------------------------------------------

for line in tree_lines(local_file_name):
    print(line)
