"""Kinds of arrays and how they differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.base import ADComponent
from ophyd.sim import make_fake_device

from adsupport.devices import (
    PLUGIN_DEFAULTS,
    AD_EpicsFileNameHDF5Plugin,
    AD_plugin_primed,
    AD_prime_plugin2,
    SimDetectorCam_V34,
)
from adsupport.devices.arrays.prediction import (
    ArrayKind,
    array_mismatch,
    delivered_array,
    received_array,
)
from adsupport.devices.arrays.sources import plugin_output
from adsupport.devices.plugins import (
    CodecPlugin,
    ColorConvPlugin,
    FFTPlugin,
    ImagePlugin,
    ProcessPlugin,
    ROIPlugin,
    TransformPlugin,
)
from adsupport.errors import ConfigurationError, UnprimedError
from adsupport.plans import prepare_count

MONO = ArrayKind((1024, 512), "UInt8", "Mono")


def test_shape_is_that_of_the_file_and_type_that_of_numpy() -> None:
    assert MONO.shape == (512, 1024)
    assert MONO.dtype == np.uint8
    assert ArrayKind((3, 96, 64), "Float64", "RGB1").shape == (64, 96, 3)
    assert ArrayKind((8, 8)).dtype is None


@pytest.mark.parametrize(
    ("delivered", "words"),
    [
        (ArrayKind((512, 512), "UInt8", "Mono"), "1024 x 512.*512 x 512"),
        (ArrayKind((1024, 512), "UInt16", "Mono"), "UInt8.*UInt16"),
        (ArrayKind((1024, 512), "UInt8", "Bayer"), "Mono.*Bayer"),
        (ArrayKind((3, 1024, 512), "UInt8", "RGB1"), "size.*colour mode"),
    ],
)
def test_a_difference_is_told(delivered: ArrayKind, words: str) -> None:
    import re

    assert re.search(words, array_mismatch(MONO, delivered))


@pytest.mark.parametrize(
    "delivered", [None, MONO, ArrayKind((1024, 512)), ArrayKind((1024, 512), None, "Mono")]
)
def test_what_is_not_known_is_no_difference(delivered: ArrayKind | None) -> None:
    assert array_mismatch(MONO, delivered) == ""


class Chain(DetectorBase):
    """A camera whose images go through other plugins to the writer."""

    cam = ADComponent(SimDetectorCam_V34, "cam1:")
    image = ADComponent(ImagePlugin, "image1:")
    fft1 = ADComponent(FFTPlugin, "FFT1:")
    roi1 = ADComponent(ROIPlugin, "ROI1:")
    cc1 = ADComponent(ColorConvPlugin, "CC1:")
    hdf1 = ADComponent(AD_EpicsFileNameHDF5Plugin, "HDF1:", write_path_template="/data/")


PORTS = {
    "cam": "SIM1",
    "image": "Image1",
    "fft1": "FFT1",
    "roi1": "ROI1",
    "cc1": "CC1",
    "hdf1": "FileHDF1",
}


@pytest.fixture(scope="module")
def made() -> Any:
    """Some thousand signals: made once."""
    return make_fake_device(Chain)("X:", name="det")


@pytest.fixture
def chain(made: Any) -> Iterator[Any]:
    """The chain without an IOC: what a real one shows after a frame of 1024 x 1024."""
    detector = made
    signals = [found.item for found in detector.walk_signals(include_lazy=True)]
    before = [(signal, signal._readback) for signal in signals if hasattr(signal, "sim_put")]
    for name, port in PORTS.items():
        getattr(detector, name).port_name.sim_put(port)
    for name, value in {
        "data_type": "UInt8",
        "color_mode": "Mono",
        "max_size.max_size_x": 1024,
        "max_size.max_size_y": 1024,
        "min_x": 0,
        "min_y": 0,
        "size.size_x": 1024,
        "size.size_y": 1024,
        "bin_x": 1,
        "bin_y": 1,
    }.items():
        getattr(detector.cam, name).sim_put(value)
    for plugin in (detector.image, detector.fft1, detector.roi1, detector.cc1, detector.hdf1):
        plugin.ndimensions.sim_put(2)
        plugin.data_type.sim_put("UInt8")
        plugin.color_mode.sim_put("Mono")
        plugin.nd_array_port.sim_put("SIM1")
    roi = detector.roi1
    for axis, size in {"x": 50, "y": 1024}.items():
        getattr(roi.roi_enable, axis).sim_put("Enable")
        getattr(roi.auto_size, axis).sim_put(0)
        getattr(roi.min_xyz, f"min_{axis}").sim_put(0)
        getattr(roi.size, axis).sim_put(size)
        getattr(roi.bin_, axis).sim_put(1)
        getattr(roi.max_size, axis).sim_put(1024)
    roi.collapse_dims.sim_put("Disable")
    roi.data_type_out.sim_put("Automatic")
    yield detector
    for signal, value in before:
        signal._readback = value


def received(plugin: Any, width: int, height: int) -> None:
    plugin.array_size.width.sim_put(width)
    plugin.array_size.height.sim_put(height)


def test_a_writer_behind_a_region_is_compared_with_the_region(chain: Any) -> None:
    # The peer compares it with the camera: it's never primed, and primed again at every call.
    chain.hdf1.nd_array_port.sim_put("ROI1")
    received(chain.hdf1, 50, 1024)
    assert AD_plugin_primed(chain.hdf1)
    chain.roi1.size.x.sim_put(60)
    assert not AD_plugin_primed(chain.hdf1)


@pytest.mark.parametrize(
    ("settings", "dims"),
    [
        ({}, (50, 1024)),
        ({"size.x": 1_000_000}, (1024, 1024)),
        ({"min_xyz.min_x": 1000}, (24, 1024)),
        ({"min_xyz.min_x": 5000}, (1, 1024)),
        ({"auto_size.x": 1}, (1024, 1024)),
        ({"roi_enable.x": "Disable"}, (1024, 1024)),
        ({"bin_.x": 3, "bin_.y": 2}, (16, 512)),
        ({"bin_.x": 500}, (1, 1024)),
        ({"size.x": 0}, (1, 1024)),
    ],
)
def test_what_a_region_gives_out(
    chain: Any, settings: dict[str, Any], dims: tuple[int, int]
) -> None:
    chain.hdf1.nd_array_port.sim_put("ROI1")
    for name, value in settings.items():
        getattr(chain.roi1, name).sim_put(value)
    assert delivered_array(chain.hdf1) == ArrayKind(dims, "UInt8", "Mono")


def test_the_type_that_a_region_gives_out(chain: Any) -> None:
    chain.hdf1.nd_array_port.sim_put("ROI1")
    chain.roi1.data_type_out.sim_put("Float32")
    assert delivered_array(chain.hdf1).data_type == "Float32"


def test_a_plugin_that_passes_arrays_on_is_looked_through(chain: Any) -> None:
    chain.image.nd_array_port.sim_put("ROI1")
    chain.hdf1.nd_array_port.sim_put("Image1")
    assert delivered_array(chain.hdf1) == ArrayKind((50, 1024), "UInt8", "Mono")


def test_what_a_plugin_makes_of_its_arrays_is_not_guessed(chain: Any) -> None:
    # Behind a plugin without a known rule any array primes: the peer never is content there.
    chain.hdf1.nd_array_port.sim_put("FFT1")
    assert not AD_plugin_primed(chain.hdf1)
    received(chain.hdf1, 3, 1024)
    assert AD_plugin_primed(chain.hdf1)


def test_a_writer_behind_a_colour_conversion_is_compared_with_what_that_makes(chain: Any) -> None:
    chain.hdf1.nd_array_port.sim_put("CC1")
    chain.cc1.color_mode_out.sim_put("RGB1")
    received(chain.hdf1, 1024, 1024)
    assert not AD_plugin_primed(chain.hdf1)
    chain.cam.color_mode.sim_put("RGB1")
    chain.cc1.color_mode_out.sim_put("Mono")
    assert AD_plugin_primed(chain.hdf1)


def test_images_that_nobody_can_know_yet_are_not_described_at_random(chain: Any) -> None:
    chain.hdf1.nd_array_port.sim_put("FFT1")
    chain.hdf1.ndimensions.sim_put(0)
    with pytest.raises(UnprimedError, match="X:HDF1:.*isn't known before its first frame"):
        chain.hdf1._image_key()
    chain.hdf1.nd_array_port.sim_put("SIM1")
    key = chain.hdf1._image_key()
    assert (key["shape"], key["dtype_numpy"]) == ([1, 1024, 1024], "|u1")


MONO_8 = ArrayKind((64, 48), "UInt8", "Mono")


@pytest.mark.parametrize(
    ("cls", "settings", "given", "made"),
    [
        (ColorConvPlugin, {"color_mode_out": "RGB1"}, MONO_8, ((3, 64, 48), "UInt8", "RGB1")),
        (ColorConvPlugin, {"color_mode_out": "RGB2"}, MONO_8, ((64, 3, 48), "UInt8", "RGB2")),
        (ColorConvPlugin, {"color_mode_out": "RGB3"}, MONO_8, ((64, 48, 3), "UInt8", "RGB3")),
        (ColorConvPlugin, {"color_mode_out": "Bayer"}, MONO_8, ((64, 48), "UInt8", "Mono")),
        (
            ColorConvPlugin,
            {"color_mode_out": "RGB3"},
            ArrayKind((64, 48), "Float64", "Bayer"),
            None,
        ),
        (TransformPlugin, {"type_": "Rot90"}, MONO_8, ((48, 64), "UInt8", "Mono")),
        (TransformPlugin, {"type_": "Rot270Mirror"}, MONO_8, ((48, 64), "UInt8", "Mono")),
        (TransformPlugin, {"type_": "Rot180Mirror"}, MONO_8, ((64, 48), "UInt8", "Mono")),
        (
            TransformPlugin,
            {"type_": "Rot90"},
            ArrayKind((64, 3, 48), "UInt16", "RGB2"),
            ((48, 3, 64), "UInt16", "RGB2"),
        ),
        (ProcessPlugin, {"data_type_out": "Automatic"}, MONO_8, ((64, 48), "UInt8", "Mono")),
        (ProcessPlugin, {"data_type_out": "Float32"}, MONO_8, ((64, 48), "Float32", "Mono")),
        (CodecPlugin, {}, MONO_8, ((64, 48), "UInt8", "Mono")),
        (FFTPlugin, {}, MONO_8, None),
    ],
)
def test_what_plugins_make_of_their_arrays(
    cls: type, settings: dict[str, Any], given: ArrayKind, made: tuple[Any, ...] | None
) -> None:
    plugin = make_fake_device(cls)("X:", name="plugin")
    for name, value in settings.items():
        getattr(plugin, name).sim_put(value)
    assert plugin_output(plugin, given) == (made and ArrayKind(*made))


@pytest.mark.parametrize(
    ("settings", "dims", "mode"),
    [
        ({}, (3, 64, 48), "RGB1"),
        ({"size.x": 10, "bin_.y": 2}, (3, 10, 24), "RGB1"),
        ({"size.z": 2}, (2, 64, 48), "Mono"),
        ({"min_xyz.min_z": 1, "size.z": 1}, (64, 48), "Mono"),
        ({"min_xyz.min_x": -1}, (3, 1, 48), "RGB1"),
        ({"size.y": 1, "collapse_dims": "Enable"}, (3, 64), "RGB1"),
    ],
)
def test_what_a_region_makes_of_colours(
    settings: dict[str, Any], dims: tuple[int, ...], mode: str
) -> None:
    roi = make_fake_device(ROIPlugin)("X:", name="roi")
    roi.collapse_dims.sim_put("Disable")
    roi.data_type_out.sim_put("Automatic")
    for axis in "xyz":
        getattr(roi.roi_enable, axis).sim_put("Enable")
        getattr(roi.size, axis).sim_put(1_000_000)
        getattr(roi.bin_, axis).sim_put(1)
    for name, value in settings.items():
        getattr(roi, name).sim_put(value)
    given = ArrayKind((3, 64, 48), "UInt16", "RGB1")
    assert plugin_output(roi, given) == ArrayKind(dims, "UInt16", mode)


@pytest.mark.parametrize("key", [key for key in PLUGIN_DEFAULTS if key != "cam"])
def test_the_arrays_of_every_plugin_can_be_told(key: str) -> None:
    # ophyd's classes for ROI and Transform name the sizes otherwise.
    plugin = make_fake_device(PLUGIN_DEFAULTS[key]["class"])("X:", name="plugin")
    assert received_array(plugin) is None
    plugin.ndimensions.sim_put(2)
    sizes = plugin.max_size if key.startswith("roi") and key != "roistat1" else plugin.array_size
    suffixes = {
        getattr(type(sizes), name).suffix: getattr(sizes, name) for name in sizes.component_names
    }
    for value, ends in {640: ("0_RBV", "X_RBV"), 480: ("1_RBV", "Y_RBV")}.items():
        (signal,) = [s for suffix, s in suffixes.items() if suffix.endswith(ends)]
        signal.sim_put(value)
    assert received_array(plugin).dims == (640, 480)


def test_a_plugin_without_a_detector_is_refused() -> None:
    plugin = make_fake_device(AD_EpicsFileNameHDF5Plugin)("X:", name="hdf1")
    plugin.lazy_open.sim_set_enum_strs(("No", "Yes"))
    for use in (lambda: AD_prime_plugin2(plugin), lambda: list(prepare_count(plugin, "x", 1, 1))):
        with pytest.raises(ConfigurationError, match="hdf1 isn't part of a detector"):
            use()
