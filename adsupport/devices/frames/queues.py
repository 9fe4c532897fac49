"""Arrays that wait in the queues of plugins: how many, and in whose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..signals.reading import pv_name, read_signals

__all__ = ["arrays_waiting", "is_idle", "tell_queues"]


def arrays_waiting(plugins: Iterable[Any]) -> dict[str, tuple[int, int]]:
    """Count the arrays in the queues of plugins.

    Parameters
    ----------
    plugins : iterable of ophyd.areadetector.plugins.PluginBase
        The plugins.

    Returns
    -------
    dict of str to (int, int)
        Arrays waiting and size of the queue, by the plugin's name.  The array that a plugin
        works on isn't among them.
    """
    plugins = list(plugins)
    found = read_signals(
        {
            (plugin.name, attr): getattr(plugin, attr)
            for plugin in plugins
            for attr in ("queue_free", "queue_size")
        }
    )
    sizes = {plugin.name: int(found[plugin.name, "queue_size"]) for plugin in plugins}
    return {
        name: (max(0, size - int(found[name, "queue_free"])), size) for name, size in sizes.items()
    }


def is_idle(plugin: Any) -> bool:
    """Tell whether a plugin has done with all its arrays.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.PluginBase
        The plugin.

    Returns
    -------
    bool
        False also when another plugin of the camera is at work: which of them has the array
        that isn't in a queue any more, can't be told (``NumQueuedArrays``, ADCore R3-3).
    """
    (waiting, _), *_ = arrays_waiting([plugin]).values()
    queued = getattr(getattr(plugin.parent, "cam", None), "num_queued_arrays", None)
    return not waiting and (queued is None or not int(read_signals({"n": queued})["n"]))


def tell_queues(plugins: Iterable[Any]) -> str:
    """Say in whose queues arrays wait.

    Parameters
    ----------
    plugins : iterable of ophyd.areadetector.plugins.PluginBase
        The plugins.

    Returns
    -------
    str
        A sentence; empty when no array waits in a queue.
    """
    named = {plugin.name: plugin for plugin in plugins}
    parts = [
        f"{waiting} of {size} in the queue of {named[name].dotted_name or name} "
        f"({pv_name(named[name].queue_free)} {size - waiting})"
        for name, (waiting, size) in arrays_waiting(named.values()).items()
        if waiting
    ]
    return f"Arrays wait: {'; '.join(parts)}." if parts else ""
