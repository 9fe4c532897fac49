"""Whatever goes wrong in an experiment: beam off, sample in, camera idle, speeds as they were."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
from bluesky import Msg
from bluesky.utils import RunEngineInterrupted

from adsupport.errors import InterruptedFlightError
from adsupport.imaging import (
    Experiment,
    FlyAxis,
    SampleStage,
    SpiralConfig,
    TomographyConfig,
    spiral_tomography,
    tomography,
)
from adsupport.imaging.addons import Addon
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.launch import IOCProcess

from .station import Station

Plan = Generator[Msg, Any, Any]


class InjectedError(Exception):
    """What a test raises."""


def make(station: Station, mode: str = "fly", **options: Any) -> Experiment:
    """An experiment with all that can be left as it shouldn't: the flats come last."""
    settings: dict[str, Any] = {
        "exposure": 0.02, "period": 0.1, "darks": 1, "flats": 1, "projections": 4, "mode": mode,
        "order": ("darks", "primary", "flats"),
    }  # fmt: skip
    if mode == "spiral":
        settings |= {"mode": "fly", "vertical_shift": -0.2, "sample_height": 0.2}
        return spiral_tomography(
            station.camera, station.axis(), FlyAxis(station.vertical), SpiralConfig(**settings),
            **station.places, **options,
        )  # fmt: skip
    return tomography(
        station.camera, station.rotation, TomographyConfig(**settings), **station.places, **options
    )


def acting(plan: Plan, act: Callable[[int, Msg], None]) -> Plan:
    """Run a plan; before a message is sent, ``act`` may raise: the plan gets that instead."""
    number, value = 0, None
    try:
        message = next(plan)
        while True:
            number += 1
            try:
                act(number, message)
                value = yield message
            except Exception as error:
                message = plan.throw(error)
            else:
                message = plan.send(value)
    except StopIteration as end:
        return end.value


def once(message: Callable[[int, Msg], bool], act: Callable[[], None]) -> Callable[..., None]:
    """Act before the first message that fits."""
    done: list[bool] = []

    def look(number: int, sent: Msg) -> None:
        if not done and message(number, sent):
            done.append(True)
            act()

    return look


def raising(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def before(command: str, name: str, times: int = 1) -> Callable[[int, Msg], bool]:
    """Find the so many-th message of a kind to a device."""
    seen = [0]

    def fits(_: int, message: Msg) -> bool:
        seen[0] += message.command == command and getattr(message.obj, "name", "") == name
        return seen[0] == times

    return fits


def number_of_messages(station: Station, mode: str) -> int:
    """Count the messages of a run that goes well, when the IOC has been used before."""
    seen: list[int] = []
    for _ in range(2):
        seen.clear()
        station.begin()
        station.engine(acting(make(station, mode).run(), lambda number, _: seen.append(number)))
    return len(seen)


def raises_where(station: Station, mode: str, where: Callable[[int, Msg], bool]) -> None:
    """Let a run fail, and see what it leaves behind."""
    station.begin()
    error = InjectedError("injected")
    with pytest.raises(InjectedError) as raised:
        station.engine(acting(make(station, mode).run(), once(where, raising(error))))
    assert raised.value is error
    # In a clean-up it's told what it has prevented, at the first attempt.
    notes = getattr(error, "__notes__", [])
    assert [note for note in notes if not note.endswith(": injected")] == []
    assert station.unsafe() == {}
    ends = [each["exit_status"] for each in station.of("stop")]
    assert ends == ["fail"] * len(station.of("start"))  # none, if it was refused before


@pytest.mark.parametrize(
    ("command", "name", "times"),
    [
        ("trigger", "det", 2),  # the stage moves at its fly speed
        pytest.param("read", "rotation_frames", 1, marks=pytest.mark.slow),
        pytest.param("unstage", "det", 2, marks=pytest.mark.slow),
        ("set", "stage", 2),
    ],
)
def test_an_exception_while_something_moves(
    station: Station, command: str, name: str, times: int
) -> None:
    raises_where(station, "fly", before(command, name, times))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["step", "fly", "spiral"])
def test_an_exception_at_messages_throughout(station: Station, mode: str) -> None:
    failed = {}
    for place in range(2, number_of_messages(station, mode), 11):
        try:
            raises_where(station, mode, lambda number, _, place=place: number == place)
        except BaseException as error:
            failed[place] = error
    assert failed == {}


class InTheMiddle:
    """Do something from another thread when the camera exposes in the flight."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act = act
        self.thread: threading.Thread | None = None
        self.failed: list[BaseException] = []

    def __call__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:
            self.failed.append(error)


def moving(station: Station) -> Callable[[], None]:
    """Wait until the camera has taken a frame of the flight."""
    taken = threading.Event()
    first = station.get("cam1:ArrayCounter_RBV")

    def look(value: Any = None, **_: Any) -> None:
        if value > first + 1:
            taken.set()

    station.det.cam.array_counter.subscribe(look, run=False)

    def wait() -> None:
        assert taken.wait(30)

    return wait


@pytest.mark.parametrize("how", ["abort", pytest.param("stop", marks=pytest.mark.slow)])
def test_ended_in_the_flight(station: Station, how: str) -> None:
    until = moving(station)

    def end() -> None:
        until()
        getattr(station.engine, how)()

    helper = InTheMiddle(end)
    plan = acting(make(station).run(), once(before("trigger", "det", 2), helper))
    with pytest.raises(RunEngineInterrupted):
        station.engine(plan)
    assert helper.thread is not None
    helper.thread.join(30)
    assert helper.failed == []
    assert station.unsafe() == {}
    status = {"abort": "abort", "stop": "success"}[how]
    assert station.of("stop")[0]["exit_status"] == status


@pytest.mark.parametrize("how", ["abort", pytest.param("stop", marks=pytest.mark.slow)])
def test_paused_in_the_flight_and_then_ended(station: Station, how: str) -> None:
    until = moving(station)

    def pause() -> None:
        until()
        station.engine.request_pause(defer=False)

    helper = InTheMiddle(pause)
    plan = acting(make(station).run(), once(before("trigger", "det", 2), helper))
    with pytest.raises(RunEngineInterrupted):
        station.engine(plan)
    assert station.engine.state == "paused"
    getattr(station.engine, how)()
    assert helper.failed == []
    assert station.unsafe() == {}


def test_paused_in_the_flight_and_then_resumed(station: Station) -> None:
    """It can't go on from the middle: what is wrong is told, and all is put back."""
    until = moving(station)

    def pause() -> None:
        until()
        station.engine.request_pause(defer=False)

    helper = InTheMiddle(pause)
    plan = acting(make(station).run(), once(before("trigger", "det", 2), helper))
    with pytest.raises(RunEngineInterrupted):
        station.engine(plan)
    assert station.engine.state == "paused"
    with pytest.raises(InterruptedFlightError, match=r"flight of rotation .* can't be resumed"):
        station.engine.resume()
    assert helper.failed == []
    assert station.engine.state == "idle"
    assert station.unsafe() == {}
    assert station.of("stop")[0]["exit_status"] == "abort"
    assert station.events("primary") == []


@pytest.mark.slow
def test_a_deferred_pause_waits_until_the_flight_is_over(station: Station) -> None:
    until = moving(station)

    def pause() -> None:
        until()
        station.engine.request_pause(defer=True)

    helper = InTheMiddle(pause)
    plan = acting(make(station).run(), once(before("trigger", "det", 2), helper))
    with pytest.raises(RunEngineInterrupted):
        station.engine(plan)
    assert station.engine.state == "paused"
    assert len(station.events("primary")) == 1
    assert station.events("flats") == []
    station.engine.resume()
    assert helper.failed == []
    assert len(station.events("primary")) == len(station.events("flats")) == 1
    assert station.unsafe() == {}
    assert station.of("stop")[0]["exit_status"] == "success"


class Failing(Addon):
    """Takes two frames, and fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__(streams=["primary"])
        self._error = error
        self._frames = 0

    def frame(self, frame: Any) -> None:
        self._frames += 1
        if self._frames == 2:
            raise self._error


@pytest.mark.parametrize("mode", ["step", pytest.param("fly", marks=pytest.mark.slow)])
def test_an_addon_that_fails(station: Station, mode: str) -> None:
    prefix = station.ioc.prefix
    source = HDF5FileSource(f"{prefix}HDF1:", f"{prefix}cam1:", timeout=30)
    error = InjectedError("no room for another frame")
    experiment = make(station, mode, frames=source, addons=[Failing(error)])
    try:
        with pytest.raises(InjectedError) as raised:
            station.engine(experiment.run())
    finally:
        source.close()
    assert raised.value is error
    assert station.unsafe() == {}
    assert station.of("stop")[0]["exit_status"] == "fail"


def test_a_camera_that_hangs(station: Station) -> None:
    """Its IOC answers, its frames don't come: the run ends by itself."""
    station.det.acquire_timeout = 1.0
    try:
        with (
            station.ioc.fault("camera-stalls", "cam1", after=2),
            pytest.raises(Exception, match="camera-stalls|frames|Acquire"),
        ):
            station.engine(make(station).run())
    finally:
        station.det.acquire_timeout = None
    assert station.unsafe() == {}


@pytest.fixture
def doomed(adsupport_ioc_factory) -> Any:
    """An IOC that a test may kill."""
    with adsupport_ioc_factory("imaging_beamline") as ioc:
        yield ioc


@pytest.mark.slow
def test_the_ioc_of_the_camera_dies(station: Station, doomed: IOCProcess, tmp_path: Any) -> None:
    """Source, sample and rotation are another IOC's, and are put right."""
    other = Station(doomed, tmp_path / "other")
    other.begin()
    config = TomographyConfig(
        exposure=0.05, period=0.1, darks=1, flats=1, projections=6,
        order=("darks", "flats", "primary"),
    )  # fmt: skip
    experiment = tomography(
        other.camera, station.rotation, config, source=station.source,
        sample=SampleStage({station.stage: (0.0, 6.0)}),
    )  # fmt: skip
    other.det.acquire_timeout = 3.0
    plan = acting(experiment.run(), once(before("trigger", "det", 4), doomed.kill))
    with pytest.raises(Exception, match=doomed.prefix):
        station.engine(plan)
    assert station.unsafe() == {}
    assert station.of("stop")[0]["exit_status"] == "fail"


@pytest.mark.slow
def test_the_only_ioc_dies(doomed: IOCProcess, tmp_path: Any) -> None:
    """Nothing can be put right: what can't be is told, and the plan ends."""
    alone = Station(doomed, tmp_path / "alone")
    alone.begin()
    alone.det.acquire_timeout = 3.0
    plan = acting(make(alone, "step").run(), once(before("trigger", "det", 3), doomed.kill))
    with pytest.raises(Exception, match=doomed.prefix) as raised:
        alone.engine(plan)
    notes = " ".join(getattr(raised.value, "__notes__", []))
    assert "close the source" in notes
    assert alone.of("stop")[0]["exit_status"] == "fail"
    assert alone.engine.state == "idle"
