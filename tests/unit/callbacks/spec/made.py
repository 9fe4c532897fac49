"""Documents of runs for tests of SPEC files."""

from __future__ import annotations

from typing import Any

BEGUN = 1_700_000_000.25


class MadeRun:
    """Documents of one run, one after the other; each method returns one or several."""

    def __init__(self, uid: str = "run-1", scan_id: int | None = 1, **start: Any) -> None:
        self.uid = uid
        self.start: dict[str, Any] = {"uid": uid, "time": BEGUN, "plan_name": "count"}
        if scan_id is not None:
            self.start["scan_id"] = scan_id
        self.start.update(start)
        self.counts: dict[str, int] = {}

    def descriptor(
        self,
        data: dict[str, Any],
        name: str = "primary",
        hints: dict[str, list[str]] | None = None,
        objects: dict[str, list[str]] | None = None,
        **data_keys: dict[str, Any],
    ) -> dict[str, Any]:
        keys = {key: {**key_of(value), **data_keys.get(key, {})} for key, value in data.items()}
        return {
            "uid": f"{self.uid}-{name}",
            "run_start": self.uid,
            "time": BEGUN,
            "name": name,
            "data_keys": keys,
            "hints": {key: {"fields": fields} for key, fields in (hints or {}).items()},
            "object_keys": objects or {key: [key] for key in data},
            "configuration": {},
        }

    def event(self, data: dict[str, Any], name: str = "primary") -> dict[str, Any]:
        number = self.counts[name] = self.counts.get(name, 0) + 1
        time = BEGUN + number / 8
        return {
            "uid": f"{self.uid}-{name}-{number}",
            "descriptor": f"{self.uid}-{name}",
            "seq_num": number,
            "time": time,
            "data": data,
            "timestamps": dict.fromkeys(data, time),
            "filled": {},
        }

    def stop(self, exit_status: str = "success", **more: Any) -> dict[str, Any]:
        return {
            "uid": f"{self.uid}-stop",
            "run_start": self.uid,
            "time": BEGUN + 60,
            "exit_status": exit_status,
            "num_events": dict(self.counts),
            **more,
        }

    def documents(
        self, rows: list[dict[str, Any]], baseline: dict[str, Any] | None = None, **described: Any
    ) -> list[tuple[str, Any]]:
        """Make the documents of a whole run."""
        found: list[tuple[str, Any]] = [("start", self.start)]
        if baseline is not None:
            found.append(("descriptor", self.descriptor(baseline, "baseline")))
            found.append(("event", self.event(baseline, "baseline")))
        if rows:
            found.append(("descriptor", self.descriptor(rows[0], **described)))
            found += [("event", self.event(row)) for row in rows]
        return [*found, ("stop", self.stop())]


def key_of(value: Any) -> dict[str, Any]:
    """Describe a value as a device would."""
    shape = list(getattr(value, "shape", ())) or ([len(value)] if isinstance(value, list) else [])
    kind = "array" if shape else "string" if isinstance(value, str) else "number"
    kind = "boolean" if isinstance(value, bool) else kind
    return {"source": "PV:made", "dtype": kind, "shape": shape}


def play(writer: Any, *runs: list[tuple[str, Any]]) -> list[Any]:
    """Give documents to a writer, and wait for its files."""
    for documents in runs:
        for name, doc in documents:
            writer(name, doc)
    return writer.wait_writer(20)
