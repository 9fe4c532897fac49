"""A digital filter over a series of arrays, pixel by pixel (NDPluginProcess)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True, slots=True)
class FilterCoefficients:
    """Numbers that make a filter of :class:`RecursiveFilter`; by default a recursive average.

    Attributes
    ----------
    o_offset, o_scale : float
        Offset and scale of the output.
    oc : tuple of float
        Coefficients OC1 to OC4 of the output.
    f_offset, f_scale : float
        Offset and scale of the stored array.
    fc : tuple of float
        Coefficients FC1 to FC4 of the stored array.
    r_offset : float
        Offset of the stored array after a reset.
    rc : tuple of float
        Coefficients RC1 and RC2 of the reset.
    """

    o_offset: float = 0.0
    o_scale: float = 1.0
    oc: tuple[float, float, float, float] = (1.0, -1.0, 0.0, 1.0)
    f_offset: float = 0.0
    f_scale: float = 1.0
    fc: tuple[float, float, float, float] = (1.0, -1.0, 0.0, 1.0)
    r_offset: float = 0.0
    rc: tuple[float, float] = (0.0, 1.0)


COEFFICIENTS = ("OC1", "OC2", "OC3", "OC4", "FC1", "FC2", "FC3", "FC4", "RC1", "RC2")
"""Names of what a preset sets, in the order of :func:`preset`."""

_PRESETS: Mapping[str, tuple[float | None, ...]] = MappingProxyType(
    {
        # None stands for 1 / NumFilter
        "RecursiveAve": (1, -1, 0, 1, 1, -1, 0, 1, 0, 1),
        "Average": (1, 0, None, 0, 1, 0, None, 0, 0, 0),
        "Sum": (1, 0, 1, 0, 1, 0, 1, 0, 0, 0),
        "Difference": (-1, 0, 1, 0, 0, 0, 1, 0, 0, 1),
        "RecursiveAveDiff": (-1, 0, 1, 0, 1, -1, 0, 1, 0, 1),
        "CopyToFilter": (0, 0, 1, 0, 0, 0, 1, 0, 0, 1),
    }
)

FILTER_TYPES = tuple(_PRESETS)
"""Filters that have a name, in the order of the choices of ``FilterType``."""


def preset(filter_type: str, reciprocal: float) -> dict[str, float]:
    """Return the coefficients of a filter with a name, by record (NDProcess.template).

    Parameters
    ----------
    filter_type : str
        One of :data:`FILTER_TYPES`.
    reciprocal : float
        ``1 / NumFilter``.

    Returns
    -------
    dict of str to float
        By the names in :data:`COEFFICIENTS`.
    """
    values = (reciprocal if value is None else value for value in _PRESETS[filter_type])
    return dict(zip(COEFFICIENTS, map(float, values), strict=True))


class RecursiveFilter:
    r"""A filter and the array that it stores.

    With input :math:`I`, stored array :math:`F` and output :math:`O`, and :math:`N` arrays
    filtered since the last reset (but not more than NumFilter), as ADCore documents it:

    .. math::

        O_n &= OOffset + OScale ((OC1 + OC2 / N) F_{n-1} + (OC3 + OC4 / N) I_n) \\
        F_n &= FOffset + FScale ((FC1 + FC2 / N) F_{n-1} + (FC3 + FC4 / N) I_n)

    and at a reset, before these, :math:`F = ROffset + RC1 F + RC2 I` and :math:`N = 0`, where
    :math:`F` is a copy of :math:`I` if there was none of the input's size.

    Attributes
    ----------
    count : int
        N: arrays filtered since the last reset, at most NumFilter.
    """

    def __init__(self) -> None:
        self.count = 0
        self._stored: np.ndarray | None = None

    def __call__(
        self,
        data: np.ndarray,
        coefficients: FilterCoefficients,
        number: int,
        *,
        reset: bool = False,
        auto_reset: bool = False,
    ) -> np.ndarray:
        """Filter one more array.

        Parameters
        ----------
        data : numpy.ndarray
            Float64, of any shape; not changed.
        coefficients : FilterCoefficients
            The filter.
        number : int
            NumFilter. With 0 or less, N stays 0: terms with a coefficient over N are infinite.
        reset : bool
            Whether to reset the filter first; an input of another size than the stored array's
            does so too.
        auto_reset : bool
            Whether to reset it once NumFilter arrays have been filtered.

        Returns
        -------
        numpy.ndarray
            The output, float64.
        """
        stored = self._stored
        if stored is None or stored.size != data.size:
            stored, reset = data.copy(), True
        stored = stored.reshape(data.shape)
        if reset or (auto_reset and self.count >= number):
            rc1, rc2 = coefficients.rc
            stored = _combine(coefficients.r_offset, rc1, stored, rc2, data)
            self.count = 0
        self.count = min(self.count + 1, max(number, self.count))
        out = [self._term(coefficients.o_scale, *pair) for pair in _pairs(coefficients.oc)]
        new = [self._term(coefficients.f_scale, *pair) for pair in _pairs(coefficients.fc)]
        output = _combine(coefficients.o_offset, out[0], stored, out[1], data)
        if out == new and coefficients.o_offset == coefficients.f_offset:
            self._stored = output
        else:
            self._stored = _combine(coefficients.f_offset, new[0], stored, new[1], data)
        return output

    def _term(self, scale: float, constant: float, over_count: float) -> float:
        with np.errstate(all="ignore"):
            return float(scale * (constant + np.float64(over_count) / self.count))


def _pairs(
    values: tuple[float, float, float, float],
) -> tuple[tuple[float, float], tuple[float, float]]:
    return values[:2], values[2:]


def _combine(
    offset: float, first: float, stored: np.ndarray, second: float, data: np.ndarray
) -> np.ndarray:
    """Return ``offset + first * stored + second * data``, leaving out terms times 0."""
    with np.errstate(all="ignore"):
        if first:
            result = stored * first
            if second:
                result += data if second == 1.0 else data * second
        else:
            result = data * second if second else np.zeros_like(data)
        if offset:
            result += offset
    return result
