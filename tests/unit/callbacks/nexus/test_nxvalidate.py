"""What nexusformat's judge says of our files."""

import numpy as np
import pytest

from ....judges.nxvalidate_judge import judge_file

nexus = pytest.importorskip("nexusformat.nexus")

GRID = {
    "detectors": ["det", "mca"],
    "motors": ["x", "y"],
    "shape": [2, 3],
    "snaking": [False, True],
    "plan_pattern": "outer_product",
    "hints": {"dimensions": [[["x"], "primary"], [["y"], "primary"]]},
}
POSITIONS = {"x": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0], "y": [1.0, 2.0, 3.0, 3.0, 2.0, 1.0]}
AWKWARD = {"s": list("abcdef"), "ragged": [[1.0], [1.0, 2.0]] * 3, "gaps": [1, None, 3, 4, 5, 6]}
BASELINE = {
    "sample_data_temperature": [1.0, 2.0],
    "bss_user_info_contact": ["a", "b"],
    "monochromator_dcm_energy": [8.0, 8.0],
}
DET = {"det_cam_acquire_time": 0.1, "det_gain": 1}


@pytest.mark.parametrize("rows", [6, 4, 0], ids=["whole", "part", "none"])
def test_a_grid_with_all_there_is(documents, write, rows):
    columns = {"det": [1.0] * 6, "mca": list(np.ones((6, 4))), **POSITIONS, **AWKWARD}
    streams = {"primary": {key: values[:rows] for key, values in columns.items()}}
    found = documents(
        {**streams, "baseline": BASELINE},
        start=GRID,
        configuration={"det": {"data": DET, "timestamps": {}, "data_keys": {}}},
    )
    path = write(found, strict=False)
    # The seed's: a duration that isn't an integer, and plan_name.
    assert judge_file(path).counts == (2, 0)
    if rows == 6:
        data = nexus.nxload(path)["entry/data"]
        assert data.nxsignal.shape == (2, 3)
        assert [axis.nxname for axis in data.nxaxes] == ["x", "y"]


def test_a_run_cut_off(documents, write):
    path = write(documents({"primary": {"x": [1.0]}}, stop=False), strict=False)
    assert judge_file(path).counts == (1, 0)
