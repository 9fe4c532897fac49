"""What is told of values that didn't read back, without any IOC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from adsupport.devices.signals import putting
from adsupport.devices.signals.putting import put_in_order
from adsupport.errors import ConnectionTimeoutError


class Written:
    """A signal that takes every value; also the status of that, done."""

    name = "X"
    pvname, setpoint_pvname = "X_RBV", "X"
    connected = True

    def set(self, value: object) -> Written:
        return self

    def wait(self, timeout: float) -> None:
        """The value is put at once."""


@pytest.fixture
def read_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Let all read-backs be what a function returns."""

    def let(read: Callable[[], Any]) -> None:
        def read_all(signals: Mapping[Any, Any]) -> dict[Any, Any]:
            return {key: read() for key in signals}

        monkeypatch.setattr(putting, "read_signals", read_all)

    return let


def test_a_value_that_reads_back_is_no_problem(read_as: Any) -> None:
    read_as(lambda: 5)
    assert put_in_order([(Written(), 5)]) == []


def test_another_value_is_told_with_the_time_that_passed(read_as: Any) -> None:
    read_as(lambda: 4)
    (problem,) = put_in_order([(Written(), 5)], 0.05)
    assert re.fullmatch(r"X: put 5, but X_RBV shows 4 after \d+\.\d s\.", problem)


@pytest.mark.parametrize(
    ("connected", "told"),
    [
        (
            False,
            r"the connection was lost: X_RBV isn't connected \d\.\d s later; it showed 4 before",
        ),
        (True, r"X_RBV could not be read \d\.\d s later; it showed 4 before"),
    ],
)
def test_a_connection_that_is_lost_meanwhile(read_as: Any, connected: bool, told: str) -> None:
    signal = Written()
    answers = iter([4])

    def read() -> int:
        for value in answers:
            return value
        signal.connected = connected
        raise ConnectionTimeoutError("X_RBV isn't there.", [])

    read_as(read)
    first, second = put_in_order([(signal, 5)], 1000)
    assert first.startswith("X_RBV isn't there")
    assert re.fullmatch(rf"X: put 5, but {told}\.", second)
