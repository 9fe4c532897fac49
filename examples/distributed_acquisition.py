"""The acquisition host of example 14: each line on standard input is a sample to be measured.

Frames go to consumers by ZeroMQ, documents to bluesky's proxy; both leave this process as numbers
and JSON, without pickle.
"""

import argparse
import contextlib
import logging
import pathlib
import signal
import sys
import threading

parser = argparse.ArgumentParser(description="Measure the samples named on standard input.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--projections", default=60, type=int, help="over half a turn")
parser.add_argument("--frames", default="tcp://127.0.0.1:5701", help="address for consumers")
parser.add_argument("--consumers", default="compute,writer", help="who must be there, by name")
parser.add_argument("--proxy", default="127.0.0.1:5577", help="where the proxy takes documents")
parser.add_argument("--proxy-out", default="127.0.0.1:5578", help="where it gives them")
parser.add_argument("--images", default="images", type=pathlib.Path, help="on the file server")
parser.add_argument("--keys", type=pathlib.Path, help="directory of CURVE keys, off loopback")
args = parser.parse_args()

from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky.callbacks.zmq import ClientCurve, Publisher
from bluesky.utils import RunEngineInterrupted
from imaging_station import Station
from ophyd import EpicsSignal
from proxy_watch import ProxyWatch

from adsupport.documents.json_text import encode
from adsupport.imaging import TomographyConfig, tomography
from adsupport.imaging.frames import PVASource
from adsupport.imaging.remote import CurveKeys, FramePublisher


class Brief(logging.Formatter):
    """One line of each message; all of it is in the scan's experiment.log."""

    def format(self, record):
        """Make the line."""
        return record.getMessage().partition("\n")[0]


logs = logging.StreamHandler(sys.stdout)  # tells of lost consumers, too
logs.setFormatter(Brief())
logging.basicConfig(handlers=[logs])
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


class Progress:
    """Tells how far the projections are, as events come."""

    def __init__(self):
        self.sample, self.primary, self.taken = "", None, 0

    def __call__(self, name, doc):
        """Take a document."""
        if name == "start":
            self.sample, self.taken = doc["sample"], 0
        elif name == "descriptor" and doc["name"] == "primary":
            self.primary = doc["uid"]
        elif name == "event" and doc["descriptor"] == self.primary:
            self.taken += 1
            if self.taken % 10 == 0:
                print(f"{self.sample}: {self.taken} of {args.projections} projections")


# --- where documents and frames go ---------------------------------------------------------

keys = documents_keys = None
if args.keys:
    keys = CurveKeys(args.keys / "acquisition.key_secret", args.keys / "allowed")
    documents_keys = ClientCurve(args.keys / "acquisition.key_secret", args.keys / "proxy.key")
watch = ProxyWatch(args.proxy_out, print, documents_keys)
watch.wait(30)
RE = RunEngine({})
RE.subscribe(Publisher(args.proxy, serializer=encode))  # on this host, without keys
RE.subscribe(Progress())
publisher = FramePublisher(
    args.frames,
    consumers=args.consumers.split(","),
    wait=60,  # s
    lost="log",  # who is lost is named, and the acquisition goes on
    keys=keys,
)

# --- the beamline --------------------------------------------------------------------------

station = Station(args.ioc, args.images)
station.detector.acquire_timeout = 2  # s, behind the exposure: a dead IOC gives no answer
pva = EpicsSignal(f"{args.ioc}Pva1:EnableCallbacks", name="pva")
experiment = tomography(
    station.camera,
    station.rotation,
    TomographyConfig(
        projections=args.projections,
        angular_range=180,  # degrees
        exposure=0.01,  # s
        period=0.05,  # s
        darks=5,
        flats=5,
        order=["darks", "flats", "primary"],
    ),
    source=station.source,
    sample=station.sample,
    walker=station.walker,
    frames=PVASource(f"{args.ioc}Pva1:", f"{args.ioc}cam1:"),
    addons=[publisher],
)


def ioc_gone(connected, **_):
    """End the run when the IOC is gone: what waits for a motor's answer would wait for ever."""
    if not connected and not lost.is_set():
        lost.set()
        print(f"The IOC of {args.ioc} is gone.")
        if RE.state == "running":
            threading.Thread(target=RE.abort, args=("the IOC is gone",), daemon=True).start()
    elif connected:
        lost.clear()


lost = threading.Event()
acquire = station.detector.cam.acquire
acquire.subscribe(ioc_gone, event_type=acquire.SUB_META, run=False)


def begin():
    """End what a session that was killed may have left: the beam on, the detector's file open."""
    yield from bps.mv(station.shutter, 0, station.detector.hdf1.capture, 0, pva, 1)


def measure(sample):
    """Take a tomography; a failure is told, and the next sample may come."""
    try:
        RE(station.get_ready(binning=4, rows=256))
        RE(experiment.run(sample=sample))
    except RunEngineInterrupted:
        if RE.state == "paused":  # Ctrl-C: source, sample and camera are put back
            RE.abort()
            raise SystemExit("interrupted") from None
        print(f"{sample}: failed: ended, as the IOC is gone")
    except Exception as error:
        notes = "".join(f"; {note}" for note in getattr(error, "__notes__", []))
        print(f"{sample}: failed: {type(error).__name__}: {error}{notes}")
    else:
        print(f"{sample}: measured")


RE(begin())
with publisher, contextlib.suppress(KeyboardInterrupt):
    print(f"frames at {publisher.address}; type the name of a sample")
    for line in sys.stdin:
        measure(line.strip())
