"""A pvAccess client of the simulated IOC: p4p's own, which knows nothing of this project."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from p4p.client.thread import Context

TIMEOUT = 30.0
"""Seconds after which a test gives up; everything should take far less."""

DEFAULTS = {
    "cam1:ImageMode": 1,
    "cam1:NumImages": 1,
    "cam1:AcquireTime": 0.001,
    "cam1:AcquirePeriod": 0.0,
    "cam1:ArrayCallbacks": 1,
    "cam1:WaitForPlugins": 1,
    "cam1:DataType": "UInt8",
    "cam1:ColorMode": "Mono",
    "cam1:SimMode": "LinearRamp",
    "cam1:MinX": 0,
    "cam1:MinY": 0,
    "cam1:SizeX": 1024,
    "cam1:SizeY": 1024,
    "cam1:BinX": 1,
    "cam1:BinY": 1,
    "cam1:ReverseX": 0,
    "cam1:ReverseY": 0,
    "cam1:Gain": 1.0,
    "cam1:NDAttributesFile": "",
    "cam1:Reset": 1,
    "Pva1:EnableCallbacks": 1,
    "Pva1:NDArrayPort": "SIM1",
    "Pva1:MaxByteRate": 0.0,
    "Pva1:QueueSize": 200,
}


class Seen:
    """What a monitor has delivered."""

    def __init__(self) -> None:
        self.frames: list = []
        self._news = threading.Condition()

    def __call__(self, frame: object) -> None:
        with self._news:
            self.frames.append(frame)
            self._news.notify_all()

    def wait(self, condition: Callable[[list], bool], what: str) -> None:
        with self._news:
            assert self._news.wait_for(lambda: condition(self.frames), TIMEOUT), (
                f"waited in vain for {what}; {len(self.frames)} frames came"
            )


class PvaDetector:
    """The shared detector with its pvAccess image."""

    def __init__(self, prefix: str, context: Context, raw: Context, caput, caget) -> None:
        self.name = f"{prefix}Pva1:Image"
        self._prefix = prefix
        self._context = context
        self._raw = raw
        self._caput = caput
        self._caget = caget

    def put(self, record: str, value: object) -> None:
        self._caput(self._prefix + record, value)

    def get(self, record: str):
        return self._caget(self._prefix + record)

    def acquire(self, **settings: object):
        """Acquire with these settings of the camera; return the image, unwrapped by p4p."""
        for record, value in settings.items():
            self.put(f"cam1:{record}", value)
        self.put("cam1:Acquire", 1)
        return self.image()

    def image(self):
        return self._context.get(self.name, timeout=TIMEOUT)

    def structure(self):
        """Return the structure that p4p's NTNDArray would unwrap."""
        return self._raw.get(self.name, timeout=TIMEOUT)

    @contextmanager
    def monitor(self) -> Iterator[Seen]:
        """Follow the image; what it shows at first is kept, too."""
        seen = Seen()
        subscription = self._context.monitor(self.name, seen)
        try:
            seen.wait(len, "the first event")
            yield seen
        finally:
            subscription.close()


@pytest.fixture(scope="session")
def pva_client() -> Iterator[Callable[..., Context]]:
    """Make a client of one IOC: ``(ioc, **options)``."""
    made: list[Context] = []

    def client(ioc, **options) -> Context:
        conf = {
            "EPICS_PVA_AUTO_ADDR_LIST": "NO",
            "EPICS_PVA_ADDR_LIST": f"127.0.0.1:{ioc.pva_port}",
        }
        made.append(Context("pva", conf=conf, useenv=False, **options))
        return made[-1]

    yield client
    for context in made:
        context.close()


@pytest.fixture(scope="session")
def contexts(adsim, pva_client) -> tuple[Context, Context]:
    """Clients of the shared IOC: one unwraps, one does not."""
    return pva_client(adsim), pva_client(adsim, nt=False)


@pytest.fixture
def det(adsim, contexts, caput, caget) -> Iterator[PvaDetector]:
    """The shared detector, idle, with the settings that these tests start from."""
    detector = PvaDetector(adsim.prefix, *contexts, caput, caget)
    for record, value in DEFAULTS.items():
        detector.put(record, value)
    yield detector
    for record in ("cam1:Acquire", "Pva1:EnableCallbacks", "cam1:WaitForPlugins"):
        detector.put(record, 0)
    for record, value in {"Pva1:QueueSize": 20, "Pva1:MaxByteRate": 0.0}.items():
        detector.put(record, value)
    for record in ("cam1:DataType", "cam1:ColorMode", "cam1:NDAttributesFile"):
        detector.put(record, DEFAULTS[record])
