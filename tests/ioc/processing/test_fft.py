"""NDPluginFFT over Channel Access, against numpy's transform of the camera's images."""

from __future__ import annotations

import numpy as np
import pytest

OFF = {
    "FFTSuppressDC": "Disable",
    "FFTDirection": "Time to freq.",
    "FFTNumAverage": 1,
    "FFTTimePerPoint": 0.1,
    "QueueSize": 20,
    "BlockingCallbacks": "No",
    "MinCallbackTime": 0.0,
}


@pytest.fixture
def fft(chain):
    chain.listen("FFT1", "SIM1", **OFF)
    chain.command("FFT1:FFTResetAverage")
    return chain


def padded(image: np.ndarray) -> np.ndarray:
    rows, columns = (1 << (size - 1).bit_length() for size in image.shape)
    return np.pad(image, ((0, rows - image.shape[0]), (0, columns - image.shape[1])))


def absolute(image: np.ndarray) -> np.ndarray:
    full = padded(image)
    spectrum = np.abs(np.fft.fft2(full)) / full.size
    return spectrum[: full.shape[0] // 2, : full.shape[1] // 2]


def wave(fft, record: str) -> np.ndarray:
    return fft.get(f"FFT1:{record}", as_numpy=True)


@pytest.mark.parametrize("dtype", ["UInt8", "Int16", "Float64"])
def test_an_image(fft, camera_ramp, dtype):
    fft.put("cam1:DataType", dtype)
    fft.reset_camera()
    with fft.recorded("FFT1") as recording:
        fft.acquire(2)
    assert recording.frames.dtype == np.float64
    for number, frame in enumerate(recording.frames):
        np.testing.assert_allclose(frame, absolute(camera_ramp(number)), atol=1e-12)
    # they count for themselves
    assert np.diff(recording.ids).tolist() == [1]


def test_waveforms_show_the_first_row(fft, camera_ramp):
    fft.acquire(1)
    image = camera_ramp(0)
    np.testing.assert_array_equal(wave(fft, "FFTTimeSeries"), padded(image)[0])
    # the exponent of NDPluginFFT's transform is positive
    row = np.conj(np.fft.fft2(padded(image)))[0, :4]
    np.testing.assert_allclose(wave(fft, "FFTReal"), row.real, atol=1e-9)
    np.testing.assert_allclose(wave(fft, "FFTImaginary"), row.imag, atol=1e-9)
    np.testing.assert_allclose(wave(fft, "FFTAbsValue"), absolute(image)[0], atol=1e-12)


def test_axes_follow_the_time_per_point(fft):
    fft.acquire(1)
    np.testing.assert_allclose(wave(fft, "FFTTimeAxis"), np.arange(8) * 0.1)
    fft.command("FFT1:FFTTimePerPointLink", 0.25)
    assert fft.get("FFT1:FFTTimePerPoint_RBV") == 0.25
    fft.acquire(1)
    np.testing.assert_allclose(wave(fft, "FFTTimeAxis"), np.arange(8) * 0.25)
    np.testing.assert_allclose(wave(fft, "FFTFreqAxis"), np.linspace(0, 2.0, 4))


def test_without_the_mean(fft):
    fft.put("FFT1:FFTSuppressDC", "Enable")
    fft.acquire(1)
    assert wave(fft, "FFTAbsValue")[0] == wave(fft, "FFTReal")[0] == 0


def test_an_average_of_spectra(fft, camera_ramp):
    fft.put("FFT1:FFTNumAverage", 2)
    with fft.recorded("FFT1") as recording:
        fft.acquire(3)
    spectra = [absolute(camera_ramp(n)) for n in range(3)]
    half = (spectra[0] + spectra[1]) / 2
    np.testing.assert_allclose(recording.frames[1], half, atol=1e-12)
    np.testing.assert_allclose(recording.frames[2], (half + spectra[2]) / 2, atol=1e-12)
    assert fft.get("FFT1:FFTNumAveraged") == 2
    fft.reset_camera()
    fft.command("FFT1:FFTResetAverage")
    with fft.recorded("FFT1") as recording:
        fft.acquire(1)
    np.testing.assert_allclose(recording.frames[0], spectra[0], atol=1e-12)


def test_colour_images_are_counted_only(fft):
    fft.put("cam1:ColorMode", "RGB1")
    before = fft.get("FFT1:ArrayCounter_RBV")
    with fft.recorded("FFT1") as recording:
        fft.acquire(2)
    assert fft.get("FFT1:ArrayCounter_RBV") == before + 2
    assert recording.ids == []


def test_a_wide_image_fills_the_waveforms(fft):
    fft.set("cam1", SizeX=1024, SizeY=2)
    fft.acquire(1)
    assert len(wave(fft, "FFTTimeSeries")) == 1024
    assert len(wave(fft, "FFTAbsValue")) == 512


def test_full_queue_drops_what_is_not_processed(fft):
    number, size = 60, 20
    fft.set("cam1", SizeX=1024, SizeY=1024, AcquirePeriod=0.001, WaitForPlugins="No")
    processed, dropped = fft.counts("FFT1:ArrayCounter_RBV", "FFT1:DroppedArrays_RBV")
    fft.acquire(number)
    # recorded: 21 processed, 39 dropped, by a plugin that needs 160 ms for each
    fft.wait_until("cam1:NumQueuedArrays", 0)
    after, lost = fft.counts("FFT1:ArrayCounter_RBV", "FFT1:DroppedArrays_RBV")
    assert (after - processed) + (lost - dropped) == number
    assert after - processed >= size  # and the one that it was at, if that came in time
    assert fft.get("FFT1:QueueFree") == size


def test_blocking_drops_none(fft):
    fft.set("FFT1", BlockingCallbacks="Yes", QueueSize=1)
    processed, dropped = fft.counts("FFT1:ArrayCounter_RBV", "FFT1:DroppedArrays_RBV")
    fft.acquire(10, SizeX=512, SizeY=512)
    assert fft.counts("FFT1:ArrayCounter_RBV", "FFT1:DroppedArrays_RBV") == [
        processed + 10,
        dropped,
    ]
