"""Which frames of an acquisition files are, an image a file, by the numbers in their names."""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["RunningNumbers", "by_number", "running_numbers"]


@dataclass(frozen=True)
class RunningNumbers:
    """The number in the names that counts the frames.

    Parameters
    ----------
    numbers : tuple of int
        Of each file, as it stands in the name.
    step : int
        From one frame to the next.
    """

    numbers: tuple[int, ...]
    step: int

    @property
    def first(self) -> int:
        """The number of the first file."""
        return self.numbers[0]


def by_number(path: pathlib.Path) -> list[str | int]:
    """Make of a name what sorts by the numbers in it.

    Parameters
    ----------
    path : pathlib.Path
        Of a file.

    Returns
    -------
    list
        Text and numbers by turns.
    """
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def running_numbers(paths: Sequence[pathlib.Path]) -> RunningNumbers | None:
    """Find the number that counts the frames, though some of them may be missing.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Of the files, in their order.

    Returns
    -------
    RunningNumbers or None
        None when no number in the names grows from file to file, or more would be missing than
        are there: a time, for example.
    """
    parts = [by_number(path) for path in paths]
    if not parts or any(each[::2] != parts[0][::2] for each in parts):
        return None
    for column in zip(*(each[1::2] for each in parts), strict=True):
        steps = np.diff(np.array(column, dtype=object))
        if not all(step > 0 for step in steps):
            continue
        step = math.gcd(*steps) or 1
        if (column[-1] - column[0]) // step + 1 < 2 * len(column):
            return RunningNumbers(tuple(column), step)
    return None
