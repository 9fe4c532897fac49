"""A plan that waits for a call in a thread of its own."""

from __future__ import annotations

import threading
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted

from adsupport.plans.in_thread import in_thread


def run(plan: Any, engine: RunEngine | None = None) -> Any:
    found: list[Any] = []

    def keeping() -> Any:
        found.append((yield from plan))

    (engine or RunEngine({}))(keeping())
    return found[0]


def test_what_the_call_returns() -> None:
    assert run(in_thread(lambda: threading.current_thread().name)) == "in_thread"


def test_what_the_call_raises() -> None:
    def fail() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        run(in_thread(fail))


def test_a_pause_meanwhile_does_not_call_again() -> None:
    engine, calls, go_on = RunEngine({}), [], threading.Event()

    def work() -> str:
        calls.append(1)
        threading.Thread(target=engine.request_pause, daemon=True).start()
        assert go_on.wait(10)
        return "done"

    found: list[str] = []

    def plan() -> Any:
        yield from bps.checkpoint()
        found.append((yield from in_thread(work)))

    with pytest.raises(RunEngineInterrupted):
        engine(plan())
    go_on.set()
    engine.resume()
    assert found == ["done"]
    assert calls == [1]
