"""Questions for the releases of IOCs: none waits for another's IOC, none leaves channels behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from adsupport.adcore import Release
from adsupport.devices.releases import installed
from adsupport.errors import ConnectionTimeoutError


class Version:
    """A signal; that of an IOC that isn't there keeps its caller waiting until told to give up."""

    made: list[Version] = []
    waiting = threading.Event()
    give_up = threading.Event()

    def __init__(self, pv: str, **_: Any) -> None:
        self.pv = pv
        self.timestamp = 0.0
        self.destroyed = False
        self.made.append(self)

    def wait_for_connection(self, timeout: float | None = None) -> None:
        """Wait, as for an IOC that doesn't answer."""
        if self.pv.startswith("nowhere:"):
            self.waiting.set()
            self.give_up.wait(20)
            raise TimeoutError

    def get(self) -> str:
        """Return a release."""
        return "3.14.0"

    def destroy(self) -> None:
        """Note it."""
        self.destroyed = True


@pytest.fixture(autouse=True)
def versions(monkeypatch: pytest.MonkeyPatch) -> list[Version]:
    """Take fakes for the signals, and forget those that other tests left open."""
    Version.made = []
    monkeypatch.setattr(installed, "EpicsSignalRO", Version)
    monkeypatch.setattr(installed, "_open", {})
    return Version.made


def test_an_ioc_that_is_not_there_delays_nobody_else(versions: list[Version]) -> None:
    errors: list[BaseException] = []
    found: list[Any] = []

    def ask_nowhere() -> None:
        try:
            installed.installed_releases("nowhere:", None)
        except BaseException as error:  # judged below
            errors.append(error)

    lost = threading.Thread(target=ask_nowhere, daemon=True)
    lost.start()
    assert Version.waiting.wait(10)
    other = threading.Thread(
        target=lambda: found.append(installed.installed_releases("ad:cam1:")), daemon=True
    )
    other.start()
    other.join(10)
    answered = list(found)
    Version.give_up.set()
    lost.join(10)
    assert [each.adcore for each in answered] == [Release(3, 14)]
    assert isinstance(errors[0], ConnectionTimeoutError)
    assert versions[0].destroyed


def test_one_channel_stays_open_for_each_record(versions: list[Version]) -> None:
    for _ in range(3):
        installed.installed_releases("ad:cam1:")
    assert [each.pv for each in versions] == [
        "ad:cam1:ADCoreVersion_RBV",
        "ad:cam1:DriverVersion_RBV",
    ]
    assert not any(each.destroyed for each in versions)
