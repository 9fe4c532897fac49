"""Records that compute from other records: what an IOC's database links do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np

from adsupport.sim.ioc import IOC
from adsupport.sim.record import Record

Records = Mapping[str, Record]


def link_acquire_busy(records: Records) -> None:
    """Make AcquireBusy follow Acquire, so that a put-callback on Acquire ends with it.

    Acquire's forward link sets AcquireBusy; AcquireBusyCB, the driver's word, clears it. A
    put-callback on Acquire=1 therefore ends when the driver (and, if told so, its plugins) is
    done. Where there is no AcquireBusyCB, AcquireBusy itself follows the driver.
    """
    busy, callback = records["AcquireBusy"], records.get("AcquireBusyCB")

    def acquire_processed(value: Any) -> asyncio.Future[Any] | None:
        if not value:
            return None
        if not busy.channel.value:
            busy.post(1)
        return busy.until_zero()

    records["Acquire"].on_process.append(acquire_processed)
    if callback is not None:
        _let_driver_clear(busy, callback)


def _let_driver_clear(busy: Record, callback: Record) -> None:
    def driver_says(value: Any) -> None:
        if value or not busy.channel.value:
            return
        # the end of an acquisition may be told after the next one has begun
        if callback.port is None or not callback.port.get(callback.row.param):
            busy.post(0)

    callback.on_update.append(driver_says)


def link_array_rate(ioc: IOC, records: Records) -> None:
    """Make ArrayRate_RBV the counts of ArrayCounter_RBV in the last second."""
    counter, rate = records["ArrayCounter_RBV"], records["ArrayRate_RBV"]
    last = counter.channel.value

    def scan() -> None:
        nonlocal last
        now = counter.channel.value
        # a counter that was reset counts from there
        rate.post(float(now - last if now >= last else now))
        last = now

    ioc.scans.append(scan)


def link_dimensions(records: Records) -> None:
    """Spread the Dimensions_RBV array over its sub-arrays and ArraySize0_RBV to ArraySize9_RBV."""

    def spread(value: Any) -> None:
        for axis, size in enumerate(np.asarray(value)):
            records[f"Dim{axis}SA_RBV"].post(np.array([size]))
            records[f"ArraySize{axis}_RBV"].post(int(size))

    records["Dimensions_RBV"].on_update.append(spread)


LOW, HIGH, FULL = 0.25, 0.75, 1.0
"""Parts of a queue's size at which its records are to warn."""


def link_queue_use(records: Records) -> None:
    """Make QueueUse the part of QueueSize that QueueFree leaves; the thresholds follow the size."""

    def show(_: Any) -> None:
        size = records["QueueSize_RBV"].channel.value
        records["QueueUse"].post(float(size - records["QueueFree"].channel.value))

    records["QueueFree"].on_update.append(show)
    records["QueueSize_RBV"].on_update.append(show)
    for threshold, part in (("QueueFreeLow", LOW), ("QueueUseHIGH", HIGH), ("QueueUseHIHI", FULL)):
        _link_threshold(records["QueueSize_RBV"], records[threshold], part)


def link_sort_size(records: Records) -> None:
    """Make the threshold of the places free to sort arrays follow their number."""
    _link_threshold(records["SortSize_RBV"], records["SortFreeLow"], LOW)


def _link_threshold(size: Record, threshold: Record, part: float) -> None:
    size.on_update.append(lambda value: threshold.post(part * value))


def link_pool_use(records: Records) -> None:
    """Make PoolUsedBuffers the buffers of the pool that aren't free."""

    def show(_: Any) -> None:
        free = records["PoolFreeBuffers"].channel.value
        records["PoolUsedBuffers"].post(float(records["PoolAllocBuffers"].channel.value - free))

    records["PoolAllocBuffers"].on_update.append(show)
    records["PoolFreeBuffers"].on_update.append(show)


def link_array_rate_limit(records: Records) -> None:
    """Make MaxArrayRate set MinCallbackTime, and MaxArrayRate_RBV follow it: one is 1/other."""

    def limit(rate: Any) -> None:
        seconds = _reciprocal(rate)
        records["MaxArrayRate_COUT"].post(seconds)
        records["MinCallbackTime"].put(seconds)

    records["MaxArrayRate"].on_update.append(limit)
    records["MinCallbackTime_RBV"].on_update.append(
        lambda seconds: records["MaxArrayRate_RBV"].post(_reciprocal(seconds))
    )


def _reciprocal(number: float) -> float:
    return 1.0 / number if number else 0.0
