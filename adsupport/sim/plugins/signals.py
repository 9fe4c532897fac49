"""Numbers of each array, emitted as an array of their own for a time series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin

SIGNALS_ADDRESS = 1
"""asyn address to which plugins emit them."""


def emit_signals(plugin: Plugin, values: Sequence[float], array: NDArray) -> None:
    """Hand numbers to the plugins that listen to :data:`SIGNALS_ADDRESS`.

    ArrayCallbacks and MaxByteRate, which are for the arrays passed on, have no part in it.

    Parameters
    ----------
    plugin : Plugin
        What computed them.
    values : sequence of float
        One number of each signal.
    array : NDArray
        What they were computed from; number and time stamps are taken over.
    """
    signals = NDArray(
        np.array(values, np.float64),
        unique_id=array.unique_id,
        time_stamp=array.time_stamp,
        ts_sec=array.ts_sec,
        ts_nsec=array.ts_nsec,
    )
    for consumer in plugin.consumers(SIGNALS_ADDRESS):
        consumer(signals)
