"""A device is set whatever it does of an earlier set: closing a shutter waits for nothing."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import pytest
from bluesky import Msg, RunEngine
from bluesky.preprocessors import plan_mutator
from bluesky.utils import FailedStatus
from ophyd import Signal
from ophyd.positioner import PositionerBase
from ophyd.status import Status

from adsupport.errors import PutError
from adsupport.imaging import PreparedCamera, SampleStage, Source, TomographyConfig, tomography
from adsupport.imaging.stubs.cleanup import with_cleanup
from adsupport.imaging.stubs.moves import set_and_wait

from .beamline import Beamline, Movable


class Shown(Signal):
    """What is written is put at once; what is read is another thing."""

    def __init__(self, name: str, shown: Any) -> None:
        super().__init__(name=name, value=0)
        self.puts: list[Any] = []
        self.shown = shown

    def put(self, value: Any, **_: Any) -> None:
        self.puts.append(value)

    def get(self, **_: Any) -> Any:
        return self.shown(self.puts[-1]) if self.puts else 0


def measure(beamline: Beamline, source: Source) -> None:
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = TomographyConfig(exposure=0.1, darks=0, flats=0, projections=2)
    made = tomography(
        camera, beamline.rotation, config, source=source, sample=beamline.sample
    )  # fmt: skip
    RunEngine({})(made.run())


def test_a_shutter_that_never_shows_that_it_is_open_is_closed() -> None:
    shutter = Shown("shutter", lambda value: 2 if value else 0)
    with pytest.raises(PutError, match=r"shutter was set to 1, and shows 2 within 0\.2 s") as told:
        measure(Beamline(), Source(shutter, timeout=0.2))
    assert shutter.puts[0] == 1
    assert set(shutter.puts[1:]) == {0}
    assert not hasattr(told.value, "__notes__")


def test_a_signal_that_is_still_polled_is_put_at_once() -> None:
    """As when somebody aborts while a tube ramps: ophyd's thread polls on."""
    tube = Shown("tube", lambda value: 0)
    earlier = tube.set(60, timeout=2.0)
    while not tube.puts:
        time.sleep(0.001)
    RunEngine({})(set_and_wait(tube, 0, 30.0))
    assert tube.puts == [60, 0]
    assert not earlier.done
    with pytest.raises(TimeoutError):
        earlier.wait(10)


def test_a_signal_that_is_still_polled_and_shows_something_else() -> None:
    tube = Shown("tube", lambda value: -1)
    earlier = tube.set(60, timeout=0.4)
    with pytest.raises(PutError, match=r"tube was set to 0, and shows -1 within 0\.1 s"):
        RunEngine({})(set_and_wait(tube, 0, 0.1))
    assert tube.puts == [60, 0]
    with pytest.raises(TimeoutError):
        earlier.wait(10)


def test_a_speed_that_reads_back_rounded_is_put_back() -> None:
    speed = Shown("speed", math.floor)
    speed.put(10.0)

    def plan() -> Any:
        back = ("restore the speed", lambda: set_and_wait(speed, 10.0, 0.2))
        yield from with_cleanup(set_and_wait(speed, 3.333, 0.2), lambda: [back])

    with pytest.raises(PutError, match=r"speed was set to 3\.333, and shows 3"):
        RunEngine({})(plan())
    assert speed.puts == [10.0, 3.333, 10.0]


def test_a_signal_of_which_set_takes_no_timeout() -> None:
    class Own(Signal):
        def set(self, value: Any) -> Status:  # type: ignore[override]
            self.put(value)
            return super().set(value)

    own = Own(name="own", value=0)
    RunEngine({})(set_and_wait(own, 1, 1.0))
    assert own.get() == 1


class Busy(Movable):
    """Refuses to be set while it's on its way, as shutters of apstools do."""

    def __init__(self, way: float) -> None:
        super().__init__("shutter")
        self.way, self.busy = way, False

    def set(self, value: Any) -> Status:
        if self.busy:
            raise RuntimeError("shutter is operating")
        self.busy, status = True, Status()

        def arrive() -> None:
            self.value, self.busy = value, False
            self.history.append(value)
            status.set_finished()

        threading.Timer(self.way, arrive).start()
        return status


def test_a_shutter_that_refuses_while_it_opens_is_closed_when_it_has_opened() -> None:
    shutter = Busy(0.3)
    with pytest.raises(PutError, match="shutter didn't get to 1"):
        RunEngine({})(set_and_wait(shutter, 1, 0.05))
    RunEngine({})(set_and_wait(shutter, 0, 10.0))
    assert shutter.history == [0.0, 1, 0]


def test_a_shutter_that_refuses_for_another_reason() -> None:
    shutter = Busy(0.3)
    shutter.busy = True
    with pytest.raises(RuntimeError, match="is operating"):
        RunEngine({})(set_and_wait(shutter, 0, 10.0))


class Epics(Signal):
    """A signal with put-completion, of which the IOC answers when it's told to."""

    put_complete = True

    def __init__(self) -> None:
        super().__init__(name="tube", value=0)
        self._write_pv = self
        self.puts: list[tuple[Any, bool]] = []
        self.answered: list[Status] = []

    def put(self, value: Any, use_complete: bool = True, **_: Any) -> None:
        unanswered = [each for each in self.answered if not each.done]
        assert not (use_complete and unanswered), "this would hold up the IOC's answers"
        self.puts.append((value, use_complete))
        for status in unanswered:  # it turns back, and then says so
            threading.Timer(0.05, status.set_finished).start()

    def set(self, value: Any, **_: Any) -> Status:
        self.put(value)
        self.answered.append(Status())
        if value == 0:
            self.answered[-1].set_finished()
        return self.answered[-1]


def test_a_put_callback_that_is_not_answered_yet_holds_up_nothing() -> None:
    tube = Epics()
    tube._write_pv = None  # type: ignore[assignment]
    with pytest.raises(PutError, match="tube didn't get to 60"):
        RunEngine({})(set_and_wait(tube, 60, 0.05))
    RunEngine({})(set_and_wait(tube, 0, 10.0))
    assert tube.puts == [(60, True), (0, False), (0, True)]


def test_a_status_of_an_earlier_message_that_fails_is_no_failure_of_a_step() -> None:
    """As that of a motor that the step stops; the RunEngine raises it at whichever message."""
    motors = [Movable(name) for name in "xyz"]
    moves = [Status() for _ in motors]
    attempts = []

    def plan() -> Any:
        for motor, move in zip(motors, moves, strict=True):
            motor.set = lambda _, move=move: move  # type: ignore[method-assign]
            yield Msg("set", motor, 1.0, group="moves")
        raise ValueError("no frames")

    def step() -> Any:
        attempts.append([])
        for move in moves:
            if not move.done:
                move.set_exception(RuntimeError("stopped"))
            yield Msg("sleep", None, 0.05)
        attempts[-1].append("there")

    with pytest.raises(ValueError, match="no frames") as told:
        RunEngine({})(with_cleanup(plan(), lambda: [("move it in", step)]))
    assert not hasattr(told.value, "__notes__")
    assert attempts == [[], [], [], ["there"]]


def test_it_is_told_when_nothing_else_is_wrong() -> None:
    motor, move, attempts = Movable("x"), Status(), []
    motor.set = lambda _: move  # type: ignore[method-assign]

    def plan() -> Any:
        yield Msg("set", motor, 1.0, group="moves")

    def step() -> Any:
        attempts.append(1)
        if not move.done:
            move.set_exception(RuntimeError("stalled"))
        yield Msg("sleep", None, 0.05)

    with pytest.raises(FailedStatus) as told:
        RunEngine({})(with_cleanup(plan(), lambda: [("close it", step)]))
    assert "stalled" in str(told.value.__cause__)
    assert len(attempts) == 2


def test_what_a_step_told_itself_fails_it_twice() -> None:
    attempts = []

    def broken(_: Any) -> Status:
        status = Status()
        status.set_exception(RuntimeError("stuck"))
        return status

    motor = Movable("x")
    motor.set = broken  # type: ignore[method-assign]

    def step() -> Any:
        attempts.append(1)
        yield Msg("set", motor, 1.0, group="moves")
        yield Msg("wait", None, group="moves")

    with pytest.raises(FailedStatus):
        RunEngine({})(with_cleanup(iter(()), lambda: [("move it in", step)]))
    assert len(attempts) == 2


class Axis(PositionerBase):
    """Takes its time; that it's stopped is a failure of its move."""

    egu: Any = "mm"  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self._position, self._going = 0.0, None

    def set(self, position: Any, **_: Any) -> Any:
        status = super().move(position)
        self._moving, self._going = True, threading.Timer(0.2, self._arrive, [position])
        self._going.start()
        return status

    def _arrive(self, position: float) -> None:
        self._position, self._moving = position, False
        self._done_moving()

    def stop(self, *, success: bool = False) -> None:
        if self._moving and self._going is not None:
            self._going.cancel()
            self._position, self._moving = 3.0, False
        super().stop(success=success)

    def read(self) -> dict[str, Any]:
        return {self.name: {"value": self._position, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        return {self.name: {"source": "SIM", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        return {}


def test_a_sample_of_two_axes_that_are_on_their_way_is_brought_in() -> None:
    beamline, axes = Beamline(), [Axis("x"), Axis("y")]
    sample = SampleStage(dict.fromkeys(axes, (0.0, 6.0)))
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = TomographyConfig(
        exposure=0.1, darks=0, flats=1, projections=2, order=("flats", "primary")
    )
    made = tomography(camera, beamline.rotation, config, source=beamline.source, sample=sample)
    failed = []

    def fail() -> Any:
        failed.append(1)
        raise ValueError("no beam")
        yield

    def look(message: Msg) -> Any:
        going = all(axis.moving for axis in axes) and not failed
        return (fail(), None) if message.command == "wait" and going else (None, None)

    with pytest.raises(ValueError, match="no beam") as told:
        RunEngine({})(plan_mutator(made.run(), look))
    assert [axis.position for axis in axes] == [0.0, 0.0]
    assert not hasattr(told.value, "__notes__")
