"""NeXus files: written while a scan runs, and again from the catalog.

A sensor is scanned against a motor.  The NXWriter is subscribed to the RunEngine and writes a
NeXus/HDF5 file when the run is over; the same class exports the run from the databroker later.

    python examples/03_nexus_writer.py --ioc gp:
    python examples/03_nexus_writer.py --demo       # no hardware? simulate it
"""

import argparse
import pathlib
import sys
import warnings

from example_options import make_directory

parser = argparse.ArgumentParser(description="NeXus files, live and from the catalog.")
parser.add_argument("--ioc", default="gp:", help="prefix of the IOC with motors and userCalcs")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
make_directory(parser, args.out)

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("gp")

import databroker
from bluesky import RunEngine
from bluesky import plans as bp
from bluesky.callbacks.best_effort import BestEffortCallback
from ophyd import EpicsMotor, EpicsSignalRO

from adsupport.callbacks import NXWriter
from adsupport.devices import SwaitRecord, connect, setup_random_number_swait
from adsupport.documents import replay
from adsupport.file_tree import tree_lines

# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

IOC = args.ioc

# --- ophyd: a motor, and a sensor made of random numbers -----------------------------------

motor = EpicsMotor(f"{IOC}m10", name="motor")
calc10 = SwaitRecord(f"{IOC}userCalc10", name="calc10")
sensor = EpicsSignalRO(calc10.calculated_value.pvname, name="sensor")
connect(motor, calc10, sensor, timeout=15)
setup_random_number_swait(calc10)

# --- bluesky, with a temporary catalog -----------------------------------------------------

best_effort_callback = BestEffortCallback()
best_effort_callback.disable_plots()
cat = databroker.temp().v2
RE = RunEngine({})
RE.subscribe(cat.v1.insert)
RE.subscribe(best_effort_callback)

# --- the writer as a callback --------------------------------------------------------------

h5_file = args.out / "nxwriter.h5"

nxwriter = NXWriter()
RE.subscribe(nxwriter.receiver)
nxwriter.file_name = str(h5_file)
nxwriter.exists = "replace"  # a demo may be run again; by default no file is replaced
nxwriter.warn_on_missing_content = False

RE(bp.scan([sensor], motor, -0.5, 0.5, 5))
nxwriter.wait_writer(timeout=60)  # raises what went wrong
print(f"{h5_file.exists()=}  {h5_file=}")

# --- what is in the file -------------------------------------------------------------------

for line in tree_lines(nxwriter.output_nexus_file):
    print(line)

# --- the same from the catalog -------------------------------------------------------------

h5_file = args.out / "db_export.h5"
scan_id = 1

nxwriter = NXWriter(file_name=h5_file, exists="replace", warn_on_missing_content=False)
replay(cat.v1[scan_id], nxwriter.receiver)
nxwriter.wait_writer(timeout=60)
print(f"{h5_file.exists()=}  {h5_file=}")
sys.stdout.flush()
