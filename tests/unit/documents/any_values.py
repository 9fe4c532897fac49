"""Any value that a document may hold, for tests of what keeps it, and how two are compared."""

from __future__ import annotations

import datetime
import struct

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adsupport.documents.json_tags import TAG

__all__ = ["plain_values", "same", "values"]


def same(a, b) -> bool:
    """Compare two values bit by bit, with their types."""
    if isinstance(a, np.generic | np.ndarray):
        if type(a) is not type(b) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype == object:
            return all(map(same, a.ravel().tolist(), b.ravel().tolist()))
        return a.tobytes() == b.tobytes()
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(k, m) and same(v, w) for (k, v), (m, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, datetime.datetime | datetime.time):
        return a == b and a.fold == b.fold and a.utcoffset() == b.utcoffset()
    return a == b


floats = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("d", raw)[0]) | st.floats()
texts = st.text(st.characters(exclude_categories=())) | st.sampled_from([TAG, "null", ""])
# no zone has an offset with a fraction of a second, which Python's own fromisoformat() drops
zones = st.none() | st.integers(-86399, 86399).map(
    lambda seconds: datetime.timezone(datetime.timedelta(seconds=seconds))
)
keys = texts | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False)
dtypes = hnp.scalar_dtypes() | hnp.array_dtypes(
    hnp.scalar_dtypes(), allow_subarrays=True, max_size=3
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
leaves = (
    st.none()
    | st.booleans()
    | floats
    | texts
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.binary()
    | st.complex_numbers()
    | st.datetimes(timezones=zones)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.sets(st.integers() | st.text())
    | st.frozensets(st.binary())
    | arrays
    | st.sampled_from([np.float32(0.1), np.uint8(7), np.datetime64("2026-11-21T10:00", "us")])
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=12
)
plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
