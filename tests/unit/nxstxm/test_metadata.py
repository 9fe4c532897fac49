"""Metadata that users make are read as they were meant."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import StxmMetadataError
from adsupport.nxstxm import scan_types, stack_type_scans
from adsupport.nxstxm.asked.metadata import (
    make_polarization,
    make_sequence,
    make_standard_metadata,
)
from adsupport.nxstxm.asked.polarization import NAMES, stokes_of, stokes_vector
from adsupport.nxstxm.asked.reading import read_request
from adsupport.nxstxm.asked.request import Polarization, RunIndex, ScanRequest
from adsupport.nxstxm.asked.rois import make_region, make_roi, make_roi_of_points

REGION = make_region(make_roi(0, 4, 5, "SampleX"), make_roi(10, 12, 3, "SampleY"))


def read(metadata: dict[str, Any]) -> ScanRequest:
    return read_request({"metadata": json.dumps(metadata, allow_nan=False)})


def test_the_users_image_is_read() -> None:
    metadata = make_standard_metadata(
        "entry0",
        scan_types.SAMPLE_IMAGE,
        rois=[REGION],
        dwell=2.5,
        energies=[710],
        zp_def={"fl": -3955.3, "zpD": 250},
        rev_lu_dct={"ENERGY": "mono"},
        snaking=True,
    )
    request = read(metadata)
    assert request.scan_type is scan_types.SAMPLE_IMAGE
    assert request.dwell == 0.0025
    assert request.detectors == ("counter0",)
    assert request.index == RunIndex("entry0", 0)
    assert request.region.x.positioner == "SampleX"
    assert request.region.x.setpoints.tolist() == [0, 1, 2, 3, 4]
    assert request.region.y.setpoints.tolist() == [10, 11, 12]
    assert request.region.energies == (710,)
    assert request.region.dwells == (0.0025,)
    assert request.zone_plate == {"fl": -3955.3, "zpD": 250}
    assert request.names == {"ENERGY": "mono"}
    assert request.snaking is True


def test_the_keys_are_those_of_existing_programs() -> None:
    metadata = make_standard_metadata("entry0", 6, rois={3: REGION}, dwell=1, energies=[500])
    assert set(metadata) == {
        "entry_name", "scan_type", "sp_id_lst", "rois", "dwell", "primary_det", "zp_def",
        "wdg_com", "img_idx_map", "rev_lu_dct",
    }  # fmt: skip
    assert metadata["dwell"] == 1  # ms
    assert json.loads(metadata["wdg_com"])["SINGLE_LST"]["EV_ROIS"] == [500]
    assert json.loads(metadata["wdg_com"])["SINGLE_LST"]["DWELL"] == [1]
    assert json.loads(metadata["img_idx_map"]) == {
        "e_idx": 0, "entry": "entry0", "sp_id": 3, "pol_idx": 0, "sp_idx": 0,
    }  # fmt: skip
    axis = metadata["rois"]["3"]["X"]
    assert (axis["CENTER"], axis["RANGE"], axis["STEP"], axis["NPOINTS"]) == (2, 4, 1, 5)
    assert (axis["START"], axis["STOP"], axis["POSITIONER"]) == (0, 4, "SampleX")


def test_a_stack_has_a_run_for_each_place() -> None:
    sequence = make_sequence([2, 5], n_energies=3, n_polarizations=2)
    assert len(sequence) == 12
    assert len(set(sequence)) == 12
    assert sequence[0] == RunIndex("entry0", 2)
    assert sequence[-1] == RunIndex("entry3", 5, e_idx=2, pol_idx=1, sp_idx=1)
    for index in sequence:
        request = read(
            make_standard_metadata(
                "entry0",
                7,
                rois={2: REGION, 5: REGION},
                dwell=1,
                energies=np.array([500.0, 510.0, 520.0]),
                dwells=(1, 2, 3),
                polarizations=[make_polarization("circular right"), Polarization(5, 30, 1.5)],
                index=index,
                sequence=sequence,
            )
        )
        assert request.index == index
        assert request.sequence == sequence
        assert request.region.dwells == (0.001, 0.002, 0.003)
        assert request.region.polarizations == (Polarization(1), Polarization(5, 30, 1.5))


def test_the_order_is_that_of_acquisition_programs() -> None:
    """Source: the map of a stack of 33 energies in the documentation of suitcase.nxstxm."""
    sequence = make_sequence([0, 1], n_energies=33, n_polarizations=2)
    assert sequence[1].e_idx == 0
    assert sequence[7] == RunIndex("entry1", 1, e_idx=3, pol_idx=0, sp_idx=1)
    assert sequence[131] == RunIndex("entry3", 1, e_idx=32, pol_idx=1, sp_idx=1)


def test_each_angle_of_a_tomography_has_an_entry() -> None:
    sequence = make_sequence([1], n_energies=2, angles=[-60, 0, 60])
    assert [each.entry for each in sequence] == ["entry0"] * 2 + ["entry1"] * 2 + ["entry2"] * 2
    assert [each.rotation_angle for each in sequence] == [-60, -60, 0, 0, 60, 60]
    region = make_region(REGION["X"], REGION["Y"], theta=make_roi(-60, 60, 3, "GoniTheta"))
    metadata = make_standard_metadata(
        "entry0", 11, rois={1: region}, dwell=1, energies=[500, 501], index=sequence[4],
        sequence=sequence,
    )  # fmt: skip
    request = read(metadata)
    assert request.index.rotation_angle == 60
    assert request.region.theta is not None
    assert request.region.theta.setpoints.tolist() == [-60, 0, 60]


def test_a_focus_scan_moves_the_zone_plate() -> None:
    region = make_region(
        make_roi(0, 3, 4, "x"), make_roi(0, 6, 4, "y"), zoneplate_z=make_roi(-1e3, 1e3, 3, "zp")
    )
    request = read(make_standard_metadata("entry0", 3, rois=[region], dwell=1))
    assert request.region.zoneplate_z is not None
    assert request.region.zoneplate_z.setpoints.tolist() == [-1000, 0, 1000]
    assert request.region.energies == ()
    with pytest.raises(StxmMetadataError, match=r'\["ZP"\] is missing'):
        make_standard_metadata("entry0", 3, rois=[REGION], dwell=1)


def test_a_generic_scan_has_one_axis() -> None:
    roi = make_roi_of_points(np.array([1.0, 1.5, 4.0]), "OSA.X")
    request = read(make_standard_metadata("entry0", 8, rois=[make_region(roi)], dwell=1))
    assert request.region.x.setpoints.tolist() == [1, 1.5, 4]
    assert len(request.region.y) == 0


def test_the_numbers_of_polarizations_are_kept() -> None:
    metadata = make_standard_metadata(
        "entry0", 6, rois=[REGION], dwell=1, energies=[500], polarizations=[Polarization(9)],
        polarization_codes={9: "linear vertical"},
    )  # fmt: skip
    request = read(metadata)
    assert stokes_of(request.region.polarizations[0], request.polarization_codes) == (1, -1, 0, 0)
    assert stokes_of(Polarization(0), request.polarization_codes) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_polarization_is_made_by_its_name(name: str) -> None:
    made = make_polarization(name, angle=20)
    assert stokes_of(made) == stokes_vector(name, 20)


def test_an_unknown_polarization_is_refused() -> None:
    with pytest.raises(StxmMetadataError, match="one of circular left, .*, not 'CircLeft'"):
        make_polarization("CircLeft")


@pytest.mark.parametrize("scan_type", stack_type_scans)
def test_a_run_of_a_set_needs_its_place(scan_type: int) -> None:
    with pytest.raises(StxmMetadataError, match=r"index is missing.*make_sequence"):
        make_standard_metadata("entry0", scan_type, rois=[REGION], dwell=1, energies=[500])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scan_type": 14}, r'"scan_type"\] must be'),
        ({"dwell": -1}, r'"dwell"\] must be'),
        ({"dwell": math.nan}, "can't be written as JSON"),
        ({"entry_name": "a/b"}, r'"entry_name"\] must be'),
        ({"rois": []}, r'"sp_id_lst"\] must be one region or more'),
        ({"rois": [{}]}, r'"X"\] is missing'),
        ({"primary_det": []}, r'"primary_det"\] must be'),
        ({"energies": [0]}, "above 0 eV"),
        ({"energies": [math.nan]}, "above 0 eV"),
        (
            {"energies": [1, 2], "dwells": [1, 2, 3], "index": RunIndex("entry0", 0)},
            "one for each energy",
        ),
        ({"energies": 708.0}, r"energies must be a list .*, not 708.0"),
        ({"energies": ["708"]}, r"energies must be a list .*, not \['708'\]"),
        ({"energies": [1, 2]}, "A SAMPLE_IMAGE has one image, and energies are 2"),
        ({"rois": [REGION, REGION]}, "A SAMPLE_IMAGE has one image, and rois are 2"),
        ({"rois": REGION}, "rois must be a list .*, not a single region"),
        ({"rois": [REGION["X"]]}, "rois must have regions, not ROIs"),
        ({"rois": None}, "rois must be a list .*, not None"),
        ({"primary_det": object()}, "primary_det must be a data key, .*, not <object"),
        ({"primary_det": ["a", object()]}, "primary_det must be a data key"),
        ({"rev_lu_dct": {"ENERGY": object()}}, r"rev_lu_dct\['ENERGY'\] must be a data key"),
        ({"polarizations": ["circular left"]}, "polarizations must be .*make_polarization"),
        ({"index": RunIndex("entry0", 4)}, r'"sp_id"\] must be a region'),
        ({"energies": [1, 2], "index": RunIndex("entry0", 0, e_idx=2)}, "must be below 2"),
        ({"zp_def": {"fl": math.inf}}, "can't be written as JSON"),
        ({"polarization_codes": {1: "left"}}, "must be one of circular left"),
    ],
)
def test_wrong_arguments_are_refused(changes: dict[str, Any], said: str) -> None:
    arguments: dict[str, Any] = {
        "entry_name": "entry0", "scan_type": 6, "rois": [REGION], "dwell": 1.0, **changes,
    }  # fmt: skip
    with pytest.raises(StxmMetadataError, match=said):
        make_standard_metadata(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [(0, 1, 0, "x"), (0, 1, -3, "x"), (0, 1, 2.5, "x"), (0, 1, True, "x"), (math.nan, 1, 2, "x"),
     (0, math.inf, 2, "x"), ("0", 1, 2, "x"), (0, 10**400, 2, "x"), (0, 1, 2, ""), (0, 1, 2, None)],
)  # fmt: skip
def test_a_wrong_axis_is_refused(arguments: Any) -> None:
    with pytest.raises(StxmMetadataError, match="must be"):
        make_roi(*arguments)


@pytest.mark.parametrize("points", [[], 3, None, [1, None], [math.nan], "12"])
def test_wrong_set_points_are_refused(points: Any) -> None:
    with pytest.raises(StxmMetadataError, match="must be"):
        make_roi_of_points(points, "x")


def test_a_single_point_is_at_the_centre() -> None:
    assert make_roi(2, 4, 1, "x")["SETPOINTS"] == [3]


FINITE = st.floats(-1e6, 1e6)
AXES = st.builds(
    make_roi, FINITE, FINITE, st.integers(1, 6), st.sampled_from(["SampleX", "Coarse.Y", "gx"])
) | st.builds(make_roi_of_points, st.lists(FINITE, min_size=1, max_size=5), st.just("p"))


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    scan_type = draw(st.sampled_from(scan_types))
    numbers = draw(st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True))
    rois = {}
    for number in numbers:
        x = draw(AXES)
        y = {**x, "POSITIONER": "y"} if scan_type in (2, 3, 5) else draw(AXES)
        rois[number] = make_region(x, y, zoneplate_z=draw(AXES), theta=draw(st.none() | AXES))
    energies = draw(st.lists(st.floats(1, 5000), min_size=1, max_size=4))
    dwells = draw(st.sampled_from([[], [0.5 * (n + 1) for n in range(len(energies))]]))
    polarizations = draw(
        st.lists(st.builds(Polarization, st.integers(-2, 6), FINITE, FINITE), min_size=1,
                 max_size=3)
    )  # fmt: skip
    sequence = make_sequence(
        numbers, len(energies), len(polarizations), draw(st.lists(FINITE, max_size=2))
    )
    return {
        "entry_name": "entry0", "scan_type": scan_type, "rois": rois, "energies": energies,
        "dwell": draw(st.floats(0, 1e5)), "dwells": dwells, "polarizations": polarizations,
        "primary_det": draw(st.sampled_from(["counter0", "c", ["a", "b"]])),
        "index": draw(st.sampled_from(sequence)), "sequence": draw(st.sampled_from([(), sequence])),
        "rotation_angle": draw(st.none() | FINITE), "snaking": draw(st.none() | st.booleans()),
        "zp_def": draw(st.dictionaries(st.sampled_from(["fl", "zpD"]), FINITE)),
        "rev_lu_dct": draw(st.dictionaries(st.text(), st.text(), max_size=3)),
    }  # fmt: skip


@settings(max_examples=60)
@given(arguments())
def test_what_is_made_is_read(given_: dict[str, Any]) -> None:
    request = read(make_standard_metadata(**given_))
    assert request.scan_type == given_["scan_type"]
    assert request.dwell == given_["dwell"] / 1000
    assert request.detectors in (("counter0",), ("c",), ("a", "b"))
    index = given_["index"]
    if index.rotation_angle is None:
        assert request.index.rotation_angle == given_["rotation_angle"]
    else:
        assert request.index == index
    assert request.index.entry == index.entry
    assert request.sequence == tuple(given_["sequence"])
    assert request.snaking is given_["snaking"]
    assert request.zone_plate == given_["zp_def"]
    assert request.names == given_["rev_lu_dct"]
    assert list(request.regions) == list(given_["rois"])
    for number, region in given_["rois"].items():
        found = request.regions[number]
        assert found.x.setpoints.tolist() == region["X"]["SETPOINTS"]
        assert found.y.setpoints.tolist() == region["Y"]["SETPOINTS"]
        assert found.x.positioner == region["X"]["POSITIONER"]
        assert (found.theta is None) == ("GONI" not in region)
        assert found.energies == tuple(given_["energies"])
        told = given_["dwells"] or [given_["dwell"]] * len(given_["energies"])
        assert found.dwells == tuple(dwell / 1000 for dwell in told)
        assert found.polarizations == tuple(given_["polarizations"])
