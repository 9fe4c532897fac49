"""Putting a value under the RunEngine while the IOC is slow to answer."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from bluesky import RunEngine
from ophyd import Signal
from ophyd.status import Status

from adsupport.errors import PutError
from adsupport.imaging.stubs.moves import set_and_wait
from adsupport.plans.put import put


class Slow(Signal):
    """A signal of which some reads come too late."""

    def __init__(self, late: int, shows: Any = None) -> None:
        super().__init__(name="file_name", value="")
        self.late, self.shows, self.reads, self.puts = late, shows, 0, 0

    def put(self, value: Any, **kwargs: Any) -> None:
        self.puts += 1
        super().put(value, **kwargs)

    def get(self, **kwargs: Any) -> Any:
        self.reads += 1
        if self.reads <= self.late:
            raise TimeoutError("Failed to read im:HDF1:FileName_RBV within 2.00 sec")
        return super().get(**kwargs) if self.shows is None else self.shows


@pytest.mark.parametrize("plan", [put, partial(set_and_wait, timeout=10.0)])
@pytest.mark.parametrize("late", [1, 3])
def test_a_late_answer_is_no_refusal(late: int, plan: Any) -> None:
    signal = Slow(late)
    RunEngine({})(plan(signal, "primary"))
    assert signal.puts == 1
    assert signal.reads > late


def test_no_answer_is_told_as_such() -> None:
    with pytest.raises(PutError, match=r"put 'primary', but file_name didn't answer .*0.05 s") as e:
        RunEngine({})(put(Slow(10**6), "primary", timeout=0.05))
    assert "refused" not in str(e.value)


def test_another_value_is_a_refusal_after_a_late_answer_too() -> None:
    signal = Slow(1, shows="prim")
    with pytest.raises(PutError, match="shows 'prim' .*The IOC refused or changed"):
        RunEngine({})(put(signal, "primary", timeout=0.05))


def test_an_experiment_tells_of_a_setting_that_was_refused() -> None:
    with pytest.raises(PutError, match="file_name was set to 'primary', and shows 'prim'"):
        RunEngine({})(set_and_wait(Slow(1, shows="prim"), "primary", 0.1))


def test_a_put_that_is_not_completed_is_none_whatever_it_shows() -> None:
    """A shutter shows at once what it was told, and moves later."""

    class Shutter(Slow):
        def set(self, value: Any, **_: Any) -> Status:
            self.put(value)
            return Status(timeout=0.05)

    with pytest.raises(PutError):
        RunEngine({})(put(Shutter(0), "open"))
