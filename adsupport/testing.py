"""pytest fixtures for anyone's beamline: simulated IOCs of the tests' own, and faults in them.

pytest loads this module wherever adsupport is installed. It changes nothing there until a suite
asks for it: by a line in its ``conftest.py``, before anything imports epics (or ophyd) ::

    from adsupport.testing import private_iocs

    private_iocs()

or by ``adsupport_private_iocs = true`` in its pytest configuration. From then on Channel Access
and pvAccess of the tests' process reach simulated IOCs on loopback, and nothing else: no test can
move a motor of the beamline. Under pytest-xdist every worker has ports and IOCs of its own.

Fixtures: :func:`adsupport_adsim`, :func:`adsupport_gp` (shared by the session),
:func:`adsupport_fresh_adsim` (as after a power cut), :func:`adsupport_ioc_factory` (one's own).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from adsupport.errors import AdsupportError, IOCError
from adsupport.launch import DEFAULT_PREFIXES, IOCProcess, client_environment, free_port
from adsupport.loopback import share_ports

if TYPE_CHECKING:
    from adsupport.adcore import Release

__all__ = [
    "IOCFactory",
    "adsupport_adsim",
    "adsupport_fresh_adsim",
    "adsupport_gp",
    "adsupport_ioc_factory",
    "private_iocs",
]

SPARE_IOCS = 6
"""IOCs that a factory can run at the same time."""

INI = {
    "adsupport_private_iocs": ("bool", False, "Channel Access reaches simulated IOCs only"),
    "adsupport_prefix": ("string", DEFAULT_PREFIXES["adsim"], "prefix of adsupport_adsim"),
    "adsupport_gp_prefix": ("string", DEFAULT_PREFIXES["gp"], "prefix of adsupport_gp"),
    "adsupport_ioc_args": ("args", [], "more arguments of adsupport_adsim"),
}
"""Options of the pytest configuration: type, default, meaning."""


@dataclass(frozen=True)
class _Place:
    """Where an IOC serves: its ports on loopback."""

    port: int
    pva_port: int


_places: list[_Place] = []
_running: list[IOCProcess] = []


def private_iocs() -> None:
    """Choose ports for simulated IOCs, and let the clients of this process see nothing else.

    Call it before anything imports epics, at the top of ``conftest.py``; a second call does
    nothing.

    Raises
    ------
    IOCError
        When epics has been imported: it has read its environment.
    """
    if _places:
        return
    if "epics" in sys.modules:
        raise IOCError(
            "adsupport.testing.private_iocs() came too late: epics has been imported and has read"
            " its environment. Expected the call before the first import of epics, ophyd or"
            " adsupport.devices: move it to the top of the uppermost conftest.py, or write"
            " 'adsupport_private_iocs = true' into the pytest configuration."
        )
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker.isdecimal():
        share_ports(int(worker), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    _places.extend(
        _Place(free_port(hold=True), free_port(hold=True)) for _ in range(2 + SPARE_IOCS)
    )
    os.environ.update(
        client_environment(
            *(place.port for place in _places), pva_ports=[place.pva_port for place in _places]
        )
    )
    # caproto's client gives a connection 2 s, which a busy machine may need for other things.
    os.environ.setdefault("CAPROTO_DEFAULT_TIMEOUT", "20")
    with contextlib.suppress(ImportError):  # a libca that needs no caRepeater and leaves none
        import epicscorelibs.path.pyepics  # noqa: F401


class IOCFactory:
    """Starts IOCs of one's own choice; they end with the session at the latest.

    Examples
    --------
    >>> def test_it(adsupport_ioc_factory):      # doctest: +SKIP
    ...     with adsupport_ioc_factory("iocs/mine.py", "mine:") as ioc:
    ...         ...
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._idle_longest_first = list(_places[2:])
        self._started: list[tuple[IOCProcess, _Place]] = []

    def __call__(
        self,
        boot: str | os.PathLike[str] = "adsim",
        prefix: str | None = None,
        args: Sequence[str] = (),
        autosave: str | os.PathLike[str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        adcore: Release | str | None = None,
    ) -> IOCProcess:
        """Start an IOC.

        Parameters
        ----------
        boot : str or path
            ``"adsim"``, ``"gp"``, ``"imaging_beamline"`` or the path of a boot file.
        prefix : str, optional
            Prefix of every PV; default: one that no IOC of this process has had, as clients
            remember the names that they know.
        args : sequence of str
            More arguments of the boot file, such as ``["--fault", "latency"]``.
        autosave : str or path, optional
            File in which the IOC keeps its set-points over restarts.
        cwd : str or path, optional
            Working directory of the IOC.
        adcore : Release or str, optional
            Release of ADCore whose records it serves, such as ``"R3-4"``.

        Returns
        -------
        IOCProcess
            Running. As a context manager it is stopped at the end of the block.

        Raises
        ------
        FileNotFoundError
            There is no such boot file.
        IOCError
            The IOC does not start, or too many run already.
        ConfigurationError
            ``adcore`` is no release of ADCore.
        """
        place = self._next_place()
        ioc = IOCProcess(
            boot,
            f"fresh{next(self._numbers)}:" if prefix is None else prefix,
            place.port,
            args,
            cwd,
            autosave,
            place.pva_port,
            adcore,
        )
        self._started.append((ioc, place))
        return _start(ioc)

    def _next_place(self) -> _Place:
        self._started = [(ioc, place) for ioc, place in self._started if ioc.running]
        busy = [place for _, place in self._started]
        for place in self._idle_longest_first:
            if place not in busy:
                self._idle_longest_first.remove(place)
                self._idle_longest_first.append(place)
                return place
        raise IOCError(
            f"{SPARE_IOCS} IOCs of adsupport_ioc_factory run already. Expected fewer: stop() those"
            " that no test needs any more, for instance by a 'with' block."
        )

    def reserve_port(self) -> int:
        """Return a Channel Access port for an IOC that is started otherwise; no other gets it.

        Raises
        ------
        IOCError
            Too many run already.
        """
        place = self._next_place()
        self._idle_longest_first.remove(place)
        return place.port

    def stop_all(self) -> None:
        """Stop every IOC that it has started."""
        for ioc, _ in self._started:
            ioc.stop()


def _start(ioc: IOCProcess) -> IOCProcess:
    _running.append(ioc)
    return ioc.start()


def _shared(boot: str, prefix: str, place: int, args: Sequence[str] = ()) -> Iterator[IOCProcess]:
    ioc = IOCProcess(boot, prefix, _places[place].port, args, pva_port=_places[place].pva_port)
    try:
        yield _start(ioc)
    finally:
        ioc.stop()


# ---- fixtures


@pytest.fixture(scope="session")
def adsupport_private_iocs() -> None:
    """Channel Access of this process reaches simulated IOCs on loopback only."""
    private_iocs()


@pytest.fixture(scope="session")
def adsupport_adsim(
    adsupport_private_iocs: None, pytestconfig: pytest.Config
) -> Iterator[IOCProcess]:
    """Return a simulated area detector, shared by the session (of a worker)."""
    args = pytestconfig.getini("adsupport_ioc_args")
    yield from _shared("adsim", pytestconfig.getini("adsupport_prefix"), 0, args)


@pytest.fixture(scope="session")
def adsupport_gp(adsupport_private_iocs: None, pytestconfig: pytest.Config) -> Iterator[IOCProcess]:
    """Return a simulated IOC of motors and user calculations, shared by the session."""
    yield from _shared("gp", pytestconfig.getini("adsupport_gp_prefix"), 1)


@pytest.fixture(scope="session")
def adsupport_ioc_factory(adsupport_private_iocs: None) -> Iterator[IOCFactory]:
    """Return what starts IOCs of one's own: ``adsupport_ioc_factory(boot, prefix, args, ...)``."""
    factory = IOCFactory()
    yield factory
    factory.stop_all()


@pytest.fixture
def adsupport_fresh_adsim(adsupport_ioc_factory: IOCFactory) -> Iterator[IOCProcess]:
    """Return an area detector that has just been started, for one test: not primed, no path."""
    with adsupport_ioc_factory("adsim") as ioc:
        yield ioc


# ---- hooks


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what a suite may configure."""
    for name, (kind, default, text) in INI.items():
        parser.addini(name, f"adsupport: {text}", type=kind, default=default)  # type: ignore[arg-type]


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the environment before a conftest can import epics, if the suite wants it."""
    if early_config.getini("adsupport_private_iocs"):
        try:
            private_iocs()
        except AdsupportError as error:
            raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """End the faults that a test has left behind, before its fixtures tidy up."""
    for ioc in _running:
        if ioc.has_faults:
            ioc.faults_end()


def pytest_unconfigure() -> None:
    """End every IOC, whatever way the session went."""
    while _running:
        _running.pop().stop()
    if _places:
        _leave_channels_alone()


def _leave_channels_alone() -> None:
    # ophyd's signals clear their channels at exit, when pyepics has let go of them already
    for finalizer in tuple(weakref.finalize._registry):  # type: ignore[attr-defined]  # noqa: SLF001
        alive = finalizer.peek()
        if alive is not None and alive[1].__module__.startswith("ophyd."):
            finalizer.atexit = False
