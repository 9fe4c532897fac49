"""Documents as JSON text: lossless, strict, and never something else than what was there."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import math
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.documents.json_tags import TAG
from adsupport.documents.json_text import decode, decode_document, encode, encode_document
from adsupport.errors import DocumentError

from .any_values import plain_values, same, values


def strict(text: bytes):
    """Parse as JSON, and nothing that only Python takes for JSON."""

    def refuse(name):
        raise AssertionError(f"{name} isn't JSON")

    return json.loads(text.decode("utf-8"), parse_constant=refuse)


@given(values)
@settings(max_examples=60)
def test_any_value_comes_back_bit_for_bit_through_strict_json(value):
    text = encode(value)
    strict(text)
    assert b"\n" not in text
    assert same(decode(text), value)


@given(plain_values)
def test_plain_values_have_one_text_whichever_way_they_go(value):
    alone = encode(value)
    assert strict(alone) == value
    # beside a NaN nothing is left to the fast way
    assert encode([value, math.nan]) == b'[%b,{"$adsupport":"float","value":"nan"}]' % alone


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_text_gives_any_other_error(text):
    try:
        decode(text)
    except DocumentError:
        pass


@given(
    st.dictionaries(
        st.sampled_from(["value", "dtype", "shape", "base64", "items", "real"]),
        plain_values | st.sampled_from(["AAAA", "<f8", "O", "|V8", [["a", "<f8"]]]),
    ),
    st.sampled_from(
        [
            "float",
            "int",
            "str",
            "ndarray",
            "scalar",
            "dict",
            "set",
            "datetime",
            "timedelta",
            "complex",
            "no such",
            3,
            None,
        ]
    ),
)
def test_tags_with_wrong_contents_are_refused_as_such(content, kind):
    text = json.dumps({TAG: kind, **content})
    try:
        decode(text)
    except DocumentError as error:
        assert "an object '$adsupport' of the " in str(error)


def test_a_tuple_is_an_array():
    hints = {"dimensions": [(["m1"], "primary")], "shape": (3, 5)}
    assert encode(hints) == b'{"dimensions":[[["m1"],"primary"]],"shape":[3,5]}'
    assert encode([hints, math.inf]).startswith(b'[{"dimensions":[[["m1"],"primary"]],"shape"')


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (enum.Enum("Colour", {"RED": "red"}).RED, "red"),
        (enum.IntEnum("Colour", {"RED": 3}).RED, 3),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (collections.ChainMap({"a": 1}), {"a": 1}),
        (collections.namedtuple("Point", "x y")(1, 2), [1, 2]),
        (collections.deque([1]), [1]),
        (range(3), [0, 1, 2]),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({np.str_("a"): 1}, {"a": 1}),
        (type("Number", (float,), {})(2.5), 2.5),
        (type("Text", (str,), {})("é"), "é"),
        (type("Bytes", (bytes,), {})(b"a"), b"a"),
    ],
)
def test_types_that_only_name_a_plain_value_are_written_as_that(value, plain):
    for found in decode(encode(value)), decode(encode([value, math.nan]))[0]:
        assert same(found, plain)


def test_structured_arrays_with_padding_and_big_endian_numbers_keep_their_type():
    dtype = np.dtype([("a", ">i2"), ("b", "<f8", (2, 2)), ("c", [("d", "S3")])], align=True)
    array = np.zeros((2, 3), dtype)
    array["b"] = np.nan
    found = decode(encode(array))
    assert found.dtype == dtype
    assert found.tobytes() == array.tobytes()
    found["a"] = 1  # an array of its own


def test_fortran_order_isn_t_a_value():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert same(decode(encode(array)), np.ascontiguousarray(array))


def test_arrays_of_objects_keep_lists_whole():
    array = np.empty(2, object)
    array[0], array[1] = [1, math.nan], [1, 2]
    assert same(decode(encode(array)), array)


@dataclasses.dataclass
class Sample:
    name: str


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Sample("x"), "a Sample"),
        (object(), "an object"),
        (np.ma.masked_array([1.0], [True]), "a MaskedArray"),
        (bytearray(b"a"), "a bytearray"),
        (len, "a builtin_function_or_method"),
        ((each for each in ()), "a generator"),
    ],
)
def test_what_can_t_be_written_is_named_with_its_place(value, kind):
    start = {"uid": "1", "sample": [1, 2, value]}
    with pytest.raises(DocumentError, match=rf"start\['sample'\]\[2\] can't .*: it is {kind}\."):
        encode_document("start", start)
    with pytest.raises(DocumentError, match="value can't be written"):
        encode(value)


def test_what_can_t_be_written_can_be_noted_instead():
    class Awkward:
        def __repr__(self):
            raise RuntimeError("no")

    noted = []
    line = encode_document(
        "start",
        {"a": Awkward(), "b": [Sample("x")], "c": math.inf},
        other=lambda place, value: noted.append((place, type(value).__name__)),
    )
    assert noted == [("start['a']", "Awkward"), ("start['b'][0]", "Sample")]
    name, doc = decode_document(line)
    assert doc == {
        "a": "<Awkward, whose repr() raises RuntimeError>",
        "b": ["Sample(name='x')"],
        "c": math.inf,
    }


def test_a_value_that_holds_itself_is_refused():
    circular: dict = {"a": 1}
    circular["b"] = [circular]
    with pytest.raises(DocumentError, match=r"start\['b'\]\[0\].*nested more than 254"):
        encode_document("start", circular)


def test_deep_nesting_is_the_same_for_both_ways():
    deep = value = []
    for _ in range(200):
        value.append([])
        value = value[0]
    plain = encode(deep)
    value.append(math.nan)
    assert encode(deep).startswith(plain[:200])
    assert decode(plain) == decode(plain.decode())


def test_documents_are_lines_that_databroker_s_own_reader_takes():
    doc = {"uid": "1", "time": 1.5, "hints": {"dimensions": [(["m"], "primary")]}, "none": None}
    line = encode_document("start", doc)
    assert line.endswith(b"}]\n")
    assert json.loads(line) == ["start", json.loads(json.dumps(doc))]
    assert decode_document(line) == ("start", json.loads(json.dumps(doc)))


def test_lines_of_peers_are_read():
    # Python's json, as suitcase-jsonl uses it, and tiled's
    assert math.isnan(decode_document('["event", {"data": {"a": NaN}}]')[1]["data"]["a"])
    assert decode_document(b'{"name": "stop", "doc": {"n": %d}}' % 10**30) == (
        "stop",
        {"n": 10**30},
    )


@pytest.mark.parametrize(
    "line", ["", "[]", '["start"]', '["start", []]', "{}", "3", '["start", {}', "[" * 100_000]
)
def test_what_isn_t_a_document_is_refused(line):
    with pytest.raises(DocumentError, match="line 7 of runs.jsonl"):
        decode_document(line, where="line 7 of runs.jsonl")


def test_unknown_kinds_point_to_a_newer_release():
    with pytest.raises(DocumentError, match="unknown kind 'quaternion'.*newer release"):
        decode('{"$adsupport": "quaternion"}')


def test_objects_are_never_made_from_text():
    with pytest.raises(DocumentError, match="isn't a type of numbers or texts"):
        decode('{"$adsupport": "ndarray", "dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="}')
    with pytest.raises(DocumentError, match="3 bytes, expected 16"):
        decode('{"$adsupport": "ndarray", "dtype": "<f8", "shape": [2], "base64": "AAAA"}')
