"""A capture that doesn't start: asked again when the plugin has not heard of it, else refused."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.files import capture
from adsupport.errors import FileWriteError


class Signal:
    """A signal whose value an IOC that isn't there decides."""

    def __init__(self, name: str, value: Any) -> None:
        self.pvname = self.setpoint_pvname = name
        self.value = value

    def get(self, as_string: bool = False) -> Any:
        return self.value


class Capture(Signal):
    """The record: it loses the first puts of 1, or refuses all."""

    def __init__(self, lost: int) -> None:
        super().__init__("ioc:HDF1:Capture", 0)
        self.lost = lost
        self.asked = 0
        self.slow = False
        self.late = 0.0  # seconds until a put is seen
        self.puts: list[int] = []

    def put(self, value: int) -> None:
        self.puts.append(value)
        if value and self.late and self.puts.count(1) > self.lost:
            threading.Timer(self.late, self._heard).start()
            return
        self.value = int(value and self.puts.count(1) > self.lost and not self.slow)
        self.asked = int(value and (self.slow or self.value))

    def _heard(self) -> None:
        self.value = self.asked = 1


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a file plugin: called with the puts that it loses, and its WriteMessage."""

    def read(signals: dict[str, Any], setpoints: Iterable[str] = ()) -> dict[str, Any]:
        return {
            name: signal.asked if name in setpoints else signal.get()
            for name, signal in signals.items()
        }

    def make(lost: int, message: str = "", status: str = "Write OK") -> Any:
        others: Iterable[str] = ("file_path_exists", "full_file_name", "file_path", "array_counter")
        return SimpleNamespace(
            capture=Capture(lost),
            write_status=Signal("ioc:HDF1:WriteStatus", status),
            write_message=Signal("ioc:HDF1:WriteMessage", message),
            file_write_mode=Signal("ioc:HDF1:FileWriteMode", "Stream"),
            **{name: Signal(name, 1) for name in others},
        )

    monkeypatch.setattr(capture, "read_signals", read)
    monkeypatch.setattr(capture, "_REFUSED_AFTER", 0.05)
    return make


def test_a_put_that_was_lost_is_repeated_once(plugin: Any) -> None:
    heard = plugin(lost=1)
    capture.begin_capture(heard)
    assert heard.capture.puts == [1, 1]


def test_the_second_put_may_take_longer_until_it_is_seen(plugin: Any) -> None:
    busy = plugin(lost=1)
    busy.capture.late = 0.1
    capture.begin_capture(busy)
    assert busy.capture.puts == [1, 1]


def test_a_reason_that_comes_late_ends_the_second_wait(
    plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "_MORE_PATIENT", 1000)
    deaf = plugin(lost=9)
    threading.Timer(0.3, lambda: setattr(deaf.write_message, "value", "no room")).start()
    with pytest.raises(FileWriteError, match="no room"):
        capture.begin_capture(deaf)


def test_it_is_repeated_once_only(plugin: Any) -> None:
    deaf = plugin(lost=9)
    with pytest.raises(FileWriteError, match="the capture didn't start"):
        capture.begin_capture(deaf)
    assert deaf.capture.puts == [1, 1, 0]


@pytest.mark.parametrize(
    ("message", "status"), [("Error opening file", "Write error"), ("ERROR: not in Single", "0")]
)
def test_what_gives_a_reason_is_not_asked_again(plugin: Any, message: str, status: str) -> None:
    refused = plugin(9, message, status)
    with pytest.raises(FileWriteError, match=message):
        capture.begin_capture(refused)
    assert refused.capture.puts == [1, 0]


def test_one_that_is_slow_to_open_its_file_is_not_asked_again(plugin: Any) -> None:
    # a second put would open a second file behind the first
    slow = plugin(lost=0)
    slow.capture.slow = True
    with pytest.raises(FileWriteError, match="the capture didn't start"):
        capture.begin_capture(slow, timeout=0.3)
    assert slow.capture.puts == [1, 0]
