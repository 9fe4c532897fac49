"""Chains of plugins: wired at run time, in loops, to ports that do not exist, in mid-stream."""

import time

import h5py
import numpy as np
import pytest

TIMEOUT = 30.0


def test_three_plugins_in_a_row(chain, first_frame):
    rig = chain("ROI1", "Trans1", "CC1")
    image = rig.image(ROI1__MinX=10, ROI1__SizeX=20, Trans1__Type="Rot90", CC1__ColorModeOut="RGB3")
    turned = np.rot90(first_frame()[:, 10:30], -1)
    assert np.array_equal(image, np.stack([turned] * 3))


def test_regions_of_regions(chain, first_frame):
    rig = chain("ROI1", "ROI2", "ROI3")
    image = rig.image(ROI1__MinX=4, ROI1__BinX=2, ROI2__MinX=3, ROI2__ReverseX=1, ROI3__SizeX=5,
                      ROI3__MinY=2, ROI3__SizeY=3)  # fmt: skip
    first = first_frame()[:, 4:].reshape(24, 18, 2).sum(axis=2, dtype=np.uint8)
    assert np.array_equal(image, first[:, 3:][2:5, ::-1][:, :5])


def test_a_file_says_how_an_array_was_cut_out_of_the_detector(chain, tmp_path):
    rig = chain("ROI1", "HDF1")
    rig.write({"cam1:MinX": 4, "cam1:SizeX": 30, "cam1:BinY": 2, "cam1:ReverseX": 1,
             "ROI1:MinX": 5, "ROI1:SizeX": 20, "ROI1:BinX": 3, "ROI1:MinY": 2, "ROI1:ReverseX": 1,
             "ROI1:ReverseY": 1, "HDF1:FileWriteMode": "Single", "HDF1:AutoSave": 1,
             "HDF1:FilePath": str(tmp_path), "HDF1:FileName": "cut",
             "HDF1:FileTemplate": "%s%s.h5"})  # fmt: skip
    rig.shoot()
    with h5py.File(tmp_path / "cut.h5") as file:
        data = file["/entry/data/data"]
        assert data.shape == (10, 6)
        facts = {name: list(data.attrs[f"NDArrayDim{name}"]) for name in ("Offset", "Binning")}
        assert facts == {"Offset": [4 + 5, 2], "Binning": [3, 2]}
        # reversed twice along x
        assert list(data.attrs["NDArrayDimReverse"]) == [0, 1]


def test_rewiring_while_frames_flow(chain, first_frame):
    rig = chain("ROI1", "Trans1", "Over1")
    rig.write({"Trans1:Type": "Rot90", "cam1:AcquirePeriod": 0.002, "cam1:ImageMode": 2,
             "ROI1:SizeX": 13})  # fmt: skip
    rig.pv("cam1:Acquire").put(1)
    try:
        for number in range(40):
            plugins = ["ROI1", "Trans1", "Over1"]
            np.random.default_rng(number).shuffle(plugins)
            rig.wire(*plugins[: number % 4], "image1")
            rig.write({"cam1:SizeX": 20 + number, "ROI1:BinX": number % 5,
                     "cam1:ColorMode": number // 4 % 4})  # fmt: skip
    finally:
        rig.write({"cam1:Acquire": 0, "cam1:AcquirePeriod": 0.0, "ROI1:BinX": 1})
    until = time.monotonic() + TIMEOUT
    while rig.get("cam1:NumQueuedArrays"):
        assert time.monotonic() < until, "arrays are held for ever"
    rig.write({"cam1:SizeX": 40, "cam1:ColorMode": 0})
    rig.wire("ROI1", "Trans1", "Over1", "image1")
    assert np.array_equal(rig.image(), np.rot90(first_frame()[:, :13], -1))


def test_a_port_that_does_not_exist(chain, first_frame):
    rig = chain("Trans1")
    rig.write({"Trans1:NDArrayPort": "NOWHERE"})
    before = rig.get("image1:ArrayCounter_RBV")
    rig.shoot()
    assert rig.get("image1:ArrayCounter_RBV") == before
    assert rig.get("Trans1:NDArrayPort_RBV") == "NOWHERE"
    rig.wire("Trans1", "image1")
    assert np.array_equal(rig.image(Trans1__Type="None"), first_frame())


@pytest.mark.parametrize("blocking", [0, 1])
def test_a_loop(chain, first_frame, blocking):
    rig = chain("ROI1", "Trans1", "CC1")
    for plugin in ("ROI1", "Trans1", "CC1"):
        rig.write({f"{plugin}:BlockingCallbacks": blocking})
    rig.write({"ROI1:NDArrayPort": "CC1", "Trans1:NDArrayPort": "TRANS1"})
    rig.shoot(3)
    assert rig.get("cam1:NumQueuedArrays") == 0
    rig.wire("ROI1", "Trans1", "CC1", "image1")
    image = rig.image(Trans1__Type="Mirror")
    assert np.array_equal(image, first_frame()[:, ::-1])


def test_compressed_arrays_are_dropped(chain):
    rig = chain("Codec1", "ROI1")
    rig.write({"Codec1:Mode": 0, "Codec1:Compressor": "LZ4"})
    before = rig.get("ROI1:ArrayCounter_RBV"), rig.get("ROI1:DroppedArrays_RBV")
    rig.shoot()
    after = rig.get("ROI1:ArrayCounter_RBV"), rig.get("ROI1:DroppedArrays_RBV")
    assert after == (before[0], before[1] + 1)


@pytest.mark.parametrize("plugin", ["Trans1", "CC1", "Over1", "BadPix1", "ROI2"])
def test_lines_instead_of_images(chain, first_frame, plugin):
    rig = chain("ROI1", plugin)
    rig.write({"Trans1:Type": "Rot90", "CC1:ColorModeOut": "RGB1", "Over1:7:Use": 1})
    image = rig.image(ROI1__SizeY=1, ROI1__CollapseDims=1)
    assert np.array_equal(image, first_frame()[0])
