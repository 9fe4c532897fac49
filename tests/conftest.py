"""Simulated IOCs for the tests: those of adsupport's own pytest plugin, under short names.

Channel Access reads its environment once, at the first import of epics: so the ports are chosen
here, before any test module is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from adsupport import testing
from adsupport.launch import IOCProcess
from adsupport.testing import IOCFactory, private_iocs

from .ioc.conformance.table import PROPERTY, table_of

SUITE = Path(__file__).parent / "ioc" / "conformance"

private_iocs()

# `make test` tries the same examples each time, `make test-all` new ones; none is timed, because
# machines are shared
_UNTIMED = settings(
    settings.get_profile("default"), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("repeatable", _UNTIMED, derandomize=True, max_examples=30)
settings.register_profile("new", _UNTIMED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the conformance suite be pointed at another IOC."""
    group = parser.getgroup("conformance", "the IOC that tests/ioc/conformance judges")
    group.addoption("--ioc-prefix", help="its prefix, such as ad:")
    group.addoption("--ioc-address", help="host:port of one that runs already; alone it is tested")
    group.addoption("--ioc-directory", help="a directory that it and this computer can write to")
    group.addoption("--ioc-small-directory", help="one with room for two or three frames of 1 MiB")
    group.addoption("--ioc-fresh", action="store_true", help="it has just been started")


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin in a checkout that isn't installed; search for the IOC under test."""
    if not config.pluginmanager.has_plugin("adsupport"):
        config.pluginmanager.register(testing, "adsupport")
    address = config.getoption("--ioc-address")
    if address:
        os.environ["EPICS_CA_ADDR_LIST"] = f"{os.environ['EPICS_CA_ADDR_LIST']} {address}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Try an IOC that runs already with what is meant for any, not with tests of our own."""
    if config.getoption("--ioc-address"):
        chosen = [item for item in items if SUITE in item.path.parents]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the conformance suite found and other tests counted, whichever process did."""
    reports = [
        report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    for report in reports:
        counts = dict(report.user_properties).get("summary")
        if counts:
            terminalreporter.write_line(str(counts))
    found = [dict(report.user_properties).get(PROPERTY) for report in reports]
    rows = [row for row in found if row]
    if rows:
        among_others = any("/conformance/" not in report.nodeid for report in reports)
        terminalreporter.write_line(table_of(rows, only_differing=among_others))


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
