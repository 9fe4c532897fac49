"""NDPluginColorConvert over Channel Access."""

import numpy as np
import pytest

AXES = {"RGB1": 2, "RGB2": 1, "RGB3": 0}


@pytest.mark.parametrize("mode", AXES)
def test_gray_to_colour_and_back(chain, first_frame, mode):
    rig = chain("CC1")
    image = rig.image(CC1__ColorModeOut=mode)
    for color in np.moveaxis(image, AXES[mode], 0):
        assert np.array_equal(color, first_frame())
    assert rig.get("image1:ColorMode_RBV", as_string=True) == mode
    assert rig.get("CC1:ColorMode_RBV", as_string=True) == "Mono"
    rig.wire("CC1", "CC2", "image1")
    assert np.array_equal(rig.image(CC2__ColorModeOut="Mono"), first_frame())


def test_the_mean_of_three_colours(chain, first_frame):
    rig = chain("CC1")
    image = rig.image(cam1__ColorMode="RGB1", cam1__GainBlue=3.0, CC1__ColorModeOut="Mono")
    # 1 + 1 + 3 times the ramp, in three colours of eight bits each
    ramp = first_frame().astype(int)
    assert np.array_equal(image, (2 * ramp + 3 * ramp % 256) // 3)


def test_false_colours(chain, first_frame):
    rig = chain("CC1")
    rig.write({"CC1:FalseColor": "Rainbow"})
    image = rig.image(CC1__ColorModeOut="RGB1")
    # the first quarter of the rainbow runs from black to blue
    assert not image[..., :2].any()
    ramp = first_frame().astype(int)
    assert ramp.max() < 64
    assert np.array_equal(image[..., 2], np.floor(ramp * 255 / 63 + 0.5))
    # a gray image stays gray
    assert np.array_equal(rig.image(CC1__ColorModeOut="Mono"), ramp)


@pytest.mark.parametrize("mode", ["Bayer", "YUV444", "YUV422", "YUV421"])
def test_modes_that_are_not_converted_to(chain, first_frame, mode):
    rig = chain("CC1")
    assert np.array_equal(rig.image(CC1__ColorModeOut=mode), first_frame())
    assert rig.get("image1:ColorMode_RBV", as_string=True) == "Mono"
