"""A move whose failure is its owner's, not that of the plan that happens to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bluesky.utils import FailedStatus

__all__ = ["ShieldedMove", "related"]


class ShieldedMove:
    """A device on its way to a target, as the RunEngine sees it.

    The RunEngine throws a failed status into whatever plan it is running, and stops all devices
    when it pauses.  Here a failure is kept, and it's noted whether a pause stopped the device.

    Parameters
    ----------
    device : bluesky Movable
        The device.
    args : tuple
        For its ``set``.
    kwargs : dict
        For its ``set``.

    Attributes
    ----------
    status : bluesky Status or None
        Of the latest try; None before the first one.
    interrupted : bool
        Whether a pause has stopped it, so that it must be begun anew.
    late : bool
        Whether somebody else has moved the device since, so that it must be begun anew at the end.
    """

    def __init__(self, device: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.device, self.args, self.kwargs = device, args, kwargs
        self.name = device.name
        self.parent = getattr(device, "parent", None)
        self.status: Any = None
        self.interrupted = self.late = False
        self._there = False
        self._refused: Exception | None = None
        self._told: Any = None  # the status whose failure has been taken

    def __repr__(self) -> str:
        return f"ShieldedMove({self.device!r}, {self.args})"

    def set(self, *args: Any, **kwargs: Any) -> _NeverFailed:
        """Begin, or begin anew.

        Parameters
        ----------
        *args, **kwargs
            For the device.

        Returns
        -------
        bluesky Status
            One that ends when the move does, as if it had succeeded.
        """
        self.interrupted = self._there = False
        try:
            self.status = self.device.set(*args, **kwargs)
        except Exception as error:
            self.status, self._refused = None, error
        return _NeverFailed(self.status)

    def stop(self, success: bool = True) -> Any:
        """Stop the device, if it moves.

        Parameters
        ----------
        success : bool
            Whether that is as planned.

        Returns
        -------
        any
            What the device returns.
        """
        stop = getattr(self.device, "stop", None)
        if stop is not None and not self._there:
            return stop(success=success)
        return None

    def pause(self) -> None:
        """Note a pause of the RunEngine: it has stopped the device, under way or not."""
        self.interrupted = not (self._there or self.failed)

    def resume(self) -> None:
        """Do nothing: whoever owns the move begins it anew."""

    def check_value(self, value: Any, **kwargs: Any) -> Any:
        """Let the device check a target.

        Parameters
        ----------
        value : any
            The target.
        **kwargs
            For the device.

        Returns
        -------
        any
            What the device returns.
        """
        check = getattr(self.device, "check_value", None)
        return None if check is None else check(value, **kwargs)

    @property
    def ended(self) -> bool:
        """Whether the latest try has ended; not begun at all counts as well."""
        return self.status is None or self.status.done

    @property
    def failed(self) -> bool:
        """Whether the latest try has failed, and nobody has been told."""
        if self._refused is not None:
            return True
        status = self.status
        if status is None or status is self._told or self.interrupted:
            return False
        return status.done and not status.success

    def arrived(self) -> bool:
        """Find out whether it's there, for good: no pause can have stopped it.

        Returns
        -------
        bool
            Whether it is; also when it has failed.
        """
        self._there = self._there or (self.ended and not self.interrupted)
        return self._there

    def take_error(self) -> Exception:
        """Hand over what it failed with, as the RunEngine would tell it, once.

        Returns
        -------
        Exception
            What it failed with.
        """
        error, self._refused, self._told = self._refused, None, self.status
        if error is None:
            error = FailedStatus(self.status)
            error.__cause__ = self.status.exception(timeout=0)
        return error

    def supersede(self) -> None:
        """Leave the device to a later move."""
        self._there = True

    def when_ended(self, callback: Callable[[Any], None]) -> None:
        """Have something called when the latest try ends.

        Parameters
        ----------
        callback : callable
            Called with the status, in any thread; at once when it has ended.
        """
        if self.status is not None:
            self.status.add_callback(callback)


class _NeverFailed:
    """A status that ends with another one, and with success."""

    def __init__(self, status: Any) -> None:
        self._status = status

    @property
    def done(self) -> bool:
        return self._status is None or self._status.done

    @property
    def success(self) -> bool:
        return self.done

    def exception(self, timeout: float | None = 0.0) -> None:
        """Tell that there is none."""

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        """Call something at the end, with this."""
        if self._status is None:
            callback(self)
        else:
            self._status.add_callback(lambda _: callback(self))


def related(device: Any, other: Any) -> bool:
    """Tell whether two devices are one, or one is a part of the other.

    Parameters
    ----------
    device, other : any
        The devices.

    Returns
    -------
    bool
        Whether they are: two axes of a stage aren't, an axis and its velocity are.
    """
    return any(each is other for each in _line(device)) or any(
        each is device for each in _line(other)
    )


def _line(device: Any) -> list[Any]:
    """List a device, what it is a part of, and so on."""
    found = []
    while device is not None:
        found.append(device)
        device = getattr(device, "parent", None)
    return found
