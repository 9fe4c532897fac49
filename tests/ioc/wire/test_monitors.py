"""Monitors on the wire: told apart by channel and number, as rsrv does."""

from __future__ import annotations

import struct

EVENT_ADD, WRITE_NOTIFY = 1, 19
LONG, DBE_VALUE = 5, 1


def test_one_number_for_monitors_of_two_channels(adsim, raw_client, caput, caget):
    client = raw_client(adsim.port)
    names = ("ad:cam1:NumImages", "ad:cam1:NumImages_RBV")
    mask = struct.pack(">3fHH", 0, 0, 0, DBE_VALUE, 0)
    for number, name in enumerate(names):
        sid = client.channel(name, number)
        client.send(EVENT_ADD, mask, kind=LONG, count=1, first=sid, second=7)
    caput("ad:cam1:NumImages", 7)
    counts = []
    while counts.count(7) < len(names):
        command, number, data = client.receive()
        assert (command, number) == (EVENT_ADD, 7)
        counts.append(struct.unpack(">i", data[:4])[0])
    client.close()


def test_a_number_that_a_switch_has_no_state_for(adsim, raw_client, caget, caput):
    client = raw_client(adsim.port)
    sid = client.channel("ad:HDF1:AutoIncrement", 1)
    client.send(WRITE_NOTIFY, struct.pack(">i", 7), kind=LONG, count=1, first=sid, second=3)
    assert client.receive()[0] == WRITE_NOTIFY
    assert caget("ad:HDF1:AutoIncrement_RBV") == 1
    caput("ad:HDF1:AutoIncrement", 0)
    client.close()
