"""One run in every encoding that bluesky has for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Documents = list[tuple[str, dict[str, Any]]]

UID = "11111111-2222-3333-4444-555555555555"

_numbers = st.floats(allow_nan=True, allow_infinity=True)
_values = {
    "number": _numbers,
    "integer": st.integers(-(2**40), 2**40),
    "string": st.text(max_size=8),
    "boolean": st.booleans(),
    "array": st.lists(_numbers, min_size=3, max_size=3),
}


@st.composite
def runs(draw: Any) -> dict[str, Any]:
    """Draw a run: its streams with data keys, rows, and whether there are images."""
    streams = {}
    for name in draw(st.lists(st.sampled_from(["primary", "baseline", "darks"]), unique=True)):
        kinds = draw(st.lists(st.sampled_from(sorted(_values)), min_size=1, max_size=3))
        images = draw(st.booleans())
        rows = draw(st.integers(0, 6))
        table = [[draw(_values[kind]) for kind in kinds] for _ in range(rows)]
        streams[name] = {"kinds": kinds, "images": images, "table": table}
    return {"streams": streams, "stop": draw(st.booleans()), "seed": draw(st.integers(0, 10**6))}


def start_of(run: dict[str, Any]) -> Documents:
    return [("start", {"uid": UID, "time": 1000.0, "scan_id": 7, "detectors": ["d"]})]


def stop_of(run: dict[str, Any]) -> Documents:
    if not run["stop"]:
        return []
    counts = {name: len(stream["table"]) for name, stream in run["streams"].items()}
    stop = {"uid": f"{UID}-stop", "run_start": UID, "time": 2000.0, "exit_status": "success"}
    return [("stop", stop | {"num_events": counts})]


def descriptor_of(
    name: str, stream: dict[str, Any], number: int = 0, streamed: bool = False
) -> Any:
    keys: dict[str, Any] = {
        f"k{i}": {
            "dtype": kind,
            "shape": [3] if kind == "array" else [],
            "source": "x",
            "units": "mm",
        }
        for i, kind in enumerate(stream["kinds"])
    }
    if stream["images"]:
        external = "STREAM:" if streamed else "FILESTORE:"
        keys["image"] = {
            "dtype": "array",
            "shape": [2, 4, 5],
            "source": "y",
            "external": external,
        }
    return {
        "uid": f"{name}-{number}",
        "run_start": UID,
        "time": 1000.5,
        "name": name,
        "data_keys": keys,
        "object_keys": {"d": list(keys)},
        "configuration": {"d": {"data": {}, "timestamps": {}, "data_keys": {}}},
        "hints": {"d": {"fields": ["k0"]}},
    }


def resource_of(name: str) -> dict[str, Any]:
    return {
        "uid": f"r-{name}",
        "run_start": UID,
        "spec": "AD_HDF5",
        "root": "/",
        "resource_path": f"data/{name}.h5",
        "resource_kwargs": {"frame_per_point": 2},
        "path_semantics": "posix",
    }


def events_of(
    name: str, stream: dict[str, Any], per_descriptor: int = 10**6, images: bool = True
) -> Any:
    for index, row in enumerate(stream["table"]):
        data = {f"k{i}": value for i, value in enumerate(row)}
        event = {
            "descriptor": f"{name}-{index // per_descriptor}",
            "uid": f"{name}/{index}",
            "seq_num": index + 1,
            "time": 1001.0 + index,
            "data": data,
            "timestamps": dict.fromkeys(data, 1001.5 + index),
            "filled": {},
        }
        if stream["images"] and images:
            data["image"] = f"r-{name}/{index}"
            event["timestamps"]["image"] = 1001.5 + index
            event["filled"]["image"] = False
        yield event


def datums_of(name: str, stream: dict[str, Any]) -> list[dict[str, Any]]:
    if not stream["images"]:
        return []
    return [
        {
            "datum_id": f"r-{name}/{index}",
            "resource": f"r-{name}",
            "datum_kwargs": {"point_number": index},
        }
        for index in range(len(stream["table"]))
    ]


def singly(run: dict[str, Any]) -> Documents:
    """As the RunEngine emits."""
    docs = start_of(run)
    for name, stream in run["streams"].items():
        docs.append(("descriptor", descriptor_of(name, stream)))
        if stream["images"]:
            docs.append(("resource", resource_of(name)))
        datums = datums_of(name, stream)
        for index, event in enumerate(events_of(name, stream)):
            docs += [("datum", datums[index])] if datums else []
            docs.append(("event", event))
    return docs + stop_of(run)


def in_pages(run: dict[str, Any]) -> Documents:
    """In pages of two, and one page of datums."""
    docs = start_of(run)
    for name, stream in run["streams"].items():
        docs.append(("descriptor", descriptor_of(name, stream)))
        datums = datums_of(name, stream)
        if datums:
            page = {
                "resource": f"r-{name}",
                "datum_id": [each["datum_id"] for each in datums],
                "datum_kwargs": {"point_number": list(range(len(datums)))},
            }
            docs += [("resource", resource_of(name)), ("datum_page", page)]
        events = list(events_of(name, stream))
        for first in range(0, len(events), 2):
            docs.append(("event_page", page_of(events[first : first + 2])))
    return docs + stop_of(run)


def page_of(events: list[dict[str, Any]]) -> dict[str, Any]:
    page: dict[str, Any] = {"descriptor": events[0]["descriptor"]}
    for key in ("uid", "seq_num", "time"):
        page[key] = [each[key] for each in events]
    for key in ("data", "timestamps", "filled"):
        page[key] = {name: [each[key][name] for each in events] for name in events[0][key]}
    return page


def in_bulk(run: dict[str, Any]) -> Documents:
    """All events of a stream at once."""
    docs = start_of(run)
    for name, stream in run["streams"].items():
        docs.append(("descriptor", descriptor_of(name, stream)))
        datums = datums_of(name, stream)
        if datums:
            bulk = {
                "resource": f"r-{name}",
                "datum_ids": [each["datum_id"] for each in datums],
                "datum_kwarg_list": [each["datum_kwargs"] for each in datums],
            }
            docs += [("resource", resource_of(name)), ("bulk_datum", bulk)]
        events = list(events_of(name, stream))
        if events:
            docs.append(("bulk_events", {f"{name}-0": events}))
    return docs + stop_of(run)


def shuffled(run: dict[str, Any]) -> Documents:
    """Everything between start and stop in any order, some of it twice."""
    start, *middle = singly(run)
    stop = [middle.pop()] if run["stop"] else []
    chance = random.Random(run["seed"])
    # the order of streams is that of their descriptors, which the RunEngine makes
    order = [each for each in middle if each[0] == "descriptor"]
    others = [each for each in middle if each[0] != "descriptor"]
    others += [each for each in others if chance.random() < 0.3]
    chance.shuffle(others)
    return [start, *order, *others, *stop]


def with_descriptors(run: dict[str, Any]) -> Documents:
    """With another descriptor after each second row: the configuration was changed."""
    docs = start_of(run)
    for name, stream in run["streams"].items():
        docs.append(("descriptor", descriptor_of(name, stream)))
        if stream["images"]:
            docs.append(("resource", resource_of(name)))
        docs += [("datum", each) for each in datums_of(name, stream)]
        for event in events_of(name, stream, per_descriptor=2):
            uid = event["descriptor"]
            if event["seq_num"] % 2 and event["seq_num"] > 1:
                number = int(uid.rpartition("-")[2])
                docs.append(("descriptor", descriptor_of(name, stream, number)))
            docs.append(("event", event))
    return docs + stop_of(run)


def streamed(run: dict[str, Any]) -> Documents:
    """With images by stream_resource and stream_datum."""
    docs = start_of(run)
    for name, stream in run["streams"].items():
        docs.append(("descriptor", descriptor_of(name, stream, streamed=True)))
        rows = len(stream["table"])
        if stream["images"]:
            resource = {
                "uid": f"r-{name}",
                "run_start": UID,
                "data_key": "image",
                "mimetype": "application/x-hdf5",
                "uri": f"file://localhost/data/{name}.h5",
                "parameters": {"dataset": "/entry/data/data", "chunk_shape": [1, 4, 5]},
            }
            docs.append(("stream_resource", resource))
        docs += [("event", each) for each in events_of(name, stream, images=False)]
        for first in range(0, rows if stream["images"] else 0, 3):
            stop = min(rows, first + 3)
            datum = {
                "uid": f"r-{name}/{first}",
                "stream_resource": f"r-{name}",
                "descriptor": f"{name}-0",
                "indices": {"start": first, "stop": stop},
                "seq_nums": {"start": first + 1, "stop": stop + 1},
            }
            docs.append(("stream_datum", datum))
    return docs + stop_of(run)


ENCODINGS: dict[str, Callable[[dict[str, Any]], Documents]] = {
    "singly": singly,
    "in pages": in_pages,
    "in bulk": in_bulk,
    "shuffled": shuffled,
    "with descriptors": with_descriptors,
    "streamed": streamed,
}


SIMPLE: dict[str, Any] = {
    "streams": {
        "baseline": {"kinds": ["number"], "images": False, "table": [[1.0], [2.0]]},
        "primary": {"kinds": ["number", "string"], "images": True, "table": [[0.5, "a"]] * 5},
    },
    "stop": True,
    "seed": 1,
}


def runs_of(uid: str) -> Documents:
    """Return the documents of a simple run of this uid."""

    def renamed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: renamed(each, name) for name, each in value.items()}
        if value == UID:
            return uid
        if key in ("uid", "descriptor", "resource", "datum_id") and uid != "abc":
            return f"{value}-{uid}"
        if key == "image" and isinstance(value, str):
            return f"{value}-{uid}" if uid != "abc" else value
        return value

    return [(kind, renamed(doc)) for kind, doc in singly(SIMPLE)]
