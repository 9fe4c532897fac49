"""A simulated camera without an IOC."""

import threading

import pytest

from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.ioc import IOC

LONG = 20.0
"""Seconds after which a test gives up; nothing should take nearly as long."""


class Bench:
    """A camera with a recorder of everything it posts and of every array it emits."""

    def __init__(self, **params):
        self.camera = SimDetector("SIM1", seed=5)
        IOC("test", "t:").load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", self.camera)
        self.posted = []
        self.arrays = []
        self._news = threading.Condition()
        self.camera.sink = self._record
        self.camera.connect(self.arrays.append)
        self.camera.set("MAX_SIZE_X", 8)
        self.camera.set("MAX_SIZE_Y", 6)
        self.camera.start()
        self.put(ACQ_TIME=0.001, ACQ_PERIOD=0.0, **params)
        self.posted.clear()

    def _record(self, port, changes):
        with self._news:
            self.posted += [(change.param, change.value) for change in changes]
            self._news.notify_all()

    def put(self, **params):
        for param, value in params.items():
            self.camera.write(param, value)

    def wait_for(self, param, value, times=1):
        with self._news:
            assert self._news.wait_for(
                lambda: self.posted.count((param, value)) >= times, timeout=LONG
            ), f"{param}={value} was not posted {times} times: {self.posted}"

    def acquire(self, **params):
        """Acquire to the end and return what was posted."""
        self.put(**params)
        self.posted.clear()
        self.put(ACQUIRE=1)
        self.wait_for("ACQUIRE_BUSY", 0)
        return self.posted

    def values(self, param):
        return [value for name, value in self.posted if name == param]

    def get(self, param):
        return self.camera.get(param)


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.camera.stop()
