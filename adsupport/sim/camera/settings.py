"""What a simulated detector's parameters say about its images."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import IntEnum

from adsupport.sim.arrays.window import Window
from adsupport.sim.camera.images import ImageSettings, Peaks, SimMode, Wave, Waves
from adsupport.sim.ndarray import ColorMode, DataType
from adsupport.sim.port import Port


class ImageMode(IntEnum):
    """Values of parameter ``IMAGE_MODE``."""

    SINGLE = 0
    MULTIPLE = 1
    CONTINUOUS = 2


CAMERA_COLOR_MODES = (ColorMode.MONO, ColorMode.RGB1, ColorMode.RGB2, ColorMode.RGB3)
"""Colour modes by the state number of the camera's own ColorMode records."""

RESET_PARAMETERS = (
    *("DATA_TYPE", "COLOR_MODE", "SIM_MODE", "GAIN", "SIM_GAIN_X", "SIM_GAIN_Y"),
    *("SIM_GAIN_RED", "SIM_GAIN_GREEN", "SIM_GAIN_BLUE", "SIM_OFFSET", "SIM_NOISE"),
    *(f"SIM_PEAK_{what}_{axis}" for what in ("START", "WIDTH", "NUM", "STEP") for axis in "XY"),
    "SIM_PEAK_HEIGHT_VARIATION",
    *(
        f"SIM_{axis}SINE{number}_{what}"
        for axis in "XY"
        for number in "12"
        for what in ("AMPLITUDE", "FREQUENCY", "PHASE")
    ),
)
"""Parameters whose write makes the next image start anew."""

CHOICES: Mapping[str, Container[int]] = {
    "DATA_TYPE": range(len(DataType)),
    "COLOR_MODE": range(len(CAMERA_COLOR_MODES)),
    "SIM_MODE": range(len(SimMode)),
    "IMAGE_MODE": range(len(ImageMode)),
}
"""Values that the detector accepts, by parameter; it refuses to write others."""


def fit_window(port: Port, axis: str) -> Window:
    """Return what is read out along an axis; corrects parameters that ask for too much.

    Parameters
    ----------
    port : Port
        The detector; its ``MIN``, ``SIZE`` and ``BIN`` parameters of the axis may be set.
    axis : str
        ``X`` or ``Y``.
    """
    asked = Window(
        start=port.get(f"MIN_{axis}"),
        size=port.get(f"SIZE_{axis}"),
        binning=port.get(f"BIN_{axis}"),
        reverse=bool(port.get(f"REVERSE_{axis}")),
    )
    window = asked.fit(port.get(f"MAX_SIZE_{axis}"))
    port.set(f"MIN_{axis}", window.start)
    port.set(f"SIZE_{axis}", window.size)
    port.set(f"BIN_{axis}", window.binning)
    return window


def image_settings(port: Port) -> ImageSettings:
    """Return what the detector's parameters say that images show."""
    get = port.get
    return ImageSettings(
        dtype=DataType(get("DATA_TYPE")).dtype,
        color_mode=CAMERA_COLOR_MODES[get("COLOR_MODE")],
        mode=SimMode(get("SIM_MODE")),
        gain=get("GAIN"),
        gain_x=get("SIM_GAIN_X"),
        gain_y=get("SIM_GAIN_Y"),
        gain_colors=(get("SIM_GAIN_RED"), get("SIM_GAIN_GREEN"), get("SIM_GAIN_BLUE")),
        offset=get("SIM_OFFSET"),
        noise=get("SIM_NOISE"),
        peaks_x=_peaks(port, "X"),
        peaks_y=_peaks(port, "Y"),
        peak_variation=get("SIM_PEAK_HEIGHT_VARIATION"),
        waves_x=_waves(port, "X"),
        waves_y=_waves(port, "Y"),
    )


def _peaks(port: Port, axis: str) -> Peaks:
    return Peaks(
        start=port.get(f"SIM_PEAK_START_{axis}"),
        step=port.get(f"SIM_PEAK_STEP_{axis}"),
        number=port.get(f"SIM_PEAK_NUM_{axis}"),
        width=port.get(f"SIM_PEAK_WIDTH_{axis}"),
    )


def _waves(port: Port, axis: str) -> Waves:
    first, second = (
        Wave(
            amplitude=port.get(f"SIM_{axis}SINE{number}_AMPLITUDE"),
            frequency=port.get(f"SIM_{axis}SINE{number}_FREQUENCY"),
            phase=port.get(f"SIM_{axis}SINE{number}_PHASE"),
        )
        for number in (1, 2)
    )
    return Waves(first, second, multiply=bool(port.get(f"SIM_{axis}SINE_OPERATION")))
