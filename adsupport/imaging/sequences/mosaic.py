"""An experiment at each tile of a mosaic, for samples that are wider than the beam."""

from __future__ import annotations

import logging
import math
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, new_uid

from ...errors import ConfigurationError
from ..asked.arguments import finite
from ..asked.given import mapping, movable
from ..beamline.starts import position_of
from ..motion.limits import check_limits, check_places
from ..motion.speeds import check_speed
from ..motion.standstill import halt
from ..stubs.arrival import check_arrival, half_a_step
from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.control import CONTROL
from ..stubs.moves_in_time import move_within_time
from .failures import OnFailure, TileFailure, check_policy, told
from .shielded_move import related

__all__ = ["mosaic"]

logger = logging.getLogger(__name__)

#: How far from its place an axis may stand, as part of the smallest way from tile to tile.
_NEAR = 0.05


def mosaic(
    experiment: Any,
    x: Any,
    x_positions: Sequence[float],
    y: Any,
    y_positions: Sequence[float],
    *,
    snake: bool = True,
    on_failure: OnFailure = "stop",
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
        The axes; x moves from tile to tile in a row.  The experiment mustn't move them itself, as
        a tomography does with the rotation, and with the axes of its ``sample``.
    x_positions, y_positions : sequence of float
        Positions of columns and rows, in the axes' units.
    snake : bool
        Whether every other row is taken backwards, for short ways.
    on_failure : {"stop", "skip"}
        Whether the mosaic ends at the first failure, or goes on with the next tile and tells all
        failures at the end.
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
        An argument can't be, a position is beyond an axis' limits, an axis' speed is 0, or the
        experiment moves an axis itself; nothing has been moved.
    SeriesError
        Tiles failed, with ``on_failure="skip"``; when the axes have been moved back.
    BaseException
        What failed first, with ``on_failure="stop"``, with a note that says at which tile; when
        the axes have been moved back.
    """
    check_policy(on_failure)
    if not callable(getattr(experiment, "run", None)):
        raise ConfigurationError(f"experiment must be an Experiment, got {experiment!r}.")
    for argument, axis in (("x", x), ("y", y)):
        movable(argument, axis)
    md = mapping("md", md)
    if x is y:
        raise ConfigurationError(f"x and y are both {x.name}.")
    for argument, axis in (("x", x), ("y", y)):
        _check_unused(argument, axis, experiment)
    columns = _positions(x, "x_positions", x_positions, "column")
    rows = _positions(y, "y_positions", y_positions, "row")
    tiles = [
        (row, column)
        for row in range(len(rows))
        for column in (range(len(columns))[::-1] if snake and row % 2 else range(len(columns)))
    ]
    about = {"uid": new_uid(), "rows": len(rows), "columns": len(columns)}
    for axis, what, places in ((x, "column", columns), (y, "row", rows)):
        yield from check_places(axis, _named(what, places))
        yield from check_speed(axis)
    halts: list[Step] = [(f"halt {axis.name}", partial(halt, axis)) for axis in (x, y)]
    steps_of = {x: 2 * half_a_step(columns), y: 2 * half_a_step(rows)}
    smallest = min(steps_of.values())  # for one that has no steps, as in a single row
    near = {
        axis: _NEAR * (smallest if math.isinf(step) else step) for axis, step in steps_of.items()
    }
    x_before = yield from position_of(x)
    y_before = yield from position_of(y)
    moved = False

    results: list[Any] = [None] * len(tiles)
    failures: list[TileFailure] = []

    def arrive(places: Mapping[Any, float]) -> Plan:
        there = False

        def go() -> Plan:
            nonlocal there
            # also an axis that stood there: nobody knows what the experiment did with it
            yield from move_within_time(places)
            for axis, place in places.items():
                yield from check_arrival(axis, place, near[axis])
            there = True

        # one that goes on, or fails late, isn't for the next tile
        yield from with_cleanup(go(), lambda: [] if there else halts)

    def run() -> Generator[Msg, Any, tuple[Any, ...]]:
        nonlocal moved
        for index, (row, column) in enumerate(tiles):
            yield from bps.checkpoint()
            places = {x: columns[column], y: rows[row]}
            here = {"index": index, "row": row, "column": column, "x": places[x], "y": places[y]}
            stage, moved = "move", True
            try:
                yield from arrive(places)
                stage = "experiment"
                start = {**(md or {}), "mosaic": about | here}
                results[index] = yield from experiment.run(**start)
            except CONTROL:
                raise
            except Exception as error:
                failures.append(TileFailure(**here, stage=stage, error=error))
                logger.error("%s", failures[-1], exc_info=error)
                if on_failure == "stop":
                    break
        if failures:
            raise told(failures, results, on_failure, "mosaic", "tile")
        return tuple(results)

    def steps() -> list[Step]:
        if not moved:
            return []
        return [
            *halts,
            *(
                (f"move {axis.name} back to {before:g}", partial(move_within_time, {axis: before}))
                for axis, before in ((x, x_before), (y, y_before))
            ),
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
    check_limits(axis, _named(what, listed))
    return listed


def _named(what: str, places: Sequence[float]) -> dict[str, float]:
    return {f"{what} {i} is": each for i, each in enumerate(places)}


def _check_unused(argument: str, axis: Any, experiment: Any) -> None:
    """Make sure that the experiment leaves an axis where it is."""
    if any(related(axis, each) for each in getattr(experiment, "moves", ())):
        raise ConfigurationError(
            f"{argument}: {axis.name} is moved by {experiment.name} itself: its tiles would be "
            "somewhere else",
            remedy="Give another axis, such as one below that which moves the sample out.",
        )
