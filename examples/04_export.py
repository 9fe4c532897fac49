"""Getting a user's data out of the catalog: CSV, JSON, SPEC, HDF5 and NeXus files.

A scan is taken, found again in the databroker by its scan_id, and exported in every format.
The writers are those that can be subscribed to the RunEngine as well.

    python examples/04_export.py --ioc gp:
    python examples/04_export.py --demo       # no hardware? simulate it
"""

import argparse
import json
import pathlib
import sys
import warnings

from example_options import make_directory

parser = argparse.ArgumentParser(description="Export a run in every format.")
parser.add_argument("--ioc", default="gp:", help="prefix of the IOC with motors and userCalcs")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
out = make_directory(parser, args.out / "export")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("gp")

import databroker
import h5py
import pandas
from bluesky import RunEngine
from bluesky import plans as bp
from bluesky.preprocessors import SupplementalData
from ophyd import EpicsMotor, EpicsSignalRO

from adsupport.callbacks import (
    CSVWriter,
    HDF5Writer,
    JSONLinesWriter,
    JSONWriter,
    NXWriterAPS,
    SpecWriterCallback,
)
from adsupport.devices import SwaitRecord, connect, setup_random_number_swait
from adsupport.documents import replay

# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

# --- some data to export -------------------------------------------------------------------

m1 = EpicsMotor(f"{args.ioc}m1", name="m1")
m2 = EpicsMotor(f"{args.ioc}m2", name="m2")
calc1 = SwaitRecord(f"{args.ioc}userCalc1", name="calc1")
noisy = EpicsSignalRO(calc1.calculated_value.pvname, name="noisy")
connect(m1, m2, calc1, noisy, timeout=15)
setup_random_number_swait(calc1)

cat = databroker.temp().v2
RE = RunEngine({"proposal": "GUP-1234"})
RE.subscribe(cat.v1.insert)
RE.preprocessors.append(SupplementalData(baseline=[m2]))
RE(bp.rel_scan([noisy], m1, -0.1, 0.1, 11, md={"title": "a first look"}))

# --- find it in the catalog: by scan_id, by uid, or the last one ---------------------------

run = cat[1]
run = cat[-1]
ds = run.primary.read()  # all data from the stream named: primary
md = run.metadata  # the run's metadata
print(f"{md['start']['plan_name']=} {md['stop']['exit_status']=}")
print(ds[["m1", "noisy"]].to_dataframe())

# --- one writer for each format; `exists` says what to do with a file that is there --------

options = {"file_path": out, "file_name": "run_{start[scan_id]:04d}", "exists": "replace"}
spec_file = out / "scans.dat"
spec_file.unlink(missing_ok=True)  # SPEC files grow: scans are added, never replaced

writers = [
    CSVWriter(**options),
    JSONWriter(**options),
    JSONLinesWriter(**options),
    HDF5Writer(**options),
    NXWriterAPS(
        file_path=out,
        file_name="run_{start[scan_id]:04d}.nxs",
        exists="replace",
        warn_on_missing_content=False,
    ),
    SpecWriterCallback(filename=spec_file),
]
for writer in writers:
    replay(run, writer.receiver)
    for result in writer.wait_writer(timeout=60):  # raises what went wrong
        print(f"{type(writer).__name__}:", *(path.name for path in result.paths))

# --- what the user will do with them -------------------------------------------------------

table = pandas.read_csv(out / "run_0001-primary.csv", float_precision="round_trip")
print(table[["seq_num", "m1", "noisy"]].tail(3))

content = json.loads((out / "run_0001.json").read_text())
print(f"{content['start']['title']=}")

with h5py.File(out / "run_0001.h5") as file:
    print(f"{file['streams/primary/data/noisy'][()].mean()=:.3f}")

with h5py.File(out / "run_0001.nxs") as file:
    print(f"{file['entry/data'].attrs['signal']=}")

print(spec_file.read_text().splitlines()[-4])
sys.stdout.flush()
