"""Documents as msgpack: lossless, read by msgpack_numpy as well, and safe to read."""

from __future__ import annotations

import dataclasses
import logging
import math
import pickle

import msgpack
import msgpack_numpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.documents.json_tags import TAG
from adsupport.errors import DocumentError
from adsupport.pack.msgpack_text import decode_document, encode_document, read_documents

from ..documents.any_values import plain_values, same, values

DOCUMENTS = [
    ("start", {"uid": "1", "time": 1.5, "shape": [3, 5], "none": None}),
    ("event", {"data": {"x": math.nan, "img": np.arange(6, dtype="<u2").reshape(2, 3)}}),
    ("stop", {"uid": "2", "exit_status": "success"}),
]


def theirs(raw: bytes):
    """Read as databroker does."""
    return msgpack.unpackb(raw, object_hook=msgpack_numpy.decode, raw=False)


def packed(value) -> bytes:
    return msgpack.packb(["event", value], default=msgpack_numpy.encode) or b""


@given(values)
@settings(max_examples=60)
def test_any_value_comes_back_bit_for_bit(value):
    name, doc = decode_document(encode_document("event", {"value": value}))
    assert name == "event"
    assert same(doc["value"], value)


@given(plain_values)
def test_plain_values_are_plain_msgpack_whichever_way_they_go(value):
    alone = encode_document("event", {"value": value})
    assert same(msgpack.unpackb(alone), ["event", {"value": value}])
    # beside bytes nothing is left to the fast way
    both = encode_document("event", {"value": value, "other": b""})
    assert same(msgpack.unpackb(both), ["event", {"value": value, "other": b""}])


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=">i2").reshape(2, 3)[:, ::2],
        np.array(math.nan),
        np.zeros((0, 3), bool),
        np.array(["a", "bcd"]),
        np.array([b"a", b"\0b"]),
        np.array(["2026-11-21"], "M8[s]"),
        np.array([(1, 2.5)], [("a", "<i2"), ("b", "<f8")]),
        np.float32(0.1),
        np.complex64(1j),
        np.uint8(7),
        np.datetime64("2026-11-21T10:00", "us"),
    ],
)
def test_msgpack_numpy_reads_arrays_and_scalars(value):
    raw = encode_document("event", {"data": {"x": value, "y": math.inf, "z": b"raw"}})
    assert same(theirs(raw), ["event", {"data": {"x": value, "y": math.inf, "z": b"raw"}}])


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6.0).reshape(2, 3),
        np.float32(0.1),
        np.array([(1, 2.5)], [("a", "<i2"), ("b", [("c", "<f8")], (2,))]),
        1.5 - 2j,
        {"a": [(1, 2)], "n": None},
    ],
)
def test_what_msgpack_numpy_wrote_is_read(value):
    found = decode_document(packed({"x": value}))[1]["x"]
    assert same(found, value if not isinstance(value, dict) else {"a": [[1, 2]], "n": None})


def test_arrays_can_be_changed():
    found = decode_document(encode_document("event", {"x": np.zeros(2)}))[1]["x"]
    found[0] = 1
    assert found.tolist() == [1, 0]


@dataclasses.dataclass
class Sample:
    name: str


def test_what_can_t_be_written_is_named_with_its_place():
    with pytest.raises(DocumentError, match=r"start\['sample'\]\[1\] can't .* it is a Sample\."):
        encode_document("start", {"sample": [1, Sample("x")]})
    noted = []
    raw = encode_document(
        "start", {"a": Sample("x")}, other=lambda place, value: noted.append(place)
    )
    assert noted == ["start['a']"]
    assert decode_document(raw) == ("start", {"a": "Sample(name='x')"})


def test_a_value_that_holds_itself_is_refused():
    circular: dict = {}
    circular["b"] = [circular]
    with pytest.raises(DocumentError, match="nested more than 254"):
        encode_document("start", circular)


def test_an_array_of_objects_in_numpy_s_layout_is_refused_before_it_is_unpickled():
    harmful = b"cos\nsystem\n(S'false'\ntR."
    with pytest.raises(DocumentError, match="pickled, which isn't safe"):
        decode_document(packed({b"nd": True, b"type": "|O", b"kind": b"O", b"data": harmful}))
    array = np.array([{}, None], object)
    with pytest.raises(DocumentError, match="record can't be read as msgpack: .*pickled"):
        decode_document(packed({"x": array}))
    kindless = {b"nd": True, b"type": "|O", b"shape": [1], b"data": pickle.dumps([None])}
    with pytest.raises(DocumentError, match="isn't a type of numbers or texts"):
        decode_document(packed(kindless))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "can't be read"),
        (b"\x92\xa5start", "incomplete"),
        (b"\x91\xa5start", "isn't a document"),
        (b"\x92\xa5start\x90", r"isn't a document; expected .* found \['start', \[\]\]"),
        (msgpack.packb({"name": "start"}), "isn't a document"),
        (b"\xc1", "can't be read"),
        (b"\x91" * 3000, "can't be read"),
        (b"\xdd\xff\xff\xff\xff", "exceeds max_array_len"),
        (packed({1: 2}), "int is not allowed for map key"),
        (b"\x92\xa5start\x81\xa1a\xd4\x05a", "extension type, 5"),
        (b"\x92\xa5start\x81\xa1a\xa2\xff\xff", "can't be read as msgpack: 'utf-8'"),
        (packed({b"nd": True}), "array of numpy that isn't one"),
        (packed({b"nd": True, b"type": "<f8", b"shape": [2], b"data": b"abc"}), "3 bytes"),
        (packed({b"nd": True, b"type": "<f8", b"shape": [2**62], b"data": b""}), "expected"),
        (packed({b"nd": False, b"type": [1], b"data": b""}), "array of numpy that isn't one"),
        (packed({TAG: "quaternion"}), "unknown kind 'quaternion'"),
        (packed({TAG: "int", "value": "f" * 5000}), "isn't a document"),
        (b"\x92\xa5start" + b"\x91" * 900 + b"\x90", "isn't a document"),
    ],
)
def test_what_isn_t_a_document_is_refused(raw, message):
    with pytest.raises(DocumentError, match=f"(?s)The it .*{message}"):
        decode_document(raw, where="it")


@given(st.binary(max_size=60))
def test_no_bytes_give_any_other_error(raw):
    try:
        decode_document(b"\x92\xa5event" + raw)
    except DocumentError:
        pass


def test_a_file_is_read_document_by_document(tmp_path, caplog):
    path = tmp_path / "run.msgpack"
    path.write_bytes(b"".join(encode_document(*each) for each in DOCUMENTS))
    assert all(map(same, map(list, read_documents(path)), map(list, DOCUMENTS)))
    path.write_bytes(b"")
    assert list(read_documents(path)) == []
    assert not caplog.records


def test_a_file_of_databroker_pack_is_read(tmp_path):
    suitcase = pytest.importorskip("suitcase.msgpack")
    doc = {"uid": "1", "data": {"x": [np.arange(3.0)], "y": [1.5]}}
    pairs = [("start", {"uid": "0", "time": 1.0}), ("event_page", doc), ("stop", {"uid": "2"})]
    with suitcase.Serializer(tmp_path) as write:
        for name, each in pairs:
            getattr(write, name)(each)
    assert all(map(same, map(list, read_documents(tmp_path / "0.msgpack")), map(list, pairs)))


@pytest.mark.parametrize("lost", [1, 10])
def test_a_torn_last_document_is_told_and_left_out(tmp_path, caplog, lost):
    path = tmp_path / "run.msgpack"
    path.write_bytes(b"".join(encode_document(*each) for each in DOCUMENTS)[:-lost])
    with caplog.at_level(logging.WARNING, "adsupport"):
        assert [name for name, _ in read_documents(path)] == ["start", "event"]
    assert "ends within document 3" in caplog.text


def test_a_large_document_that_is_torn_is_told_as_well(tmp_path, caplog):
    path = tmp_path / "run.msgpack"
    large = encode_document("event", {"img": np.zeros(10**6)}) + b"\0"
    path.write_bytes(encode_document(*DOCUMENTS[0]) + large[:1000])
    assert [name for name, _ in read_documents(path)] == ["start"]
    assert "ends within document 2" in caplog.text


def test_a_damaged_document_is_named_with_its_place(tmp_path):
    path = tmp_path / "run.msgpack"
    first = encode_document(*DOCUMENTS[0])
    path.write_bytes(first + b"\xc1" + encode_document(*DOCUMENTS[2]))
    found = read_documents(path)
    assert next(found)[0] == "start"
    with pytest.raises(
        DocumentError, match=rf"document 2 of .*run.msgpack \(from byte {len(first)}"
    ):
        next(found)


def test_lists_longer_than_their_file_are_refused(tmp_path):
    path = tmp_path / "run.msgpack"
    path.write_bytes(b"\x92\xa5start" + b"\xdd\x7f\xff\xff\xff" * 500)
    with pytest.raises(DocumentError, match="exceeds max_array_len"):
        list(read_documents(path))
