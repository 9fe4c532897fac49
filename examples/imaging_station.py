"""The devices of an imaging beamline: camera, stages, shutter and tube.

Examples 08 to 11 import them.  Import this after the environment of EPICS is set.
"""

import pathlib

from bluesky import plan_stubs as bps
from bluesky.utils import RequestAbort, RunEngineInterrupted
from ophyd import EpicsMotor, EpicsSignal

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator, connect
from adsupport.errors import ConfigurationError
from adsupport.imaging import ADCamera, DirectoryWalker, SampleStage, Source


class Station:
    """A beamline of the PVs that ``adsupport ioc imaging_beamline`` has."""

    def __init__(self, prefix: str, images: pathlib.Path) -> None:
        self.walker = DirectoryWalker(images.resolve())  # scan_0000, scan_0001, ...
        hdf1 = {
            "class": AD_EpicsFileNameHDF5Plugin,
            "write_path_template": f"{self.walker.root}/",  # where the IOC writes
            "read_path_template": f"{self.walker.root}/",  # where it is found here
        }
        self.detector = ad_creator(prefix, name="detector", plugins=["cam", {"hdf1": hdf1}])
        self.detector.read_attrs = ["hdf1"]
        self.rotation = EpicsMotor(f"{prefix}m1", name="rotation")  # degrees
        self.vertical = EpicsMotor(f"{prefix}m3", name="vertical")  # mm
        self.across = EpicsMotor(f"{prefix}m5", name="across")  # mm
        # put_complete: done when the shutter has moved, and the tube is ramped
        self.shutter = EpicsSignal(f"{prefix}shutter:Control", name="shutter", put_complete=True)
        self.tube = EpicsSignal(f"{prefix}tube:On", name="tube", put_complete=True)
        stages = (self.rotation, self.vertical, self.across)
        connect(self.detector, *stages, self.shutter, self.tube, timeout=15)

        # what experiments ask for
        self.camera = ADCamera(self.detector)
        self.source = Source(self.shutter)
        self.sample = SampleStage({self.across: (0, 6)})  # mm: in the beam, out of it

    def get_ready(self, binning=2, rows=512):
        """Switch the tube on; let the camera have the middle rows, and sum pixels up."""
        cam = self.detector.cam
        yield from bps.mv(self.tube, 1, self.rotation, 0, self.vertical, 0)
        yield from bps.mv(cam.bin_x, binning, cam.bin_y, binning)
        yield from bps.mv(cam.size.size_y, rows, cam.min_y, (512 - rows) // 2)


def _is_no_abort(record):
    """Leave out the traceback of an abort that was asked for."""
    return not record.exc_info or not isinstance(record.exc_info[1], RequestAbort)


def run_or_abort(engine, plan):
    """Run a plan; Ctrl-C ends it, and shutter, sample and camera are put back."""
    try:
        return engine(plan)
    except RunEngineInterrupted:  # Ctrl-C pauses; at a prompt RE.resume() would go on
        engine.log.logger.addFilter(_is_no_abort)
        engine.abort()
        raise SystemExit("interrupted") from None
    except ConfigurationError as error:  # what can't be, as the beamline stands; nothing has moved
        raise SystemExit(f"refused: {error}") from None
