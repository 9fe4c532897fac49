"""The times of rows: floats, whatever the documents have in their place."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

__all__ = ["check_times"]


def check_times(
    events: Sequence[dict[str, Any]], name: str, problem: Callable[[str], None]
) -> None:
    """Make floats of the times in rows; NaN of what isn't one.

    Parameters
    ----------
    events : sequence of dict
        The rows, with ``time`` and the dict ``timestamps``; changed, but not what documents own.
    name : str
        The stream, for messages.
    problem : callable
        Called with a sentence about what is wrong.  A timestamp of None is none, and not wrong.
    """
    # nearly all rows have floats only: to know that, no code runs for each of them
    stamps = chain.from_iterable([each["timestamps"].values() for each in events])
    if set(map(type, stamps)) | {type(each["time"]) for each in events} <= {float}:
        return
    for event in events:
        where = f"Stream {name!r}, seq_num {event['seq_num']}"
        event["time"] = _seconds(event["time"], f"{where}: the time", problem)
        event["timestamps"] = {
            key: math.nan
            if found is None
            else _seconds(found, f"{where}: the timestamp of {key!r}", problem)
            for key, found in event["timestamps"].items()
        }


def _seconds(found: Any, what: str, problem: Callable[[str], None]) -> float:
    if type(found) is float:
        return found
    try:
        if isinstance(found, (bool, str, bytes)):
            raise TypeError
        return float(found)
    except (TypeError, ValueError, OverflowError):
        text = repr(found)
        problem(f"{what} isn't a number of seconds: {text[:60]}.")
        return math.nan
