"""The command of a scan, as the line ``#S`` has it: the plan and its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .text import escape

__all__ = ["scan_command"]

#: A device in the metadata: its repr, such as ``EpicsMotor(prefix='gp:m1', name='m1', ...)``.
_DEVICE = re.compile(r"\w+\((?:.*?, ?)?name=('[^']*'|\"[^\"]*\")", re.S)


def scan_command(start: Mapping[str, Any]) -> str:
    """Write the plan and its arguments as a call.

    Parameters
    ----------
    start : mapping
        The start document, with ``plan_name`` and ``plan_args``; either may be missing.

    Returns
    -------
    str
        Such as ``scan(detectors=['det'], num=3, args='['motor', -1, 1]', per_step='None')``,
        on one line.  Devices are told by their names.  It is the form of apstools' writers,
        on which scripts that read ``#S`` rely.
    """
    args = start.get("plan_args")
    found = []
    for key, value in args.items() if isinstance(args, Mapping) else ():
        if key == "detectors":
            text = _text(start.get("detectors", value))
        elif str(key).startswith("motor"):
            text = _text(start.get("motors", value))
        elif key == "args" and isinstance(value, list | tuple | np.ndarray):
            text = f"'[{', '.join(_name(each) or str(each) for each in value)}]'"
        else:
            text = _text(value)
        found.append(f"{key}={text}")
    return escape(f"{start.get('plan_name', '')}({', '.join(found)})")


def _name(value: Any) -> str | None:
    """Return the quoted name of a device, of which the document has the repr."""
    found = _DEVICE.match(value) if isinstance(value, str) else None
    return found[1] if found else None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _name(value) or f"'{value}'"
    if isinstance(value, np.ndarray | np.generic):
        return _text(value.tolist())
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}={_text(each)}' for key, each in value.items())}}}"
    return str(value)
