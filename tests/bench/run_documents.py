"""Documents of a run of many events, the same whenever they are made from one seed.

Needs nothing but Python: all contestants get their documents from here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["BEGUN", "KEYS", "START_UID", "documents", "image_documents"]

#: Time of the start document, seconds since 1970 (UTC).
BEGUN = 1_700_000_000.125

START_UID = "0badf00d-1111-4222-8333-444455556666"
_DESCRIPTOR = "0badf00d-1111-4222-8333-444455557777"
_RESOURCE = "0badf00d-1111-4222-8333-444455558888"

_FLOATS = ("motor", "motor_user_setpoint", "det1", "det2", "det3", "det4")
_INTEGERS = ("scaler1", "scaler2", "scaler3")

#: The data keys of an event: nine single numbers.
KEYS = (*_FLOATS, *_INTEGERS)
_OBJECTS = {key: [key] for key in KEYS if not key.startswith("motor")}
_OBJECTS["motor"] = ["motor", "motor_user_setpoint"]


def documents(events: int, seed: int = 5) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make a run, event by event.

    Parameters
    ----------
    events : int
        How many.
    seed : int
        Of their values.

    Yields
    ------
    str
        Kind of the document.
    dict
        The document, new each time.
    """
    detectors = ["det1", "det2", "det3", "det4"]
    yield "start", _start(detectors, events)
    keys = {key: _data_key(key, "number") for key in _FLOATS}
    keys |= {key: _data_key(key, "integer") for key in _INTEGERS}
    yield "descriptor", _descriptor(keys, _OBJECTS)
    number, whole = random.Random(seed).random, random.Random(seed).getrandbits
    for row in range(1, events + 1):
        now = BEGUN + row * 0.001
        values = [1000 * number() - 500 for _ in _FLOATS] + [whole(31) for _ in _INTEGERS]
        yield (
            "event",
            {
                "uid": f"0badf00d-1111-4222-9333-{row:012d}",
                "time": now,
                "data": dict(zip(KEYS, values, strict=True)),
                "timestamps": dict.fromkeys(KEYS, now - 0.0005),
                "seq_num": row,
                "filled": {},
                "descriptor": _DESCRIPTOR,
            },
        )
    yield "stop", _stop(events)


def image_documents(
    path: Path, frames: int, side: int, units: str = "mm"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make a run of one image an event, in a file of ADCore's HDF5 plugin.

    Parameters
    ----------
    path : path
        The file.
    frames : int
        Images in it.
    side : int
        Height and width of one.
    units : str
        Of the motor.

    Yields
    ------
    str
        Kind of the document.
    dict
        The document.
    """
    yield "start", _start(["camera"], frames)
    image = _data_key("camera_image", "array") | {
        "shape": [1, side, side],
        "external": "FILESTORE:",
    }
    motor = _data_key("motor", "number") | {"units": units}
    keys = {"motor": motor, "camera_image": image}
    yield "descriptor", _descriptor(keys, {"motor": ["motor"], "camera": ["camera_image"]})
    resource = {
        **{"uid": _RESOURCE, "run_start": START_UID, "spec": "AD_HDF5", "root": "/"},
        **{"resource_path": str(path).lstrip("/"), "resource_kwargs": {"frame_per_point": 1}},
        "path_semantics": "posix",
    }
    yield "resource", resource
    for row in range(1, frames + 1):
        datum = f"{_RESOURCE}/{row - 1}"
        kwargs = {"point_number": row - 1}
        yield "datum", {"datum_id": datum, "resource": _RESOURCE, "datum_kwargs": kwargs}
        now = BEGUN + row * 0.01
        event = {
            **{"uid": f"0badf00d-1111-4222-9333-{row:012d}", "time": now, "seq_num": row},
            **{"data": {"motor": float(row), "camera_image": datum}, "descriptor": _DESCRIPTOR},
            **{"timestamps": {"motor": now, "camera_image": now}},
            "filled": {"camera_image": False},
        }
        yield "event", event
    yield "stop", _stop(frames)


def _start(detectors: list[str], events: int) -> dict[str, Any]:
    return {
        **{"uid": START_UID, "time": BEGUN, "scan_id": 1, "plan_type": "generator"},
        **{"plan_name": "scan", "detectors": detectors, "motors": ["motor"]},
        **{"num_points": events, "num_intervals": events - 1, "hints": {}},
        **{"plan_args": {"num": events}, "versions": {"bluesky": "1.15.1"}},
        **{"beamline_id": "bench", "login_id": "user@host"},
    }


def _data_key(name: str, dtype: str) -> dict[str, Any]:
    return {"source": f"SIM:{name}", "dtype": dtype, "shape": [], "units": "mm", "precision": 5}


def _descriptor(keys: dict[str, Any], objects: dict[str, list[str]]) -> dict[str, Any]:
    own = {key: name for name, found in objects.items() for key in found}
    return {
        **{"uid": _DESCRIPTOR, "run_start": START_UID, "name": "primary", "time": BEGUN},
        "data_keys": {key: each | {"object_name": own[key]} for key, each in keys.items()},
        "object_keys": objects,
        "hints": {name: {"fields": found[:1]} for name, found in objects.items()},
        "configuration": {
            name: {"data": {}, "timestamps": {}, "data_keys": {}} for name in objects
        },
    }


def _stop(events: int) -> dict[str, Any]:
    return {
        **{"uid": "0badf00d-1111-4222-8333-444455559999", "run_start": START_UID},
        **{"time": BEGUN + 1e6, "exit_status": "success", "reason": ""},
        "num_events": {"primary": events},
    }
