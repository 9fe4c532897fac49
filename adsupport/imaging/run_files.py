"""Files of a run, such as Data Exchange, written while its experiment goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bluesky.preprocessors as bpp

from ..callbacks.file_writer import DEFAULT_NAME
from ..callbacks.formats import FORMATS, make_writer
from ..callbacks.output.file_name import safe_characters
from .stubs.cleanup import Plan

__all__ = ["sample_name", "with_files"]

#: Longest wait for frames that aren't in their file, in seconds: with lost ones, too, files have
#: to be done within the time for them.
_LATE = 20.0


def with_files(
    plan: Any,
    formats: Sequence[str],
    directory: Path | None,
    timeout: float,
    missing: str,
    sample: str = "",
) -> Plan:
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
    missing : {"error", "drop", "fill"}
        What those that know this do about frames that were lost.
    sample : str
        Comes into the names of files of one run each, if it isn't empty.

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
    escaped = safe_characters(sample).replace("{", "{{").replace("}", "}}")
    own_name = f"{DEFAULT_NAME}-{escaped}"
    writers = [
        make_writer(
            name,
            directory or Path(),
            file_name=own_name if escaped and not FORMATS[name].one_file else None,
            own={"missing": missing} if "missing" in FORMATS[name].own else None,
            image_timeout=min(_LATE, timeout / 2),
        )
        for name in formats
    ]
    if not writers:
        return (yield from plan)
    result = yield from bpp.subs_wrapper(plan, {"all": [each.receiver for each in writers]})
    for each in writers:
        yield from each.wait_writer_plan_stub(timeout)
    return result


def sample_name(start: Mapping[str, Any]) -> str:
    """Tell the sample's name for the names of files.

    Parameters
    ----------
    start : mapping
        The start document, or what it's made of.

    Returns
    -------
    str
        Its ``sample``, or the ``name`` of that; empty when that's no text.
    """
    sample = start.get("sample")
    name = sample.get("name") if isinstance(sample, Mapping) else sample
    return name.strip() if isinstance(name, str) else ""
