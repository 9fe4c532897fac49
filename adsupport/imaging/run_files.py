"""Files of a run, such as Data Exchange, written while its experiment goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bluesky.preprocessors as bpp

from ..callbacks.formats import make_writer
from .cleanup import Plan

__all__ = ["with_files"]


def with_files(plan: Any, formats: Sequence[str], directory: Path | None, timeout: float) -> Plan:
    """Run a plan, and write files of its runs.

    Parameters
    ----------
    plan : iterable of Msg
        The plan.
    formats : sequence of str
        Names of formats, see :data:`adsupport.callbacks.formats.FORMATS`.
    directory : pathlib.Path or None
        Where they go; None is the current directory.
    timeout : float
        How long to wait for them at the end, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.

    Raises
    ------
    ConfigurationError
        There is no such format.
    AdsupportError, OSError
        A file couldn't be written, or lacks something: the runs themselves are whole.
    """
    writers = [make_writer(name, directory or Path()) for name in formats]
    if not writers:
        return (yield from plan)
    result = yield from bpp.subs_wrapper(plan, {"all": [each.receiver for each in writers]})
    for each in writers:
        yield from each.wait_writer_plan_stub(timeout)
    return result
