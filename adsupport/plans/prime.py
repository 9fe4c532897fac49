"""Prime a plugin under the RunEngine."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.preprocessors import finalize_wrapper
from bluesky.utils import FailedStatus, Msg

from ..devices.priming.prime import needs_priming
from ..devices.priming.steps import ARRIVAL_TIMEOUT, Priming
from ..devices.signals.putting import lost_before_put_back
from ..devices.signals.reading import explain_timeouts
from ..errors import AcquireTimeoutError, PutError, UnprimedError
from .put import put

__all__ = ["prime_plugin"]

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.05


def prime_plugin(
    plugin: Any,
    *,
    acquire_time: float | None = None,
    trigger_mode: str | None = "Internal",
    timeout: float = ARRIVAL_TIMEOUT,
) -> Generator[Msg, Any, None]:
    """Prime a plugin with one frame of its camera; nothing is done when it needs none.

    The plan face of :func:`~adsupport.devices.AD_prime_plugin2`: the same steps in the
    same order.  Every setting that was changed is put back, also when the plan fails or is
    aborted.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin, part of a detector with a ``cam``.
    acquire_time : float, optional
        Exposure to use, in seconds; by default the camera's own up to one second.
    trigger_mode : str, optional
        Trigger mode that needs no signal from outside; None leaves the mode.
    timeout : float
        Time for the frame to come beyond its exposure, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    AcquireTimeoutError
        The camera didn't finish; it was stopped.
    UnprimedError
        The frame didn't reach the plugin.
    ConfigurationError
        The plugin is writing a file, or isn't connected to the camera.
    PutError
        A setting could not be made or put back.
    """
    if not needs_priming(plugin):
        return
    priming = Priming(plugin, acquire_time, trigger_mode, timeout)
    first: list[Exception] = []
    yield from finalize_wrapper(_steps(priming, first), lambda: _restore(priming, first))


def _steps(priming: Priming, first: list[Exception]) -> Generator[Msg, Any, None]:
    try:
        yield from _prime(priming)
    except Exception as error:
        first.append(error)  # not to be hidden by one of the clean-up
        raise


def _prime(priming: Priming) -> Generator[Msg, Any, None]:
    with explain_timeouts(priming.plugin):
        for setting in priming.settings():
            yield from put(setting.signal, setting.value)
        if priming.acquire is not None:
            try:
                yield from _acquire(priming.acquire)
            except FailedStatus as error:
                raise AcquireTimeoutError(priming.acquire.timeout_message()) from error
        yield from _await_arrival(priming)


def _acquire(acquire: Any) -> Generator[Msg, Any, None]:
    yield from bps.abs_set(acquire, 1, wait=True)


def _await_arrival(priming: Priming) -> Generator[Msg, Any, None]:
    pause, waited = _FIRST_PAUSE, 0.0
    while not priming.arrived():
        if waited > priming.timeout:
            raise UnprimedError(priming.failure())
        yield from bps.sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE)


def _restore(priming: Priming, failures: list[Exception]) -> Generator[Msg, Any, None]:
    known = len(failures)
    if priming.acquire is not None:
        try:
            yield Msg("stop", priming.acquire)
        except Exception as error:  # an IOC that doesn't answer: what follows is still to be tried
            failures.append(error)
    for setting in priming.restore():
        try:
            if not setting.signal.connected:  # not worth a wait for each of many
                raise PutError(lost_before_put_back(setting.signal, setting.value))
            yield from put(setting.signal, setting.value)
        except Exception as error:
            logger.error("%s could not be restored: %s", setting.signal.name, error)
            failures.append(error)
    if failures and not known:
        raise failures[0]
