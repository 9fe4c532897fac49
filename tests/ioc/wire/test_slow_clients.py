"""Clients that ask for more than they read: the IOC keeps little for them, and goes on."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

MIB = 2**20
FRAMES = 60
"""Images of 1 MiB that a client does not read."""

EVENT_ADD, READ_NOTIFY = 1, 15
CHAR, LONG, DBE_VALUE = 4, 5, 1


@pytest.fixture
def client(adsim, caput, raw_client) -> Iterator:
    """A client of an IOC that has an image."""
    caput("ad:image1:EnableCallbacks", 1)
    for name, value in {"ImageMode": 1, "AcquireTime": 0.001, "AcquirePeriod": 0.002}.items():
        caput(f"ad:cam1:{name}", value)
    for name, value in {"WaitForPlugins": 1, "DataType": 1, "ColorMode": 0, "NumImages": 1}.items():
        caput(f"ad:cam1:{name}", value)
    for axis in "XY":
        for name, value in {"Min": 0, "Size": 1024, "Bin": 1}.items():
            caput(f"ad:cam1:{name}{axis}", value)
    caput("ad:cam1:Acquire", 1)
    client = raw_client(adsim.port)
    yield client
    client.close()


def test_reads_that_are_not_fetched(adsim, client, memory, caget):
    image = client.channel("ad:image1:ArrayData", 1)
    before = memory(adsim.pid)
    for number in range(FRAMES):
        client.send(READ_NOTIFY, kind=CHAR, first=image, second=number)
    for _ in range(5):
        caget("ad:cam1:ArrayCounter_RBV")
    assert memory(adsim.pid) - before < FRAMES * MIB / 3
    for number in range(FRAMES):
        command, answered, data = client.receive()
        assert (command, answered, len(data)) == (READ_NOTIFY, number, MIB)


def test_monitors_that_are_not_fetched(adsim, client, memory, caget: Callable, caput):
    image = client.channel("ad:image1:ArrayData", 1)
    counter = client.channel("ad:cam1:ArrayCounter_RBV", 2)
    before = memory(adsim.pid)
    for number, (sid, kind) in enumerate(((image, CHAR), (counter, LONG))):
        mask = struct.pack(">3fHH", 0, 0, 0, DBE_VALUE, 0)
        client.send(EVENT_ADD, mask, kind=kind, count=0, first=sid, second=number)
    caput("ad:cam1:NumImages", FRAMES)
    caput("ad:cam1:Acquire", 1)
    assert memory(adsim.pid) - before < FRAMES * MIB / 3
    newest = caget("ad:cam1:ArrayCounter_RBV")
    counts = []
    while newest not in counts:
        _, number, data = client.receive()
        if number == 1:
            counts.append(struct.unpack(">i", data[:4])[0])
    assert counts == sorted(counts)
    assert client.received < FRAMES * MIB / 3
