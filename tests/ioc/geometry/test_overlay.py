"""NDPluginOverlay over Channel Access."""

import numpy as np
import pytest

SETTINGS = {"Use": 1, "Shape": "Rectangle", "DrawMode": "Set", "Green": 200, "WidthX": 1,
            "WidthY": 1, "PositionX": 3, "PositionY": 2, "SizeX": 10, "SizeY": 6}  # fmt: skip


def draw(rig, number: int, **settings: object) -> None:
    rig.write({f"Over1:{number}:{name}": value for name, value in (SETTINGS | settings).items()})


def box(image: np.ndarray, x: int, y: int, size_x: int, size_y: int) -> np.ndarray:
    """Return where the lines of a box are."""
    lines = np.zeros(image.shape, bool)
    lines[y : y + size_y + 1, x : x + size_x + 1] = True
    lines[y + 1 : y + size_y, x + 1 : x + size_x] = False
    return lines


def test_a_box_in_a_gray_image(chain, first_frame):
    rig = chain("Over1")
    draw(rig, 5)
    ramp = first_frame()
    assert np.array_equal(rig.image(), np.where(box(ramp, 3, 2, 10, 6), 200, ramp))
    assert (rig.get("Over1:MaxSizeX_RBV"), rig.get("Over1:MaxSizeY_RBV")) == (40, 24)
    assert (rig.get("Over1:8:MaxSizeX"), rig.get("Over1:8:SetYHOPR")) == (40, 24)
    draw(rig, 5, DrawMode="XOR")
    assert np.array_equal(rig.image(), np.where(box(ramp, 3, 2, 10, 6), ramp ^ 200, ramp))
    assert np.array_equal(rig.image(Over1__5__Use=0), ramp)


@pytest.mark.parametrize(("mode", "color_axis"), [("RGB1", 2), ("RGB2", 1), ("RGB3", 0)])
def test_a_cross_in_a_colour_image(chain, first_frame, mode, color_axis):
    rig = chain("Over1")
    draw(rig, 8, Shape="Cross", Red=1, Green=2, Blue=3, SizeX=10, SizeY=6)
    colors = np.moveaxis(rig.image(cam1__ColorMode=mode), color_axis, 0)
    for color, value in zip(colors, (1, 2, 3), strict=True):
        expected = first_frame()
        expected[5, 3:14] = value
        expected[2:9, 8] = value
        assert np.array_equal(color, expected)


def test_text_with_time(chain, first_frame):
    rig = chain("Over1")
    draw(rig, 1, Shape="Text", Font="9x15", PositionX=1, PositionY=4, SizeX=30, SizeY=15,
         DisplayText="Ad", TimeStampFormat="")  # fmt: skip
    changed = rig.image() != first_frame()
    rows, columns = changed.nonzero()
    assert 4 <= rows.min() and rows.max() < 19
    assert 1 <= columns.min() and columns.max() < 1 + 2 * 9
    rig.write({"Over1:1:TimeStampFormat": "%H"})
    longer = rig.image() != first_frame()
    assert np.array_equal(longer[:, :19], changed[:, :19])
    assert longer[:, 19:31].any() and not longer[:, 31:].any()


@pytest.mark.parametrize("axis", "XY")
def test_position_and_centre_follow_each_other(chain, axis):
    rig = chain("Over1")

    def shown():
        names = (f"Position{axis}", f"Center{axis}")
        values = [rig.get(f"Over1:6:{name}{rbv}") for rbv in ("", "_RBV") for name in names]
        assert values[:2] == values[2:]  # set-points follow, too
        return values[:2]

    rig.write({f"Over1:6:Size{axis}": 20, f"Over1:6:Position{axis}": 30})
    assert shown() == [30, 40]
    rig.write({f"Over1:6:Center{axis}": 100})
    assert shown() == [90, 100]
    rig.write({f"Over1:6:Size{axis}": 30})
    assert shown() == [85, 100]
    rig.write({f"Over1:6:Position{axis}": 0, f"Over1:6:Size{axis}": 10})
    assert shown() == [0, 5]


def test_the_first_four_follow_the_roi_plugins(chain, watch):
    rig = chain("ROI3")
    followed = ("PositionX", "PositionY", "SizeX", "SizeY")
    wanted = dict(zip(followed, (7, 8, 21, 12), strict=True))
    rig.write({f"Over1:3:{name}": 0 for name in followed})
    with watch(rig.prefix, *(f"Over1:3:{name}_RBV" for name in followed)) as seen:
        rig.write({"ROI3:MinX": 7, "ROI3:MinY": 8, "ROI3:SizeX": 21, "ROI3:SizeY": 12})
        for name, value in wanted.items():
            seen.wait_for(f"Over1:3:{name}_RBV", value)
    for name, value in wanted.items():
        assert rig.get(f"Over1:3:{name}Link") == value
        assert rig.get(f"Over1:3:{name}") == value
    assert rig.get("Over1:3:CenterX") == 17


def test_colours_and_sizes_out_of_range_leave_the_plugin_alive(chain, first_frame):
    rig = chain("Over1")
    top = 2**31 - 1
    draw(rig, 5, Shape="Ellipse", SizeX=top, SizeY=top, WidthX=top, WidthY=top, PositionX=-top)
    assert np.array_equal(rig.image(), first_frame())
    draw(rig, 5, Shape="Rectangle", SizeX=0, SizeY=-3, Green=-1, PositionX=top, PositionY=-top)
    assert np.array_equal(rig.image(), first_frame())
    draw(rig, 5, Green=-1)
    ramp = first_frame()
    assert np.array_equal(rig.image(), np.where(box(ramp, 3, 2, 10, 6), 255, ramp))
