"""The beam is on while frames are taken, and off before anything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bluesky.utils import Msg, ensure_generator

from ..stubs.cleanup import Plan, Step, with_cleanup
from .beam import BeamSource

__all__ = ["Light"]


class Light:
    """Opens a source for a plan that takes frames, and closes it on every way out of that.

    Parameters
    ----------
    source : BeamSource
        Lets the beam to the sample.

    Attributes
    ----------
    then : callable
        Called without arguments whenever all frames of such a plan have been taken, and the
        source is closed; not when the plan fails.
    """

    def __init__(self, source: BeamSource) -> None:
        self.source = source
        self.then: Callable[[], None] = lambda: None
        self._on = False
        self._seen = _Seen(source.device)

    def during(self, plan: Callable[[], Any]) -> Plan:
        """Run a plan with the beam on.

        Parameters
        ----------
        plan : callable
            Gives the plan, for a camera that is prepared and staged: what is slow, or may be
            refused, comes before.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Returns
        -------
        any
            What the plan returns.
        """

        def lit() -> Plan:
            self._on = True  # also if it fails to open: nobody knows how far it got
            yield from self.source.open()
            result = yield from ensure_generator(plan())
            yield from self.off()
            return result

        def end() -> list[Step]:
            return [("close the source", self._close)] if self._on else []

        return (yield from with_cleanup(lit(), end))

    def off(self) -> Plan:
        """Close the source when the last frame has been taken; again is harmless.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        if self._on:
            self._seen.reading = yield Msg("read", self.source.device)
            yield from self._close()
            self.then()

    def seen(self, devices: Iterable[Any]) -> list[Any]:
        """Let the source's reading tell how it was during the frames, although it's closed.

        Parameters
        ----------
        devices : iterable of bluesky Readable
            To be read after :meth:`off`.

        Returns
        -------
        list
            The devices; the source's with the reading that :meth:`off` took before it closed it.
        """
        return [self._seen if each is self.source.device else each for each in devices]

    def _close(self) -> Plan:
        yield from self.source.close()
        self._on = False


class _Seen:
    """Looks like a device, and tells what was read of it before."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self.reading: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def read(self) -> Any:
        """Tell what was read; what it is now, if nothing was."""
        return self._device.read() if self.reading is None else self.reading
