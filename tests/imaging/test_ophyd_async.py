"""The same experiments with devices of ophyd-async: its own simulated ones, and a beamline's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import h5py
import numpy as np
import pytest
from bluesky import Msg, RunEngine
from bluesky.utils import RunEngineInterrupted
from event_model import DocumentNames, schema_validators

from adsupport.callbacks import DataExchangeWriter
from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    Experiment,
    PreparedCamera,
    RadiographyConfig,
    SampleStage,
    Source,
    TomographyConfig,
    radiography,
    tomography,
)

from .pixels import Frame, lit, mean, pose_of, turned_by
from .station import OUT, Station
from .test_broken_beamlines import InjectedError, InTheMiddle, acting, before, once, raising

pytest.importorskip("ophyd_async", reason="ophyd-async isn't installed: pip install ophyd-async")
from ophyd_async.core import (  # noqa: E402
    StaticPathProvider,
    UUIDFilenameProvider,
    init_devices,
    soft_signal_rw,
)
from ophyd_async.sim import SimBlobDetector, SimMotor  # noqa: E402

STRIDE = 11
"""From message to message at which an exception is injected."""

Documents = list[tuple[str, dict[str, Any]]]


class AsyncStation:
    """Devices of ophyd-async, and a RunEngine: its loop is theirs."""

    det: Any
    rotation: Any
    stage: Any
    shutter: Any

    def __init__(self, folder: Path) -> None:
        self.paths = StaticPathProvider(UUIDFilenameProvider(), folder)
        self.engine = RunEngine({})
        self.documents: Documents = []
        self.engine.subscribe(lambda name, document: self.documents.append((name, document)))

    @property
    def places(self) -> dict[str, Any]:
        return {
            "source": Source(self.shutter, on=True, off=False),
            "sample": SampleStage({self.stage: (0.0, OUT)}),
        }

    def value(self, device: Any) -> Any:
        """Read a device or signal anew, in the loop where it lives."""
        reading = asyncio.run_coroutine_threadsafe(device.read(), self.engine.loop).result(10)
        return next(iter(reading.values()))["value"]

    def run(self, experiment: Experiment, folder: Path) -> tuple[dict[str, Any], Path]:
        """Run an experiment; return what is in its files by stream, and the DX file."""
        self.documents.clear()
        writer = DataExchangeWriter(folder)
        token = self.engine.subscribe(writer.receiver)
        self.engine(experiment.run())
        self.engine.unsubscribe(token)
        (result,) = writer.wait_writer(60)
        assert not result.skipped, result
        for name, document in self.documents:
            schema_validators[DocumentNames[name]].validate(document)
        assert self.documents[-1][1]["exit_status"] == "success"
        return images_of(self.documents, self.det.name), Path(result.paths[0])

    def events(self, stream: str) -> list[dict[str, Any]]:
        uids = {d["uid"] for k, d in self.documents if k == "descriptor" and d["name"] == stream}
        return [d for k, d in self.documents if k == "event" and d["descriptor"] in uids]


def images_of(documents: Documents, key: str) -> dict[str, np.ndarray]:
    """Read a run's images by its stream documents alone, (frames, Y, X) of each stream."""
    names = {d["uid"]: d["name"] for kind, d in documents if kind == "descriptor"}
    shapes = {d["uid"]: d["data_keys"].get(key, {}).get("shape") for _, d in documents
              if "data_keys" in d}  # fmt: skip
    files = {d["uid"]: d for k, d in documents if k == "stream_resource" and d["data_key"] == key}
    found: dict[str, list[np.ndarray]] = {}
    for kind, doc in documents:
        if kind != "stream_datum" or doc["stream_resource"] not in files:
            continue
        resource = files[doc["stream_resource"]]
        each = shapes[doc["descriptor"]][0]
        with h5py.File(unquote(urlsplit(resource["uri"]).path)) as file:
            data: Any = file[resource["parameters"]["dataset"]]
            start, stop = (doc["indices"][end] * each for end in ("start", "stop"))
            assert stop <= len(data)
            found.setdefault(names[doc["descriptor"]], []).append(data[start:stop])
    return {name: np.concatenate(parts) for name, parts in found.items()}


def exchange_of(path: Path) -> dict[str, np.ndarray]:
    """Read a DX file as any other program does."""
    with h5py.File(path) as file:
        group: Any = file["exchange"]
        return {name: group[name][()] for name in ("data", "data_dark", "data_white", "theta")}


def check_dx(path: Path, streams: dict[str, np.ndarray]) -> np.ndarray:
    """Make sure that a DX file has a run's very frames; return its angles."""
    exchange = exchange_of(path)
    names = {"data": "primary", "data_dark": "darks", "data_white": "flats"}
    for name, stream in names.items():
        np.testing.assert_array_equal(exchange[name], streams[stream])
    return exchange["theta"]


# --- ophyd-async's own simulation ---


@pytest.fixture
def simulated(tmp_path: Path) -> AsyncStation:
    made = AsyncStation(tmp_path)
    with init_devices():  # names and connects what is assigned here
        rotation = SimMotor(units="degrees")
        stage = SimMotor()
        shutter = soft_signal_rw(bool, False)
        det = SimBlobDetector(made.paths)
    made.rotation, made.stage, made.shutter, made.det = rotation, stage, shutter, det
    return made


@pytest.mark.slow
def test_radiography_with_simulated_devices(simulated: AsyncStation, tmp_path: Path) -> None:
    config = RadiographyConfig(exposure=0.01, darks=2, flats=3, projections=4)
    made = radiography(PreparedCamera(simulated.det), config, **simulated.places)
    streams, path = simulated.run(made, tmp_path / "dx")
    assert {name: len(images) for name, images in streams.items()} == {
        "darks": 2, "flats": 3, "primary": 4
    }  # fmt: skip
    exchange = exchange_of_radiographs(path)
    assert {name: len(images) for name, images in exchange.items()} == {
        "data": 4, "data_dark": 2, "data_white": 3
    }  # fmt: skip
    states = {name: simulated.events(name)[0]["data"] for name in streams}
    assert [states[name]["shutter"] for name in states] == [False, True, True]
    assert [states[name]["stage"] for name in states] == [0.0, OUT, 0.0]
    assert not simulated.value(simulated.shutter) and simulated.value(simulated.stage) == 0.0


def exchange_of_radiographs(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        group: Any = file["exchange"]
        return {name: group[name][()] for name in ("data", "data_dark", "data_white")}


def test_tomography_by_steps_with_simulated_devices(
    simulated: AsyncStation, tmp_path: Path
) -> None:
    config = TomographyConfig(exposure=0.01, darks=2, flats=3, projections=5)
    made = tomography(PreparedCamera(simulated.det), simulated.rotation, config, **simulated.places)
    streams, path = simulated.run(made, tmp_path / "dx")
    theta = check_dx(path, streams)
    np.testing.assert_allclose(theta, config.set_points)


def setting(signal: Any, value: Any) -> Iterator[Msg]:
    yield Msg("set", signal, value, group="set")
    yield Msg("wait", group="set")


def test_fly_with_simulated_devices(simulated: AsyncStation, tmp_path: Path) -> None:
    simulated.engine(setting(simulated.rotation.velocity, 500.0))
    config = TomographyConfig(
        exposure=0.02, period=0.1, darks=1, flats=1, projections=8, angular_range=16.0, mode="fly"
    )

    def times(frames: int) -> np.ndarray:  # the generator writes at equal times, until now
        return time.time() - config.period * np.arange(frames)[::-1]

    camera = PreparedCamera(simulated.det, times=times)
    made = tomography(camera, simulated.rotation, config, **simulated.places)
    streams, path = simulated.run(made, tmp_path / "dx")
    theta = check_dx(path, streams)
    assert len(theta) == 8
    assert np.all(np.diff(theta) >= 0)
    assert simulated.value(simulated.rotation.velocity) == 500.0


@pytest.mark.slow
def test_fly_without_times_says_what_it_needs(simulated: AsyncStation) -> None:
    config = TomographyConfig(
        exposure=0.01, period=0.05, darks=0, flats=0, projections=2, angular_range=2.0, mode="fly"
    )
    camera = PreparedCamera(simulated.det)
    made = tomography(camera, simulated.rotation, config, **simulated.places)
    with pytest.raises(ConfigurationError, match="got neither times= nor an HDF5 writer"):
        simulated.engine(made.run())
    assert not simulated.value(simulated.shutter)


# --- a beamline, over Channel Access ---


class AsyncBeamline(AsyncStation):
    """The simulated imaging beamline with ophyd-async; the other station tells what is true."""

    def __init__(self, station: Station, folder: Path) -> None:
        pytest.importorskip("aioca", reason="aioca isn't installed: pip install ophyd-async[ca]")
        from ophyd_async.epics.adcore import ADWriterFactory
        from ophyd_async.epics.adsimdetector import SimDetector
        from ophyd_async.epics.core import epics_signal_rw
        from ophyd_async.epics.motor import Motor

        super().__init__(folder)
        self.truth, prefix = station, station.ioc.prefix
        with init_devices(timeout=30):  # names and connects what is assigned here
            rotation = Motor(f"ca://{prefix}m1")
            stage = Motor(f"ca://{prefix}m5")
            shutter = epics_signal_rw(bool, f"ca://{prefix}shutter:Control")
            det = SimDetector(f"ca://{prefix}", ADWriterFactory.hdf(self.paths))
        self.rotation, self.stage, self.shutter, self.det = rotation, stage, shutter, det


@pytest.fixture(scope="module")
def module_beamline(session_station: Station, tmp_path_factory: Any) -> AsyncBeamline:
    return AsyncBeamline(session_station, tmp_path_factory.mktemp("async"))


@pytest.fixture
def beamline(station: Station, module_beamline: AsyncBeamline) -> AsyncBeamline:
    return module_beamline  # the station looks afterwards whether all is as it was


def frames_of(images: np.ndarray) -> list[Frame]:
    return [Frame(0, each.astype(float), {}, 0.0, place) for place, each in enumerate(images)]


def shown(streams: dict[str, np.ndarray]) -> np.ndarray:
    """The angle of each projection by its pixels; darks and flats are looked at, too."""
    darks, flats, primary = (frames_of(streams[name]) for name in ("darks", "flats", "primary"))
    assert not any(map(lit, darks))
    assert all(map(lit, flats)) and all(map(lit, primary))
    dark, flat = mean(darks), mean(flats)
    assert flat[:, 200:312].std() < 0.2 * flat.mean()  # no sample in it
    poses = [pose_of(frame, dark, flat) for frame in primary]
    assert max(abs(pose.across) for pose in poses) < 0.005
    assert max(pose.misfit for pose in poses) < 0.02
    return np.array([pose.angle for pose in poses])


@pytest.mark.slow
def test_tomography_by_steps_on_a_beamline(beamline: AsyncBeamline, tmp_path: Path) -> None:
    config = TomographyConfig(exposure=0.02, darks=2, flats=3, projections=4)
    made = tomography(PreparedCamera(beamline.det), beamline.rotation, config, **beamline.places)
    streams, path = beamline.run(made, tmp_path)
    theta = check_dx(path, streams)
    np.testing.assert_allclose(theta, config.set_points, atol=1e-3)
    assert max(map(turned_by, theta, shown(streams))) < 0.5


@pytest.mark.slow
def test_fly_on_a_beamline(beamline: AsyncBeamline, tmp_path: Path) -> None:
    config = TomographyConfig(
        exposure=0.02, period=0.1, darks=2, flats=2, projections=10, angular_range=60.0,
        start_angle=-30.0, mode="fly",
    )  # fmt: skip
    made = tomography(PreparedCamera(beamline.det), beamline.rotation, config, **beamline.places)
    streams, path = beamline.run(made, tmp_path)
    theta = check_dx(path, streams)
    step = 60.0 / 10
    assert max(map(turned_by, theta, shown(streams))) < step / 2
    assert abs(theta[0] - config.start_angle) < 2 * step
    assert np.all(np.diff(theta) > 0)
    (event,) = beamline.events("primary")
    np.testing.assert_allclose(theta, event["data"]["rotation_frames"])


@pytest.mark.slow
def test_radiography_on_a_beamline(beamline: AsyncBeamline, tmp_path: Path) -> None:
    config = RadiographyConfig(exposure=0.02, period=0.05, darks=2, flats=3, projections=4)
    made = radiography(PreparedCamera(beamline.det), config, **beamline.places)
    streams, path = beamline.run(made, tmp_path)
    assert {name: len(images) for name, images in streams.items()} == {
        "darks": 2, "flats": 3, "primary": 4
    }  # fmt: skip
    exchange = exchange_of_radiographs(path)
    assert np.array_equal(exchange["data"], streams["primary"])
    assert max(map(abs, shown(streams))) < 0.5


def small(beamline: AsyncBeamline, mode: Any) -> Experiment:
    """An experiment with all that can be left as it shouldn't: the flats come last."""
    config = TomographyConfig(
        exposure=0.02, period=0.1, darks=1, flats=1, projections=4, angular_range=40.0, mode=mode,
        order=("darks", "primary", "flats"),
    )  # fmt: skip
    return tomography(PreparedCamera(beamline.det), beamline.rotation, config, **beamline.places)


def raises_where(beamline: AsyncBeamline, mode: str, where: Callable[[int, Msg], bool]) -> None:
    """Let a run fail, and see what it leaves behind."""
    beamline.truth.begin()
    error = InjectedError("injected")
    beamline.documents.clear()
    with pytest.raises(InjectedError) as raised:
        beamline.engine(acting(small(beamline, mode).run(), once(where, raising(error))))
    assert raised.value is error
    assert getattr(error, "__notes__", []) == []
    assert beamline.truth.unsafe() == {}
    # what ends it while it looks whether all can be done, makes no run
    assert [d["exit_status"] for kind, d in beamline.documents if kind == "stop"] == (
        ["fail"] if beamline.documents else []
    )


@pytest.mark.slow
def test_an_exception_in_the_flight(beamline: AsyncBeamline) -> None:
    raises_where(beamline, "fly", before("trigger", "det", 2))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["step", "fly"])
def test_an_exception_at_messages_throughout(beamline: AsyncBeamline, mode: str) -> None:
    seen: list[int] = []
    beamline.engine(acting(small(beamline, mode).run(), lambda number, _: seen.append(number)))
    failed = {}
    for place in range(2, len(seen), STRIDE):
        try:
            raises_where(beamline, mode, lambda number, _, place=place: number == place)
        except BaseException as error:
            failed[place] = error
    assert failed == {}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["abort", "stop"])
def test_ended_in_the_flight(beamline: AsyncBeamline, how: str) -> None:
    helper = InTheMiddle(lambda: getattr(beamline.engine, how)())
    plan = acting(small(beamline, "fly").run(), once(before("trigger", "det", 2), helper))
    with pytest.raises(RunEngineInterrupted):
        beamline.engine(plan)
    assert helper.thread is not None
    helper.thread.join(30)
    assert helper.failed == []
    assert beamline.truth.unsafe() == {}


@pytest.mark.slow
def test_limits_are_asked_before_anything_moves(beamline: AsyncBeamline) -> None:
    config = TomographyConfig(exposure=0.02, period=0.1, darks=1, flats=1, projections=4,
                              angles=[0.0, 1.0, 2.0, 1e6])  # fmt: skip
    made = tomography(PreparedCamera(beamline.det), beamline.rotation, config, **beamline.places)
    beamline.documents.clear()
    with pytest.raises(
        ConfigurationError, match=r"rotation can't go where the highest is at 1e\+06"
    ):
        beamline.engine(made.run())
    assert beamline.events("darks") == []
    assert beamline.truth.get("m1") == beamline.truth.get("shutter:Status_RBV") == 0
