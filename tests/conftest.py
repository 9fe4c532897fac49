"""Simulated IOCs for the tests: those of adsupport's own pytest plugin, under short names.

Channel Access reads its environment once, at the first import of epics: so the ports are chosen
here, before any test module is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adsupport import testing
from adsupport.launch import IOCProcess
from adsupport.testing import IOCFactory, private_iocs

private_iocs()


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin in a checkout that isn't installed."""
    if not config.pluginmanager.has_plugin("adsupport"):
        config.pluginmanager.register(testing, "adsupport")


@pytest.fixture(scope="session")
def adsim(adsupport_adsim: IOCProcess) -> IOCProcess:
    """The area detector IOC, prefix ``ad:``, shared by the session."""
    return adsupport_adsim


@pytest.fixture(scope="session")
def gp(adsupport_gp: IOCProcess) -> IOCProcess:
    """The IOC of motors and user calculations, prefix ``gp:``, shared by the session."""
    return adsupport_gp


@pytest.fixture(scope="session")
def fresh_port(adsupport_ioc_factory: IOCFactory) -> int:
    """The port for an IOC of a module's own."""
    return adsupport_ioc_factory.reserve_port()


@pytest.fixture
def start_fresh(adsupport_ioc_factory: IOCFactory) -> Iterator[Callable[..., IOCProcess]]:
    """Start an IOC as after a power cut, one at a time, under a prefix that no test has seen."""
    running: list[IOCProcess] = []

    def start(boot: str = "adsim", prefix: str | None = None) -> IOCProcess:
        for ioc in running:
            ioc.stop()
        running.append(adsupport_ioc_factory(boot, prefix))
        return running[-1]

    yield start
    for ioc in running:
        ioc.stop()


@pytest.fixture
def fresh_adsim(adsupport_fresh_adsim: IOCProcess) -> IOCProcess:
    """An area detector IOC that has just been started: not primed, no path, no file name."""
    return adsupport_fresh_adsim
