"""An experiment at each tile of a mosaic, for samples that are wider than the beam."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.protocols import Locatable
from bluesky.utils import Msg, new_uid

from ...errors import ConfigurationError
from ..arguments import finite
from ..cleanup import Plan, Step, with_cleanup
from ..sample import check_limits

__all__ = ["mosaic"]


def mosaic(
    experiment: Any,
    x: Any,
    x_positions: Sequence[float],
    y: Any,
    y_positions: Sequence[float],
    *,
    snake: bool = True,
    md: Mapping[str, Any] | None = None,
) -> Generator[Msg, Any, tuple[Any, ...]]:
    """Run an experiment at each tile: row by row, a run for each.

    In the end both axes are moved back to where they were, also when the experiment fails and
    after ``RE.stop()`` and ``RE.abort()``; not after ``RE.halt()``, which allows nothing more.

    Parameters
    ----------
    experiment : Experiment
        An object with ``run(**md)``, a plan.
    x, y : bluesky Movable and Readable
        The axes; x moves from tile to tile in a row.
    x_positions, y_positions : sequence of float
        Positions of columns and rows, in the axes' units.
    snake : bool
        Whether every other row is taken backwards, for short ways.
    md : mapping, optional
        For each start document, which has besides ``mosaic``: uid, index from 0, row, column,
        rows, columns, x and y (in the axes' units).

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    tuple
        What the experiments returned, in the order in which the tiles were taken: the uids of
        their runs.

    Raises
    ------
    ConfigurationError
        An argument can't be, or a position is beyond an axis' limits; nothing has been moved.
    BaseException
        What went wrong, when the axes have been moved back.
    """
    if not callable(getattr(experiment, "run", None)):
        raise ConfigurationError(f"experiment must be an Experiment, got {experiment!r}.")
    if x is y:
        raise ConfigurationError(f"x and y are both {x.name}.")
    columns = _positions(x, "x_positions", x_positions, "column")
    rows = _positions(y, "y_positions", y_positions, "row")
    tiles = [
        (row, column)
        for row in range(len(rows))
        for column in (range(len(columns))[::-1] if snake and row % 2 else range(len(columns)))
    ]
    about = {"uid": new_uid(), "rows": len(rows), "columns": len(columns)}
    x_before = yield from _position(x)
    y_before = yield from _position(y)
    moved: set[Any] = set()

    def run() -> Generator[Msg, Any, tuple[Any, ...]]:
        results, stands = [], {}
        for index, (row, column) in enumerate(tiles):
            yield from bps.checkpoint()
            places = {x: columns[column], y: rows[row]}
            ways = {axis: to for axis, to in places.items() if stands.get(axis) != to}
            moved.update(ways)
            yield from bps.mv(*(each for way in ways.items() for each in way))
            stands = places
            here = {"index": index, "row": row, "column": column, "x": places[x], "y": places[y]}
            results.append((yield from experiment.run(**{**(md or {}), "mosaic": about | here})))
        return tuple(results)

    def steps() -> list[Step]:
        befores = {x: x_before, y: y_before}
        return [
            (f"move {axis.name} back to {before:g}", lambda axis=axis, to=before: _back(axis, to))
            for axis, before in befores.items()
            if axis in moved
        ]

    return (yield from with_cleanup(run(), steps))


def _positions(axis: Any, argument: str, positions: Any, what: str) -> list[float]:
    """Check the positions of an axis."""
    try:
        listed = [finite(f"{argument}[{i}]", each) for i, each in enumerate(positions)]
    except TypeError:
        listed = []
    if not listed:
        raise ConfigurationError(
            f"{argument} must be a list of at least one position of {axis.name}, got {positions!r}."
        )
    check_limits(axis, {f"{what} {i} is": each for i, each in enumerate(listed)})
    return listed


def _position(axis: Any) -> Generator[Msg, Any, float]:
    """Find out where an axis was sent to; where it is, of one that doesn't tell."""
    if isinstance(axis, Locatable):
        location = yield Msg("locate", axis)
        return 0.0 if location is None else location["setpoint"]
    return (yield from bps.rd(axis))


def _back(axis: Any, position: float) -> Plan:
    yield from bps.mv(axis, position)
