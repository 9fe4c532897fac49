"""Synthetic STXM runs, as lists of documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import event_model
import numpy as np

from .stxm_metadata import metadata
from .stxm_scan import FOCUS, StxmScan

__all__ = ["FIRST_TIME", "RUN_TIME", "Documents", "StxmScan", "cut", "metadata", "paged", "runs"]

Documents = list[tuple[str, dict[str, Any]]]

FIRST_TIME = 1_750_000_000.0
RUN_TIME = 10_000.0  # between the starts of two runs


def runs(scan: StxmScan) -> list[Documents]:
    """Return the documents of each run, in the order of time."""
    made, entries = [], set()
    for number, index in enumerate(scan.indexes()):
        entry = scan.index_map(**index)["entry"]
        with_baseline = scan.baseline_in == "all" or entry not in entries
        entries.add(entry)
        made.append(_RunMaker(scan, number, index, scan.baseline * with_baseline).documents())
    return made


class _RunMaker:
    """Makes the documents of one run."""

    def __init__(self, scan: StxmScan, number: int, index: dict[str, int], baseline: int) -> None:
        self.scan, self.number, self.index, self.baseline = scan, number, index, baseline
        self.uid = f"{scan.uids}-{number:04d}"
        self.now = FIRST_TIME + RUN_TIME * number
        self.made: Documents = []
        self.counts: dict[str, int] = {}

    def documents(self) -> Documents:
        scan = self.scan
        told: Any = metadata(scan, **self.index)
        start = {"uid": self.uid, "time": self.now, "scan_id": self.number + 1,
                 "plan_name": "stxm", "detectors": list(scan.counters),
                 "metadata": json.dumps(told) if scan.text else told}  # fmt: skip
        self.made.append(("start", start))
        if self.baseline:
            self._event("baseline", self._baseline())
        for event, data in enumerate(self._rows()):
            if scan.ring == "primary":
                data[scan.key("StorageRingCurrent")] = scan.ring_at(self.number, event)
            self._event("primary", data)
        if self.baseline > 1:
            self._event("baseline", self._baseline())
        self.now += 1
        stop = {"uid": f"{self.uid}-stop", "time": self.now, "run_start": self.uid,
                "exit_status": "success", "num_events": dict(self.counts)}  # fmt: skip
        self.made.append(("stop", stop))
        return self.made

    def _event(self, stream: str, data: dict[str, Any]) -> None:
        uid = f"{self.uid}-{stream}"
        if stream not in self.counts:
            self.counts[stream] = 0
            keys = {key: self._described(key, value) for key, value in data.items()}
            descriptor = {"uid": uid, "run_start": self.uid, "time": self.now, "name": stream,
                          "data_keys": keys, "object_keys": {key: [key] for key in keys},
                          "configuration": {}, "hints": {}}  # fmt: skip
            self.made.append(("descriptor", descriptor))
        self.now += 1
        self.counts[stream] += 1
        event = {"uid": f"{uid}-{self.counts[stream]}", "descriptor": uid, "time": self.now,
                 "seq_num": self.counts[stream], "data": data, "filled": {},
                 "timestamps": dict.fromkeys(data, self.now - 0.25)}  # fmt: skip
        self.made.append(("event", event))

    def _described(self, key: str, value: Any) -> dict[str, Any]:
        array = np.asarray(value)
        scalar = "integer" if array.dtype.kind in "iu" else "number"
        made = {"dtype": "array" if array.ndim else scalar, "shape": list(array.shape),
                "source": f"PV:{key.removesuffix('_val')}"}  # fmt: skip
        return {**made, "dtype_numpy": array.dtype.str} if self.scan.dtype_numpy else made

    def _baseline(self) -> dict[str, Any]:
        code, angle, offset = self.scan.polarizations[self.index["pol"]]
        found = {
            "SampleX": 3.5, "SampleY": -4.5, "GoniTheta": self.scan.angles[self.index["angle"]],
            "EPUPolarization": float(code), "EPUOffset": offset, "Epu_pol_angle": angle,
            "Epu_gap_fbk": 31.2, "Epu_gap_offset": offset, "Epu_harmonic": 1,
        }  # fmt: skip
        if self.scan.energy == "baseline":
            found["ENERGY"] = found["Mono_ev_fbk"] = float(self.scan.energy_at(self.index["e"]))
        if self.scan.ring == "baseline":
            found["StorageRingCurrent"] = 180.0
        return {self.scan.key(device): value for device, value in found.items()}

    def _rows(self) -> Iterator[dict[str, Any]]:
        scan = self.scan
        for i in range(scan.rows):
            order = np.array(scan.order(i))
            for j in [order] if scan.lines else order:
                yield self._point(i, j)

    def _point(self, i: int, j: Any) -> dict[str, Any]:
        """The data of an event: of a point, or of a line in the order of time."""
        scan, region, e = self.scan, self.index["region"], self.index["e"]
        if scan.scan_type == 4:
            region = int(j)
        shift = {"e": e, "region": region, "pol": self.index["pol"], "angle": self.index["angle"]}
        # numbers of Python's, as in documents that were JSON
        along = 0 if scan.scan_type == 4 else j
        data = {scan.key(name): np.asarray(scan.value(n, i, along, **shift)).tolist()
                for n, name in enumerate(scan.counters)}  # fmt: skip
        if scan.frame:
            data["ccd"] = scan.frame_at(i, int(j), e)
        fast, slow = scan.positioners
        places: dict[str, Any] = {}
        along_line = scan.scan_type in (2, 3, 4, 5)
        if scan.positions == "both":
            places[fast] = scan.x_at(i, j, e, region)
        if scan.positions == "both" or (scan.positions == "slow" and not along_line):
            first = j if along_line or not scan.lines else j[0]
            if scan.scan_type != 8:
                places[slow] = scan.y_at(i, first, e, region)
        if scan.positions != "none" and scan.scan_type in FOCUS:
            places["ZonePlate.Z"] = scan.z_at(i, j[0] if scan.lines else j)
        if scan.energy == "primary":
            places["ENERGY"] = scan.energy_at(i if scan.scan_type in (4, 5) else e)
        return {**data, **{scan.key(k): np.asarray(v).tolist() for k, v in places.items()}}


def cut(documents: Documents, events: int, exit_status: str | None = "abort") -> Documents:
    """A run that ended after some of its primary events, without readings of the baseline then.

    None for ``exit_status``: there's no stop document.
    """
    primary = {
        doc["uid"] for name, doc in documents if name == "descriptor" and doc["name"] == "primary"
    }
    kept: Documents = []
    seen = 0
    for name, doc in documents:
        if name == "event" and doc["descriptor"] in primary:
            if seen == events:
                break
            seen += 1
        elif name in ("event", "stop") and seen:
            break
        # the stream is only declared with its first event
        if events or not (name == "descriptor" and doc["uid"] in primary):
            kept.append((name, doc))
    if exit_status is not None:
        stop = documents[-1][1]
        counts = {**documents[-1][1]["num_events"], "primary": seen}
        if "baseline" in counts:
            counts["baseline"] = 1
        kept.append(("stop", {**stop, "exit_status": exit_status, "num_events": counts}))
    return kept


def paged(documents: Documents, size: int) -> Documents:
    """The same with pages of up to so many events."""
    made: Documents = []
    waiting: list[dict[str, Any]] = []

    def flush() -> None:
        if waiting:
            made.append(("event_page", dict(event_model.pack_event_page(*waiting))))  # type: ignore[arg-type]
            waiting.clear()

    for name, doc in documents:
        if name != "event":
            flush()
            made.append((name, doc))
            continue
        if waiting and (waiting[0]["descriptor"] != doc["descriptor"] or len(waiting) == size):
            flush()
        waiting.append(doc)
    flush()
    return made
