"""An experiment: acquisitions one after the other, in one run, and everything put back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp

from ..errors import ConfigurationError
from .acquisition import Acquisition
from .cleanup import Plan, Step, with_cleanup

__all__ = ["Experiment"]


class Experiment:
    """Acquisitions that belong together: ``RE(experiment.run())``.

    Parameters
    ----------
    acquisitions : iterable of Acquisition
        In the order in which they run.
    name : str
        Becomes ``plan_name`` of the run.
    md : mapping, optional
        For the start document.
    devices : sequence of bluesky Readable
        Read before and after, into the stream ``baseline``.
    check : callable, optional
        Called before anything moves; raises what can't be done.
    prepare, finish : callable, optional
        Give plans that run before the first acquisition and, in every case, after the last.
    cleanup : iterable of Step
        What is done at the end whatever has happened, each step tried: what it is in a few words,
        and a function that gives its plan.

    Attributes
    ----------
    log : logging.Logger
        The experiment's own.
    ready_to_prepare_next_sample : threading.Event
        Set when the beam isn't needed any more, and always at the end; cleared at the start.

    Raises
    ------
    ConfigurationError
        Two acquisitions have one name.
    """

    def __init__(
        self,
        acquisitions: Iterable[Acquisition],
        *,
        name: str = "experiment",
        md: Mapping[str, Any] | None = None,
        devices: Sequence[Any] = (),
        check: Callable[[], None] | None = None,
        prepare: Callable[[], Any] | None = None,
        finish: Callable[[], Any] | None = None,
        cleanup: Iterable[Step] = (),
    ) -> None:
        self.name = name
        self.md = dict(md or {})
        self.devices = list(devices)
        self.prepare, self.finish = prepare, finish
        self.log = logging.getLogger(f"{__name__}.{name}")
        self.ready_to_prepare_next_sample = threading.Event()
        self._check = check
        self._cleanup = list(cleanup)
        self._order: list[str] = []
        self._by_name: dict[str, Acquisition] = {}
        for each in acquisitions:
            self.add(each)

    def __repr__(self) -> str:
        return f"Experiment({self.name!r}, {self._order})"

    @property
    def acquisitions(self) -> list[Acquisition]:
        """The acquisitions in the order in which they run; one may be there several times."""
        return [self._by_name[name] for name in self._order]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the acquisitions, in the order in which they run; it can be set."""
        return tuple(self._order)

    @order.setter
    def order(self, names: Iterable[str]) -> None:
        self._order = [self.get_acquisition(name).name for name in names]

    def get_acquisition(self, name: str) -> Acquisition:
        """Find an acquisition.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        Acquisition
            The acquisition.

        Raises
        ------
        ConfigurationError
            There is none of this name.
        """
        if name not in self._by_name:
            known = ", ".join(map(repr, self._by_name)) or "none"
            raise ConfigurationError(
                f"{self.name} has no acquisition {name!r}: it has {known}.",
                remedy="Choose one of these, or add() another one.",
            )
        return self._by_name[name]

    def add(self, acquisition: Acquisition) -> None:
        """Add an acquisition behind the others.

        Parameters
        ----------
        acquisition : Acquisition
            One with a name that none of them has.

        Raises
        ------
        ConfigurationError
            Another one has its name.
        """
        if acquisition.name in self._by_name:
            raise ConfigurationError(
                f"{self.name} has an acquisition {acquisition.name!r} already",
                remedy="remove() it first, or name the other one differently.",
            )
        self._by_name[acquisition.name] = acquisition
        self._order.append(acquisition.name)

    def remove(self, name: str) -> None:
        """Remove an acquisition, as often as it's there.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        ConfigurationError
            There is none of this name.
        """
        del self._by_name[self.get_acquisition(name).name]
        self._order = [each for each in self._order if each != name]

    def swap(self, first: str, second: str) -> None:
        """Exchange the places of two acquisitions.

        Parameters
        ----------
        first, second : str
            Their names.

        Raises
        ------
        ConfigurationError
            There is none of such a name.
        """
        other = {
            self.get_acquisition(first).name: self.get_acquisition(second).name,
            second: first,
        }
        self._order = [other.get(each, each) for each in self._order]

    def run(self, **md: Any) -> Plan:
        """Run all acquisitions.

        Parameters
        ----------
        **md
            For the start document.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        str
            The run's uid.

        Raises
        ------
        ConfigurationError
            It can't be done; nothing has been moved.
        BaseException
            What went wrong, when all has been put back.
        """
        self.ready_to_prepare_next_sample.clear()
        try:
            if self._check is not None:
                self._check()
            start = {"plan_name": self.name, "acquisitions": list(self._order), **self.md, **md}
            return (
                yield from bpp.run_wrapper(with_cleanup(self._acquire(), self._steps), md=start)
            )
        finally:
            self.ready_to_prepare_next_sample.set()

    def _steps(self) -> list[Step]:
        """List what is done at the end; the source's end comes first."""
        found = [*self._cleanup]
        if self.finish is not None:
            found.append(("finish", self.finish))
        return [*found, ("read the baseline", self._snapshot)]

    def _acquire(self) -> Plan:
        yield from self._snapshot()
        if self.prepare is not None:
            yield from self.prepare()
        for place, name in enumerate(self._order):
            acquisition = self._by_name[name]
            self.log.info("%s: %s", self.name, name)
            if acquisition.acquire is not None:
                yield from acquisition.acquire()
            yield from acquisition.producer()
            if place == len(self._order) - 1:
                self.ready_to_prepare_next_sample.set()

    def _snapshot(self) -> Plan:
        if self.devices:
            yield from bps.trigger_and_read(self.devices, name="baseline")
