"""Which data key becomes which column, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from adsupport.documents.run import Column, Run, Stream

from .text import unique_labels

__all__ = ["Layout", "is_number", "layout_of"]

_NUMBERS = ("number", "integer", "boolean")


@dataclass(frozen=True)
class Layout:
    """The columns of a scan.

    Parameters
    ----------
    before, after : tuple of str
        Data keys of the columns before and after ``Epoch`` and ``Epoch_float``.
    arrays : tuple of Column
        What becomes lines ``@A`` behind each row, in this order.
    texts : tuple of str
        Data keys whose values are no numbers: lines ``#U`` behind each row.
    images : tuple of str
        Data keys of images in files, which a SPEC file doesn't hold.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    arrays: tuple[Column, ...] = ()
    texts: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    labels: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        # The two that every scan has keep their names, whatever the devices are called.
        ours = ("Epoch", "Epoch_float")
        made = unique_labels([*ours, *self.before, *self.after])[2:]
        middle = len(self.before)
        object.__setattr__(self, "labels", (*made[:middle], *ours, *made[middle:]))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Data keys of the columns, without the two of time."""
        return self.before + self.after

    @property
    def keys(self) -> frozenset[str]:
        """All data keys that have their place."""
        arrays = (each.name for each in self.arrays)
        return frozenset((*self.numbers, *arrays, *self.texts, *self.images))


def layout_of(run: Run, stream: Stream) -> Layout:
    """Lay out the columns of a scan.

    Parameters
    ----------
    run : Run
        The run, whose start document names motors and detectors.
    stream : Stream
        The stream of the rows, ``primary``.

    Returns
    -------
    Layout
        Columns in SPEC's order: motors, time, all others, detectors; motors and detectors in
        the order of the start document, the first detector last.
    """
    # Only of the first descriptor: whether a later one is known already depends on the pace.
    first = stream.descriptors[0]["data_keys"] if stream.descriptors else stream.columns
    columns = {key: each for key, each in stream.columns.items() if key in first}
    images = [each.name for each in columns.values() if each.external]
    arrays = [each for each in columns.values() if _is_array(each)]
    numbers = [each.name for each in columns.values() if is_number(each)]
    taken = {*images, *numbers, *(each.name for each in arrays)}

    motors = _pick(numbers, (key for name in run.motors for key in _motor_keys(stream, name)))
    rest = [key for key in numbers if key not in motors]
    named = (key for name in run.detectors for key in _detector_keys(stream, name))
    detectors = _pick(rest, named)
    others = [key for key in rest if key not in detectors]
    return Layout(
        before=tuple(motors),
        after=(*others, *detectors[1:], *detectors[:1]),
        arrays=tuple(arrays),
        texts=tuple(key for key in columns if key not in taken),
        images=tuple(images),
    )


def is_number(column: Column) -> bool:
    """Tell whether the values of a data key are single numbers, as those of a position.

    Parameters
    ----------
    column : Column
        What the descriptor says.

    Returns
    -------
    bool
        Whether they are.
    """
    return column.is_scalar and column.dtype in _NUMBERS


def _is_array(column: Column) -> bool:
    text = column.dtype == "string" or (column.dtype_numpy or "").lstrip("<>=|")[:1] in ("U", "S")
    return not column.external and not column.is_scalar and not text


def _pick(known: Iterable[str], wanted: Iterable[str]) -> list[str]:
    there = set(known)
    return [key for key in dict.fromkeys(wanted) if key in there]


def _hinted(stream: Stream, name: str) -> list[str]:
    return list(stream.hints.get(name, {}).get("fields", ()))


def _motor_keys(stream: Stream, name: str) -> list[str]:
    if name in stream.columns:
        return [name]
    return _hinted(stream, name) or list(stream.object_keys.get(name, ()))[:1]


def _detector_keys(stream: Stream, name: str) -> list[str]:
    return _hinted(stream, name) or [name]
