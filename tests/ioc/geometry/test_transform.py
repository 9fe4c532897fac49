"""NDPluginTransform over Channel Access."""

import numpy as np
import pytest

TURNED = {
    "None": lambda a: a,
    "Rot90": lambda a: np.rot90(a, -1),
    "Rot180": lambda a: np.rot90(a, 2),
    "Rot270": lambda a: np.rot90(a, 1),
    "Mirror": np.fliplr,
    "Rot90Mirror": lambda a: np.fliplr(np.rot90(a, -1)),
    "Rot180Mirror": np.flipud,
    "Rot270Mirror": lambda a: np.fliplr(np.rot90(a, 1)),
}


@pytest.mark.parametrize("kind", TURNED)
def test_gray_images(chain, first_frame, kind):
    image = chain("Trans1").image(Trans1__Type=kind)
    assert np.array_equal(image, TURNED[kind](first_frame()))


@pytest.mark.parametrize(("mode", "color_axis"), [("RGB1", 2), ("RGB2", 1), ("RGB3", 0)])
@pytest.mark.parametrize("kind", ["Rot90", "Rot270Mirror"])
def test_colour_images(chain, first_frame, mode, color_axis, kind):
    rig = chain("Trans1")
    rig.write({"cam1:GainBlue": 3.0})
    image = rig.image(cam1__ColorMode=mode, Trans1__Type=kind)
    red, green, blue = np.moveaxis(image, color_axis, 0)
    turned = TURNED[kind](first_frame())
    assert np.array_equal(red, turned)
    assert np.array_equal(green, turned)
    assert np.array_equal(blue, 3 * turned)


def test_a_type_that_does_not_exist_is_refused(chain, first_frame):
    rig = chain("Trans1")
    rig.write({"Trans1:Type": "Mirror"})
    rig.write({"Trans1:Type": 9})
    assert rig.alarm("Trans1:Type")[0] == 3
    assert np.array_equal(rig.image(), first_frame()[:, ::-1])
