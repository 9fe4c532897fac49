"""Records of NDPluginProcess that write several others: named filters, images out of files."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from adsupport.sim.arrays.recursive_filter import FILTER_TYPES, preset
from adsupport.sim.record import Record

Records = Mapping[str, Record]

_log = logging.getLogger(__name__)


def link_filter_type(records: Records) -> None:
    """Make FilterType, and a change of NumFilter, set the coefficients of the chosen filter.

    Parameters
    ----------
    records : mapping of str to Record
        The plugin's records.
    """
    reciprocal, chooser = records["NumFilterRecip"], records["FilterTypeSeq"]

    def number_written(number: Any) -> None:
        reciprocal.post(1.0 / number if number else math.inf)
        chooser.put(0)

    def choose(_: Any) -> None:
        index = records["FilterType"].channel.value
        if index < len(FILTER_TYPES):  # a state without a name chooses nothing
            records[f"{FILTER_TYPES[index]}Seq"].put(0)

    def set_coefficients(filter_type: str) -> None:
        for name, value in preset(filter_type, reciprocal.channel.value).items():
            records[name].put(value)

    records["NumFilter"].on_process.append(number_written)
    records["FilterType"].on_process.append(lambda _: chooser.put(0))
    chooser.on_process.append(choose)
    for filter_type in FILTER_TYPES:
        records[f"{filter_type}Seq"].on_process.append(
            lambda _, chosen=filter_type: set_coefficients(chosen)
        )


def link_tiff_files(records: Records, r: str, when_processed: Callable[[], Future[None]]) -> None:
    """Make ReadBackgroundTIFFSeq and ReadFlatFieldTIFFSeq, if any, save what TIFF files hold.

    Each listens to the TIFF plugin for a while, has it read its file, and saves the array.

    Parameters
    ----------
    records : mapping of str to Record
        The IOC's records, without prefix.
    r : str
        What the names of the plugin's records begin with; ``r + "TIFF:"`` are the TIFF plugin's.
    when_processed : callable
        Returns a future that ends when the plugin has processed the arrays that it has now.
    """

    async def read(save: str) -> None:
        port, backup = records[r + "NDArrayPort"], records[r + "PortBackup"]
        tiff = f"{r}TIFF:"
        if tiff + "ReadFile" not in records:
            _log.error("%sNDArrayPort: there is no TIFF plugin %s", r, tiff)
            return
        backup.post(port.channel.value)
        port.put(records[tiff + "PortName_RBV"].channel.value)
        try:
            await _end(records[tiff + "ArrayCallbacks"].put(1))
            await _end(records[tiff + "ReadFile"].put(1))
            await asyncio.wrap_future(when_processed())
            await _end(records[r + save].put(1))
        finally:
            port.put(backup.channel.value)

    for sequence, save in (
        ("ReadBackgroundTIFFSeq", "SaveBackground"),
        ("ReadFlatFieldTIFFSeq", "SaveFlatField"),
    ):
        if r + sequence in records:
            records[r + sequence].on_process.append(
                lambda _, save=save: asyncio.ensure_future(read(save))
            )


async def _end(put: asyncio.Future[Any] | None) -> None:
    if put is not None:
        await put
