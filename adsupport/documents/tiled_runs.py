"""Runs in tiled, as documents: made from what the server has, a stream after the other.

bluesky_tiled_plugins' own ``run.documents()`` needs an exporter that most servers haven't, and has
the whole run in memory.  Tiled keeps no resource, datum or event documents: images become
stream_resource and stream_datum documents, and events have uids made of those of their descriptors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

__all__ = ["tiled_documents"]

Document = tuple[str, dict[str, Any]]

#: Rows of an event page.
PAGE = 1000


def tiled_documents(run: Any) -> Iterator[Document]:
    """Go through a run in tiled.

    Parameters
    ----------
    run : bluesky_tiled_plugins.BlueskyRun
        A run, as written by ``TiledWriter`` or copied from MongoDB.

    Yields
    ------
    str, dict
        ``start``; ``descriptor``, ``event_page``, ``stream_resource`` and ``stream_datum`` of
        each stream, in the order in which these began; ``stop`` unless there is none.
    """
    if not any(spec.name == "BlueskyRun" and spec.version[:2] == "3." for spec in run.specs):
        yield from run.documents(fill=False)  # the server has documents
        return
    metadata = _plain(run.metadata)
    start = metadata["start"]
    yield "start", start
    run = getattr(run, "v3", run)
    streams = [_Stream(run[name]) for name in run]
    for stream in sorted(streams, key=lambda stream: stream.descriptors[0].get("time", 0)):
        yield from stream.documents()
    if metadata.get("stop"):
        yield "stop", metadata["stop"]


class _Stream:
    """A stream of a run: a table of small values, and arrays beside it."""

    def __init__(self, client: Any) -> None:
        self.descriptors: list[dict[str, Any]] = [_plain(each) for each in client.descriptors]
        for descriptor in self.descriptors:
            for data_key in descriptor["data_keys"].values():
                if "external" in data_key:  # there are no datums any more
                    data_key["external"] = "STREAM:"
        self._parts = client.base
        self._names = list(self._parts)

    def documents(self) -> Iterator[Document]:
        for descriptor in self.descriptors:
            yield "descriptor", descriptor
        keys = self.descriptors[0]["data_keys"]
        arrays: dict[str, Any] = {}
        for name in self._names:
            if name == "internal":
                continue
            if keys.get(name, {}).get("external"):
                yield from self._images(name, keys[name])
            else:
                arrays[name] = self._parts[name]
        yield from self._events(arrays)

    # events

    def _events(self, arrays: dict[str, Any]) -> Iterator[Document]:
        offset = 0
        for table in self._tables():
            for first in range(0, len(table), PAGE):
                part = table.iloc[first : first + PAGE]
                rows = slice(offset, offset + len(part))
                offset += len(part)
                columns = {name: _values(part[name]) for name in part.columns}
                columns |= {name: list(array[rows]) for name, array in arrays.items()}
                yield from self._pages(columns)

    def _tables(self) -> Iterator[Any]:
        """Go through the partitions of the table, rows in the order of their numbers."""
        if "internal" not in self._names:
            return
        from dask import config

        node = self._parts["internal"]
        for index in range(node.structure().npartitions):
            # dask would make texts of lists, such as "[0. 1. 2.]"
            with config.set({"dataframe.convert-string": False}):
                table = node.read_partition(index)
            yield table.sort_values("seq_num", kind="stable")

    def _pages(self, columns: dict[str, list[Any]]) -> Iterator[Document]:
        """Make pages, each of the events of one descriptor."""
        numbers, times = columns.pop("seq_num"), columns.pop("time")
        stamps = {key[3:]: columns.pop(key) for key in [*columns] if key.startswith("ts_")}
        data = {key: values for key, values in columns.items() if key in self._known}
        owners = [self._owner(time) for time in times]
        first = 0
        while first < len(numbers):
            last = first
            while last < len(numbers) and owners[last] == owners[first]:
                last += 1
            rows = slice(first, last)
            yield (
                "event_page",
                {
                    "descriptor": owners[first],
                    "uid": [f"event-{owners[first]}-{number}" for number in numbers[rows]],
                    "seq_num": numbers[rows],
                    "time": times[rows],
                    "data": {key: values[rows] for key, values in data.items()},
                    "timestamps": {key: stamps.get(key, times)[rows] for key in data},
                    "filled": {},
                },
            )
            first = last

    @property
    def _known(self) -> set[str]:
        return {key for each in self.descriptors for key in each["data_keys"]}

    def _owner(self, time: float) -> str:
        """Find the descriptor that was the latest when an event happened."""
        begun = [each for each in self.descriptors[1:] if each.get("time", 0) <= time]
        return (begun or self.descriptors)[-1 if begun else 0]["uid"]

    # images

    def _images(self, name: str, data_key: dict[str, Any]) -> Iterator[Document]:
        node, descriptor = self._parts[name], self.descriptors[0]["uid"]
        sources = node.data_sources() or []
        if not sources:
            return
        source = sources[0]
        assets = sorted(source.assets, key=lambda asset: asset.num or 0)
        uris = [each.data_uri for each in assets if each.parameter in ("data_uri", "data_uris")]
        kept = {key: value for key, value in _plain(node.metadata).items() if key != "spec"}
        parameters = kept | dict(source.parameters)
        uri, first = uris[0] if uris else assets[0].data_uri, 0
        if source.mimetype.startswith("multipart/") and "template" not in parameters:
            uri, parameters["template"], first = _template(uris)
        shape, row = list(node.shape), list(data_key["shape"])
        stacked = len(shape) == len(row) + 1  # else the frames of all rows follow each other
        rows = shape[0] if stacked else shape[0] // (row[0] or 1)
        first //= row[0] if row and len(row) > 2 else 1  # from files to rows
        resource = {
            "uid": f"sr-{descriptor}-{name}",
            "data_key": name,
            "run_start": self.descriptors[0]["run_start"],
            "mimetype": source.mimetype,
            "uri": uri,
            "parameters": parameters,
        }
        yield "stream_resource", resource
        yield (
            "stream_datum",
            {
                "uid": f"sd-{descriptor}-{name}",
                "stream_resource": resource["uid"],
                "descriptor": descriptor,
                "indices": {"start": first, "stop": first + rows},
                "seq_nums": {"start": 1, "stop": rows + 1},
            },
        )


def _template(uris: Sequence[str]) -> tuple[str, str, int]:
    """Find out how the files of a series are numbered.

    Returns
    -------
    str, str, int
        The directory's URI, a template for the names, and the first number.  Of names without
        one series of numbers the first is the template: whoever reads it says what's wrong.
    """
    directory, _, _ = uris[0].rpartition("/")
    names = [unquote(each.rpartition("/")[2]) for each in uris]
    for match in reversed(list(re.finditer(r"\d+", names[0]))):
        before, after = names[0][: match.start()], names[0][match.end() :]
        template = f"{before}{{:0{len(match[0])}d}}{after}"
        first = int(match[0])
        if names == [template.format(first + index) for index in range(len(names))]:
            return directory + "/", template, first
    return directory + "/", names[0], 0


def _values(column: Any) -> list[Any]:
    return [_plain(each) for each in column.tolist()]


def _plain(value: Any) -> Any:
    """Make dictionaries and lists of tiled's views of these."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value
