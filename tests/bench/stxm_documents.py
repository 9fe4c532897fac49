"""Runs of an STXM stack, one for each photon energy, the same whenever they are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from adsupport import nxstxm

__all__ = ["DWELL", "Stack", "documents"]

#: Time at a point, ms.
DWELL = 1.0

_BEGUN = 1_700_000_000.0
_RUN_SECONDS = 1000.0


@dataclass(frozen=True)
class Stack:
    """Size of a stack of images.

    Parameters
    ----------
    energies
        How many images; each is a run.
    side
        Lines of an image, and points of a line; each line is an event.
    """

    energies: int = 100
    side: int = 400

    @property
    def first_uid(self) -> str:
        """Of the first run."""
        return _uid(0)

    def energy(self, e_idx: int) -> float:
        """Tell a photon energy, eV."""
        return 700 + 0.125 * e_idx

    def image(self, e_idx: int) -> np.ndarray:
        """Make the counts of a run: (side, side), float64."""
        return _noise(self.side)[e_idx % 4] + e_idx

    def setpoints(self) -> np.ndarray:
        """Positions along an axis, um."""
        return np.arange(self.side) / 8

    def heights(self, e_idx: int) -> np.ndarray:
        """Positions of the lines as they were measured, um."""
        return self.setpoints() + 2**-10 * np.sin(np.arange(self.side) + e_idx)

    def currents(self, e_idx: int) -> np.ndarray:
        """Ring current at each line, mA."""
        return 250 - (e_idx * self.side + np.arange(self.side)) * 2**-12


@cache
def _noise(side: int) -> np.ndarray:
    return np.random.default_rng(5).poisson(200, (4, side, side)).astype(np.float64)


def _uid(e_idx: int) -> str:
    return f"0badf00d-1111-4222-8333-{e_idx:012d}"


def documents(stack: Stack, e_idx: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make the run of one energy.

    Parameters
    ----------
    stack
        Which stack.
    e_idx
        Which energy.

    Yields
    ------
    str
        Kind of the document.
    dict
        The document, new each time.
    """
    uid, now = _uid(e_idx), _BEGUN + _RUN_SECONDS * e_idx
    start = {"uid": uid, "time": now, "scan_id": e_idx + 1, "plan_name": "stack"}
    yield "start", {**start, "metadata": _metadata(stack, e_idx)}
    yield "descriptor", _descriptor(uid, "baseline", {"ENERGY": (), "GoniTheta": ()})
    standing = {"ENERGY": stack.energy(e_idx), "GoniTheta": 0.0}
    yield "event", _event(uid, "baseline", 1, now, standing)
    keys = {"counter0": (stack.side,), "SampleY": (), "StorageRingCurrent": ()}
    yield "descriptor", _descriptor(uid, "primary", keys)
    rows = zip(stack.image(e_idx), stack.heights(e_idx), stack.currents(e_idx), strict=True)
    for number, values in enumerate(rows, 1):
        counts, height, current = values
        data = {"counter0": counts, "SampleY": float(height), "StorageRingCurrent": float(current)}
        yield "event", _event(uid, "primary", number, now + number, data)
    yield (
        "stop",
        {
            **{"uid": f"{uid}-stop", "run_start": uid, "time": now + stack.side + 1},
            **{"exit_status": "success", "num_events": {"baseline": 1, "primary": stack.side}},
        },
    )


def _descriptor(uid: str, stream: str, keys: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    described = {
        key: {
            **{"source": f"SIM:{key}", "dtype": "array" if shape else "number"},
            **{"shape": list(shape), "object_name": key},
        }
        for key, shape in keys.items()
    }
    return {
        **{"uid": f"{uid}-{stream}", "run_start": uid, "time": _BEGUN, "name": stream},
        **{"data_keys": described, "object_keys": {key: [key] for key in keys}},
        **{"configuration": {}, "hints": {}},
    }


def _event(uid: str, stream: str, number: int, now: float, data: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"uid": f"{uid}-{stream}-{number}", "descriptor": f"{uid}-{stream}", "time": now},
        **{"seq_num": number, "data": data, "timestamps": dict.fromkeys(data, now)},
        "filled": {},
    }


@cache
def _all_metadata(stack: Stack) -> dict[str, Any]:
    axis = stack.setpoints()
    ends = float(axis[0]), float(axis[-1]), stack.side
    region = nxstxm.make_region(
        nxstxm.make_roi(*ends, "SampleX"), nxstxm.make_roi(*ends, "SampleY")
    )
    sequence = nxstxm.make_sequence([0], stack.energies)
    return nxstxm.make_standard_metadata(
        "entry0",
        nxstxm.scan_types.SAMPLE_IMAGE_STACK,
        rois={0: region},
        dwell=DWELL,
        energies=[stack.energy(each) for each in range(stack.energies)],
        polarizations=[nxstxm.make_polarization("circular right")],
        index=sequence[0],
        sequence=sequence,
    )


def _metadata(stack: Stack, e_idx: int) -> str:
    """Write a run's metadata, which differ from the others' only in the run's own place."""
    found = _all_metadata(stack)
    place = json.loads(found["img_idx_map"]) | {"e_idx": e_idx}
    return json.dumps(found | {"img_idx_map": json.dumps(place)})
