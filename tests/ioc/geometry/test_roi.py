"""NDPluginROI over Channel Access; what a real one showed is recorded."""

import numpy as np
import pytest


def test_recorded_sizes_before_and_after_a_frame(start_fresh, caput, caget):
    p = start_fresh().prefix
    before = {"SizeX_RBV": 1000000, "MinX_RBV": 0, "EnableX": 1, "MaxSizeX_RBV": 0, "BinX_RBV": 1,
              "DataTypeOut": 10}  # fmt: skip
    assert {name: caget(f"{p}ROI1:{name}") for name in before} == before
    caput(f"{p}cam1:WaitForPlugins", 1)
    caput(f"{p}cam1:ImageMode", 0)
    caput(f"{p}ROI1:EnableCallbacks", 1)
    caput(f"{p}cam1:Acquire", 1)
    after = {"ArraySizeX_RBV": 1024, "MaxSizeX_RBV": 1024, "SizeX_RBV": 1024, "SizeX": 1000000}
    assert {name: caget(f"{p}ROI1:{name}") for name in after} == after
    caput(f"{p}ROI1:SizeX", 50)
    caput(f"{p}cam1:Acquire", 1)
    after = {"ArraySizeX_RBV": 50, "ArraySizeY_RBV": 1024, "SizeX_RBV": 50}
    assert {name: caget(f"{p}ROI1:{name}") for name in after} == after


def test_a_region_binned_and_reversed(chain, first_frame):
    rig = chain("ROI1")
    image = rig.image(ROI1__MinX=4, ROI1__SizeX=9, ROI1__BinX=2, ROI1__ReverseX=1,
                      ROI1__MinY=3, ROI1__SizeY=6, ROI1__BinY=3)  # fmt: skip
    part = first_frame()[3:9, 4:12][:, ::-1]
    expected = part.reshape(2, 3, 4, 2).sum(axis=(1, 3), dtype=np.uint8)
    assert np.array_equal(image, expected)
    sizes = ("SizeX", "SizeX_RBV", "MaxSizeX_RBV", "ArraySizeX_RBV", "ArraySizeY_RBV",
             "ArraySizeZ_RBV")  # fmt: skip
    assert [rig.get(f"ROI1:{name}") for name in sizes] == [9, 9, 40, 4, 2, 0]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ((30, 100, 1), (30, 10, 1)),
        ((0, 0, 0), (0, 1, 1)),
        ((100, 5, 9), (39, 1, 1)),
        ((-1, -1, -1), (39, 1, 1)),
    ],
)
def test_read_backs_are_corrected_and_set_points_stay(chain, first_frame, asked, shown):
    rig = chain("ROI1")
    names = ("MinX", "SizeX", "BinX")
    for name, value in zip(names, asked, strict=True):
        rig.write({f"ROI1:{name}": value})
    assert tuple(rig.get(f"ROI1:{name}_RBV") for name in names) == asked
    image = rig.image()
    assert tuple(rig.get(f"ROI1:{name}") for name in names) == asked
    assert tuple(rig.get(f"ROI1:{name}_RBV") for name in names) == shown
    start, size, _ = shown
    assert np.array_equal(image, first_frame()[:, start : start + size])


@pytest.mark.parametrize("kind", ["Int8", "UInt16", "Int64", "Float32", "Float64", "Automatic"])
def test_data_types(chain, first_frame, kind):
    rig = chain("ROI1")
    # 4 x 4 bins: the sums exceed 8 bits, image1 shows the low ones
    image = rig.image(ROI1__DataTypeOut=kind, ROI1__BinX=4, ROI1__BinY=4)
    wide = first_frame().astype(np.int64).reshape(6, 4, 10, 4).sum(axis=(1, 3))
    assert wide.max() > 255
    shown = "UInt8" if kind == "Automatic" else kind
    assert rig.get("image1:DataType_RBV", as_string=True) == shown
    assert rig.get("ROI1:DataType_RBV", as_string=True) == "UInt8"
    assert np.array_equal(image, wide.astype(np.uint8))


def test_scaling(chain, first_frame):
    rig = chain("ROI1")
    image = rig.image(ROI1__BinX=4, ROI1__BinY=4, ROI1__EnableScale=1, ROI1__Scale=16.0)
    mean = first_frame().astype(np.int64).reshape(6, 4, 10, 4).sum(axis=(1, 3)) // 16
    assert np.array_equal(image, mean.astype(np.uint8))


@pytest.mark.parametrize(("mode", "color_axis"), [("RGB1", 2), ("RGB2", 1), ("RGB3", 0)])
def test_one_colour_makes_a_gray_image(chain, first_frame, mode, color_axis):
    rig = chain("ROI1")
    rig.write({"cam1:ColorMode": mode, "cam1:GainGreen": 2.0})
    image = rig.image(ROI1__SizeX=30)
    assert image.shape[color_axis] == 3
    assert rig.get("image1:ColorMode_RBV", as_string=True) == mode
    green = np.take(image, 1, color_axis)
    assert np.array_equal(green, 2 * first_frame()[:, :30])
    image = rig.image(ROI1__MinZ=1, ROI1__SizeZ=1)
    assert np.array_equal(image, green)
    assert rig.get("image1:ColorMode_RBV", as_string=True) == "Mono"
    assert [rig.get(f"ROI1:ArraySize{axis}_RBV") for axis in "XYZ"] == [30, 24, 0]
    assert rig.get("ROI1:MaxSizeZ_RBV") == 3


def test_set_points_show_the_inputs_size_as_their_limit(chain):
    rig = chain("ROI1")
    for size in (40, 32):
        rig.write({"cam1:SizeX": size})
        rig.image()
        assert (rig.get("ROI1:MaxX"), rig.get("ROI1:SetXHOPR")) == (size, size)
        facts = rig.pv("ROI1:MinX").get_with_metadata(form="ctrl", use_monitor=False)
        assert facts["upper_disp_limit"] == size


def test_collapsed_dimensions(chain, first_frame):
    rig = chain("ROI1")
    image = rig.image(ROI1__MinY=5, ROI1__SizeY=1, ROI1__CollapseDims=1)
    assert np.array_equal(image, first_frame()[5])
    sizes = [rig.get(f"image1:{name}_RBV") for name in ("NDimensions", "ArraySize0", "ArraySize1")]
    assert sizes == [1, 40, 0]
