"""Records read by two clients, libca (by pyepics) and caproto's, as facts that can be compared."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from caproto.threading.client import Batch, Context
from epics import ca

__all__ = ["READERS", "TIMEOUT", "TYPES", "Facts", "decoded", "read_with_pyepics", "readings"]

TYPES = ("STRING", "SHORT", "FLOAT", "ENUM", "CHAR", "LONG", "DOUBLE")  # by DBR number
TIMEOUT = 20.0


@dataclass(frozen=True)
class Facts:
    """What a client can know of a channel; the parts its type does not carry are empty."""

    dbr: str
    count: int
    value: object
    sevr: int
    stat: int
    enum: tuple[str, ...] = ()
    egu: str = ""
    prec: int = 0


def text_of(data: object) -> str:
    return np.asarray(data, np.uint8).tobytes().split(b"\0", 1)[0].decode()


def plain(dbr: str, count: int, data: np.ndarray | list) -> object:
    """Return a value of the kind that the reference has: str, int, float or list."""
    if count > 1:
        return text_of(data) if dbr == "CHAR" else np.asarray(data).tolist()
    if dbr == "STRING":
        first = data[0]
        return first.decode() if isinstance(first, bytes) else str(first)
    return np.asarray(data).tolist()[0]


def readings(names: Iterable[str]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Read channels with their control metadata, all asked for at once: name, chid, reading."""
    channels = {name: ca.create_channel(name, auto_cb=True) for name in names}
    for name, chid in channels.items():
        assert ca.connect_channel(chid, timeout=TIMEOUT), f"{name} does not answer"
    types = {name: ca.promote_type(chid, use_ctrl=True) for name, chid in channels.items()}
    for name, chid in channels.items():
        ca.get_with_metadata(chid, ftype=types[name], wait=False)
    for name, chid in channels.items():
        reading = ca.get_complete_with_metadata(chid, ftype=types[name], timeout=TIMEOUT)
        assert reading is not None, f"{name} was not read"
        yield name, chid, reading
    for chid in channels.values():
        ca.clear_channel(chid)


def read_with_pyepics(names: list[str]) -> dict[str, Facts]:
    found = {}
    for name, chid, reading in readings(names):
        dbr, count = TYPES[ca.field_type(chid)], ca.element_count(chid)
        value = reading["value"]
        found[name] = Facts(
            dbr,
            count,
            plain(dbr, count, value if count > 1 else [value]),
            int(reading["severity"]),
            int(reading["status"]),
            tuple(decoded(item) for item in reading.get("enum_strs", ())),
            decoded(reading.get("units", "")),
            int(reading.get("precision", 0)),
        )
    return found


def decoded(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def read_with_caproto(names: list[str]) -> dict[str, Facts]:
    context = Context()
    try:
        pvs = context.get_pvs(*names)
        for pv in pvs:
            pv.wait_for_connection(timeout=TIMEOUT)
        responses = _read_at_once(pvs)
    finally:
        context.disconnect()
    return {pv.name: _facts_of(pv.channel, responses[pv.name]) for pv in pvs}


def _read_at_once(pvs: list) -> dict:
    responses: dict = {}
    done = _Countdown(len(pvs))
    with Batch(timeout=TIMEOUT) as batch:
        for pv in pvs:

            def keep(response, name=pv.name):
                responses[name] = response
                done.step()

            batch.read(pv, keep, data_type="control", data_count=0)
    assert done.wait(TIMEOUT), f"{len(responses)} of {len(pvs)} channels were read"
    return responses


class _Countdown:
    def __init__(self, count: int) -> None:
        self._left = count
        self._event = threading.Event()

    def step(self) -> None:
        self._left -= 1
        if not self._left:
            self._event.set()

    def wait(self, timeout: float) -> bool:
        return self._event.wait(timeout)


def _facts_of(channel, response) -> Facts:
    dbr, count = TYPES[channel.native_data_type], channel.native_data_count
    meta = response.metadata
    return Facts(
        dbr,
        count,
        plain(dbr, count, response.data),
        int(meta.severity),
        int(meta.status),
        tuple(decoded(item) for item in getattr(meta, "enum_strings", ())),
        decoded(getattr(meta, "units", "")),
        int(getattr(meta, "precision", 0)),
    )


READERS = {"pyepics": read_with_pyepics, "caproto": read_with_caproto}
