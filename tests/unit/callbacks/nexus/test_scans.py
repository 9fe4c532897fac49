"""The plot of scans along a line and over a grid, live from a RunEngine."""

import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from ophyd.sim import SynAxis, SynGauss, hw

from adsupport.callbacks.nexus import NXWriter, check_nexus


@pytest.fixture
def run(tmp_path):
    """Run a plan; return what stands in the file's plot."""
    RE = RunEngine({}, context_managers=[])
    writer = NXWriter(file_path=tmp_path, warn_on_missing_content=False)
    RE.subscribe(writer.receiver)

    def call(plan, **options):
        for name, value in options.items():
            setattr(writer, name, value)
        RE(plan)
        (result,) = writer.wait_writer(timeout=20)
        assert check_nexus(result.paths[0]) == []
        return h5py.File(result.paths[0])

    return call


@pytest.fixture(scope="module")
def sim():
    m1, m2, m3 = (SynAxis(name=name, labels={"motors"}) for name in ("m1", "m2", "m3"))
    return {
        "m1": m1,
        "m2": m2,
        "m3": m3,
        "det": SynGauss("det", m1, "m1", center=0, Imax=1, sigma=1, labels={"detectors"}),
        "det2": SynGauss("det2", m2, "m2", center=0, Imax=1, sigma=1, labels={"detectors"}),
    }


def names(found):
    return list(found)


def test_count_is_plotted_over_the_time(run, sim):
    with run(bp.count([sim["det"]], 3)) as file:
        data = file["entry/data"]
        assert data.attrs["signal"] == "det"
        assert names(data.attrs["axes"]) == ["EPOCH"]
        assert data["EPOCH"].shape == (3,)
        assert data["EPOCH"][0] > 1.6e9


def test_scan_of_two_motors_has_one_axis_and_another_beside_it(run, sim):
    with run(bp.scan([sim["det"]], sim["m1"], 0, 2, sim["m2"], 5, 7, 3)) as file:
        data = file["entry/data"]
        assert names(data.attrs["axes"]) == ["m1"]
        assert data.attrs["m2_indices"].tolist() == [0]
        assert data["m2"][()].tolist() == [5, 6, 7]


def test_other_detectors_are_auxiliary_signals(run, sim):
    with run(bp.scan([sim["det"], sim["det2"]], sim["m1"], 0, 2, 3)) as file:
        assert names(file["entry/data"].attrs["auxiliary_signals"]) == ["det2"]


@pytest.mark.parametrize("snake", [False, True])
def test_a_grid_scan_is_a_grid(run, sim, snake):
    plan = bp.grid_scan([sim["det"]], sim["m1"], 0, 1, 2, sim["m2"], -1, 1, 3, snake_axes=snake)
    with run(plan) as file:
        data = file["entry/data"]
        assert names(data.attrs["axes"]) == ["m1", "m2"]
        assert data["m1"][()].tolist() == [0, 1]
        assert data["m2"][()].tolist() == [-1, 0, 1]
        assert data["m1_positions"][()].tolist() == [[0] * 3, [1] * 3]
        assert data["m2_positions"][()].tolist() == [[-1, 0, 1]] * 2
        assert data.attrs["m2_positions_indices"].tolist() == [0, 1]
        expected = np.exp(-(data["m1_positions"][()] ** 2) / 2)
        np.testing.assert_allclose(data["det"], expected)
        # as they came
        value = file["entry/instrument/bluesky/streams/primary/m2/value"]
        assert value[()].tolist() == [-1, 0, 1] + ([1, 0, -1] if snake else [-1, 0, 1])


def test_a_grid_of_three_dimensions_and_of_lists(run, sim):
    m1, m2, m3 = sim["m1"], sim["m2"], sim["m3"]
    plan = bp.list_grid_scan([sim["det"]], m1, [0, 3], m2, [1], m3, [4, 5, 7], snake_axes=[m3])
    with run(plan) as file:
        data = file["entry/data"]
        assert data["det"].shape == (2, 1, 3)
        assert names(data.attrs["axes"]) == ["m1", "m2", "m3"]
        assert data["m3"][()].tolist() == [4, 5, 7]


def test_a_spiral_isnt_a_grid(run, sim):
    plan = bp.spiral_square([sim["det"]], sim["m1"], sim["m2"], 0, 0, 1, 1, 3, 3)
    with run(plan) as file:
        data = file["entry/data"]
        assert data["det"].shape == (9,)
        assert len(data.attrs["axes"]) == 1


def test_axes_that_were_asked_for(run, sim):
    plan = bp.scan([sim["det"], sim["det2"]], sim["m1"], 0, 2, 3)
    with run(plan, nxdata_signal="det2", nxdata_signal_axes=["nope", "m1_setpoint"]) as file:
        data = file["entry/data"]
        assert data.attrs["signal"] == "det2"
        assert names(data.attrs["axes"]) == ["m1_setpoint"]


def test_a_signal_that_there_isnt(run, sim):
    with run(bp.scan([sim["det"]], sim["m1"], 0, 2, 3), nxdata_signal="nope") as file:
        assert file["entry/data"].attrs["signal"] == "det"


def test_arrays_over_a_grid_are_shown_in_it_without_a_copy(documents, write):
    rng = np.random.default_rng(1)
    spectra = rng.random((6, 4))
    start = {
        "detectors": ["mca"],
        "motors": ["x", "y"],
        "shape": [2, 3],
        "snaking": [False, True],
        "plan_pattern": "outer_product",
        "hints": {"dimensions": [[["x"], "primary"], [["y"], "primary"]]},
    }
    columns = {
        "mca": list(spectra),
        "x": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        "y": [1.0, 2.0, 3.0, 3.0, 2.0, 1.0],
    }
    path = write(documents({"primary": columns}, start=start))
    with h5py.File(path) as file:
        data = file["entry/data"]
        assert data["mca"].is_virtual
        np.testing.assert_array_equal(data["mca"][0], spectra[:3])
        np.testing.assert_array_equal(data["mca"][1], spectra[:2:-1])
        assert names(data.attrs["axes"]) == ["x", "y", "."]
    assert check_nexus(path) == []


def test_a_grid_that_wasnt_filled_is_a_line(documents, write):
    start = {
        "detectors": ["det"],
        "motors": ["x", "y"],
        "shape": [2, 3],
        "plan_pattern": "outer_product",
        "hints": {"dimensions": [[["x"], "primary"], [["y"], "primary"]]},
    }
    columns = {"det": [1.0] * 4, "x": [0.0] * 4, "y": [1.0, 2.0, 3.0, 1.0]}
    found = documents({"primary": columns}, start=start, stop={"exit_status": "abort"})
    path = write(found)
    with h5py.File(path) as file:
        data = file["entry/data"]
        assert data["det"].shape == (4,)
        assert names(data.attrs["axes"]) == ["y"]
        assert data.attrs["x_indices"].tolist() == [0]
        assert file["entry/instrument/bluesky/exit_status"][()] == b"abort"
    assert check_nexus(path) == []


def test_sim_images_in_events(run):
    with run(bp.scan([hw().direct_img], hw().motor, 0, 1, 2)) as file:
        data = file["entry/data"]
        assert data["img"].shape == (2, 10, 10)
        assert names(data.attrs["axes"]) == ["motor", ".", "."]
