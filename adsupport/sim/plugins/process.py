"""NDPluginProcess: background, flat field, scaling, clipping, recursive filter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from adsupport.sim.arrays.casting import cast
from adsupport.sim.arrays.correction import Correction, FlatField, correct, full_range
from adsupport.sim.arrays.recursive_filter import FilterCoefficients, RecursiveFilter
from adsupport.sim.ndarray import DataType, Dimension
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.process_links import link_filter_type, link_tiff_files
from adsupport.sim.port import on_write

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource

AUTOMATIC = len(DataType)
"""Value of ``DataTypeOut`` that keeps the input's type."""


class Process(Plugin):
    """Corrects and filters arrays, in double precision, and converts them to an output type.

    The steps, in this order: background, flat field, offset and scale, high clip, low clip,
    recursive filter, output type. Without any step arrays are converted directly.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDProcess")

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._background: np.ndarray | None = None
        self._flat_image: np.ndarray | None = None
        self._flat_field: FlatField | None = None
        self._filter = RecursiveFilter()
        self._last_output: NDArray | None = None

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Link the records that set several others."""
        super().loaded(ioc, r)
        records = {name.removeprefix(r): record for name, record in ioc.records.items()
                   if name.startswith(r)}  # fmt: skip
        link_filter_type(records)
        link_tiff_files(ioc.records, r, self.when_processed)

    # ---- what clients do

    @on_write("SAVE_BACKGROUND")
    def _save_background(self, _: int) -> None:
        self.set("SAVE_BACKGROUND", 0)
        self._background = self._saved()
        self.set("VALID_BACKGROUND", self._background is not None)

    # releases that have these know one number where others know limit and replacement

    @on_write("LOW_CLIP")
    def _clip_low(self, limit: float) -> None:
        self.set("LOW_CLIP_THRESH", limit)
        self.set("LOW_CLIP_VALUE", limit)

    @on_write("HIGH_CLIP")
    def _clip_high(self, limit: float) -> None:
        self.set("HIGH_CLIP_THRESH", limit)
        self.set("HIGH_CLIP_VALUE", limit)

    @on_write("SAVE_FLAT_FIELD")
    def _save_flat_field(self, _: int) -> None:
        self.set("SAVE_FLAT_FIELD", 0)
        self._flat_image = self._saved()
        self._flat_field = None
        self.set("VALID_FLAT_FIELD", self._flat_image is not None)

    def _saved(self) -> np.ndarray | None:
        """Return a copy of the newest output, which is what ADCore saves, not the input."""
        output = self._last_output
        return None if output is None else output.data.astype(np.float64)

    # ---- arrays

    def process(self, array: NDArray) -> None:
        """Correct, filter and convert an array, and pass the result on."""
        self.begin(array)
        with self.lock:
            correction = self._correction(array.data.size)
            automatic = bool(self.get("AUTO_OFFSET_SCALE"))
            filtering = bool(self.get("ENABLE_FILTER"))
            reset = bool(self.get("RESET_FILTER"))
            self.set("RESET_FILTER", 0)
            choice = self.get("PROCESS_DATA_TYPE")
            self.call_callbacks()
        element = array.data_type if choice >= AUTOMATIC else DataType(choice)
        if correction.is_empty and not automatic and not filtering:
            self._put_out(array, cast(array.data, element.dtype), [element])
            return
        values = np.array(array.data, np.float64, order="C")
        lowest, highest = (values.min(), values.max()) if automatic and values.size else (0.0, 1.0)
        correct(values, correction)
        if filtering:
            values = self._filtered(values, reset)
        if not filtering or self._is_wanted():
            self._put_out(array, cast(values, element.dtype), [DataType.FLOAT64, element])
            if automatic:
                self._set_full_range(float(lowest), float(highest), element.dtype.itemsize)
        with self.lock:
            self.set("NUM_FILTERED", self._filter.count)
            if automatic and self._last_output is not None:
                self.set("AUTO_OFFSET_SCALE", 0)
            self.call_callbacks()

    def _correction(self, size: int) -> Correction:
        """Return what is to be done to the pixels of an array of a size, by the parameters."""
        background, flat = self._background, self._flat_image
        has_background = background is not None and background.size == size
        has_flat = flat is not None and flat.size == size
        self.set("VALID_BACKGROUND", has_background)
        self.set("VALID_FLAT_FIELD", has_flat)
        flat_field = None
        if flat is not None and has_flat and self.get("ENABLE_FLAT_FIELD"):
            scale = self.get("SCALE_FLAT_FIELD")
            if self._flat_field is None or self._flat_field.scale != scale:
                self._flat_field = FlatField(flat, scale)
            flat_field = self._flat_field
        return Correction(
            background if has_background and self.get("ENABLE_BACKGROUND") else None,
            flat_field,
            self._enabled("ENABLE_OFFSET_SCALE", "OFFSET", "SCALE"),
            self._enabled("ENABLE_HIGH_CLIP", "HIGH_CLIP_THRESH", "HIGH_CLIP_VALUE"),
            self._enabled("ENABLE_LOW_CLIP", "LOW_CLIP_THRESH", "LOW_CLIP_VALUE"),
        )

    def _enabled(self, switch: str, first: str, second: str) -> tuple[float, float] | None:
        return (self.get(first), self.get(second)) if self.get(switch) else None

    def _filtered(self, values: np.ndarray, reset: bool) -> np.ndarray:
        def value(name: str) -> float:
            return self.get(f"FILTER_{name}")

        coefficients = FilterCoefficients(
            o_offset=value("OOFFSET"),
            o_scale=value("OSCALE"),
            oc=(value("OC1"), value("OC2"), value("OC3"), value("OC4")),
            f_offset=value("FOFFSET"),
            f_scale=value("FSCALE"),
            fc=(value("FC1"), value("FC2"), value("FC3"), value("FC4")),
            r_offset=value("ROFFSET"),
            rc=(value("RC1"), value("RC2")),
        )
        return self._filter(
            values,
            coefficients,
            self.get("NUM_FILTER"),
            reset=reset,
            auto_reset=bool(self.get("AUTO_RESET_FILTER")),
        )

    def _is_wanted(self) -> bool:
        """Whether what the filter has made is passed on, by FilterCallbacks."""
        return not self.get("FILTER_CALLBACKS") or self._filter.count == self.get("NUM_FILTER")

    def _put_out(self, array: NDArray, data: np.ndarray, elements: list[DataType]) -> None:
        """Pass the result on; ``elements`` are the types it went through."""
        dims = array.dims
        types = [array.data_type, *elements]
        if any(old == new for old, new in zip(types, types[1:], strict=False)):
            # where ADCore copies an array without converting it, its offsets start anew
            dims = tuple(Dimension(dim.size) for dim in dims)
        self._last_output = replace(array, data=data, dims=dims)
        self.emit(self._last_output)

    def _set_full_range(self, lowest: float, highest: float, item_size: int) -> None:
        offset, scale, maximum = full_range(lowest, highest, item_size)
        with self.lock:
            self.set("SCALE", scale)
            self.set("OFFSET", offset)
            for limit, value in (("LOW_CLIP", 0.0), ("HIGH_CLIP", maximum)):
                for param in (f"{limit}_THRESH", f"{limit}_VALUE", limit):
                    if param in self:
                        self.set(param, value)
            for switch in ("OFFSET_SCALE", "LOW_CLIP", "HIGH_CLIP"):
                self.set(f"ENABLE_{switch}", 1)
