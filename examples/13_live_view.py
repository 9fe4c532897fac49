"""Watch a tomography while it runs: frames, and slices as they are reconstructed.

A `LiveView` is an addon of the experiment.  It serves a page on this computer, and draws the same
into a matplotlib figure, which this example saves at the end.  The acquisition never waits for it.

    python examples/13_live_view.py --ioc im:
    python examples/13_live_view.py --demo          # no hardware? simulate it
    python examples/13_live_view.py --demo --stay   # go on until Ctrl-C
"""

import argparse
import contextlib
import pathlib
import threading

from example_options import at_least, make_directory

parser = argparse.ArgumentParser(description="A tomography, and a page that shows it.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--projections", default=100, type=at_least(2), help="over half a turn")
parser.add_argument("--port", default=0, type=int, help="of the page; 0: any free one")
parser.add_argument("--stay", action="store_true", help="serve the page until Ctrl-C")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
out = make_directory(parser, args.out / "live-view")

if args.demo:  # before the other imports: EPICS reads its environment when it is imported
    from adsupport.simulated import simulated_hardware

    simulated_hardware("imaging_beamline")

from bluesky import RunEngine
from imaging_station import Station, run_or_abort

from adsupport.imaging import TomographyConfig, tomography
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames import HDF5FileSource
from adsupport.imaging.view import LiveView

config = TomographyConfig(
    projections=args.projections,
    angular_range=180,  # degrees
    exposure=0.02,
    period=0.1,
    darks=5,
    flats=5,
    order=["darks", "flats", "primary"],
)
station = Station(args.ioc, out / "scans")
hdf1 = station.detector.hdf1
hdf1.stage_sigs["swmr_mode"] = 1  # frames can be read while the file grows
experiment = tomography(
    station.camera,
    station.rotation,
    config,
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    frames=HDF5FileSource(hdf1),
)
view = LiveView(limits="percentile")
experiment.attach(view)
# channels "slice x", "slice y" and "slice z" beside the camera's
experiment.attach(OnlineReconstruction(rows=slice(96, 160), viewer=view))

RE = RunEngine({})
run_or_abort(RE, station.get_ready(binning=2))
with view.serve(args.port) as page:
    print(f"look at {page.address} while it runs", flush=True)
    run_or_abort(RE, experiment.run())
    if args.stay:
        print("the run is over; Ctrl-C ends this")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()

for channel in view.model.channels:
    counts = view.model.counts(channel)
    picture = view.model.picture(channel)
    lost = "" if counts["lost"] is None else f", {counts['lost']} lost"  # slices have no numbers
    print(f"{channel}: {picture.shape}, {counts['taken']} taken{lost}")
view.figure().savefig(out / "live_view.png", dpi=100)
print(f"picture: {out / 'live_view.png'}")
