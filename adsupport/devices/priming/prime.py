"""Prime a plugin: let one frame through, so that it knows the size and type of the arrays.

Every step is waited for by an answer of the IOC, none by a fixed time.  The steps are
data; :func:`AD_prime_plugin2` carries them out and blocks, the plan stub
``adsupport.plans.prime_plugin`` carries the same ones out under the RunEngine.  Whatever
happens, every setting that was changed is put back.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from ophyd.areadetector.plugins import FilePlugin

from ..arrays.prediction import is_ready
from ..signals.putting import PUT_TIMEOUT, put_and_confirm, put_back
from ..signals.reading import explain_timeouts
from ..staging import FirstError, is_disabled_when_staged
from .steps import ARRIVAL_TIMEOUT, Priming

__all__ = [
    "AD_plugin_primed",
    "AD_prime_plugin",
    "AD_prime_plugin2",
    "ensure_AD_plugin_primed",
    "needs_priming",
    "prime_now",
]

logger = logging.getLogger(__name__)


def AD_plugin_primed(plugin: Any) -> bool:
    """Tell whether a plugin knows the arrays that it will get.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    bool
        True when the last array it received has the size, data type and colour mode that
        its source will deliver next, as far as that can be known; also when staging
        disables the plugin, for then it need not be primed.

    Raises
    ------
    ConnectionTimeoutError
        A process variable doesn't connect or answer.
    """
    if is_disabled_when_staged(plugin):
        return True
    with explain_timeouts(plugin):
        return is_ready(plugin)


def needs_priming(plugin: Any) -> bool:
    """Tell whether a plugin has to be primed before it's used.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    bool
        False when it is primed, when staging disables it, and when it's a file plugin
        that opens its file at the first frame (``LazyOpen``).
    """
    with explain_timeouts(plugin):
        if isinstance(plugin, FilePlugin):
            lazy = plugin.stage_sigs.get("lazy_open")
            if lazy is None:
                lazy = plugin.lazy_open.get()
            if str(lazy) in ("1", "True", "Yes"):
                return False
        return not AD_plugin_primed(plugin)


def AD_prime_plugin2(
    plugin: Any,
    *,
    acquire_time: float | None = None,
    trigger_mode: str | None = "Internal",
    timeout: float = ARRIVAL_TIMEOUT,
) -> None:
    """Prime a plugin with one frame of its camera; nothing is done when it needs none.

    Blocks; under the RunEngine use ``adsupport.plans.prime_plugin``.  No file is written.

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
    if needs_priming(plugin):
        prime_now(plugin, acquire_time, trigger_mode, timeout)


def prime_now(
    plugin: Any,
    acquire_time: float | None = None,
    trigger_mode: str | None = "Internal",
    timeout: float = ARRIVAL_TIMEOUT,
) -> None:
    """Prime a plugin whether it needs it or not, also one that opens its file lazily.

    Parameters
    ----------
    plugin, acquire_time, trigger_mode, timeout
        See :func:`AD_prime_plugin2`.

    Raises
    ------
    AcquireTimeoutError, UnprimedError, ConfigurationError, PutError
        See :func:`AD_prime_plugin2`.
    """
    priming = Priming(plugin, acquire_time, trigger_mode, timeout)
    cleanup = FirstError(logger)
    cleanup.run(_prime, priming)
    if priming.acquire is not None:
        cleanup.run(priming.acquire.stop)
    for setting in priming.restore():
        cleanup.run(put_back, setting.signal, setting.value, PUT_TIMEOUT)
    cleanup.raise_first()


def _prime(priming: Priming) -> None:
    with explain_timeouts(priming.plugin):
        for setting in priming.settings():
            put_and_confirm(setting.signal, setting.value, PUT_TIMEOUT)
        if priming.acquire is not None:
            priming.acquire.run()
        priming.wait_arrived()


def AD_prime_plugin(detector: Any, plugin: Any) -> None:
    """Prime a plugin: the old name, with an argument that isn't needed.

    Parameters
    ----------
    detector : ophyd.areadetector.DetectorBase
        Not used.
    plugin : ophyd.areadetector.plugins.PluginBase
        See :func:`AD_prime_plugin2`.
    """
    warnings.warn(
        "AD_prime_plugin(detector, plugin) is deprecated; use AD_prime_plugin2(plugin).",
        DeprecationWarning,
        stacklevel=2,
    )
    AD_prime_plugin2(plugin)


def ensure_AD_plugin_primed(plugin: Any, allow: bool = False) -> None:
    """Prime a plugin when it needs it, if that is allowed.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.
    allow : bool
        Whether a frame may be taken.  When not, nothing is done but a warning logged: to
        stage an unprimed plugin then raises :class:`~adsupport.errors.UnprimedError`.
    """
    if not needs_priming(plugin):
        return
    if allow:
        AD_prime_plugin2(plugin)
    else:
        logger.warning(
            "%s isn't primed, and it isn't allowed to prime it: ensure_AD_plugin_primed(%s, True).",
            plugin.name,
            plugin.dotted_name or plugin.name,
        )
