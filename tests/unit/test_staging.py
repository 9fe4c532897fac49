"""Staging and unstaging when something fails on the way, without an IOC."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from epics.ca import ChannelAccessGetFailure
from ophyd import Component, Device, Signal
from ophyd.device import Staged

from adsupport.devices.staging import BoundedStaging
from adsupport.errors import (
    ConfigurationError,
    ConnectionTimeoutError,
    FrameCountError,
    PutError,
)


class Stuck(Signal):
    """A setting that can be made and not restored."""

    def set(self, value: Any, **kwargs: Any) -> Any:
        if value == 0:
            raise OSError("the IOC is gone")
        return super().set(value, **kwargs)


class Part(BoundedStaging, Device):
    """A part with one setting; it may fail when it is unstaged, once."""

    setting = Component(Signal, value=0)
    end_error: Exception | None = None
    stage_error: Exception | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage_sigs["setting"] = 1

    def stage(self) -> list[object]:
        if self.stage_error is not None:
            raise self.stage_error
        return super().stage()

    def unstage(self) -> list[object]:
        devices = super().unstage()
        error, self.end_error = self.end_error, None
        if error is not None:
            raise error
        return devices


class Whole(BoundedStaging, Device):
    """Two settings of its own and three parts."""

    one = Component(Signal, value=0)
    stuck = Component(Stuck, value=0)
    two = Component(Signal, value=0)
    first = Component(Part, "")
    second = Component(Part, "")
    third = Component(Part, "")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage_sigs.update(one=1, two=1)

    def settings(self) -> list[int]:
        """Return all settings: 0 before, 1 while staged."""
        parts = (self.first, self.second, self.third)
        return [self.one.get(), self.two.get(), *(part.setting.get() for part in parts)]

    def states(self) -> set[Staged]:
        """Return the states of the whole and of its parts."""
        return {each._staged for each in (self, self.first, self.second, self.third)}


@pytest.fixture
def whole() -> Whole:
    return Whole("", name="whole")


@pytest.mark.parametrize(
    "error", [FrameCountError("frames are missing"), PutError("not restored"), OSError("lost")]
)
@pytest.mark.parametrize("part", ["first", "second", "third"])
def test_a_part_that_fails_at_the_end_keeps_nothing_else_staged(
    whole: Whole, part: str, error: Exception
) -> None:
    # ophyd leaves the parts before it, and the whole, staged.
    whole.stage()
    assert whole.settings() == [1] * 5
    getattr(whole, part).end_error = error
    with pytest.raises(type(error)) as caught:
        whole.unstage()
    assert caught.value is error
    assert whole.settings() == [0] * 5
    assert whole.states() == {Staged.no}
    whole.stage()
    whole.unstage()


def test_of_two_failures_the_first_is_raised_and_the_other_logged(
    whole: Whole, caplog: pytest.LogCaptureFixture
) -> None:
    whole.stage()
    whole.third.end_error = FrameCountError("third")
    whole.first.end_error = OSError("first")
    with pytest.raises(FrameCountError, match="third"):
        whole.unstage()
    assert "first" in caplog.text
    assert whole.settings() == [0] * 5


def test_a_setting_that_can_not_be_restored_is_named_and_the_others_are_restored(
    whole: Whole,
) -> None:
    whole.stage_sigs = type(whole.stage_sigs)([("one", 1), ("stuck", 1), ("two", 1)])
    whole.stage()
    with pytest.raises(PutError, match="whole_stuck: 0 could not be put .*IOC is gone") as caught:
        whole.unstage()
    assert isinstance(caught.value, TimeoutError)
    assert whole.settings() == [0] * 5
    assert whole.states() == {Staged.no}


def test_the_reason_why_staging_failed_is_the_error_raised(
    whole: Whole, caplog: pytest.LogCaptureFixture
) -> None:
    whole.third.stage_error = ConfigurationError("the reason")
    whole.first.end_error = FrameCountError("a consequence")
    with caplog.at_level(logging.ERROR), pytest.raises(ConfigurationError, match="the reason"):
        whole.stage()
    assert "a consequence" in caplog.text
    assert whole.settings() == [0] * 5
    assert whole.states() == {Staged.no}


def test_an_ioc_that_is_lost_while_ophyd_reads_is_named(whole: Whole) -> None:
    whole.third.stage_error = ChannelAccessGetFailure("Get failed", None, 192)
    with pytest.raises(ConnectionTimeoutError, match="whole could not be staged: its IOC was lost"):
        whole.stage()
    assert whole.settings() == [0] * 5
    assert whole.states() == {Staged.no}
