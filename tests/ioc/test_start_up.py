"""What an IOC of 7,741 records costs: time to start, memory, and work while nothing happens."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import epics
from epics import ca

RECORDS = Path(__file__).parents[1] / "data" / "adsim-records.jsonl"

START, MEMORY, IDLE = 3.0, 300.0, 0.05
"""Seconds to be ready, megabytes, and the part of a core that an idle IOC may take."""


def megabytes(pid: int) -> float:
    fields = Path(f"/proc/{pid}/status").read_text().split()
    return int(fields[fields.index("VmRSS:") + 1]) / 1024


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_ioc_starts_soon_and_idles_cheaply(start_fresh):
    ioc = start_fresh("adsim")
    # processor time, as others may use the machine: an idle one is as fast as that
    assert processor_seconds(ioc.pid) < START
    assert megabytes(ioc.pid) < MEMORY
    epics.PV(f"{ioc.prefix}cam1:Acquire").wait_for_connection(20)
    before, began = processor_seconds(ioc.pid), time.monotonic()
    time.sleep(3)
    used = (processor_seconds(ioc.pid) - before) / (time.monotonic() - began)
    assert used < IDLE


def test_thousands_of_channels_connect_in_a_second_or_two(start_fresh):
    ioc = start_fresh("adsim")
    lines = RECORDS.read_text().splitlines()
    names = [json.loads(line)["pv"].replace("ad:", ioc.prefix, 1) for line in lines]
    began = time.monotonic()
    channels = [ca.create_channel(name, auto_cb=True) for name in names]
    assert all(ca.connect_channel(channel, timeout=20) for channel in channels)
    # without answers that repeat the number of a search, libca asks for 750 names a second
    assert time.monotonic() - began < len(names) / 750 - 1
    for channel in channels:
        ca.clear_channel(channel)
