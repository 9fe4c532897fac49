"""Arrays that travel from a detector to its plugins, with their dimensions and attributes.

Names, numbers and the order of the dimensions follow areaDetector's NDArray: ``dims[0]`` is the
axis that varies fastest in memory, so the shape of :attr:`NDArray.data` (C order) is the reverse
of ``dims``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np

EPICS_EPOCH = 631152000
"""Seconds from the POSIX epoch (1970) to the EPICS epoch (1990-01-01 UTC)."""


class DataType(IntEnum):
    """Element types, with the numbers that ``DataType`` records show."""

    INT8 = 0
    UINT8 = 1
    INT16 = 2
    UINT16 = 3
    INT32 = 4
    UINT32 = 5
    INT64 = 6
    UINT64 = 7
    FLOAT32 = 8
    FLOAT64 = 9

    @property
    def dtype(self) -> np.dtype:
        """The numpy type of one element, in the machine's byte order."""
        return _DTYPES[self]

    @classmethod
    def of(cls, dtype: np.dtype) -> DataType:
        """Return the member for a numpy type.

        Raises
        ------
        ValueError
            When areaDetector has no such element type.
        """
        dtype = np.dtype(dtype)
        # numpy makes a type's name anew each time
        known = _DATA_TYPES.get(dtype)
        if known is None:
            known = cls.__members__.get(dtype.name.upper())
        if known is None:
            names = ", ".join(member.name.lower() for member in cls)
            raise ValueError(f"no NDArray data type for numpy {dtype}; expected one of {names}")
        return known


_DTYPES = {member: np.dtype(member.name.lower()) for member in DataType}
_DATA_TYPES = {dtype: member for member, dtype in _DTYPES.items()}


class ColorMode(IntEnum):
    """Colour modes, with the numbers of the plugins' ``ColorMode_RBV`` records."""

    MONO = 0
    BAYER = 1
    RGB1 = 2
    RGB2 = 3
    RGB3 = 4
    YUV444 = 5
    YUV422 = 6
    YUV421 = 7


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis of an array and how it was cut out of the detector.

    Attributes
    ----------
    size : int
        Number of elements along the axis.
    offset : int
        First detector pixel, counted from the detector's edge.
    binning : int
        Detector pixels summed into one element.
    reverse : bool
        Whether the axis runs against the detector's.
    """

    size: int
    offset: int = 0
    binning: int = 1
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class NDAttribute:
    """A named value that travels with an array.

    Attributes
    ----------
    name : str
        Name; case matters.
    value : int, float, str or numpy scalar
        A Python ``int`` is a 32-bit integer and a ``float`` a double; a numpy scalar keeps its
        type.
    description : str
        One line for people; may be empty.
    source : str
        Where the value comes from: a PV, a parameter name or ``Driver``.
    source_type : str
        ``NDAttrSourceDriver``, ``NDAttrSourceParam``, ``NDAttrSourceEPICSPV``,
        ``NDAttrSourceFunct`` or ``NDAttrSourceConst``.
    """

    name: str
    value: int | float | str | np.generic
    description: str = ""
    source: str = "Driver"
    source_type: str = "NDAttrSourceDriver"

    @property
    def dtype(self) -> np.dtype | None:
        """Numpy type of the value; None for a string."""
        if isinstance(self.value, str):
            return None
        if isinstance(self.value, np.generic):
            return self.value.dtype
        return np.dtype(np.float64 if isinstance(self.value, float) else np.int32)

    @property
    def number(self) -> float | None:
        """The value as a double; None for a string."""
        return None if isinstance(self.value, str) else float(self.value)


COLOR_MODE = "ColorMode"
"""Name of the attribute with an array's colour mode, which every driver attaches."""


def color_mode_attribute(mode: ColorMode) -> NDAttribute:
    """Return the attribute of name :data:`COLOR_MODE`.

    Parameters
    ----------
    mode : ColorMode
        What it says.
    """
    return NDAttribute(COLOR_MODE, int(mode), "Color mode")


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """The sizes by which plugins judge an array.

    Attributes
    ----------
    x_size, y_size, color_size : int
        Columns, rows and colours; 0 where the array has no such axis.
    bytes_per_element : int
        Width of one element.
    total_bytes : int
        Size of the whole array.
    """

    x_size: int
    y_size: int
    color_size: int
    bytes_per_element: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Codec:
    """How an array's data are compressed.

    Attributes
    ----------
    name : str
        ``blosc``, ``lz4``, ``bslz4`` or ``jpeg``; empty for data that are not compressed.
    level, shuffle, compressor : int
        Blosc's compression level, shuffle mode and inner compressor.
    """

    name: str = ""
    level: int = -1
    shuffle: int = -1
    compressor: int = -1


UNCOMPRESSED = Codec()

_AXES = {ColorMode.RGB1: (1, 2, 0), ColorMode.RGB2: (0, 2, 1), ColorMode.RGB3: (0, 1, 2)}
"""Position of x, y and colour among the dimensions of a colour array."""


@dataclass(slots=True)
class NDArray:
    """One frame.

    Attributes
    ----------
    data : numpy.ndarray
        Elements in C order; its shape is the reverse of ``dims``. Of a compressed array: its
        bytes, a 1-D array of uint8.
    dims : tuple of Dimension
        Axes, fastest first.
    color_mode : ColorMode
        How the axes are to be read.
    unique_id : int
        The driver's frame counter.
    time_stamp : float
        Seconds since 1990-01-01 UTC.
    ts_sec, ts_nsec : int
        EPICS time stamp: seconds since 1990-01-01 UTC, and nanoseconds.
    attributes : tuple of NDAttribute
        What the driver and earlier plugins attached.
    codec : Codec
        How the data are compressed.
    element : DataType or None
        Element type of a compressed array; of others, the data tell it.
    """

    data: np.ndarray
    dims: tuple[Dimension, ...] = ()
    color_mode: ColorMode = ColorMode.MONO
    unique_id: int = 0
    time_stamp: float = 0.0
    ts_sec: int = 0
    ts_nsec: int = 0
    attributes: tuple[NDAttribute, ...] = ()
    codec: Codec = UNCOMPRESSED
    element: DataType | None = None

    def __post_init__(self) -> None:
        if self.codec.name:
            if self.element is None or not self.dims or self.data.dtype != np.uint8:
                raise ValueError("a compressed array needs dims, element and data of uint8")
            return
        if not self.dims:
            self.dims = tuple(Dimension(size) for size in reversed(self.data.shape))
        shape = tuple(dim.size for dim in reversed(self.dims))
        if shape != self.data.shape:
            raise ValueError(f"dims give shape {shape}, but the data have {self.data.shape}")

    @property
    def data_type(self) -> DataType:
        """Element type, before compression."""
        return DataType.of(self.data.dtype) if self.element is None else self.element

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the elements in C order, before compression."""
        return tuple(dim.size for dim in reversed(self.dims))

    @property
    def is_compressed(self) -> bool:
        """Whether the data are bytes of a codec."""
        return bool(self.codec.name)

    @property
    def info(self) -> ArrayInfo:
        """Sizes in x, y and colour, and in bytes; those before compression."""
        return _array_info(self.dims, self.color_mode, self.data_type)

    def attribute(self, name: str) -> NDAttribute | None:
        """Return the attribute of that name, or None."""
        return next((item for item in self.attributes if item.name == name), None)


@lru_cache(maxsize=64)  # of the frames of an acquisition all are alike
def _array_info(
    dims: tuple[Dimension, ...], color_mode: ColorMode, data_type: DataType
) -> ArrayInfo:
    sizes = [dim.size for dim in dims]
    axes = _AXES.get(color_mode) if len(sizes) == 3 else None
    x, y, color = axes or (0, 1, 2)
    width = data_type.dtype.itemsize
    return ArrayInfo(
        x_size=sizes[x] if len(sizes) > x else 0,
        y_size=sizes[y] if len(sizes) > y else 0,
        color_size=sizes[color] if len(sizes) > color else 0,
        bytes_per_element=width,
        total_bytes=width * math.prod(sizes),
    )
