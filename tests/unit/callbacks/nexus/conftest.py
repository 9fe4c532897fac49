"""Runs as documents, and a writer that has written them."""

import itertools
import time

import pytest

from adsupport.callbacks.nexus import NXWriter

_UIDS = itertools.count()


def _uid():
    return f"{next(_UIDS):07x}0-0000-4000-8000-000000000000"


@pytest.fixture
def documents():
    """A function that makes the documents of a run."""
    return make_documents


def make_documents(
    streams,
    *,
    start=None,
    stop=True,
    uid=None,
    hints=None,
    objects=None,
    configuration=None,
    keys=None,
    when=1_660_000_000.0,
):
    """Make documents: ``streams`` is {stream: {key: [value of each row]}}; None leaves it out.

    ``keys`` updates the data keys, ``hints`` and ``objects`` ({object: [keys]}) stand in each
    descriptor.
    """
    start = {"uid": uid or _uid(), "time": when, "scan_id": 1, "plan_name": "scan", **(start or {})}
    found = [("start", start)]
    counts = {}
    for stream, columns in streams.items():
        own = objects or {}
        owner = {key: name for name, names in own.items() for key in names if key in columns}
        data_keys = {
            key: {
                **_described(values),
                "source": f"SIM:{key}",
                "object_name": owner.get(key, key),
                **((keys or {}).get(key, {})),
            }
            for key, values in columns.items()
        }
        object_keys = {}
        for key in columns:
            object_keys.setdefault(owner.get(key, key), []).append(key)
        descriptor = {
            "uid": _uid(),
            "run_start": start["uid"],
            "time": when + 0.5,
            "name": stream,
            "data_keys": data_keys,
            "object_keys": object_keys,
            "hints": hints or {},
            "configuration": configuration or {},
        }
        found.append(("descriptor", descriptor))
        rows = max((len(values) for values in columns.values()), default=0)
        for row in range(rows):
            data = {key: values[row] for key, values in columns.items() if values[row] is not None}
            found.append(
                (
                    "event",
                    {
                        "uid": _uid(),
                        "descriptor": descriptor["uid"],
                        "seq_num": row + 1,
                        "time": when + 1 + row,
                        "data": data,
                        "timestamps": dict.fromkeys(data, when + 1 + row - 0.25),
                        "filled": {},
                    },
                )
            )
        counts[stream] = rows
    if stop:
        found.append(
            (
                "stop",
                {
                    "uid": _uid(),
                    "run_start": start["uid"],
                    "time": when + 100,
                    "exit_status": "success",
                    "reason": "",
                    "num_events": counts,
                    **(stop if isinstance(stop, dict) else {}),
                },
            )
        )
    return found


def _described(values):
    first = next((each for each in values if each is not None), 0.0)
    if isinstance(first, bool):
        return {"dtype": "boolean", "shape": []}
    if isinstance(first, str):
        return {"dtype": "string", "shape": []}
    if isinstance(first, int):
        return {"dtype": "integer", "shape": []}
    if isinstance(first, float):
        return {"dtype": "number", "shape": []}
    shape = getattr(first, "shape", None)
    return {"dtype": "array", "shape": list(shape) if shape is not None else [len(first)]}


@pytest.fixture
def write(tmp_path):
    """A function that writes documents, and returns the file's path."""

    def call(found, writer=None, **options):
        writer = writer or NXWriter(
            **{"file_path": tmp_path, "warn_on_missing_content": False, **options}
        )
        for name, doc in found:
            writer.receiver(name, doc)
        if found[-1][0] == "stop":
            (result,) = writer.wait_writer(timeout=20)
        else:
            (result,) = writer.close(timeout=20)
        (path,) = result.paths
        return path

    return call


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    """Chicago, where the seed's run was made."""
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
