"""Frames, bytes, rates and room of a planned run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.devices import PlannedRun
from adsupport.devices.arrays.prediction import ArrayKind
from adsupport.devices.preflight.rate import backlog, check_rate, throughput
from adsupport.devices.preflight.run import RunFigures
from adsupport.devices.preflight.space import check_disks, in_units
from adsupport.devices.preflight.state import PartState
from adsupport.errors import ConfigurationError

MEGAPIXEL = ArrayKind((1024, 1024), "UInt16", "Mono")


def camera(staged: dict | None = None, **values: object) -> PartState:
    return PartState("cam", "ad:cam1:", values, staged or {})


def test_the_camera_tells_what_is_not_given():
    settings = camera(num_images=5, acquire_time=0.5, acquire_period=0.1, image_mode="Multiple")
    figures = PlannedRun(points=3).figures(settings, MEGAPIXEL)
    assert figures.frames == 15
    assert figures.frame_bytes == 1024 * 1024 * 2
    assert figures.total_bytes == 15 * 2 * 2**20
    assert figures.frame_rate == 2.0  # the exposure is longer than the period
    assert figures.data_rate == 2.0 * 2 * 2**20


def test_what_is_given_wins():
    settings = camera(num_images=5, acquire_time=0.5, acquire_period=0.1)
    run = PlannedRun(2, frames_per_point=7, acquire_time=0.01, acquire_period=0.02)
    figures = run.figures(settings, MEGAPIXEL)
    assert (figures.frames, figures.frame_rate) == (14, 50.0)


@pytest.mark.parametrize(
    ("staged", "frames"),
    [({}, 1), ({"image_mode": "Multiple"}, 100), ({"image_mode": "Single"}, 1)],
)
def test_single_mode_makes_one_frame_unless_staging_changes_it(staged: dict, frames: int):
    settings = camera(staged, num_images=100, image_mode="Single")
    assert PlannedRun().figures(settings, None).frames == frames


def test_colour_counts():
    kind = ArrayKind((3, 100, 50), "Float64", "RGB1")
    assert PlannedRun().figures(camera(), kind).frame_bytes == 3 * 100 * 50 * 8


@pytest.mark.parametrize("kind", [None, ArrayKind((0, 0)), ArrayKind((5, 5), None)])
def test_what_is_not_known_is_not_guessed(kind: ArrayKind | None):
    figures = PlannedRun().figures(camera(acquire_time=0.1), kind)
    assert figures.total_bytes is None
    assert figures.data_rate is None


def test_without_period_nothing_limits_the_rate():
    figures = PlannedRun(acquire_time=0, acquire_period=0).figures(camera(), MEGAPIXEL)
    assert figures.frame_rate is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": 0},
        {"points": True},
        {"frames_per_point": 0},
        {"frames_per_point": "5"},
        {"acquire_time": -1},
        {"acquire_period": float("nan")},
        {"acquire_period": float("inf")},
    ],
)
def test_a_run_that_can_not_be(wrong: dict):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        PlannedRun(**wrong)


# -- rate

RATES = st.floats(1e3, 1e12)


@given(st.integers(1, 10**6), RATES, RATES)
def test_a_backlog_is_what_is_not_written_in_time(frames: int, comes: float, goes: float):
    waiting = backlog(frames, comes, goes)
    assert 0 <= waiting <= frames
    if goes >= comes:
        assert waiting == 0
    else:
        # after `frames` have come, frames * goes / comes have been written
        assert waiting == pytest.approx(frames - frames * goes / comes, abs=1)


@given(st.integers(1, 10**6), RATES, RATES, st.floats(1.0, 100.0))
def test_a_faster_writer_has_no_longer_backlog(frames: int, comes: float, goes: float, by: float):
    assert backlog(frames, comes, goes * by) <= backlog(frames, comes, goes)


def test_throughput_knows_the_spellings_of_the_ioc():
    assert throughput("None") == pytest.approx(865 * 2**20, rel=1e-3)
    assert throughput("BSLZ4") == 881e6
    assert throughput("zlib", 1) == 71e6
    assert throughput("zlib", 6) == 20e6
    assert throughput("N-bit") is None


def figures(frames: int, period: float, size: int = 10**6) -> RunFigures:
    return RunFigures(1, frames, period, size)


@pytest.mark.parametrize(
    ("frames", "period", "compression", "queue", "severity"),
    [
        (1000, 0.01, "None", 20, "ok"),  # 100 MB/s
        (1000, 0.01, "zlib", 20, "warning"),  # 800 would wait
        (1000, 0.01, "zlib", 800, "info"),
        (20, 0.01, "zlib", 20, "info"),  # 16 wait
        (1, 0.001, "zlib", 20, "ok"),  # the next point waits for the writer
        (1000, 0.01, "JPEG", 20, "info"),  # no figure
        (1000, 0.0, "None", 20, "info"),  # as fast as it can
    ],
)
def test_rates(frames: int, period: float, compression: str, queue: int, severity: str):
    writer = PartState("hdf1", "ad:HDF1:", {"queue_size": queue, "compression": "None"})
    (finding,) = check_rate(writer, figures(frames, period), compression)
    assert finding.severity == severity
    assert bool(finding.remedy) == (severity == "warning" or period == 0)


# -- space


def disk(free: int):
    return lambda path: (10**15, 10**15 - free, free)


@pytest.mark.parametrize(
    ("free", "severity"),
    [(100 * 10**6 - 1, "error"), (100 * 10**6, "warning"), (112 * 10**6, "ok")],
)
def test_space(free: int, severity: str):
    (finding,) = check_disks([("/", RunFigures(10, 10, 0.1, 10**6))], disk(free))
    assert finding.severity == severity
    assert "100 MB" in finding.what
    assert ("after 99 frames" in finding.what) == (severity == "error")


def test_space_that_can_not_be_told():
    def broken(path: object) -> tuple[int, int, int]:
        raise PermissionError(13, "Permission denied")

    (finding,) = check_disks([("/", RunFigures(1, 1, 0.1, 1))], broken)
    assert finding.severity == "info"
    assert "Permission denied" in finding.what


def test_writers_share_a_disk():
    run = RunFigures(10, 10, 0.1, 10**6)
    (finding,) = check_disks([("/", run), (None, run), ("/", run)], disk(150 * 10**6))
    assert finding.severity == "error"
    assert "200 MB at most in files of 2 plugins" in finding.what
    assert "after 75 frames" in finding.what


@given(st.integers(0, 10**24))
def test_units_are_near_the_bytes(size: int):
    number, unit = in_units(size).split()
    factor = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15}[unit]
    assert float(number) * factor == pytest.approx(size, rel=0.01)
    assert "e" not in number or unit == "PB"


@pytest.mark.parametrize(("size", "text"), [(999, "999 B"), (999_600, "1 MB"), (35_000, "35 kB")])
def test_units_are_changed_before_numbers_get_exponents(size: int, text: str):
    assert in_units(size) == text


def test_fast_cameras_are_told_in_plain_numbers():
    writer = PartState("hdf1", "ad:HDF1:", {"queue_size": 20})
    (finding,) = check_rate(writer, figures(10**5, 1 / 12_500, 10**6), "zlib")
    assert "12.5 GB/s (12500 frames/s, 1 MB a frame); about 20 MB/s" in finding.what
    assert "99.8 GB of memory" in finding.remedy
