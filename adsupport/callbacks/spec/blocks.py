"""The lines of a SPEC file that aren't data: its header, and a scan's head and tail.

The layout is that of the SPEC manual's "Standard Data File Format", with ``#MD`` for metadata as
apstools' writers have it (https://www.certif.com/spec_manual/user_1_4_1.html).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from adsupport.documents.run import Run

from .columns import Layout
from .command import scan_command
from .numbers import NAN, number_text
from .text import comment_line, date_text, escape, literal, unique_labels

__all__ = ["MAX_POSITIONERS", "header_block", "scan_head", "scan_line", "scan_tail"]

#: As many motors as SPEC can have; silx has room for 300.
MAX_POSITIONERS = 256
_IN_A_ROW = 8
_GEOMETRY = re.compile(r"#?G(\d+)")


def header_block(
    file_name: str, run: Run, positioners: Sequence[str], user: str, host: str
) -> list[str]:
    """Write the header of a file, or a new one when the positioners are others.

    Parameters
    ----------
    file_name : str
        The file.
    run : Run
        The first run below it.
    positioners : sequence of str
        Labels of the positioners whose values the scans have in ``#P``.
    user, host : str
        Who writes.

    Returns
    -------
    list of str
        Lines without their ends.
    """
    begun = run.time
    mnemonics = unique_labels(positioners, lambda name: name.replace(" ", "_"))
    return [
        f"#F {escape(file_name)}",
        f"#E {int(begun)}",
        f"#D {date_text(begun)}",
        f"#C Bluesky  user = {escape(user)}  host = {escape(host)}",
        # spec2nexus overlooks a header that is the same as an earlier one.
        f"#C first run = {escape(run.uid)}",
        *_rows("#O", positioners, "  "),
        *_rows("#o", mnemonics, "  "),
        "",
    ]


def scan_line(run: Run, number: int) -> str:
    """Write a scan's first line.

    Parameters
    ----------
    run : Run
        The run.
    number : int
        The scan's number.

    Returns
    -------
    str
        The line ``#S``, without its end.
    """
    return f"#S {number}  {scan_command(run.start)}"


def scan_head(
    run: Run,
    layout: Layout | None,
    positions: Sequence[Any] = (),
    texts: Mapping[str, Any] | None = None,
    comments: Iterable[str] = (),
) -> list[str]:
    """Write what stands between a scan's first line and its rows.

    Parameters
    ----------
    run : Run
        The run.
    layout : Layout or None
        The columns; None for a run without rows.
    positions : sequence
        The positioners' values, in the order of the header.
    texts : mapping of str to any
        What was read with them and isn't a number.
    comments : iterable of str
        Lines ``#C`` of the user.

    Returns
    -------
    list of str
        Lines without their ends.
    """
    begun = run.time
    lines = [
        f"#D {date_text(begun)}",
        comment_line(begun, f"plan_type = {run.start.get('plan_type', 'unknown')}"),
        comment_line(begun, f"uid = {run.uid}"),
        *comments,
        *(f"#MD {escape(key, ' =')} = {escape(literal(run.start[key]))}" for key in run.start),
        *_geometry(run.start),
        *_rows("#P", [number_text(each) or NAN for each in positions], " "),
    ]
    lines += [f"#U {escape(key)} = {escape(literal(each))}" for key, each in (texts or {}).items()]
    if layout is None:
        # Both readers take a scan with neither rows nor labels; with an empty `#L` silx finds
        # a column without a name.
        return [*lines, "#N 0"]
    if layout.arrays:
        shapes = [each.shape or () for each in layout.arrays]
        sizes = ["x".join("?" if n is None else str(n) for n in shape) for shape in shapes]
        pairs = zip(layout.arrays, sizes, strict=True)
        names = ", ".join(f"{each.name} {size}".strip() for each, size in pairs)
        lines.append(comment_line(begun, f"lines @A of a row = {names}"))
        if all(shape and all(shape) for shape in shapes):
            for shape in shapes:
                size = math.prod(int(n or 0) for n in shape)
                # Without a calibration of each silx finds no spectra: channels are numbers.
                lines += [f"#@CHANN {size} 0 {size - 1} 1", "#@CALIB 0 1 0"]
    return [*lines, f"#N {len(layout.labels)}", f"#L {'  '.join(layout.labels)}"]


def scan_tail(run: Run, counts: Mapping[str, int], at: float, also: str = "") -> list[str]:
    """Write a scan's last lines.

    Parameters
    ----------
    run : Run
        The run, with its stop document if there is one.
    counts : mapping of str to int
        Events by stream.
    at : float
        When it ended, seconds since 1970 (UTC).
    also : str
        See :func:`~.text.escape`.

    Returns
    -------
    list of str
        Lines without their ends.
    """
    said = [f"num_events_{name} = {count}" for name, count in counts.items()]
    if run.exit_status in ("abort", "fail"):
        # What SPEC itself says, and spec2nexus looks for.
        said.append(f"Scan aborted after {counts.get('primary', 0)} points.")
    said.append(f"exit_status = {run.exit_status}")
    reason = (run.stop or {}).get("reason")
    said += [f"reason = {reason}"] if reason else []
    said += [f"problem = {each}" for each in run.problems]
    return [comment_line(at, each, also) for each in said]


def _rows(key: str, words: Sequence[str], between: str) -> list[str]:
    """Write numbered lines of eight words; none at all when there are no words."""
    parts = [words[at : at + _IN_A_ROW] for at in range(0, len(words), _IN_A_ROW)]
    return [f"{key}{row} {between.join(part)}" for row, part in enumerate(parts)]


def _geometry(start: Mapping[str, Any]) -> list[str]:
    """Write the diffractometer's lines ``#G``: of keys G0, G1 ..., or of a mapping or list G."""
    found: dict[int, Any] = {}
    whole = start.get("G")
    if isinstance(whole, list | tuple):
        whole = {f"G{row}": value for row, value in enumerate(whole)}
    for key, value in [*(whole.items() if isinstance(whole, Mapping) else ()), *start.items()]:
        match = _GEOMETRY.fullmatch(str(key))
        if match:
            found[int(match[1])] = value
    lines = []
    for row, value in sorted(found.items()):
        words = value.split() if isinstance(value, str) else np.ravel(np.asarray(value, object))
        texts = [each if isinstance(each, str) else number_text(each) for each in words]
        lines.append(f"#G{row} {' '.join(escape(each) for each in texts if each is not None)}")
    return lines
