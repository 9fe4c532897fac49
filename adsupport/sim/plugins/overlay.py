"""NDPluginOverlay: shapes and texts drawn into the array."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adsupport.sim.arrays.axes import has_colors, image_axes
from adsupport.sim.arrays.drawing import MASKS, DrawMode, Frame, Pixels, Shape, draw, half
from adsupport.sim.arrays.lettering import FONTS, format_stamp, text_mask
from adsupport.sim.plugins.base import Part, Plugin
from adsupport.sim.port import at_address, split_address
from adsupport.sim.region_links import follow_link, link_display_limits

if TYPE_CHECKING:
    from adsupport.sim.area_detector import AreaDetectorIOC
    from adsupport.sim.ndarray import NDArray
    from adsupport.sim.source import ArraySource

_log = logging.getLogger(__name__)

OVERLAYS = ("ROI1", "ROI2", "ROI3", "ROI4", "Cursor1", "Cursor2", "Box1", "Box2")
"""Names of the overlays by asyn address; the first four follow the region of a ROI plugin."""

_FOLLOWED = (("PositionX", "MinX"), ("PositionY", "MinY"), ("SizeX", "SizeX"), ("SizeY", "SizeY"))
"""Records of an overlay, and those of the ROI plugin whose read-backs they follow."""


def _wrap(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31  # parameters are 32-bit integers


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What decides which pixels an overlay covers."""

    shape: Shape
    frame: Frame
    image: tuple[int, int]
    text: str = ""
    font: int = 0


class Overlay(Plugin):
    """Draws up to eight crosses, rectangles, ellipses and texts into a copy of each image.

    Position and centre of an overlay follow each other. With its size, the one moves that a
    client has not written last. Gray images are drawn into with the overlay's green.
    """

    tables = (*Plugin.tables, "NDOverlay")
    parts = tuple(
        Part(
            f"{address + 1}:",
            ("NDOverlayN", "NDOverlayROI") if name.startswith("ROI") else ("NDOverlayN",),
            address,
            {"NAME": name},
        )
        for address, name in enumerate(OVERLAYS)
    )

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._position_stays: dict[tuple[str, int], bool] = {}
        self._covered: dict[int, tuple[_Drawn, Pixels]] = {}

    def loaded(self, ioc: AreaDetectorIOC, r: str) -> None:
        """Let overlays follow ROI plugins, and show the image's size as their upper limit."""
        for part in self.parts:
            own = r + part.r
            for axis in "XY":
                link_display_limits(
                    ioc.records[f"{r}MaxSize{axis}_RBV"],
                    (ioc.records[f"{own}MaxSize{axis}"], ioc.records[f"{own}Set{axis}HOPR"]),
                    (ioc.records[f"{own}Position{axis}"], ioc.records[f"{own}Size{axis}"]),
                )
        # the ROI plugins may be added after this one
        ioc.starters.append(lambda _: self._follow_regions(ioc, r))

    def _follow_regions(self, ioc: AreaDetectorIOC, r: str) -> None:
        for part in self.parts:
            name = OVERLAYS[part.address]
            for ours, theirs in _FOLLOWED:
                source = ioc.records.get(f"{name}:{theirs}_RBV")
                if name.startswith("ROI") and source is not None:
                    own = r + part.r + ours
                    follow_link(source, ioc.records[f"{own}Link"], ioc.records[own])

    # ---- what clients write

    def written(self, param: str, value: Any) -> None:
        """Act on a parameter that a client has just written."""
        name, address = split_address(param)
        what, _, axis = name.removeprefix("OVERLAY_").rpartition("_")
        if name.startswith("OVERLAY_") and what in ("POSITION", "CENTER", "SIZE"):
            self._place(what, axis, address)
        super().written(param, value)

    def _place(self, written: str, axis: str, address: int) -> None:
        """Let position and centre along an axis follow what was written."""

        def param(what: str) -> str:
            return at_address(f"OVERLAY_{what}_{axis}", address)

        middle = half(self.get(param("SIZE")))
        if written != "SIZE":
            self._position_stays[axis, address] = written == "POSITION"
        if self._position_stays.get((axis, address), True):
            self.set(param("CENTER"), _wrap(self.get(param("POSITION")) + middle))
        else:
            self.set(param("POSITION"), _wrap(self.get(param("CENTER")) - middle))

    # ---- arrays

    def process(self, array: NDArray) -> None:
        """Draw the overlays in use into a copy of the array and pass it on."""
        self.begin(array)
        sizes = array.info
        with self.lock:
            self.set("MAX_SIZE_X", sizes.x_size)
            self.set("MAX_SIZE_Y", sizes.y_size)
            used = [part.address for part in self.parts if self._get("USE", part.address)]
            overlays = [(address, *self._settings(address, array)) for address in used]
            self.call_callbacks()
        if not overlays or len(array.dims) < 2:
            self.emit(array)
            return
        data = np.array(array.data, order="C")
        planes = _planes(array, data)
        for address, drawn, mode, colors in overlays:
            pixels = self._pixels(address, drawn)
            # of a gray image, green is the only plane
            for plane, color in zip(
                planes, colors if len(planes) > 1 else colors[1:], strict=False
            ):
                draw(plane, pixels, color, mode)
        data.flags.writeable = False
        self.emit(replace(array, data=data))

    def _get(self, param: str, address: int) -> Any:
        return self.get(at_address(param, address))

    def _settings(
        self, address: int, array: NDArray
    ) -> tuple[_Drawn, DrawMode, tuple[int, int, int]]:
        """Return what an overlay covers, how it is drawn, and its colours."""

        def get(what: str) -> Any:
            return self._get(f"OVERLAY_{what}", address)

        shape, text = Shape(get("SHAPE")), ""
        if shape is Shape.TEXT:
            text = get("DISPLAY_TEXT")
            if pattern := get("TIMESTAMP_FORMAT"):
                text += format_stamp(pattern, array.ts_sec, array.ts_nsec)
        frame = Frame(
            *(get(f"POSITION_{axis}") for axis in "XY"),
            *(get(f"SIZE_{axis}") for axis in "XY"),
            *(get(f"WIDTH_{axis}") for axis in "XY"),
        )
        sizes = array.info
        drawn = _Drawn(shape, frame, (sizes.y_size, sizes.x_size), text, get("FONT"))
        return drawn, DrawMode(get("DRAW_MODE")), (get("RED"), get("GREEN"), get("BLUE"))

    def _pixels(self, address: int, drawn: _Drawn) -> Pixels:
        """Return the pixels of an overlay, which most arrays have in common."""
        known = self._covered.get(address)
        if known is not None and known[0] == drawn:
            return known[1]
        try:
            if drawn.shape is Shape.TEXT:
                mask = text_mask(drawn.image, drawn.frame, drawn.text, FONTS[drawn.font])
            else:
                mask = MASKS[drawn.shape](drawn.image, drawn.frame)
        except ValueError as error:
            _log.error("%s: overlay %d is not drawn: %s", self.name, address + 1, error)
            mask = np.zeros(drawn.image, bool)
        rows, columns = mask.nonzero()
        self._covered[address] = drawn, (rows, columns)
        return rows, columns


def _planes(array: NDArray, data: np.ndarray) -> list[np.ndarray]:
    """Return the colours of an image's data as views of rows and columns.

    An array of more dimensions without colours is drawn into where it begins.
    """
    if has_colors(array):
        colors = image_axes(array)[2]
        return list(np.moveaxis(data, colors or 0, 0))
    while data.ndim > 2:
        data = data[0]
    return [data]
