"""Images of a simulated detector: linear ramp, peaks, sine, and offset with noise.

All arithmetic is done in the pixel type and wraps around there, as in the C driver. Formulas are
those of ADSimDetector R2-11; axes are in C order, so a monochrome image is indexed ``[y, x]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

import numpy as np

from adsupport.sim.arrays.axes import COLOR_AXES
from adsupport.sim.arrays.casting import to_pixels
from adsupport.sim.arrays.pool import ArrayPool
from adsupport.sim.ndarray import ColorMode

PEAK_SIGMAS = 4
"""A peak is drawn as far as this many widths from its centre."""


class SimMode(IntEnum):
    """What the simulated detector draws; the values of parameter ``SIM_MODE``."""

    LINEAR_RAMP = 0
    PEAKS = 1
    SINE = 2
    OFFSET_NOISE = 3


@dataclass(frozen=True, slots=True)
class Peaks:
    """A grid of Gaussian peaks along one axis.

    Attributes
    ----------
    start, step : int
        Pixel of the first peak's centre, and from one peak to the next.
    number : int
        Peaks along the axis.
    width : int
        Standard deviation in pixels; a peak without width draws nothing.
    """

    start: int = 1
    step: int = 1
    number: int = 1
    width: int = 10


@dataclass(frozen=True, slots=True)
class Wave:
    """One sine: amplitude in counts, frequency in periods per image, phase in degrees."""

    amplitude: float = 1.0
    frequency: float = 1.0
    phase: float = 0.0

    def values(self, time: np.ndarray) -> np.ndarray:
        """Return the wave at ``time``, in images since the phase was reset."""
        # kept in the driver's order of operations: truncation to integer pixels shows the
        # last bit of the sine
        return self.amplitude * np.sin((time * self.frequency + self.phase / 360.0) * 2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Waves:
    """Two sines along one axis; a monochrome image adds or multiplies them."""

    first: Wave = Wave()
    second: Wave = Wave(frequency=2.0, phase=90.0)
    multiply: bool = False


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Everything that decides what an image shows.

    Attributes
    ----------
    dtype : numpy.dtype
        Pixel type.
    color_mode : ColorMode
        One of the keys of :data:`adsupport.sim.arrays.axes.COLOR_AXES`.
    mode : SimMode
        What to draw.
    gain : float
        Overall gain; truncated to the pixel type in a ramp, without effect on offset and noise.
    gain_x, gain_y : float
        Slopes of the ramp in counts per pixel; stretch of time in a sine.
    gain_colors : tuple of float
        Red, green and blue; not used in monochrome.
    offset, noise : float
        Background: ``offset`` plus uniform noise of at least 0 and less than ``noise`` counts.
    peaks_x, peaks_y : Peaks
        Grid of peaks.
    peak_variation : float
        Peak heights vary from frame to frame over this many percent of the height.
    waves_x, waves_y : Waves
        Sines along x and y.
    """

    dtype: np.dtype = field(default_factory=lambda: np.dtype(np.uint8))
    color_mode: ColorMode = ColorMode.MONO
    mode: SimMode = SimMode.LINEAR_RAMP
    gain: float = 1.0
    gain_x: float = 1.0
    gain_y: float = 1.0
    gain_colors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: float = 0.0
    noise: float = 0.0
    peaks_x: Peaks = Peaks()
    peaks_y: Peaks = Peaks(width=20)
    peak_variation: float = 0.0
    waves_x: Waves = Waves()
    waves_y: Waves = Waves()


class ImageGenerator:
    """Draws one whole image after the other.

    Frames are read-only and never change afterwards, so consumers may keep them.

    Parameters
    ----------
    size_x, size_y : int
        Size of the simulated sensor in pixels.
    seed : int, optional
        Makes noise and peak variation repeatable.
    """

    def __init__(self, size_x: int, size_y: int, seed: int | None = None) -> None:
        self.size_x = size_x
        self.size_y = size_y
        self.reads_out = False
        self._random = np.random.default_rng(seed)
        self._pool = ArrayPool()
        self._kept: np.ndarray | None = None
        self._background: np.ndarray | None = None
        self._phase = 0
        self._drawn: tuple[np.dtype, ColorMode, SimMode] | None = None

    def expose(self, settings: ImageSettings, *, reset: bool, exposure: object) -> np.ndarray:
        """Return the next image: it is drawn, whatever the exposure; see :meth:`next_frame`."""
        return self.next_frame(settings, reset=reset)

    def digitise(self, part: np.ndarray, settings: ImageSettings) -> np.ndarray:
        """Return what was cut out of an image: it is in the pixel type, and has wrapped."""
        return part

    def next_frame(self, settings: ImageSettings, *, reset: bool) -> np.ndarray:
        """Draw the next image.

        Parameters
        ----------
        settings : ImageSettings
            What to draw.
        reset : bool
            Whether to start anew: ramp and phase from zero, new background noise, new peaks. A
            change of pixel type, colour mode or mode starts anew by itself.

        Returns
        -------
        numpy.ndarray
            ``settings.dtype``; shape ``(size_y, size_x)``, or with a colour axis of three.
        """
        drawing = (settings.dtype, settings.color_mode, settings.mode)
        if reset or drawing != self._drawn:
            self._drawn = drawing
            self._kept = None
            self._phase = 0
            self._background = self._draw_background(settings)
        match settings.mode:
            case SimMode.LINEAR_RAMP:
                drawn = self._kept = self._draw_ramp(settings)
            case SimMode.PEAKS:
                if self._kept is None or settings.peak_variation:
                    self._kept = self._draw_peaks(settings)
                drawn = self._kept
            case SimMode.SINE:
                drawn = self._draw_sine(settings)
            case SimMode.OFFSET_NOISE:
                drawn = None
        frame = self._over_background(drawn, settings)
        frame.flags.writeable = False
        return frame

    def _shape(self, color_mode: ColorMode) -> tuple[int, ...]:
        y_axis, x_axis, color_axis = COLOR_AXES[color_mode]
        sizes = {y_axis: self.size_y, x_axis: self.size_x}
        if color_axis is not None:
            sizes[color_axis] = 3
        return tuple(sizes[axis] for axis in sorted(sizes))

    def _planes(self, image: np.ndarray, color_mode: ColorMode) -> list[np.ndarray]:
        """Return the colours of an image as views indexed ``[y, x]``."""
        color_axis = COLOR_AXES[color_mode][2]
        return [image] if color_axis is None else list(np.moveaxis(image, color_axis, 0))

    def _draw_background(self, settings: ImageSettings) -> np.ndarray | None:
        # the offset is truncated before the noise is added
        offset = to_pixels(settings.offset, settings.dtype)
        count = int(np.prod(self._shape(settings.color_mode)))
        if settings.noise:
            noise = settings.noise * self._random.random(count) + float(offset)
            return to_pixels(noise, settings.dtype)
        return np.full(count, offset, settings.dtype) if offset else None

    def _over_background(self, drawn: np.ndarray | None, settings: ImageSettings) -> np.ndarray:
        shape = self._shape(settings.color_mode)
        background = self._background
        if background is None:
            return np.zeros(shape, settings.dtype) if drawn is None else drawn
        # one noise image is computed at reset; each frame starts it at another pixel
        turn = int(self._random.integers(background.size))
        frame = self._pool.empty((background.size,), settings.dtype)
        head, tail = frame[: background.size - turn], frame[background.size - turn :]
        if drawn is None:
            head[:] = background[turn:]
            tail[:] = background[:turn]
        else:
            flat = drawn.reshape(-1)
            np.add(background[turn:], flat[: head.size], out=head)
            np.add(background[:turn], flat[head.size :], out=tail)
        return frame.reshape(shape)

    def _draw_ramp(self, settings: ImageSettings) -> np.ndarray:
        color_axis = COLOR_AXES[settings.color_mode][2]
        steps = _ramp_steps(settings)
        if self._kept is not None:
            if len(set(steps.tolist())) == 1:
                frame = self._pool.empty(self._kept.shape, settings.dtype)
                return np.add(self._kept, steps[0], out=frame)
            return self._kept + steps.reshape(
                [-1 if axis == color_axis else 1 for axis in (0, 1, 2)]
            )
        slope = np.add.outer(
            settings.gain_y * np.arange(self.size_y), settings.gain_x * np.arange(self.size_x)
        )
        image = np.empty(self._shape(settings.color_mode), settings.dtype)
        for plane, step in zip(self._planes(image, settings.color_mode), steps, strict=True):
            plane[...] = to_pixels(float(step) * slope, settings.dtype)
        return image

    def _draw_sine(self, settings: ImageSettings) -> np.ndarray:
        first_x, first_y = self._phase * self.size_x, self._phase * self.size_y
        time_x = np.arange(first_x, first_x + self.size_x) * settings.gain_x / self.size_x
        time_y = np.arange(first_y, first_y + self.size_y) * settings.gain_y / self.size_y
        self._phase += 1
        x1, x2 = (w.values(time_x) for w in (settings.waves_x.first, settings.waves_x.second))
        y1, y2 = (w.values(time_y) for w in (settings.waves_y.first, settings.waves_y.second))
        image = np.empty(self._shape(settings.color_mode), settings.dtype)
        planes = self._planes(image, settings.color_mode)
        gain = settings.gain
        if len(planes) == 1:
            x = x1 * x2 if settings.waves_x.multiply else x1 + x2
            y = y1 * y2 if settings.waves_y.multiply else y1 + y2
            image[...] = to_pixels(gain * np.add.outer(y, x), settings.dtype)
            return image
        red, green, blue = settings.gain_colors
        planes[0][...] = to_pixels(gain * red * x1, settings.dtype)
        planes[1][...] = to_pixels(gain * green * y1, settings.dtype)[:, np.newaxis]
        planes[2][...] = to_pixels(gain * blue * np.add.outer(y2, x2) / 2.0, settings.dtype)
        return image

    def _draw_peaks(self, settings: ImageSettings) -> np.ndarray:
        image = np.zeros(self._shape(settings.color_mode), settings.dtype)
        gauss_x = _gauss(settings.peaks_x, self.size_x)
        gauss_y = _gauss(settings.peaks_y, self.size_y)
        columns, columns_times = _centres(settings.peaks_x, self.size_x, gauss_x.size)
        rows, rows_times = _centres(settings.peaks_y, self.size_y, gauss_y.size)
        if not (gauss_x.size and gauss_y.size and columns and rows):
            return image
        peak = to_pixels(settings.gain * np.multiply.outer(gauss_y, gauss_x), settings.dtype)
        times = to_pixels(rows_times * columns_times, settings.dtype)
        planes = self._planes(image, settings.color_mode)
        colors = (1.0,) if len(planes) == 1 else settings.gain_colors
        strip_shape = (len(planes), gauss_y.size, self.size_x)
        strip = np.zeros(strip_shape, settings.dtype)
        for number, row in enumerate(rows):
            # all rows are alike unless heights vary
            if number == 0 or settings.peak_variation:
                strip[...] = 0
                for column in columns:
                    height = 1.0
                    if settings.peak_variation:
                        chance = self._random.random() - 0.5
                        height += settings.peak_variation / 100.0 * chance
                    inside, source = _overlap(column, gauss_x.size, self.size_x)
                    for target, color in zip(strip, colors, strict=True):
                        part = peak[:, source].astype(np.float64) * (color * height)
                        target[:, inside] += to_pixels(part, settings.dtype) * times
            inside, source = _overlap(row, gauss_y.size, self.size_y)
            for plane, target in zip(planes, strip, strict=True):
                plane[inside] += target[source]
        return image


@lru_cache(maxsize=4)
def _ramp_steps(settings: ImageSettings) -> np.ndarray:
    """Return what each colour of a ramp grows by from frame to frame."""
    mono = settings.color_mode is ColorMode.MONO
    colors = (1.0,) if mono else settings.gain_colors
    gain = to_pixels(settings.gain, settings.dtype)
    return to_pixels(np.array(colors), settings.dtype) * gain


def _gauss(peaks: Peaks, size: int) -> np.ndarray:
    """Return one peak's profile of height 1 along an axis, its centre at half its length."""
    if peaks.width < 1:
        return np.empty(0)
    full = min(2 * PEAK_SIGMAS * peaks.width + 1, size - 1)
    return np.exp(-(((np.arange(full) - full // 2) / peaks.width) ** 2) / 2.0)


def _centres(peaks: Peaks, size: int, full: int) -> tuple[range, int]:
    """Return the centres of the peaks that touch the image, and how often each is drawn."""
    if peaks.number < 1:
        return range(0), 0
    if peaks.step == 0:
        return range(peaks.start, peaks.start + 1), peaks.number
    near, far = (-full, size + full) if peaks.step > 0 else (size + full, -full)
    first = max(0, -((peaks.start - near) // peaks.step))
    last = min(peaks.number, (far - peaks.start) // peaks.step + 1)
    centres = range(peaks.start, peaks.start + peaks.step * peaks.number, peaks.step)
    return centres[first : max(first, last)], 1


def _overlap(centre: int, full: int, size: int) -> tuple[slice, slice]:
    """Return where a profile falls on an axis, and which part of the profile that is."""
    start = centre - full // 2
    inside = slice(min(max(start, 0), size), min(max(start + full, 0), size))
    return inside, slice(inside.start - start, inside.stop - start)
