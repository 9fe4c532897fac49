"""The IOC that the rules are tried on, and the table of what they found.

Without options it is a simulated one, started for the purpose. ``--ioc-address`` names an IOC
that runs already, ``--ioc-prefix`` its prefix and ``--ioc-directory`` a directory that both it
and this computer can write to. Our own has a full disk when it is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from adsupport.launch import IOCProcess

from .client import Client
from .rule import DIRECTORY, SMALL, Rule, rules, settings
from .steps import Run
from .timeline import same

DEFAULT_PREFIX = "conformance:"

BUSY = {"cam1:Acquire": "cam1:AcquireBusy", "HDF1:Capture": "HDF1:Capture_RBV"}
"""What shows that a started activity has ended."""


@dataclass
class Target:
    """The IOC under test: a client of it, its directories, and the process if it is ours."""

    client: Client
    places: dict[str, str]
    process: IOCProcess | None
    prepared: bool = False

    def prepare(self) -> None:
        """Give the IOC the common settings, once."""
        if not self.prepared:
            self.prepared = True
            for name, value in settings().items():
                if not same(self.client.get(name), value):
                    self.client.put(name, value)

    def restore(self, names: Iterable[str]) -> None:
        """End what a rule has left running; write the common settings of the ports it wrote to.

        All of a port's: a camera may have changed its size because a start was written.
        """
        ports = {name.split(":")[0] for name in names}
        for start, busy in BUSY.items():
            self.client.put_plainly(start, 0)
            self.client.await_value(busy, "Done")
        self.client.await_value("cam1:NumQueuedArrays", 0)
        for name, value in settings().items():
            if name.split(":")[0] in ports:
                self.client.put(name, value)


def is_possible(rule: Rule, config: pytest.Config) -> bool:
    """Whether a rule can be tried on the IOC that the options name."""
    has = {
        "fresh": not config.getoption("--ioc-address") or config.getoption("--ioc-fresh"),
        "directory": not config.getoption("--ioc-address") or config.getoption("--ioc-directory"),
        "small": not config.getoption("--ioc-address") or config.getoption("--ioc-small-directory"),
    }
    return all(has[need] for need in rule.needs)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of every rule that can be tried."""
    if "rule" in metafunc.fixturenames:
        possible = [rule for rule in rules() if is_possible(rule, metafunc.config)]
        metafunc.parametrize("rule", possible, ids=[rule.id for rule in possible])


@pytest.fixture(scope="module")
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """The IOC, with the common settings."""
    option = request.config.getoption
    prefix = option("--ioc-prefix") or DEFAULT_PREFIX
    process = None
    if not option("--ioc-address"):
        process = request.getfixturevalue("adsupport_ioc_factory")("adsim", prefix)
    directory = option("--ioc-directory") or str(tmp_path_factory.mktemp("ioc"))
    places = {DIRECTORY: directory, SMALL: option("--ioc-small-directory") or directory}
    client = Client(prefix)
    client.connect(settings())
    original = {name: client.get(name) for name in settings()}
    yield Target(client, places, process)
    for name, value in original.items():
        client.put(name, value)
    client.close()


@pytest.fixture
def run(target: Target, rule: Rule) -> Iterator[Run]:
    """A rule to be carried out; afterwards the IOC is idle and has the common settings."""
    if "fresh" not in rule.needs:
        target.prepare()
    carried = Run(rule, target.client, target.places)
    with contextlib.ExitStack() as stack:
        if "small" in rule.needs and target.process:
            stack.enter_context(target.process.fault("disk-full", "HDF1", after=2))
        yield carried
    target.restore(carried.written)
