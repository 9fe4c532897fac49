"""One view of a run: what writers of files see, whatever encoding the documents came in.

The router (:class:`~adsupport.documents.router.RunRouter`) turns documents into these objects
and hands them to a :class:`RunConsumer`, in an order that doesn't depend on the encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .sentences import Sentences

__all__ = ["Column", "Rows", "Run", "RunConsumer", "Stream"]

#: Seconds since 1970 in which dates can be told, from year 1 to 9999, a day short of each.
_FIRST_DATE, _LAST_DATE = -62_135_500_000, 253_402_200_000


@dataclass(frozen=True)
class Column:
    """What a stream's descriptor says of a data key.

    Parameters
    ----------
    name : str
        The data key.
    dtype : str
        ``"number"``, ``"integer"``, ``"string"``, ``"boolean"`` or ``"array"``.
    shape : tuple of int or None
        Of one row's value; ``()`` for scalars.  None stands for a length that varies.
    dtype_numpy : str or None
        numpy's name of the type, such as ``"<u2"``, where the device gave one; for a structured
        type, None.
    units : str
        Empty when the device gave none.
    precision : int or None
        Digits behind the point, for display.
    limits : tuple of float or None
        Lower and upper limit of control; None for one that isn't there.
    source : str
        Such as ``"PV:gp:m1.RBV"``.
    object_name : str
        The device that the key belongs to; empty when unknown.
    external : bool
        Whether the values are images in files.  A row holds
        :class:`~adsupport.documents.assets.Frames` then; None when its images never were
        announced; or the images as an array, when the documents came filled.
    dims : tuple of str
        Names of the axes, where the device gave them.
    data_key : dict
        The descriptor's own entry, for what isn't above.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    dtype_numpy: str | None
    units: str
    precision: int | None
    limits: tuple[float | None, float | None]
    source: str
    object_name: str
    external: bool
    dims: tuple[str, ...]
    data_key: dict[str, Any] = field(repr=False, compare=False)

    @property
    def is_scalar(self) -> bool:
        """Whether a row has one value, and not an array."""
        return not self.external and self.dtype != "array" and not self.shape


@dataclass(eq=False)
class Stream:
    """The events of one name in a run: ``primary``, ``baseline``, ``darks`` and so on.

    Parameters
    ----------
    name : str
        Its name.
    descriptors : list of dict
        The event descriptors, in the order of their time; most streams have one.
    columns : dict of str to Column
        By data key; with several descriptors all keys of any of them, and of a key that two
        have, what the first says.
    hints : dict of str to dict
        By object: ``{"motor": {"fields": ["motor"]}}``.
    object_keys : dict of str to list of str
        Data keys by object.
    configuration : dict of str to dict
        By object, each with ``data``, ``timestamps`` and ``data_keys``, of the first descriptor.
    rows : int
        How many rows have been delivered.
    """

    name: str
    descriptors: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    hints: dict[str, dict[str, Any]] = field(default_factory=dict)
    object_keys: dict[str, list[str]] = field(default_factory=dict)
    configuration: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: int = 0

    @property
    def uid(self) -> str:
        """The first descriptor's uid."""
        return str(self.descriptors[0]["uid"])

    def hinted(self) -> list[str]:
        """List the data keys that the devices hint at, which are those to plot.

        Returns
        -------
        list of str
            In the order of objects and fields.
        """
        fields = [key for hint in self.hints.values() for key in hint.get("fields", ())]
        return [key for key in dict.fromkeys(fields) if key in self.columns]


@dataclass(eq=False)
class Run:
    """A run as far as its documents have come.

    Parameters
    ----------
    start : dict
        The start document.
    streams : dict of str to Stream
        In the order of their first rows.
    stop : dict or None
        The stop document; None while the run goes on, and for good if there never was one.
    problems : list of str
        What was wrong with the documents, or was left out: each a sentence, of very many only
        the first.  Empty for a run that is whole.
    remarks : list of str
        What is unusual and costs no data, such as a point that was taken again.
    """

    start: dict[str, Any]
    streams: dict[str, Stream] = field(default_factory=dict)
    stop: dict[str, Any] | None = None
    problems: Sentences = field(default_factory=Sentences)
    remarks: Sentences = field(default_factory=Sentences)

    @property
    def uid(self) -> str:
        """The run's uid."""
        return str(self.start["uid"])

    @property
    def scan_id(self) -> int | None:
        """The scan's number; None when the documents give none, or what isn't a whole number."""
        found = self.start.get("scan_id")
        try:
            number = int(found)  # type: ignore[arg-type]
            return number if number == found or isinstance(found, str) else None
        except (TypeError, ValueError, OverflowError):
            return None

    @property
    def time(self) -> float:
        """When it began, seconds since 1970 (UTC); 0 when the start document has no such time."""
        return _seconds(self.start.get("time")) or 0.0

    @property
    def stop_time(self) -> float | None:
        """When it ended, seconds since 1970 (UTC); None when no document tells that."""
        return _seconds((self.stop or {}).get("time"))

    @property
    def exit_status(self) -> str:
        """``"success"``, ``"abort"`` or ``"fail"``; ``"unknown"`` without a stop document."""
        return "unknown" if self.stop is None else str(self.stop.get("exit_status", "unknown"))

    @property
    def detectors(self) -> list[str]:
        """Names of the detectors, as the plan gave them."""
        return _names(self.start.get("detectors", ()))

    @property
    def motors(self) -> list[str]:
        """Names of the motors, as the plan gave them, slowest first."""
        return _names(self.start.get("motors", self.start.get("positioners", ())))

    def problem(self, text: str) -> None:
        """Note what is wrong, once.

        Parameters
        ----------
        text : str
            A sentence that names the document, stream or key.
        """
        self.problems.note(text)

    def remark(self, text: str) -> None:
        """Note what is unusual, once.

        Parameters
        ----------
        text : str
            A sentence.
        """
        self.remarks.note(text)


def _seconds(found: Any) -> float | None:
    try:
        number = float(found)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if _FIRST_DATE < number < _LAST_DATE else None  # nor NaN


def _names(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    try:
        return [str(each) for each in found]
    except TypeError:  # not a list: metadata are the user's own
        return []


class Rows:
    """Some rows of a stream, one after the other, with columns on demand.

    Parameters
    ----------
    stream : Stream
        Whose rows they are.
    events : sequence of dict
        One for each row, as an event document: ``seq_num``, ``time``, ``data``,
        ``timestamps``, ``descriptor``.  A key that a row doesn't have is missing there.
    """

    __slots__ = ("events", "stream")

    def __init__(self, stream: Stream, events: Sequence[dict[str, Any]]) -> None:
        self.stream = stream
        self.events = events

    def __len__(self) -> int:
        return len(self.events)

    def seq_nums(self) -> np.ndarray:
        """Return the rows' numbers, from 1.

        Returns
        -------
        numpy.ndarray
            (rows,), int64.
        """
        return np.fromiter((each["seq_num"] for each in self.events), np.int64, len(self.events))

    def times(self) -> np.ndarray:
        """Return the events' times.

        Returns
        -------
        numpy.ndarray
            (rows,), float64, seconds since 1970 (UTC).
        """
        return np.fromiter((each["time"] for each in self.events), np.float64, len(self.events))

    def values(self, key: str, missing: Any = None) -> list[Any]:
        """Return the values of a data key.

        Parameters
        ----------
        key : str
            The key.
        missing : any
            What stands for a row that doesn't have it.

        Returns
        -------
        list
            One for each row; :class:`~adsupport.documents.assets.Frames` when external.
        """
        return [each["data"].get(key, missing) for each in self.events]

    def timestamps(self, key: str) -> np.ndarray:
        """Return when the values of a data key were measured.

        Parameters
        ----------
        key : str
            The key.

        Returns
        -------
        numpy.ndarray
            (rows,), float64, seconds since 1970 (UTC); NaN where there is none.
        """
        found = (each["timestamps"].get(key, np.nan) for each in self.events)
        return np.fromiter(found, np.float64, len(self.events))


class RunConsumer(Protocol):
    """Who takes a run: the calls come from one thread, in this order."""

    def begin(self, run: Run) -> None:
        """Take the start of the run: there are no streams yet."""
        ...

    def stream(self, run: Run, stream: Stream) -> None:
        """Take a stream, right before its first rows, or when it has got another descriptor.

        Streams without rows come at the end.
        """
        ...

    def rows(self, run: Run, rows: Rows) -> None:
        """Take rows, which come in the order of ``seq_num`` and each once.

        How they are split into calls says nothing: one by one while the run is slow, thousands
        together from a catalog.
        """
        ...

    def end(self, run: Run) -> None:
        """Take the end: all rows have come.  ``run.stop`` is None if it was never told."""
        ...
