"""Fly tomography: the pixels tell the angle of every frame, and the speed between them."""

from __future__ import annotations

import logging
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks import DataExchangeWriter
from adsupport.errors import ConfigurationError, DroppedFramesError
from adsupport.imaging import ADCamera, FlyAxis, TomographyConfig, tomography
from adsupport.imaging.frames.stack_file import StackFile
from adsupport.imaging.motion.window import StageMotion, constant_speed_window

from .pixels import mean, pose_of
from .station import Station

PERIOD = 0.1


def config_of(**changes: Any) -> TomographyConfig:
    settings: dict[str, Any] = {
        "exposure": 0.02, "period": PERIOD, "darks": 1, "flats": 2, "projections": 15,
        "angular_range": 90.0, "start_angle": -30.0, "mode": "fly",
    }  # fmt: skip
    return TomographyConfig(**{**settings, **changes})


def angles_in(streams: Any, name: str = "primary") -> np.ndarray:
    """The angle of each frame in its pixels, in degrees, going on beyond 180."""
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    poses = [pose_of(frame, dark, flat) for frame in streams[name]]
    assert max(abs(pose.across) for pose in poses) < 0.005
    assert max(pose.misfit for pose in poses) < 0.02
    return np.degrees(np.unwrap(np.radians([pose.angle for pose in poses])))


@pytest.mark.parametrize("turn", [90.0, pytest.param(-60.0, marks=pytest.mark.slow)])
def test_each_frame_has_the_angle_of_its_pixels(
    station: Station, tmp_path: Any, turn: float
) -> None:
    config = config_of(angular_range=turn)
    step = turn / config.count
    writer = DataExchangeWriter(tmp_path)
    token = station.engine.subscribe(writer.receiver)
    streams = station.run(tomography(station.camera, station.axis(), config, **station.places))
    station.engine.unsubscribe(token)
    (event,) = station.events("primary")
    assert event["data"]["shutter"] == 1  # as it was for the frames: it's closed before the event
    told = np.asarray(event["data"]["rotation_frames"])
    shown = angles_in(streams)
    assert len(shown) == len(told) == config.count
    assert np.abs(told - shown).max() <= abs(step) / 2
    # the first is where it was asked for, to what a trigger needs; the speed is constant
    assert abs(shown[0] - config.start_angle) < 2 * abs(step)
    times = np.array([frame.time for frame in streams["primary"]])
    speed = np.polyfit(times, shown, 1)[0]
    assert speed == pytest.approx(step / PERIOD, rel=0.01)
    # no frame was taken while the stage gained or lost speed
    line = np.polyval(np.polyfit(times, shown, 1), times)
    assert np.abs(shown - line).max() <= abs(step) / 2
    window = constant_speed_window(
        config.start_angle, step, config.count, PERIOD, StageMotion(station.before["m1.ACCL"])
    )
    low, high = sorted((window.start, window.end))
    assert low < shown.min() and shown.max() < high
    (result,) = writer.wait_writer(30)
    with h5py.File(result.paths[0]) as dx:
        exchange: Any = dx["exchange"]
        np.testing.assert_allclose(exchange["theta"][()], told)
        assert exchange["data"].shape[0] == config.count


@pytest.mark.parametrize("policy", ["warn", pytest.param("record", marks=pytest.mark.slow)])
def test_a_lost_frame_leaves_a_gap_and_shifts_no_angle(
    station: Station, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(projections=12)
    station.det.frame_policy = policy
    experiment = tomography(station.camera, station.axis(), config, **station.places)
    before = config.darks + config.flats
    with (
        station.ioc.fault("queue-overflow", "HDF1", after=before + 4, count=2),
        caplog.at_level(logging.WARNING),
    ):
        streams = station.run(experiment)
    frames = streams["primary"]
    assert [frame.place for frame in frames] == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    (event,) = station.events("primary")
    told = np.asarray(event["data"]["rotation_frames"])
    assert len(told) == 12
    shown = angles_in(streams)
    kept = told[[frame.place for frame in frames]]
    assert np.abs(kept - shown).max() <= 90 / 12 / 2
    assert event["data"]["det_frames_taken"] == 12
    assert event["data"]["det_frames_dropped"] == 2
    assert ("2 of" in caplog.text or "dropped" in caplog.text) == (policy == "warn")


@pytest.mark.slow
def test_lost_frames_fail_the_run_otherwise(station: Station) -> None:
    config = config_of(projections=4)
    experiment = tomography(station.camera, station.axis(), config, **station.places)
    with (
        station.ioc.fault("queue-overflow", "HDF1", after=5),
        pytest.raises(Exception, match="dropped") as raised,
    ):
        station.engine(experiment.run())
    causes = [raised.value, raised.value.__cause__, *getattr(raised.value, "args", ())]
    assert any(isinstance(cause, DroppedFramesError) for cause in causes)
    assert station.of("stop")[0]["exit_status"] == "fail"


@pytest.mark.slow
def test_a_period_that_the_camera_does_not_keep_is_named(station: Station) -> None:
    config = config_of(exposure=0.0005, period=0.001, projections=60, angular_range=40.0)
    station.put("HDF1:QueueSize", 100)  # no frame is lost
    experiment = tomography(station.camera, station.axis(), config, **station.places)
    with pytest.raises(ConfigurationError, match=r"period=0.001 s: det took 0\.0\d+ s for a frame"):
        station.engine(experiment.run())
    assert station.of("stop")[0]["exit_status"] == "fail"
    (event,) = station.events("primary")  # what was taken isn't lost
    angles = np.asarray(event["data"]["rotation_frames"])
    assert angles.shape == (60,) and np.isfinite(angles).all() and (np.diff(angles) >= 0).all()


@pytest.mark.slow
def test_timestamps_that_come_late(station: Station) -> None:
    """Frames are stamped a while after their exposures: positions are those of the exposures."""
    camera, config = ADCamera(station.det, latency=0.04), config_of(projections=5)
    axis = station.axis()
    streams = station.run(tomography(camera, axis, config, **station.places))
    newest = max(station.folder.glob("**/primary*.h5"), key=lambda path: path.stat().st_mtime)
    stamped = StackFile(newest).labels().times
    assert stamped is not None and len(stamped) == len(streams["primary"])
    (event,) = station.events("primary")
    exposed = stamped - 0.04 - config.exposure / 2
    np.testing.assert_allclose(
        event["data"]["rotation_frames"], axis.log.at(exposed, standing=True), atol=1e-3
    )


@pytest.mark.slow
def test_projections_on_the_fly_may_come_again(station: Station) -> None:
    config = config_of(projections=5, order=("darks", "primary", "flats", "primary"))
    streams = station.run(
        tomography(station.camera, station.axis(), config, **station.places)
    )  # fmt: skip
    first, second = (each["data"]["rotation_frames"] for each in station.events("primary"))
    assert len(streams["primary"]) == 10
    assert np.abs(np.subtract(first, second)).max() < config.angular_range


@pytest.mark.parametrize(
    ("field", "value", "said"), [("VMAX", 100.0, "the highest is 100"), ("VBAS", 500.0, "lowest")]
)
def test_a_speed_that_the_motor_does_not_have(
    station: Station, field: str, value: float, said: str
) -> None:
    before = station.get(f"m1.{field}")
    station.put(f"m1.{field}", value)
    try:
        config = config_of(angular_range=180.0, projections=5, period=0.1)
        axis = FlyAxis(station.rotation)
        with pytest.raises(ConfigurationError, match=rf"rotation: 36 in 0\.1 s .* {said}"):
            station.engine(tomography(station.camera, axis, config, **station.places).run())
    finally:
        station.put(f"m1.{field}", before)
        station.put("m1.VELO", 720.0)
    assert station.get("m1") == station.get("shutter:Status_RBV") == 0
    assert station.events("darks") == []


def test_a_run_up_beyond_the_limits_moves_nothing(station: Station) -> None:
    config = config_of(start_angle=-3600.0)
    experiment = tomography(station.camera, station.axis(), config, **station.places)
    with pytest.raises(ConfigurationError, match="where its run-up begins at -36"):
        station.engine(experiment.run())
    assert station.get("m1") == station.get("shutter:Status_RBV") == 0
    assert station.events("primary") == station.events("darks") == []
