"""Plans that somebody watches; an experiment without its addons doesn't begin."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import Msg

from adsupport.errors import FrameConnectionError
from adsupport.imaging import Acquisition, Experiment
from adsupport.imaging.addons import Addon
from adsupport.imaging.stubs.watched import watched

from .beamline import Movable


class NoFrames:
    """A source that has none."""

    def begin(self, about: Any, take: Any) -> None:
        pass

    def end(self, expected: int | None, timeout: float) -> None:
        pass

    def close(self) -> None:
        pass


class Stubborn(Addon):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.begun = 0

    def ready(self) -> None:
        raise FrameConnectionError("nobody is there")

    def begin(self, about: Any) -> None:
        self.begun += 1

    def frame(self, frame: Any) -> None:
        pass


def test_the_plan_cleans_up_and_the_error_is_that_of_the_check() -> None:
    sent, cleaned = [], []
    problem = RuntimeError("full")

    def plan() -> Any:
        try:
            for number in range(5):
                sent.append(number)
                yield from bps.null()
        finally:
            yield from bps.null()
            cleaned.append(True)

    told = iter([None, None, problem])

    def check() -> None:
        error = next(told, None)
        if error is not None:
            raise error

    with pytest.raises(RuntimeError) as raised:
        RunEngine({})(watched(plan(), check))
    assert raised.value is problem
    assert sent == [0, 1, 2]
    assert cleaned == [True]


def test_answers_and_errors_reach_the_plan() -> None:
    came: list[Any] = []

    class Stuck:
        name, parent = "stuck", None

        def set(self, value: float) -> Any:
            raise ValueError("stuck")

    def plan() -> Any:
        came.append((yield from bps.read(Movable("motor", 3.0))))
        try:
            yield from bps.abs_set(Stuck(), 1)
        except ValueError as error:
            came.append(str(error))

    RunEngine({})(watched(plan(), lambda: None))
    assert came[0]["motor"]["value"] == 3.0
    assert came[1] == "stuck"


def test_what_messages_are_answered_with_is_noted_but_not_their_failures() -> None:
    noted: list[tuple[str, Any]] = []

    def plan() -> Any:
        with pytest.raises(ValueError):
            yield Msg("set")
        return (yield Msg("read"))

    driven = watched(plan(), note=lambda message, answer: noted.append((message.command, answer)))
    assert next(driven).command == "set"
    assert driven.throw(ValueError("stuck")).command == "read"
    with pytest.raises(StopIteration) as ended:
        driven.send(3)
    assert ended.value.value == 3
    assert noted == [("read", 3)]


def test_what_the_note_raises_the_plan_gets_and_cleans_up() -> None:
    def plan() -> Any:
        try:
            yield Msg("read")
        finally:
            yield Msg("close")

    def note(message: Msg, answer: Any) -> None:
        if message.command == "read":
            raise RuntimeError("no room")

    driven = watched(plan(), note=note)
    assert next(driven).command == "read"
    assert driven.send(None).command == "close"
    with pytest.raises(RuntimeError, match="no room"):
        driven.send(None)


def test_a_plan_that_is_given_up_is_closed() -> None:
    ended: list[type[BaseException]] = []

    def plan() -> Any:
        try:
            yield Msg("read")
        except BaseException as error:
            ended.append(type(error))
            raise

    driven = watched(plan())
    next(driven)
    driven.close()
    assert ended == [GeneratorExit]


def test_an_experiment_does_not_begin_without_its_addons() -> None:
    moved: list[int] = []

    def take() -> Any:
        moved.append(1)
        yield from bps.null()

    addon = Stubborn()
    experiment = Experiment([Acquisition("darks", take)], frames=NoFrames(), addons=[addon])
    documents: list[str] = []
    with pytest.raises(FrameConnectionError, match="nobody is there"):
        RunEngine({})(experiment.run(), lambda name, doc: documents.append(name))
    assert moved == [] and documents == [] and addon.begun == 0
    assert experiment.ready_to_prepare_next_sample.is_set()
