"""Whatever happens at whichever message: the beam is off, the sample in, the camera idle."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import Msg, RunEngine
from bluesky.preprocessors import pchain, plan_mutator
from bluesky.utils import RequestAbort, RequestStop, RunEngineInterrupted, single_gen

from adsupport.imaging import PreparedCamera, TomographyConfig, tomography

from .beamline import Beamline


class InjectedError(Exception):
    """What a test raises."""


def make(beamline: Beamline) -> Any:
    config = TomographyConfig(
        exposure=0.1, darks=2, flats=2, projections=2, order=("darks", "flats", "primary", "flats")
    )
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    return tomography(
        camera, beamline.rotation, config, source=beamline.source, sample=beamline.sample,
        devices=[beamline.stage],
    )  # fmt: skip


def throwing(plan: Any, place: int, error: BaseException) -> Any:
    """Run a plan, and raise in it instead of sending a message."""
    value = None
    number = 0
    try:
        message = next(plan)
        while True:
            if number == place:
                message = plan.throw(error)
            else:
                try:
                    value = yield message
                except Exception as other:
                    message = plan.throw(other)
                    number += 1
                    continue
                message = plan.send(value)
            number += 1
    except StopIteration as end:
        return end.value


def messages() -> list[str]:
    found: list[str] = []
    engine = RunEngine({})
    engine.msg_hook = lambda message: found.append(message.command)
    engine(make(Beamline()).run())
    return found


COUNT = len(messages())


@pytest.mark.parametrize("kind", [InjectedError, RequestAbort, RequestStop])
def test_an_exception_at_every_message(kind: type[Exception]) -> None:
    assert COUNT > 70
    for place in range(COUNT):
        beamline, documents = Beamline(), []
        engine = RunEngine({})
        engine.subscribe(lambda name, document, found=documents: found.append((name, document)))
        error = kind("injected")
        made = make(beamline)
        try:
            engine(throwing(made.run(), place, error))
        except Exception as raised:  # bluesky keeps requests to itself
            assert raised is error, place
        else:
            assert kind is not InjectedError
        assert beamline.is_safe() or before_all(place), place
        assert made.ready_to_prepare_next_sample.is_set()
        stops = [document for name, document in documents if name == "stop"]
        starts = [document for name, document in documents if name == "start"]
        assert len(stops) == len(starts), place


def before_all(place: int) -> bool:
    """Before the run was opened nothing had moved."""
    return place == 0


def pausing(plan: Any, place: int) -> Any:
    """Run a plan, and pause before one of its messages."""
    return (yield from plan_mutator(plan, _pause_before(place)))


def _pause_before(place: int) -> Any:
    seen = [0]

    def look(message: Msg) -> Any:
        seen[0] += 1
        if seen[0] == place:
            return pchain(single_gen(Msg("pause", None, defer=False)), single_gen(message)), None
        return None, None

    return look


@pytest.mark.parametrize("how", ["abort", "stop"])
def test_paused_and_then_ended(how: str) -> None:
    for place in range(2, COUNT, 5):
        beamline = Beamline()
        engine = RunEngine({})
        with pytest.raises(RunEngineInterrupted):
            engine(pausing(make(beamline).run(), place))
        assert engine.state == "paused", place
        getattr(engine, how)()
        assert beamline.is_safe(), place
        assert engine.state == "idle"


def test_paused_and_resumed() -> None:
    for place in range(2, COUNT, 9):
        beamline = Beamline()
        engine, documents = RunEngine({}), []
        engine.subscribe(lambda name, document, found=documents: found.append((name, document)))
        with pytest.raises(RunEngineInterrupted):
            engine(pausing(make(beamline).run(), place))
        engine.resume()
        assert beamline.is_safe()
        assert documents[-1][1]["exit_status"] == "success"


def test_a_clean_up_that_fails_does_not_hide_why() -> None:
    beamline = Beamline()

    def broken() -> Any:
        raise OSError("the stage is stuck")

    beamline.sample.move_in = broken  # type: ignore[method-assign]
    made = make(beamline)
    error = InjectedError("first")
    with pytest.raises(InjectedError) as raised:
        RunEngine({})(throwing(made.run(), 30, error))
    assert raised.value is error
    assert any("move the sample in: the stage is stuck" in note for note in error.__notes__)
    assert beamline.shutter.value == 0


def test_a_clean_up_that_fails_alone_is_told() -> None:
    beamline = Beamline()

    def broken() -> Any:
        raise OSError("no shutter")

    beamline.source.close = broken  # type: ignore[method-assign]
    made = make(beamline)
    made.order = [each for each in made.order if each != "darks"]
    with pytest.raises(OSError, match="no shutter"):
        RunEngine({})(made.run())
    assert beamline.stage.value == 0.0
