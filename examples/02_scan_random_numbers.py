"""Scan of random numbers against a motor.

A synApps userCalc makes random numbers, ten a second; a motor moves in steps.  A table and a
plot show the scan while it runs, and the plot is kept as a picture.

    python examples/02_scan_random_numbers.py --ioc gp:
    python examples/02_scan_random_numbers.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import sys
import warnings

from example_options import make_directory

parser = argparse.ArgumentParser(description="Scan of random numbers against a motor.")
parser.add_argument("--ioc", default="gp:", help="prefix of the IOC with motors and userCalcs")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the picture")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
make_directory(parser, args.out)

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("gp")

import databroker
import matplotlib
from bluesky import RunEngine
from bluesky import plans as bp
from bluesky.callbacks.best_effort import BestEffortCallback
from bluesky.utils import ProgressBarManager
from matplotlib import pyplot as plt
from ophyd import EpicsMotor, EpicsSignalRO

from adsupport.devices import SwaitRecord, connect, setup_random_number_swait

matplotlib.use("Agg")  # pictures go to files: no display needed
# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

IOC = args.ioc

# --- ophyd: a motor, and a sensor made of random numbers -----------------------------------

motor = EpicsMotor(f"{IOC}m10", name="motor")
calc10 = SwaitRecord(f"{IOC}userCalc10", name="calc10")
sensor = EpicsSignalRO(calc10.calculated_value.pvname, name="sensor")
connect(motor, calc10, sensor, timeout=5)  # all PVs together; an error names what is missing

# new numbers ten times a second
setup_random_number_swait(calc10)

# --- bluesky: the scan, with a table and a plot --------------------------------------------

best_effort_callback = BestEffortCallback()
cat = databroker.temp().v2
RE = RunEngine({})
if sys.stdout.isatty():  # a file has no use for a bar that moves
    RE.waiting_hook = ProgressBarManager()
RE.subscribe(cat.v1.insert)
RE.subscribe(best_effort_callback)  # LivePlot and LiveTable

uids = RE(bp.scan([sensor], motor, -0.5, 0.5, 5))

picture = args.out / "scan_random_numbers.png"
plt.gcf().savefig(picture, dpi=100)
plt.close("all")
print(f"{picture=}")

# --- databroker: the scan as a table of numbers --------------------------------------------

run = cat.v2[uids[0]]
print(run.primary.read()[["motor", "sensor"]].to_dataframe())
