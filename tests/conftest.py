"""Simulated IOCs for the tests.

Channel Access reads its environment once, at the first import of epics: so the ports are chosen
here, before any test module is imported.  Every pytest-xdist worker is a process of its own,
hence has ports and IOCs of its own.
"""

from __future__ import annotations

import itertools
import os
import weakref
from collections.abc import Callable, Iterator

import pytest

from adsupport.launch import IOCProcess, client_environment, free_port

ADSIM_PORT = free_port()
GP_PORT = free_port()
FRESH_PORT = free_port()

os.environ.update(client_environment(ADSIM_PORT, GP_PORT, FRESH_PORT))
# caproto's client gives a connection 2 s, which a busy machine may need for other things.
os.environ.setdefault("CAPROTO_DEFAULT_TIMEOUT", "20")
# A libca that needs no caRepeater program and leaves none behind: before the first import of epics.
import epicscorelibs.path.pyepics  # noqa: E402, F401

_prefix_number = itertools.count(1)


def pytest_unconfigure() -> None:
    """Keep ophyd's signals from clearing channels at exit that pyepics has let go of by then."""
    for finalizer in tuple(weakref.finalize._registry):
        alive = finalizer.peek()
        if alive is not None and alive[1].__module__.startswith("ophyd."):
            finalizer.atexit = False


@pytest.fixture(scope="session")
def adsim() -> Iterator[IOCProcess]:
    """The area detector IOC, prefix ``ad:``, shared by the session."""
    with IOCProcess("adsim", "ad:", ADSIM_PORT) as ioc:
        yield ioc


@pytest.fixture(scope="session")
def gp() -> Iterator[IOCProcess]:
    """The IOC of motors and user calculations, prefix ``gp:``, shared by the session."""
    with IOCProcess("gp", "gp:", GP_PORT) as ioc:
        yield ioc


@pytest.fixture(scope="session")
def fresh_port() -> int:
    """The port for an IOC of a module's own; not while ``start_fresh`` uses it."""
    return FRESH_PORT


@pytest.fixture
def start_fresh() -> Iterator[Callable[..., IOCProcess]]:
    """Start an IOC as after a power cut, one at a time, under a prefix that no test has seen."""
    running: list[IOCProcess] = []

    def start(boot: str = "adsim", prefix: str | None = None) -> IOCProcess:
        for ioc in running:
            ioc.stop()
        ioc = IOCProcess(boot, prefix or f"fresh{next(_prefix_number)}:", FRESH_PORT)
        running.append(ioc)
        return ioc.start()

    yield start
    for ioc in running:
        ioc.stop()


@pytest.fixture
def fresh_adsim(start_fresh: Callable[..., IOCProcess]) -> IOCProcess:
    """An area detector IOC that has just been started: not primed, no path, no file name."""
    return start_fresh("adsim")
