"""What becomes of many experiments when one fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from ...errors import AdsupportError, ConfigurationError
from ...wording import counted

__all__ = ["OnFailure", "SampleFailure", "SeriesError", "TileFailure", "check_policy", "told"]

#: Whether the first failure ends it, or all the others are measured.
OnFailure = Literal["stop", "skip"]


@dataclasses.dataclass(frozen=True)
class SampleFailure:
    """What went wrong with a sample of a series.

    Attributes
    ----------
    index : int
        The sample's place in the series, from 0.
    sample : any
        The sample, as given.
    stage : {"prepare", "experiment"}
        What failed.
    error : Exception
        What it raised.
    """

    index: int
    sample: Any
    stage: str
    error: Exception

    @property
    def what(self) -> str:
        """Which sample it was, without its number."""
        return repr(self.sample)

    def __str__(self) -> str:
        return f"sample {self.index + 1} ({self.what}), {self.stage}: {_in_short(self.error)}"


@dataclasses.dataclass(frozen=True)
class TileFailure:
    """What went wrong at a tile of a mosaic.

    Attributes
    ----------
    index : int
        The tile's place in the order in which they're taken, from 0.
    row, column : int
        Its place in the mosaic, from 0.
    x, y : float
        Where it is, in the axes' units.
    stage : {"move", "experiment"}
        What failed.
    error : Exception
        What it raised.
    """

    index: int
    row: int
    column: int
    x: float
    y: float
    stage: str
    error: Exception

    @property
    def what(self) -> str:
        """Which tile it was, without its number."""
        return f"row {self.row}, column {self.column}, at {self.x:g}, {self.y:g}"

    def __str__(self) -> str:
        return f"tile {self.index + 1} ({self.what}), {self.stage}: {_in_short(self.error)}"


class SeriesError(AdsupportError, RuntimeError):
    """Samples of a series or tiles of a mosaic failed, and the others were measured.

    Parameters
    ----------
    message : str
        The whole message.
    failures : iterable of SampleFailure or TileFailure
        What failed, in order.
    results : iterable
        For each sample or tile what its experiment returned; None for those that failed.
    remedy : str
        What to do.

    Attributes
    ----------
    failures : tuple of SampleFailure or TileFailure
        As given.
    results : tuple
        As given.
    """

    def __init__(
        self,
        message: str,
        failures: Iterable[Any] = (),
        results: Iterable[Any] = (),
        *,
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.failures, self.results = tuple(failures), tuple(results)

    def __str__(self) -> str:
        return "\n".join(each for each in (self.problem, self.remedy) if each)


def check_policy(on_failure: str) -> None:
    """Make sure that it's one of the two.

    Parameters
    ----------
    on_failure : str
        As given.

    Raises
    ------
    ConfigurationError
        It isn't.
    """
    if on_failure not in ("stop", "skip"):
        raise ConfigurationError(f'on_failure must be "stop" or "skip", got {on_failure!r}.')


def told(
    failures: Sequence[SampleFailure | TileFailure],
    results: Sequence[Any],
    on_failure: str,
    whole: str,
    each: str,
) -> Exception:
    """Make one error of all failures.

    Parameters
    ----------
    failures : sequence
        At least one.
    results : sequence
        See :class:`SeriesError`.
    on_failure : str
        The policy.
    whole, each : str
        What they're called: ``"series"`` of ``"sample"``.

    Returns
    -------
    Exception
        The first failure itself with a note, if it was the end; or a SeriesError.
    """
    first, number = failures[0], len(results)
    if on_failure == "stop":
        first.error.add_note(
            f"This was {first.stage} of {each} {first.index + 1} of {number}, {first.what}; "
            f"{counted(first.index, each)} had been measured, and the {whole} ended."
        )
        for other in failures[1:]:
            first.error.add_note(f"Besides, {other}")
        return first.error
    lines = "\n".join(f"  {failure}" for failure in failures)
    error = SeriesError(
        f"{len(failures)} of {counted(number, each)} failed:\n{lines}",
        failures,
        results,
        remedy=f"The others were measured. Run the {whole} again with those that failed.",
    )
    error.__cause__ = first.error
    return error


def _in_short(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}{': ' + lines[0] if lines else ''}"
