"""Moves are waited for as long as something moves: by the read-back, when it takes some time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus, RequestAbort, RunEngineInterrupted
from ophyd.sim import SPseudo3x3
from ophyd.status import Status

from adsupport.errors import PutError
from adsupport.imaging.stubs import moves_in_time
from adsupport.imaging.stubs.moves_in_time import move_within_time

from .beamline import Movable
from .fakes import Axis


class Told(Movable):
    """Has other read-backs from look to look, and is there after the last, or never."""

    def __init__(self, *looks: Any, arrives: bool = True) -> None:
        super().__init__("rotation")
        self.looks, self.arrives, self.reads = list(looks), arrives, 0
        self.status = Status()

    def set(self, value: Any) -> Status:
        self.history.append(value)
        self.status = Status()
        return self.status

    def read(self) -> dict[str, dict[str, Any]]:
        self.reads += 1
        self.value = self.looks.pop(0) if self.looks else self.value
        if self.arrives and not self.looks:
            self.status.set_finished()
        if isinstance(self.value, Exception):
            raise self.value
        return super().read()


@pytest.fixture(autouse=True)
def short(monkeypatch: Any) -> None:
    monkeypatch.setattr(moves_in_time, "_STANDS", 0.02)
    monkeypatch.setattr(moves_in_time, "_LONGEST", 0.2)


def test_as_long_as_it_moves() -> None:
    """Longer than it may stand, and than one may take that can't be read; it may turn, too."""
    places = [*(0.5 * each for each in range(20)), 10.5, 10.4, 10.1]
    rotation = Told(*places)
    begun = time.monotonic()
    RunEngine({})(move_within_time({rotation: 10.0}))
    assert rotation.reads == len(places)
    assert time.monotonic() - begun > 0.4


def test_one_that_arrives_at_once_is_not_read() -> None:
    messages: list[Any] = []
    engine, stage = RunEngine({}), Movable("stage")
    engine.msg_hook = messages.append  # type: ignore[assignment]
    engine(move_within_time({stage: 3.0}))
    assert [each.command for each in messages] == ["set", "wait", "wait"]


@pytest.mark.parametrize(
    "looks", [[41.3], [40.0, 41.3], [41.3, 41.3001, 41.3, 41.2998], [Exception("busy"), 41.3]]
)
def test_one_that_stands(looks: list[Any]) -> None:
    """Although its read-back isn't quiet."""
    rotation = Told(*looks, arrives=False)
    said = r"rotation was sent to 90\.0, and has stood for 0\.02 s: rotation is at 41\.\d+"
    with pytest.raises(PutError, match=said) as raised:
        RunEngine({})(move_within_time({rotation: 90.0}))
    assert "SPMG" in str(raised.value)


def wandering() -> Iterable[float]:
    return [41.3 + (0.5 if each % 2 else 0.0) for each in range(100)]


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        (wandering(), r"rotation is at 41\.\d"),
        ([TimeoutError("no answer")], r"where it is can't be read \(no answer\)"),
        (["half way"], r"where it is can't be read \(it tells no number\)"),
    ],
)
def test_one_that_tells_nothing_is_waited_for_a_while(looks: Any, said: str) -> None:
    rotation = Told(*looks, arrives=False)
    with pytest.raises(PutError, match=rf"didn't get there within 0\.00333333 min: {said}") as told:
        RunEngine({})(move_within_time({rotation: 90.0}))
    assert len(rotation.looks) < 95
    assert (told.value.__cause__ is None) == ("no answer" not in said)


def test_one_that_tells_another_thing_than_where_it_is() -> None:
    """Whatever number changes counts, as the target can't be compared with it."""

    class Changer(Told):
        def read(self) -> Any:
            return {"rotation_turns": super().read()["rotation"], "rotation_name": {"value": "a"}}

    RunEngine({})(move_within_time({Changer(*range(15)): "next"}))
    with pytest.raises(PutError, match="sent to 'next', .* stood .*: rotation_turns is at 2"):
        RunEngine({})(move_within_time({Changer(1, 2, arrives=False): "next"}))


@pytest.mark.parametrize("error", [RequestAbort, FailedStatus])
def test_what_ends_it_is_not_taken_for_a_reading_that_fails(error: type[Exception]) -> None:
    rotation = Told(1.0)
    plan = move_within_time({rotation: 90.0})
    assert next(plan).command == "set"
    assert plan.send(rotation.set(90.0)).command == "wait"
    assert plan.send(False).command == "read"
    with pytest.raises(error):
        plan.throw(error())


def test_without_a_run_engine_it_ends() -> None:
    commands = [each.command for each in move_within_time({Movable("stage"): 1.0})]
    assert set(commands) == {"set", "wait"}


def test_axes_of_one_positioner_are_looked_at_each() -> None:
    class Stuck(SPseudo3x3):
        def set(self, *_: Any, **__: Any) -> Any:
            return Status()

    pseudo = Stuck(name="hexapod")
    said = "hexapod was sent to .*: hexapod_pseudo1 is at 0; hexapod_pseudo2 is at 0"
    with pytest.raises(PutError, match=said):
        RunEngine({})(move_within_time({pseudo.pseudo1: 1.0, pseudo.pseudo2: 2.0}))


def paused(engine: RunEngine, plan: Any, begun: threading.Event) -> None:
    """Pause it at once, as by Ctrl-C twice, when something has begun."""

    def pause() -> None:
        assert begun.wait(10)
        engine.request_pause()

    helper = threading.Thread(target=pause)
    helper.start()
    with pytest.raises(RunEngineInterrupted):
        engine(plan)
    helper.join()


class Announced(Axis):
    """Tells when it has been read on its way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen = threading.Event()
        self.stuck = False

    def set(self, value: float) -> Any:
        return Status() if self.stuck else super().set(value)

    def read(self) -> Any:
        self.seen.set()
        return super().read()


def test_a_pause_on_the_way_of_two_axes() -> None:
    """However long it is."""
    x, y = Announced(name="x", delay=0.08), Announced(name="y", delay=0.08)
    engine = RunEngine({})
    moves_in_time._STANDS = 1.0  # they stand for 0.08 s, and are there
    y.set = lambda value: (x.seen.set(), Axis.set(y, value))[1]  # type: ignore[method-assign]

    def plan() -> Any:
        yield from bps.checkpoint()
        yield from move_within_time({x: 1.0, y: 2.0})

    paused(engine, plan(), x.seen)
    engine.resume()
    assert (x.position, y.position) == (1.0, 2.0)


def test_one_that_is_stuck_after_a_pause() -> None:
    x, engine = Announced(name="x", delay=5.0), RunEngine({})
    moves_in_time._STANDS = 0.2

    def plan() -> Any:
        yield from bps.checkpoint()
        yield from move_within_time({x: 1.0})

    paused(engine, plan(), x.seen)
    x.stuck = True
    with pytest.raises(PutError, match="x was sent to 1"):
        engine.resume()


def test_a_way_back_after_a_pause_is_waited_for() -> None:
    """The move had been fast, and the way back isn't: what comes next doesn't come before."""
    x, engine, found = Announced(name="x", delay=0.0), RunEngine({}), []
    moves_in_time._LONGEST = 5.0

    def plan() -> Any:
        yield from bps.checkpoint()
        yield from move_within_time({x: 1.0})
        yield from bps.null()
        x.seen.set()
        yield from bps.sleep(0.2)
        found.append(x.position)

    paused(engine, plan(), x.seen)
    x.set(50.0)
    x.way = 0.3
    engine.resume()
    assert found == [1.0]
    assert x.targets == [1.0, 50.0, 1.0]
