"""Streams and rows for tests of tables, without documents."""

from __future__ import annotations

from typing import Any

from adsupport.documents.run import Column, Rows, Stream


def column(
    name: str,
    dtype: str = "number",
    shape: tuple[int | None, ...] | None = (),
    *,
    external: bool = False,
    dtype_numpy: str | None = None,
) -> Column:
    """Describe a data key."""
    return Column(
        name,
        dtype,
        shape,  # type: ignore[arg-type]
        dtype_numpy,
        "mm",
        3,
        (None, None),
        f"PV:{name}",
        "dev",
        external,
        (),
        {},
    )


def stream(*columns: Column, name: str = "primary") -> Stream:
    """Describe a stream."""
    return Stream(name, columns={each.name: each for each in columns})


def rows(of: Stream, data: list[dict[str, Any]]) -> Rows:
    """Make rows, numbered on, 0.1 s apart; timestamps are 0.01 s before the time."""
    events = []
    for number, values in enumerate(data, of.rows + 1):
        time = 1.7e9 + number / 10
        stamps = dict.fromkeys(values, time - 0.01)
        events.append({"seq_num": number, "time": time, "data": values, "timestamps": stamps})
    of.rows += len(data)
    return Rows(of, events)
