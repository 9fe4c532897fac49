"""What experiments do for devices whose methods are coroutines, and whose statuses are tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from bluesky import Msg, RunEngine

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.limits import check_places
from adsupport.imaging.stubs.moves import set_and_wait
from adsupport.imaging.stubs.under_way import end_what, noting
from adsupport.plans.in_loop import in_loop


class Asked:
    """A motor that has to be asked for its limits."""

    name = "rotation"

    async def check_value(self, value: float) -> None:
        await asyncio.sleep(0)
        if abs(value) > 90:
            raise ValueError(f"{value:g} is beyond 90")


def test_a_coroutine_is_awaited_and_its_error_is_the_plans() -> None:
    async def work() -> int:
        return 3

    async def fail() -> None:
        raise KeyError("no")

    found: list[Any] = []

    def plan() -> Any:
        found.append((yield from in_loop(work)))
        found.append((yield from in_loop(lambda: 4)))
        yield from in_loop(fail)

    with pytest.raises(KeyError, match="no"):
        RunEngine({})(plan())
    assert found == [3, 4]


def test_a_device_is_asked_for_each_place() -> None:
    engine = RunEngine({})
    engine(check_places(Asked(), {"it begins": -90.0, "it ends": 90.0}))
    with pytest.raises(
        ConfigurationError, match="rotation can't go where it ends at 91: 91 is bey"
    ):
        engine(check_places(Asked(), {"it begins": -90.0, "it ends": 91.0}))


def test_what_interrupts_the_asking_is_no_refusal() -> None:
    plan = check_places(Asked(), {"it ends": 91.0})
    next(plan)
    with pytest.raises(RuntimeError, match="enough"):
        plan.throw(RuntimeError("enough"))


class TaskStatus:
    """A status with a task, as those of ophyd-async."""

    def __init__(self, seconds: float) -> None:
        self.task = asyncio.get_running_loop().create_task(asyncio.sleep(seconds))

    @property
    def done(self) -> bool:
        return self.task.done()

    @property
    def success(self) -> bool:
        return self.done and not self.task.cancelled()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        return asyncio.CancelledError() if self.task.cancelled() else None

    def add_callback(self, callback: Any) -> None:
        self.task.add_done_callback(lambda _: callback(self))


class Slow:
    """A device whose set takes as long as its value."""

    name, parent = "slow", None
    status: TaskStatus

    def set(self, value: float) -> TaskStatus:
        self.status = TaskStatus(value)
        return self.status


def test_what_a_device_still_does_is_ended_and_no_failure() -> None:
    device = Slow()

    def plan() -> Any:
        yield Msg("set", device, 1000.0, group="set")
        yield from end_what(device)
        assert device.status.task.cancelled()
        yield Msg("null")

    RunEngine({})(noting(plan()))


def test_what_a_device_still_does_holds_up_no_other_set() -> None:
    device = Slow()

    def plan() -> Any:
        yield Msg("set", device, 1000.0, group="set")
        before = device.status
        yield from set_and_wait(device, 0.0, 30.0)
        assert before.task.cancelled()
        assert device.status.success

    RunEngine({})(noting(plan()))
