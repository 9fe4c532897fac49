"""What lets the beam to the sample: a shutter, or an X-ray tube."""

from __future__ import annotations

from typing import Any, Protocol

from ...errors import ConfigurationError
from ..asked.arguments import positive
from ..stubs.cleanup import Plan
from ..stubs.moves import set_and_wait

__all__ = ["BeamSource", "Source"]


class BeamSource(Protocol):
    """What an experiment needs of a source."""

    @property
    def device(self) -> Any:
        """A readable device that tells whether there is beam; it's read with every event."""
        ...

    def open(self) -> Plan:
        """Let the beam through; the plan ends when it's there."""
        ...

    def close(self) -> Plan:
        """Stop the beam; the plan ends when it's gone."""
        ...


class Source:
    """A source that is switched by one movable device: a shutter, or a tube.

    Parameters
    ----------
    device : bluesky Movable and Readable
        Such as ``EpicsSignal("im:shutter:Control", put_complete=True, name="shutter")``.  Its
        status must not end before the shutter has moved, or the tube is ramped.  Of a signal
        without put-completion the read-back has to show ``on`` and ``off`` for that.
    on, off : any
        Values that let the beam through, and stop it: ``1`` and ``0`` by default.
    timeout : float
        Time for each, in seconds.

    Raises
    ------
    ConfigurationError
        The device can't be set or read, or both values are the same.

    Examples
    --------
    >>> shutter = Source(EpicsSignal("im:shutter:Control", put_complete=True, name="shutter"))
    ... # doctest: +SKIP
    """

    def __init__(self, device: Any, on: Any = 1, off: Any = 0, *, timeout: float = 30.0) -> None:
        for name in ("set", "read", "describe"):
            if not callable(getattr(device, name, None)):
                raise ConfigurationError(
                    f"source: {device!r} has no {name}()",
                    remedy="Give a device that can be set and read, such as an EpicsSignal.",
                )
        if on == off:
            raise ConfigurationError(f"source: on and off are both {on!r}.")
        self.device, self.on, self.off = device, on, off
        self.timeout = positive("source: timeout", timeout, "s")

    def __repr__(self) -> str:
        return f"Source({self.device.name}, on={self.on!r}, off={self.off!r})"

    def open(self) -> Plan:
        """Let the beam through.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from set_and_wait(self.device, self.on, self.timeout)

    def close(self) -> Plan:
        """Stop the beam.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from set_and_wait(self.device, self.off, self.timeout)
