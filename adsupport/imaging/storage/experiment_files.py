"""How an experiment and its devices were before it and after it: JSON beside the images."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ...callbacks.output import AtomicFile, Exists, inside
from ...documents import json_text
from ...errors import OutputError
from .device_snapshot import Snapshot, plain_value

__all__ = [
    "FINISH_NAME",
    "FORMAT",
    "START_NAME",
    "write_experiment_finish",
    "write_experiment_start",
]

START_NAME = "experiment_start.json"
FINISH_NAME = "experiment_finish.json"

#: Name and version of what stands in the JSON files.
FORMAT = "adsupport-experiment-1"


def write_experiment_start(
    directory: str | os.PathLike[str],
    experiment: Mapping[str, Any],
    devices: Snapshot | None = None,
    *,
    exists: Exists = "refuse",
) -> Path:
    """Write ``experiment_start.json``: the experiment, and the devices before it.

    The file is strict JSON with ``format``, ``when`` (``"start"``), ``time`` (ISO 8601, with
    zone), ``experiment``, ``devices`` and ``failures`` (of optional devices that couldn't be
    read), and ``remarks`` when something is only there as text.  Numbers are numbers; what JSON
    doesn't have (NaN, bytes) is written as :mod:`adsupport.documents.json_text` does.

    Parameters
    ----------
    directory : str or path
        Of the scan.
    experiment : mapping
        Its parameters and what else is known; quantities as numbers, with units beside them.
    devices : Snapshot, optional
        See :func:`adsupport.imaging.storage.device_snapshot.read_devices`.
    exists : str
        What to do when there is such a file: ``"refuse"``, ``"bump"`` or ``"replace"``.

    Returns
    -------
    pathlib.Path
        The file, whole.

    Raises
    ------
    OutputExistsError
        There is one already.
    OutputError
        It couldn't be written.
    """
    return _write(directory, START_NAME, "start", experiment, devices, exists)


def write_experiment_finish(
    directory: str | os.PathLike[str],
    experiment: Mapping[str, Any],
    devices: Snapshot | None = None,
    *,
    exists: Exists = "refuse",
) -> Path:
    """Write ``experiment_finish.json``: how the experiment ended, and the devices after it.

    Parameters
    ----------
    directory, experiment, devices, exists
        See :func:`write_experiment_start`; ``when`` is ``"finish"``.

    Returns
    -------
    pathlib.Path
        The file, whole.

    Raises
    ------
    OutputExistsError, OutputError
        See :func:`write_experiment_start`.
    """
    return _write(directory, FINISH_NAME, "finish", experiment, devices, exists)


def _write(
    directory: str | os.PathLike[str],
    name: str,
    when: str,
    experiment: Mapping[str, Any],
    devices: Snapshot | None,
    exists: Exists,
) -> Path:
    remarks: list[str] = []

    def other(place: str, value: Any) -> None:
        remarks.append(f"{place}: only the text of a {type(value).__name__} is here.")

    known = Snapshot() if devices is None else devices
    content = {
        "format": FORMAT,
        "when": when,
        "time": datetime.now().astimezone().isoformat(timespec="milliseconds"),
        "experiment": _listed(experiment, "experiment", remarks),
        "devices": known.devices,
        "failures": known.failures,
    }
    whole = json.loads(json_text.encode(content, where=name, other=other))
    if remarks:
        whole["remarks"] = remarks
    file = AtomicFile(inside(directory, name), exists=exists)
    with file, _telling(file.path):
        text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
        file.temporary.write_text(text + "\n", encoding="utf-8")
    return file.path


def _listed(value: Any, place: str, remarks: list[str]) -> Any:
    """Write arrays as lists, at any depth; say where one is too long for a text."""
    if isinstance(value, Mapping):
        return {key: _listed(each, f"{place}.{key}", remarks) for key, each in value.items()}
    value, left_out = plain_value(value)
    if left_out:
        remarks.append(f"{place}: left out, {left_out}.")
    if isinstance(value, (list, tuple)):
        return [_listed(each, f"{place}[{n}]", remarks) for n, each in enumerate(value)]
    return value


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}",
            path=path,
            remedy="make room, or choose another root of the walker.",
        ) from error
