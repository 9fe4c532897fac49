"""An NDArray as the normative type NTNDArray of pvAccess.

Fields follow the EPICS normative types specification; what goes into them follows ADCore's
``ntndArrayConverter``. Importing this module needs p4p.
"""

from __future__ import annotations

from p4p import Type, Value
from p4p.nt import NTNDArray

from adsupport.sim.ndarray import EPICS_EPOCH, DataType, NDArray, NDAttribute

_EXTRA = [
    ("descriptor", "s"),
    (
        "display",
        (
            "S",
            "display_t",
            [
                ("limitLow", "d"),
                ("limitHigh", "d"),
                ("description", "s"),
                ("format", "s"),
                ("units", "s"),
            ],
        ),
    ),
]
_PLAIN = NTNDArray.buildType()
# by hand: buildType(extra=...) fails in p4p 4.3
_TYPE = Type([*_PLAIN.aspy()[2], *_EXTRA], id=_PLAIN.getID())

_MEMBERS = {
    DataType.INT8: "byteValue",
    DataType.UINT8: "ubyteValue",
    DataType.INT16: "shortValue",
    DataType.UINT16: "ushortValue",
    DataType.INT32: "intValue",
    DataType.UINT32: "uintValue",
    DataType.INT64: "longValue",
    DataType.UINT64: "ulongValue",
    DataType.FLOAT32: "floatValue",
    DataType.FLOAT64: "doubleValue",
}
"""Member of the union ``value`` by element type."""

SCALAR_TYPES = {
    DataType.INT8: 1,
    DataType.INT16: 2,
    DataType.INT32: 3,
    DataType.INT64: 4,
    DataType.UINT8: 5,
    DataType.UINT16: 6,
    DataType.UINT32: 7,
    DataType.UINT64: 8,
    DataType.FLOAT32: 9,
    DataType.FLOAT64: 10,
}
"""pvData's ``ScalarType`` by element type: ``codec.parameters`` tells a viewer what comes out."""

_CODES = {
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "l",
    "uint64": "L",
    "float32": "f",
    "float64": "d",
    "bool": "?",
}
"""pvAccess type code by the name of a numpy type."""

_SOURCE_TYPES = (
    "NDAttrSourceDriver",
    "NDAttrSourceParam",
    "NDAttrSourceEPICSPV",
    "NDAttrSourceFunct",
    "NDAttrSourceConst",
    "NDAttrSourceUndefined",
)
"""Attribute sources, each at the number by which ``sourceType`` names it."""


def empty() -> Value:
    """Return what is served before the first array: no pixels, no dimension."""
    return Value(_TYPE)


def ntndarray(array: NDArray) -> Value:
    """Return an array as NTNDArray.

    The pixels are one-dimensional, the first dimension fastest; compressed ones are passed as
    the codec's bytes. Time stamps count from 1970 here. ``dimension.fullSize`` is the size of
    the array's own axis, as ADCore gives it.

    Parameters
    ----------
    array : NDArray
        Must not be changed any more: its pixels need not be copied.
    """
    member = "ubyteValue" if array.is_compressed else _MEMBERS[array.data_type]
    seconds, fraction = divmod(array.time_stamp, 1.0)
    return Value(
        _TYPE,
        {
            "value": (member, array.data.reshape(-1)),
            "codec": {
                "name": array.codec.name,
                "parameters": ("i", SCALAR_TYPES[array.data_type]),
            },
            "compressedSize": array.data.nbytes,
            "uncompressedSize": array.info.total_bytes,
            "uniqueId": array.unique_id,
            "dataTimeStamp": _time(int(seconds), int(fraction * 1e9)),
            "timeStamp": _time(array.ts_sec, array.ts_nsec),
            "dimension": [
                {
                    "size": dim.size,
                    "offset": dim.offset,
                    "fullSize": dim.size,
                    "binning": dim.binning,
                    "reverse": dim.reverse,
                }
                for dim in array.dims
            ],
            "attribute": [_attribute(attribute) for attribute in array.attributes],
        },
    )


def _time(seconds: int, nanoseconds: int) -> dict[str, int]:
    return {"secondsPastEpoch": seconds + EPICS_EPOCH, "nanoseconds": nanoseconds}


def _attribute(attribute: NDAttribute) -> dict[str, object]:
    if attribute.dtype is None:
        code, value = "s", str(attribute.value)
    else:
        code = _CODES[attribute.dtype.name]
        value = attribute.dtype.type(attribute.value).item()
    return {
        "name": attribute.name,
        "value": (code, value),
        "descriptor": attribute.description,
        "sourceType": _SOURCE_TYPES.index(attribute.source_type),
        "source": attribute.source,
    }
