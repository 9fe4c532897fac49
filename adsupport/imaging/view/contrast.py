"""Which values of an image are black and white."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...errors import ConfigurationError

__all__ = ["AUTO_PERCENTILES", "Limits"]

#: Of the first frame of an acquisition: a few dead or hot pixels don't count.
AUTO_PERCENTILES = (0.1, 99.9)
_KINDS = ("auto", "percentile", "fixed")


@dataclass(frozen=True, slots=True)
class Limits:
    """How the values that are black and white are chosen.

    Parameters
    ----------
    kind : {"auto", "percentile", "fixed"}
        By the first frame of an acquisition, so that frames can be compared; by each frame; or
        given.
    low, high : float
        With ``percentile`` the percentiles, from 0 to 100; with ``fixed`` the values.

    Raises
    ------
    ConfigurationError
        They can't be.
    """

    kind: Literal["auto", "percentile", "fixed"] = "auto"
    low: float = AUTO_PERCENTILES[0]
    high: float = AUTO_PERCENTILES[1]

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigurationError(
                f"limits={self.kind!r}: expected one of {', '.join(map(repr, _KINDS))}, or two "
                "values."
            )
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigurationError(
                f"limits=({self.low!r}, {self.high!r}): expected two numbers, the smaller one "
                "first."
            )
        if self.kind != "fixed" and not (self.low >= 0 and self.high <= 100):
            raise ConfigurationError(
                f"limits: percentiles {self.low!r} and {self.high!r}; expected 0 to 100."
            )

    @classmethod
    def of(cls, given: Any) -> Limits:
        """Understand limits as users write them.

        Parameters
        ----------
        given : str, sequence of float, or Limits
            ``"auto"``; ``"percentile"``, for those from 1 to 99; or the lowest and the highest
            value.

        Returns
        -------
        Limits
            The same.

        Raises
        ------
        ConfigurationError
            It's none of these.

        Examples
        --------
        >>> Limits.of((0, 4095))
        Limits(kind='fixed', low=0.0, high=4095.0)
        """
        if isinstance(given, Limits):
            return given
        if isinstance(given, str) and given == "percentile":
            return cls("percentile", 1.0, 99.0)
        if isinstance(given, str) and given != "fixed":  # which needs its values
            return cls(given)  # type: ignore[arg-type]
        if isinstance(given, (Sequence, np.ndarray)) and len(given) == 2:
            try:
                low, high = float(given[0]), float(given[1])
            except (TypeError, ValueError):
                pass
            else:
                return cls("fixed", low, high)
        raise ConfigurationError(
            f"limits={given!r}: expected 'auto', 'percentile', or the lowest and the highest value."
        )
