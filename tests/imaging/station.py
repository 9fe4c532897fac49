"""The simulated imaging beamline as its users have it: devices, a RunEngine, experiments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import epics
from bluesky import RunEngine
from ophyd import EpicsMotor, EpicsSignal

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator
from adsupport.imaging import ADCamera, Experiment, FlyAxis, SampleStage, Source
from adsupport.launch import IOCProcess

from .pixels import Frame, frames_of

TIMEOUT = 30.0
OUT = 6.0
"""Where the stage across the beam has the sample out of it, in mm."""

BEGIN = {
    "cam1:AcquireTime": 0.01,
    "cam1:AcquirePeriod": 0.0,
    "cam1:NumImages": 1,
    "cam1:ImageMode": "Continuous",
    "shutter:TransitTime": 0.02,
    "tube:RampTime": 0.05,
    "m1.VELO": 720.0,
    "m1.ACCL": 0.05,
    "m3.VELO": 10.0,
    "m3.ACCL": 0.05,
    "m4.VELO": 10.0,
    "m5.VELO": 100.0,
    "m5.ACCL": 0.05,
    "HDF1:QueueSize": 20,
    "tube:On": 1,
    "shutter:Control": 0,
}
KEPT = ("cam1:AcquireTime", "cam1:AcquirePeriod", "cam1:NumImages", "cam1:ImageMode",
        "m1.VELO", "m3.VELO", "m5.VELO", "m1.ACCL", "m3.ACCL")  # fmt: skip
MOTORS = ("m1", "m3", "m4", "m5")


class Station:
    """Devices of one IOC."""

    def __init__(self, ioc: IOCProcess, folder: Path) -> None:
        self.ioc = ioc
        self.folder = folder
        prefix = ioc.prefix
        self._pvs: dict[str, epics.PV] = {}
        self.folder.mkdir(exist_ok=True)
        hdf1 = {
            "class": AD_EpicsFileNameHDF5Plugin,
            "write_path_template": f"{folder}/",
            "read_path_template": f"{folder}/",
        }
        self.det = ad_creator(prefix, name="det", plugins=["cam", "image", {"hdf1": hdf1}])
        self.rotation = EpicsMotor(f"{prefix}m1", name="rotation")
        self.vertical = EpicsMotor(f"{prefix}m3", name="vertical")
        self.grating = EpicsMotor(f"{prefix}m4", name="grating")
        self.stage = EpicsMotor(f"{prefix}m5", name="stage")
        self.shutter = EpicsSignal(f"{prefix}shutter:Control", name="shutter", put_complete=True)
        self.tube = EpicsSignal(f"{prefix}tube:On", name="tube", put_complete=True)
        self.devices = [self.rotation, self.vertical, self.grating, self.stage, self.shutter,
                        self.tube]  # fmt: skip
        for device in (self.det, *self.devices):
            device.wait_for_connection(timeout=TIMEOUT)
        for name in (*BEGIN, *KEPT, *MOTORS):  # after ophyd, which may miss the first event else
            self._pv(name)
        self.camera = ADCamera(self.det)
        self.source = Source(self.shutter)
        self.sample = SampleStage({self.stage: (0.0, OUT)})
        self.engine = RunEngine({})
        self.documents: list[tuple[str, dict[str, Any]]] = []
        self.engine.subscribe(lambda name, document: self.documents.append((name, document)))
        self.before: dict[str, Any] = {}

    def _pv(self, name: str) -> epics.PV:
        if name not in self._pvs:
            self._pvs[name] = epics.PV(f"{self.ioc.prefix}{name}")
        return self._pvs[name]

    def put(self, name: str, value: Any) -> None:
        """Write a PV, and wait until that is done."""
        pv = self._pv(name)
        assert pv.wait_for_connection(TIMEOUT), name
        pv.put(value, wait=True, timeout=TIMEOUT)

    def get(self, name: str, **options: Any) -> Any:
        """Read a PV anew."""
        pv = self._pv(name)
        assert pv.wait_for_connection(TIMEOUT), name
        return pv.get(use_monitor=False, timeout=TIMEOUT, **options)

    def begin(self) -> None:
        """Have all as an experiment finds it."""
        self.det.frame_policy = "raise"
        for name, value in BEGIN.items():
            self.put(name, value)
        for motor in MOTORS:
            self.put(motor, 0.0)
        self.documents.clear()
        self.before = {name: self.get(name) for name in KEPT}

    @property
    def places(self) -> dict[str, Any]:
        """What every experiment needs."""
        return {"source": self.source, "sample": self.sample}

    def axis(self) -> FlyAxis:
        """The rotation, for a fly scan."""
        return FlyAxis(self.rotation)

    def run(self, experiment: Experiment, **md: Any) -> dict[str, list[Frame]]:
        """Run an experiment, and read its frames from their files."""
        self.documents.clear()
        self.engine(experiment.run(**md))
        assert self.of("stop")[0]["exit_status"] == "success"
        return frames_of(self.documents)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The documents of one kind."""
        return [document for name, document in self.documents if name == kind]

    def events(self, stream: str) -> list[dict[str, Any]]:
        """The events of a stream."""
        uids = {each["uid"] for each in self.of("descriptor") if each["name"] == stream}
        return [each for each in self.of("event") if each["descriptor"] in uids]

    def unsafe(self) -> dict[str, Any]:
        """Tell what isn't as it should be when nothing runs, read anew: nothing, as a rule."""
        wanted = {
            "shutter:Status_RBV": 0, "m5.RBV": 0.0, "cam1:Acquire": 0, "cam1:Acquire_RBV": 0,
            "HDF1:Capture_RBV": 0, **{f"{motor}.DMOV": 1 for motor in MOTORS}, **self.before,
        }  # fmt: skip
        found = {name: self.get(name) for name in wanted}
        return {name: found[name] for name in wanted if abs(found[name] - wanted[name]) > 1e-6}
