"""Hostile and damaged metadata are refused with the one error, or read."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import StxmMetadataError
from adsupport.nxstxm.asked.reading import read_request

from .known_metadata import KNOWN, STACK


@pytest.mark.parametrize(
    "start",
    [{}, {"metadata": None}, {"metadata": "["}, {"metadata": b"{}"}, {"metadata": 7}, [], None,
     {"metadata": "[" * 100_000}, {"metadata": '{"rois":' * 100_000}, {"metadata": "null"},
     {"metadata": "9" * 10_000}, {"metadata": {"dwell": 10**5000, 10**5000: 1}},
     {"metadata": {"dwell": object(), "rois": {object(): {}}}, "uid": 3},
     {"metadata": '{"dwell": "\\ud800"}'}],
)  # fmt: skip
def test_hostile_starts_are_refused(start: Any) -> None:
    with pytest.raises(StxmMetadataError):
        read_request(start)


def test_a_dict_that_holds_itself_is_refused() -> None:
    metadata: dict[str, Any] = copy.deepcopy(STACK)
    metadata["rois"]["0"]["GONI"]["X"] = metadata
    with pytest.raises(StxmMetadataError, match="too deep"):
        read_request({"metadata": metadata})


def test_a_long_list_of_problems_stays_readable() -> None:
    rois: dict[str, Any] = {str(number): {} for number in range(500)}
    with pytest.raises(StxmMetadataError) as caught:
        read_request({"metadata": {**STACK, "rois": rois, "sp_id_lst": [*range(500)]}})
    said = caught.value.problem
    assert len(said) < 3000
    assert said.endswith("more")


def test_texts_stay_readable_for_hdf5() -> None:
    request = read_request({"metadata": json.dumps({**STACK, "x": "\ud800"}, ensure_ascii=False)})
    assert request.text.isascii()
    assert json.loads(request.text)["x"] == "\ud800"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from([10**20, 2**70, 1e308, "[", "{}", "0", "\x00", "..", math.nan]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["0", "1", "entry", "e_idx", "X", "POL", "SETPOINTS"]), inner,
                      max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, each in inner:
        found.append((*path, key))
        if isinstance(each, (dict, list)):
            found += places(each, (*path, key))
    return found


def opened(metadata: dict[str, Any]) -> dict[str, Any]:
    """With objects in place of JSON text, so that these are damaged, too."""
    texts = ("wdg_com", "img_idx_map", "sequence_map")
    return copy.deepcopy(metadata) | {
        key: json.loads(metadata[key]) for key in texts if key in metadata
    }


OPENED = {name: opened(metadata) for name, metadata in KNOWN.items()}
PLACES = {name: places(metadata) for name, metadata in OPENED.items()}


@settings(max_examples=120)
@given(st.data(), st.sampled_from(list(KNOWN)), st.integers(0, 13), st.booleans())
def test_damage_is_read_or_refused(
    data: st.DataObject, name: str, scan_type: int, as_text: bool
) -> None:
    metadata = copy.deepcopy(OPENED[name])
    metadata["scan_type"] = scan_type
    for path in data.draw(st.lists(st.sampled_from(PLACES[name]), min_size=1, max_size=3)):
        *outer, last = path
        inner = metadata
        try:
            for key in outer:
                inner = inner[key]
            if data.draw(st.booleans(), label="take away"):
                del inner[last]
            else:
                inner[last] = data.draw(VALUES)
        except (KeyError, IndexError, TypeError):
            continue  # went with an earlier damage
    try:
        request = read_request({"metadata": json.dumps(metadata) if as_text else metadata})
    except StxmMetadataError as error:
        assert 'metadata["' in error.problem
        return
    assert request.region.sp_id == request.index.sp_id
    assert np.isfinite(request.region.x.setpoints).all()
    assert request.region.x.setpoints.dtype == np.float64
    assert len(request.region.x) > 0
    assert request.dwell >= 0
    assert request.text.isascii()


@settings(max_examples=80)
@given(VALUES)
def test_anything_is_refused(value: Any) -> None:
    with pytest.raises(StxmMetadataError):
        read_request({"metadata": value})
