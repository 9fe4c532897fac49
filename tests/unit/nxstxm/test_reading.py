"""Metadata of existing programs is read, and what is wrong with it is told."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import numpy as np
import pytest

from adsupport.errors import StxmMetadataError
from adsupport.nxstxm import scan_types
from adsupport.nxstxm.asked.reading import read_request
from adsupport.nxstxm.asked.request import Polarization, RunIndex, ScanRequest

from .known_metadata import FOCUS, LATER, STACK, ev_roi, idle_roi, roi


def read(metadata: Any, **changes: Any) -> ScanRequest:
    changed = {**metadata, **changes}
    return read_request({"uid": "0a1b2c3d-4e5f", "metadata": json.dumps(changed)})


def refusal(metadata: Any, **changes: Any) -> str:
    with pytest.raises(StxmMetadataError) as caught:
        read(metadata, **changes)
    assert "make_standard_metadata" in caught.value.remedy
    return caught.value.problem


def without(metadata: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in keys}


def changed(metadata: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    made = copy.deepcopy(metadata)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return made


def test_a_stack_of_pystxm_is_read() -> None:
    request = read(STACK)
    assert request.scan_type is scan_types.SAMPLE_IMAGE_STACK
    assert list(request.regions) == [0, 1]
    first, second = request.regions.values()
    assert first.x.positioner == "GoniX"
    assert first.x.setpoints.tolist() == [583.0, 588.0, 593.0]
    assert first.y.setpoints.tolist() == [10.0, 12.0]
    assert (len(second.x), len(second.y)) == (2, 4)
    assert first.theta is None
    assert first.zoneplate_z is None
    for region in (first, second):
        assert region.energies == (700.0, 705.0, 710.0)
        assert region.dwells == (0.001, 0.001, 0.0025)
        assert region.polarizations == (Polarization(0, 0, -1.5), Polarization(5, 30, 0.25))
    assert request.dwell == 0.0025
    assert request.detectors == ("counter0",)
    assert request.index == RunIndex("entry3", 1, e_idx=2, pol_idx=1, sp_idx=1)
    assert request.region is second
    assert request.zone_plate["zpA1"] == -5.067
    assert request.names["ENERGY"] == "BL:ENERGY"
    assert request.snaking is None
    assert request.sequence == ()
    assert json.loads(request.text) == STACK


def test_a_focus_scan_of_pystxm_is_read() -> None:
    request = read(FOCUS)
    region = request.region
    assert region.zoneplate_z is not None
    assert region.zoneplate_z.positioner == "ZonePlateZ.Z"
    assert region.zoneplate_z.setpoints.tolist() == [-1000.0, 0.0, 1000.0]
    assert region.energies == (780.0,)
    assert region.dwells == (0.0025,)


def test_what_later_programs_add_does_no_harm() -> None:
    request = read(LATER)
    assert request.detectors == ("DNM_COUNTER_APD", "DNM_SIS3820")
    assert request.sequence == ()  # a map of events isn't one of runs


def test_a_dict_with_arrays_is_read_as_its_text() -> None:
    metadata = copy.deepcopy(STACK)
    metadata["rois"] = {int(key): value for key, value in metadata["rois"].items()}
    for region in metadata["rois"].values():
        region["X"]["SETPOINTS"] = np.array(region["X"]["SETPOINTS"])
        region["X"]["NPOINTS"] = np.int64(region["X"]["NPOINTS"])
    metadata["sp_id_lst"] = range(2)
    metadata["wdg_com"] = json.loads(metadata["wdg_com"])
    metadata["img_idx_map"] = json.loads(metadata["img_idx_map"]).copy()
    metadata["dwell"] = np.float32(2.5)
    metadata["scan_type"] = scan_types.SAMPLE_IMAGE_STACK
    request, same = read_request({"metadata": metadata}), read(STACK)
    assert request.index == same.index
    assert request.dwell == same.dwell
    assert request.region.energies == same.region.energies
    assert request.region.x.setpoints.tolist() == same.region.x.setpoints.tolist()
    assert json.loads(request.text)["rois"]["0"]["X"]["NPOINTS"] == 3


def test_the_goniometer_is_read_by_either_name() -> None:
    theta = roi("GONI.T", "GoniTheta", -60.0, 0.0, 60.0)
    for name in ("T", "THETA"):
        metadata = changed(STACK, "rois", "1", "GONI", to={name: theta})
        found = read(metadata, scan_type=11).region.theta
        assert found is not None
        assert found.setpoints.tolist() == [-60.0, 0.0, 60.0]
        assert found.positioner == "GoniTheta"


def test_an_axis_that_is_switched_off_may_contradict_itself() -> None:
    idle = {**idle_roi("GONI.T"), "SETPOINTS": [0.0]}
    metadata = changed(STACK, "rois", "1", "GONI", to={"T": idle})
    assert read(metadata).region.theta is None
    assert '["SETPOINTS"] must be a list of 50 numbers' in refusal(metadata, scan_type=11)
    metadata = changed(without(STACK, "img_idx_map"), "rois", "0", "Y", to=idle)
    assert len(read(metadata, scan_type=8).region.y) == 0


def test_missing_set_points_are_computed() -> None:
    axis = without(roi("X", "SampleX", 1.0, 2.0, 3.0, 4.0), "SETPOINTS")
    request = read(changed(STACK, "rois", "1", "X", to=axis))
    assert request.region.x.setpoints.tolist() == [1.0, 2.0, 3.0, 4.0]
    point = {"NPOINTS": 1, "CENTER": 7.5, "START": 7.0, "STOP": 8.0}
    assert read(changed(STACK, "rois", "1", "X", to=point)).region.x.setpoints.tolist() == [7.5]


def test_set_points_with_their_step_are_read() -> None:
    metadata = changed(STACK, "rois", "1", "X", "SETPOINTS", to=[[-4.0, -2.0], 2.0])
    assert read(metadata).region.x.setpoints.tolist() == [-4.0, -2.0]


def test_a_line_may_have_one_point_in_the_axis_that_rests() -> None:
    metadata = changed(FOCUS, "rois", "0", "Y", to=roi("Y", "SampleY", 4.0))
    assert read(metadata).region.y.setpoints.tolist() == [4.0] * 4
    metadata = changed(FOCUS, "rois", "0", "X", to=roi("X", "SampleX", 4.0))
    assert read(metadata).region.x.setpoints.tolist() == [4.0] * 4
    metadata = changed(FOCUS, "rois", "0", "Y", to=roi("Y", "SampleY", 4.0, 5.0))
    assert 'metadata["rois"]["0"] has 4 points in X and 2 in Y' in refusal(metadata)


def test_a_generic_scan_does_without_a_slow_axis() -> None:
    plain = without(STACK, "img_idx_map")
    for y in (None, idle_roi("Y")):
        request = read(changed(plain, "rois", "0", "Y", to=y), scan_type=8, sp_id_lst=[0])
        assert len(request.region.y) == 0
        assert len(request.region.x) == 3


def test_regions_are_in_the_order_of_their_turns() -> None:
    request = read(without(STACK, "img_idx_map"), scan_type=4, sp_id_lst=[1, 0])
    assert list(request.regions) == [1, 0]
    assert request.index == RunIndex("entry3", 1)
    assert list(read(without(STACK, "sp_id_lst")).regions) == [0, 1]


def test_the_index_of_single_scans_may_be_missing() -> None:
    request = read(without(FOCUS, "img_idx_map", "entry_name", "wdg_com", "rev_lu_dct", "zp_def"))
    assert request.index == read(without(FOCUS, "img_idx_map"), entry_name="").index
    assert request.index == RunIndex("entry0", 0)
    assert request.names == {}
    assert request.region.energies == (700.0, 705.0, 710.0)  # of the region's own EV_ROIS


def test_energies_are_unknown_where_nobody_tells_them() -> None:
    metadata = changed(without(FOCUS, "wdg_com"), "rois", "0", "EV_ROIS", to=None)
    region = read(metadata).region
    assert (region.energies, region.dwells, region.polarizations) == ((), (), ())


def test_several_regions_may_have_energies_of_their_own() -> None:
    metadata = changed(without(STACK, "wdg_com"), "rois", "0", "EV_ROIS", to=[ev_roi(1, 300.0)])
    request = read(metadata, wdg_com={"SINGLE_LST": {"EV_ROIS": [1.0, 2.0], "DWELL": [1]}})
    assert request.regions[0].energies == (300.0,)
    assert request.regions[1].energies == (700.0, 705.0, 710.0)


def test_a_dwell_for_all_energies_is_enough() -> None:
    alone = changed(FOCUS, "wdg_com", to={"SINGLE_LST": {"EV_ROIS": [500, 501], "DWELL": [2]}})
    assert read(alone).region.dwells == (0.002, 0.002)
    alone["wdg_com"]["SINGLE_LST"]["DWELL"] = [2, 2, 2]
    assert '["DWELL"] must be a list of 2 times' in refusal(alone)


def test_other_polarizations_for_other_energies_are_unknown() -> None:
    parts = [ev_roi(1, 300.0), {**ev_roi(1, 301.0), "POL_ROIS": []}]
    metadata = changed(without(FOCUS, "wdg_com"), "rois", "0", "EV_ROIS", to=parts)
    region = read(metadata).region
    assert region.energies == (300.0, 301.0)
    assert region.polarizations == ()


def place(entry: str, e_idx: int, **other: Any) -> dict[str, Any]:
    return {"entry": entry, "e_idx": e_idx, "sp_id": 1, "pol_idx": 0, "sp_idx": 1, **other}


def test_the_sequence_is_that_of_all_runs() -> None:
    runs = {"10": place("entry3", 2), "2": place("entry3", 1), "0": place("entry3", 0)}
    request = read(STACK, img_idx_map=runs["2"], sequence_map=json.dumps(runs))
    assert [each.e_idx for each in request.sequence] == [0, 1, 2]
    assert request.index.e_idx == 1
    request = read(STACK, img_idx_map={**runs, **runs["10"]})
    assert len(request.sequence) == 3
    assert request.index.e_idx == 2


def test_a_map_of_all_runs_is_enough_where_it_can_be_decided() -> None:
    request = read(STACK, img_idx_map={"0": place("entry3", 2)})
    assert request.index.e_idx == 2
    runs = {"0": place("entry1", 0), "1": place("entry3", 1)}
    request = read(STACK, img_idx_map=runs)
    assert request.index.e_idx == 1
    runs["2"] = place("entry3", 2)
    for scan_type in (6, 7, 11, 13):
        said = refusal(STACK, img_idx_map=runs, scan_type=scan_type)
        assert '["img_idx_map"] must be the place of this run alone' in said
    assert read(STACK, img_idx_map=runs, scan_type=4).index.sp_id == 1


def test_a_run_must_be_in_its_sequence() -> None:
    runs = [place("entry3", 0), place("entry3", 1)]
    said = refusal(STACK, img_idx_map=place("entry3", 2), sequence_map=runs)
    assert '["sequence_map"] doesn\'t have the place of this run' in said
    turned = [place("entry3", 0, rotation_angle=5.0)]
    request = read(STACK, img_idx_map=place("entry3", 0), sequence_map=turned, rotation_angle=5)
    assert request.index == request.sequence[0]


def test_the_angle_is_the_indexs_or_else_the_runs() -> None:
    request = read(STACK, rotation_angle=12.5)
    assert request.index.rotation_angle == 12.5
    request = read(STACK, img_idx_map=place("entry3", 0, rotation_angle=-3), rotation_angle=12.5)
    assert request.index.rotation_angle == -3


def test_numbers_of_polarizations_may_be_told() -> None:
    assert read(STACK).polarization_codes[2] == "linear horizontal"
    told = read(STACK, polarization_codes={"7": "linear vertical"})
    assert told.polarization_codes == {7.0: "linear vertical"}
    for wrong in ({"7": "diagonal"}, {"7": []}, {"left": "circular left"}, [], {"": 1}):
        assert "polarization_codes" in refusal(STACK, polarization_codes=wrong)


@pytest.mark.parametrize("said", [True, False])
def test_snaking_is_told(said: bool) -> None:
    assert read(STACK, snaking=said).snaking is said


def test_all_that_is_missing_is_named_at_once() -> None:
    said = refusal({"rois": {"1": {"X": {"NPOINTS": 3}}}, "scan_type": 7})
    assert said.startswith("The metadata of run 0a1b2c3d can't be used: ")
    for path in (
        'metadata["dwell"] is missing',
        'metadata["primary_det"] is missing',
        'metadata["img_idx_map"] is missing',
        'metadata["rois"]["1"]["X"]["SETPOINTS"] is missing',
        'metadata["rois"]["1"]["Y"] is missing',
    ):
        assert path in said
    assert len(refusal({}).split(";")) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scan_type": 14}, 'metadata["scan_type"] must be a scan type, 0 to 13'),
        ({"scan_type": -1}, "not -1"),
        ({"scan_type": "7"}, "not '7'"),
        ({"scan_type": True}, "not True"),
        ({"scan_type": 7.5}, "not 7.5"),
        ({"dwell": -1}, 'metadata["dwell"] must be a time of 0 ms or more, not -1'),
        ({"dwell": math.nan}, "not nan"),
        ({"dwell": math.inf}, "not inf"),
        ({"dwell": "1"}, "not '1'"),
        ({"dwell": 10**400}, 'metadata["dwell"] must be'),
        ({"primary_det": []}, 'metadata["primary_det"] must be'),
        ({"primary_det": ""}, 'metadata["primary_det"] must be'),
        ({"primary_det": ["a", 3]}, 'metadata["primary_det"][1] must be'),
        ({"primary_det": {"a": 3}}, 'metadata["primary_det"] must be a list'),
        ({"sp_id_lst": [0, 3]}, 'metadata["rois"]["3"] is missing (a region that sp_id_lst names)'),
        ({"sp_id_lst": [0, 0]}, "names no region twice"),
        ({"sp_id_lst": []}, 'metadata["sp_id_lst"] must be one region or more'),
        ({"sp_id_lst": "01"}, 'metadata["sp_id_lst"] must be a list'),
        ({"rois": {}}, "is missing"),
        ({"rois": []}, 'metadata["rois"] must be an object (dict), not []'),
        ({"rois": {"0": 1, "1": None}}, 'metadata["rois"]["0"] must be an object'),
        ({"img_idx_map": "{"}, 'metadata["img_idx_map"] isn\'t JSON'),
        ({"img_idx_map": {}}, 'metadata["img_idx_map"] lacks e_idx, entry, sp_id'),
        ({"img_idx_map": 3}, 'metadata["img_idx_map"] must be an object'),
        ({"img_idx_map": {"e_idx": 1}}, 'metadata["img_idx_map"]["sp_id"] is missing'),
        ({"img_idx_map": place("entry0", 3)}, '["e_idx"] must be below 3'),
        ({"img_idx_map": place("entry0", -1)}, '["e_idx"] must be a number of 0 or more'),
        ({"img_idx_map": place("entry0", 0, pol_idx=2)}, '["pol_idx"] must be below 2'),
        ({"img_idx_map": place("entry0", 0, sp_id=5)}, '["sp_id"] must be a region'),
        ({"img_idx_map": place("../entry", 0)}, "must be the name of an entry"),
        ({"img_idx_map": place("a/b", 0)}, "must be the name of an entry"),
        ({"img_idx_map": place("..", 0)}, "must be the name of an entry"),
        ({"img_idx_map": place("", 0)}, "must be the name of an entry"),
        ({"entry_name": "."}, 'metadata["entry_name"] must be the name of an entry'),
        ({"sequence_map": "["}, 'metadata["sequence_map"] isn\'t JSON'),
        ({"sequence_map": {"0": place("entry0", -1)}}, 'metadata["sequence_map"]["0"]["e_idx"]'),
        ({"wdg_com": "nonsense"}, 'metadata["wdg_com"] isn\'t JSON'),
        ({"wdg_com": []}, 'metadata["wdg_com"] must be an object'),
        ({"snaking": "yes"}, 'metadata["snaking"] must be true or false'),
        ({"rotation_angle": math.nan}, 'metadata["rotation_angle"] must be'),
        ({"zp_def": []}, 'metadata["zp_def"] must be an object'),
        ({"rev_lu_dct": 1}, 'metadata["rev_lu_dct"] must be an object'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(STACK, **changes)


@pytest.mark.parametrize(
    ("axis", "said"),
    [
        ({"NPOINTS": 4}, '["SETPOINTS"] must be a list of 4 numbers, as NPOINTS says, not [-4.0'),
        ({"NPOINTS": 2.5}, '["NPOINTS"] must be a number of points'),
        ({"NPOINTS": -2}, '["NPOINTS"] must be a number of points'),
        ({"SETPOINTS": [1.0, math.nan]}, '["SETPOINTS"] must be a list of finite numbers'),
        ({"SETPOINTS": [1.0, "2"]}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": [1.0, None]}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": [[1.0], [2.0]]}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": [True, False]}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": "12"}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": 12}, '["SETPOINTS"] must be'),
        ({"SETPOINTS": [], "NPOINTS": 10**12}, '["NPOINTS"] must be at most'),
        ({"SETPOINTS": [], "NPOINTS": 0}, '["SETPOINTS"] is missing'),
        ({"SETPOINTS": None, "START": None}, '["SETPOINTS"] is missing'),
        ({"SETPOINTS": None, "START": "0"}, '["START"] must be a finite number'),
        ({"SETPOINTS": None, "START": -1e308, "STOP": 1e308}, "isn't finite"),
        ({"POSITIONER": 5}, '["POSITIONER"] must be the name of a positioner'),
    ],
)  # fmt: skip
def test_a_wrong_axis_is_told(axis: dict[str, Any], said: str) -> None:
    metadata = copy.deepcopy(STACK)
    metadata["rois"]["1"]["X"] |= axis
    found = refusal(metadata)
    assert 'metadata["rois"]["1"]["X"]' in found
    assert said in found
