"""An experiment and an axis that are just enough for what stands around experiments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import Msg
from event_model import DocumentNames, schema_validators
from ophyd.sim import SynAxis
from ophyd.status import MoveStatus

SAMPLES = ["bone", "wood", "foam"]


class Axis(SynAxis):
    """An axis that takes its time, stops where it is, and can be told to fail."""

    def __init__(self, *, name: str, delay: float = 0.02, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.way, self.targets = delay, []
        self.fails: list[float] = []  # the next moves there
        self._halt = threading.Event()
        self._under_way: MoveStatus | None = None

    def set(self, value: float) -> MoveStatus:
        self.targets.append(value)
        status, begin, halt = MoveStatus(self, value), self.position, threading.Event()
        self._halt, self._under_way = halt, status

        def move() -> None:
            stopped = halt.wait(self.way)
            if value in self.fails:
                self.fails.remove(value)
                status.set_exception(RuntimeError(f"{self.name} stalled"))
                return
            self.sim_state["readback"] = (begin + value) / 2 if stopped else value
            self.sim_state["setpoint"] = value
            status.set_finished()

        threading.Thread(target=move, daemon=True).start()
        return status

    def stop(self, *, success: bool = False) -> None:
        self._halt.set()
        if self._under_way is not None:
            # as that of a motor record: when it stands
            deadline = time.monotonic() + 5
            while not self._under_way.done and time.monotonic() < deadline:
                time.sleep(0.001)


class FakeExperiment:
    """A reading in a run; then the beam is free, and it ends in a few messages."""

    def __init__(self, *devices: Any, ending: Callable[[], Any] | None = None) -> None:
        self.devices = list(devices)
        self.ending = ending
        self.ready_to_prepare_next_sample = threading.Event()
        self.fails_for: set[Any] = set()

    def run(self, **md: Any):
        self.ready_to_prepare_next_sample.clear()
        try:
            return (yield from bpp.run_wrapper(self._measure(md), md=md))
        finally:
            self.ready_to_prepare_next_sample.set()

    def _measure(self, md: dict[str, Any]):
        yield from bps.checkpoint()
        yield from bps.trigger_and_read(self.devices)
        if md.get("sample") in self.fails_for:
            raise RuntimeError(f"no frames of {md['sample']}")
        self.ready_to_prepare_next_sample.set()
        for _ in range(4):
            yield from bps.null()
        if self.ending is not None:
            yield from self.ending()


class Documents:
    """Documents of a RunEngine, all of them valid."""

    def __init__(self, RE: RunEngine) -> None:
        self.all: list[tuple[str, dict]] = []
        RE.subscribe(self._take)

    def _take(self, name: str, document: dict) -> None:
        schema_validators[DocumentNames[name]].validate(document)
        self.all.append((name, document))

    def of(self, kind: str) -> list[dict]:
        return [document for name, document in self.all if name == kind]


def preparing(changer):
    def prepare(sample):
        yield from bps.mv(changer, 1 + SAMPLES.index(sample))

    return prepare


def told(messages: list[Msg]) -> list[str]:
    """What is moved and which runs are open, in a word each."""
    words = {"open_run": "open", "close_run": "close"}
    return [
        f"{m.obj.name}={m.args[0]}" if m.command == "set" else words[m.command]
        for m in messages
        if m.command in ("set", *words)
    ]
