"""Commands of a page, and pictures for it."""

from __future__ import annotations

import json
import struct
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from adsupport.imaging.view.contrast import Limits
from adsupport.imaging.view.drawings import Drawings
from adsupport.imaging.view.messages import (
    Look,
    Shown,
    WrongCommandError,
    command_of,
    packed,
    plain,
)
from adsupport.imaging.view.model import ViewModel
from adsupport.imaging.view.rendering import Region

LOOK = {
    "do": "look",
    "channel": "camera",
    "limits": None,
    "region": None,
    "size": [800, 600],
    "profile": None,
    "cursor": None,
    "paused": False,
}


def test_a_look_is_understood():
    given = LOOK | {
        "limits": {"kind": "fixed", "low": -1, "high": 4.5},
        "region": [0, 10, 200, 110],
        "profile": [0, 1.5, 9, 1.5],
        "cursor": [3, 4],
        "paused": True,
    }
    assert command_of(json.dumps(given)) == Look(
        "camera",
        Limits("fixed", -1.0, 4.5),
        Region(0, 10, 200, 110),
        (800, 600),
        ((0, 1.5), (9, 1.5)),
        (3, 4),
        True,
    )
    auto = LOOK | {"limits": {"kind": "auto", "low": None, "high": None}}
    assert command_of(json.dumps(auto)) == Look("camera", Limits(), size=(800, 600))
    assert command_of('{"do": "shown", "serial": 7}') == Shown(7)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": 5},
        {"channel": "x" * 300},
        {"limits": "auto"},
        {"limits": {"kind": "now", "low": 1, "high": 2}},
        {"limits": {"kind": "fixed", "low": 2, "high": 2}},
        {"limits": {"kind": "fixed", "low": 2}},
        {"limits": {"kind": "percentile", "low": -1, "high": 50}},
        {"limits": {"kind": ["fixed"], "low": 1, "high": 50}},
        {"limits": {"kind": "fixed", "low": float("nan"), "high": 50}},
        {"limits": {"kind": "fixed", "low": 10**400, "high": 10**401}},
        {"region": [0, 0, 5]},
        {"region": [0, 0, 5.5, 6]},
        {"region": [0, 0, float("inf"), 6]},
        {"region": [0, 0, 1e300, 6]},
        {"size": [0, 5]},
        {"size": [100000, 5]},
        {"size": [True, 5]},
        {"profile": [1, 2, 3, 1e300]},
        {"profile": {"from": 1}},
        {"cursor": ["a", 1]},
        {"cursor": 5},
        {"paused": 1},
        {"more": 1},
        {"do": "stop"},
    ],
)
def test_a_wrong_look_is_refused(wrong):
    with pytest.raises(WrongCommandError):
        command_of(json.dumps(LOOK | wrong))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "null", "[" * 4000, '{"do": "shown"}', " " * 5000, '{"do": {}}']
)
def test_what_is_no_command_is_refused(text):
    with pytest.raises(WrongCommandError):
        command_of(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["kind", "low", "high"]), inner)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*LOOK, "serial"]), VALUES), st.booleans())
def test_any_json_is_understood_or_refused(given, whole):
    try:
        found = command_of(json.dumps((LOOK if whole else {}) | given))
    except WrongCommandError:
        return
    assert isinstance(found, (Look, Shown))


def test_a_packed_picture_is_header_and_levels():
    levels = np.arange(12, dtype=np.uint8).reshape(3, 4)[:, ::2]
    data = packed({"size": [3, 2]}, levels)
    (length,) = struct.unpack("<I", data[:4])
    assert json.loads(data[4 : 4 + length]) == {"size": [3, 2]}
    assert list(data[4 + length :]) == [0, 2, 4, 6, 8, 10]


IMAGES = st.sampled_from(["u1", "i2", "u8", "i8", "f2", "f4", "f8", "?"]).flatmap(
    lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=2, max_dims=2, max_side=9))
)
KINDS = st.sampled_from([None, Limits(), Limits.of("percentile"), Limits.of((-1e308, 1e308))])


@settings(max_examples=60)
@given(IMAGES, KINDS)
def test_any_image_makes_a_message(image, limits):
    model = ViewModel()
    model.put("camera", image)
    picture = model.picture("camera")
    look = Look("camera", limits, Region(1, 1, 5, 5), (3, 3), ((0, 0), (9, 9)), (0, 0))
    data = Drawings(model).message(look, "camera", picture, 1)
    (length,) = struct.unpack("<I", data[:4])
    header = json.loads(data[4 : 4 + length])
    assert len(data) == 4 + length + header["size"][0] * header["size"][1]
    assert header["limits"][0] <= header["limits"][1]


@pytest.mark.parametrize(
    ("image", "value", "counted"),
    [
        (np.array([[0.0, 5e-324]]), 5e-324, 2),  # half of it is 0
        (np.array([[1, 2]], np.longdouble), 2, 2),
        (np.array([[1, 10 * np.longdouble(1e308)]]), None, 1),
        (np.full((1, 2, 3), 1.7e308), None, 0),
    ],
)
def test_values_that_json_or_a_histogram_has_no_room_for(image, value, counted):
    model = ViewModel()
    model.put("camera", image)
    look = Look("camera", cursor=(1, 0))
    data = Drawings(model).message(look, "camera", model.picture("camera"), 1)
    (length,) = struct.unpack("<I", data[:4])
    header = json.loads(data[4 : 4 + length])
    assert header["cursor"] == [1, 0, value]
    assert sum(header["histogram"]["counts"]) == counted


def test_frames_that_have_gone_by_are_not_kept_with_what_was_drawn():
    model = ViewModel()
    drawings = Drawings(model)
    model.put("camera", np.zeros((5, 5)))
    picture = model.picture("camera")
    assert drawings.message(Look(), "camera", picture, 1)
    gone = weakref.ref(picture)
    model.put("camera", np.ones((5, 5)))
    del picture
    assert gone() is None


def test_facts_are_kept_as_far_as_a_page_can_show_them():
    facts = {
        "angle": np.float64(1.5),
        "id": np.int32(3),
        "mode": "M" * 500,
        "bad": float("nan"),
        "array": np.zeros(3),
        "long": 10**5000,  # more digits than Python writes
        "on": True,
    }
    assert plain(facts) == {"angle": 1.5, "id": 3, "mode": "M" * 200, "on": True}
    assert len(plain({str(number): number for number in range(100)})) == 40
