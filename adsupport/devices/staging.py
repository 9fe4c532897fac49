"""Staging that never waits for ever and restores all it can.

ophyd's own staging waits without limit for every setting to read back, and at the first
setting that can't be restored it leaves the others changed.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ophyd.device import BlueskyInterface, Staged
from ophyd.signal import EpicsSignalBase

from ..errors import AdsupportError, ConnectionTimeoutError, PutError
from .signals.putting import PUT_TIMEOUT, look_at, put_in_order

__all__ = ["BoundedStaging", "FirstError", "is_disabled_when_staged", "is_staged"]

logger = logging.getLogger(__name__)


class FirstError:
    """Run steps of a clean-up all to the end, and keep the first exception.

    Parameters
    ----------
    log : logging.Logger
        Where the exceptions after the first are reported.
    """

    def __init__(self, log: logging.Logger = logger) -> None:
        self.error: BaseException | None = None
        self._log = log

    def run(self, step: Callable[..., Any], *args: Any) -> Any:
        """Run one step.

        Parameters
        ----------
        step : callable
            What to do.
        *args
            Its arguments.

        Returns
        -------
        object
            What the step returned, None when it failed.
        """
        try:
            return step(*args)
        except BaseException as error:  # also KeyboardInterrupt: the next steps must run
            if self.error is None:
                self.error = error
            else:
                self._log.error("A later step of the clean-up failed too: %s", error)
            return None

    def raise_first(self) -> None:
        """Raise the first exception, if there was one."""
        if self.error is not None:
            raise self.error


class BoundedStaging(BlueskyInterface):
    """Mixin: stage and unstage with a time limit for each setting.

    Attributes
    ----------
    put_timeout : float
        Longest time for one setting to take effect, in seconds.
    """

    name: str
    _sub_devices: list[str]
    put_timeout: float = PUT_TIMEOUT
    _in_stage = False

    def stage(self) -> list[object]:
        """Apply ``stage_sigs``, each within ``put_timeout``; undo all when one fails.

        Returns
        -------
        list
            The devices staged.

        Raises
        ------
        PutError
            A setting didn't take effect in time.
        ConnectionTimeoutError
            The IOC was lost meanwhile.
        """
        self._limit_waits()
        self._in_stage = True
        try:
            # ophyd's plugins return nothing.
            return self._stage_settings() or [self]
        except AdsupportError:
            raise
        except TimeoutError as error:
            raise PutError(f"{self.name} could not be staged: {error}") from error
        except Exception as error:
            from epics.ca import ChannelAccessGetFailure

            if not isinstance(error, ChannelAccessGetFailure):
                raise
            raise ConnectionTimeoutError(
                f"{self.name} could not be staged: its IOC was lost before it answered ({error}). "
                "Is it running? wait_for_connection() of the detector waits until all is back."
            ) from error
        except BaseException as error:
            # Ctrl-C while a part is staged: ophyd cleans up after errors only
            cleanup = FirstError(logger)
            cleanup.error = error
            cleanup.run(self.unstage)
            raise
        finally:
            self._in_stage = False

    def _stage_settings(self) -> list[object] | None:
        """Apply the settings that don't stand yet, then let ophyd stage the rest.

        ophyd reads, writes and starts a thread for each of them, whether it stands or not.
        """
        wanted = [
            (getattr(self, key) if isinstance(key, str) else key, value)
            for key, value in self.stage_sigs.items()
        ]
        if self._staged != Staged.no or not all(isinstance(s, EpicsSignalBase) for s, _ in wanted):
            return self._stage_next()
        for (signal, value), (stands, before) in zip(wanted, look_at(wanted), strict=True):
            if stands:
                continue
            self._original_vals[signal] = before
            problems = put_in_order([(signal, value)], self.put_timeout)
            if problems:
                cleanup = FirstError(logger)
                cleanup.run(self.unstage)
                raise PutError(f"{self.name} could not be staged: {problems[0]}")
        declared, self.stage_sigs = self.stage_sigs, OrderedDict()
        try:
            return self._stage_next()
        finally:
            self.stage_sigs = declared

    def _stage_next(self) -> list[object] | None:
        """Hand over to the next class: a place to step over one of ophyd's."""
        return super().stage()

    def _limit_waits(self) -> None:
        for key in self.stage_sigs:
            signal = getattr(self, key) if isinstance(key, str) else key
            if getattr(signal, "write_timeout", 0) is None:
                # ophyd takes this at construction only, and waits for ever by default.
                signal._write_timeout = self.put_timeout  # noqa: SLF001

    def unstage(self) -> list[object]:
        """Unstage every part, then restore every setting, whatever fails on the way.

        Returns
        -------
        list
            The devices unstaged.

        Raises
        ------
        PutError
            A setting could not be restored.
        Exception
            What a part raised; the first exception is raised, after all else is done.
        """
        cleanup = FirstError(logger)
        # ophyd would stop at the first failure: the other parts would stay staged.
        for attr in reversed(self._sub_devices):
            part = getattr(self, attr)
            if hasattr(part, "unstage"):
                cleanup.run(part.unstage)
        cleanup.run(self._put_back)
        devices: list[object] = cleanup.run(super().unstage) or [self]
        if not self._in_stage:
            cleanup.raise_first()
        elif cleanup.error is not None:
            # stage() has failed for a reason of its own, which its caller is to see.
            logger.error("%s: %s", self.name, cleanup.error)
        return devices

    def _put_back(self) -> None:
        """Restore what was changed, from the last to the first."""
        before = list(reversed(self._original_vals.items()))
        self._original_vals.clear()
        problems = put_in_order(before, self.put_timeout)
        if problems:
            for problem in problems[1:]:
                logger.error("%s: could not be restored: %s", self.name, problem)
            # raised without a cause, which would hide what the run has failed of
            raise PutError(f"{self.name}: could not restore {problems[0]} Put it by hand.")


def is_staged(device: Any) -> bool:
    """Tell whether a device is staged completely.

    Parameters
    ----------
    device : ophyd.Device
        Any device.

    Returns
    -------
    bool
        True between ``stage`` and ``unstage``.
    """
    return getattr(device, "_staged", Staged.no) == Staged.yes


def is_disabled_when_staged(plugin: Any) -> bool:
    """Tell whether staging disables a plugin.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        A plugin with ``stage_sigs``.

    Returns
    -------
    bool
        True after ``plugin.disable_on_stage()`` and the like.
    """
    value = plugin.stage_sigs.get("enable", 1)
    return str(value).lower() in ("0", "false", "no", "disable")
