"""What is kept of a run's start document beside its images."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any

import h5py

from ...documents.images.opening import opened
from ..storage.experiment_files import START_NAME

__all__ = ["asked_of", "directory_start", "exchange_start", "number_of", "uid_of"]

#: The start document of the run, JSON text, in Data Exchange files of our own.
_START = "/process/bluesky/start"


def exchange_start(path: pathlib.Path) -> dict[str, Any]:
    """Read the start document of the run that a Data Exchange file was made of.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        It; empty when the file doesn't say.

    Raises
    ------
    ImageFileError
        The file can't be read.
    """
    with opened(path) as file:
        start = file.get(_START)
        if not isinstance(start, h5py.Dataset) or start.shape != ():
            return {}
        text = start[()]
    return _mapping(text)


def directory_start(path: pathlib.Path) -> dict[str, Any]:
    """Read what ``experiment_start.json`` in a scan's directory tells of the run.

    Parameters
    ----------
    path : pathlib.Path
        The directory.

    Returns
    -------
    dict
        What would be in the start document; empty when there is no such file, or another one.
    """
    try:
        text = (path / START_NAME).read_bytes()
    except OSError:
        return {}
    found = _mapping(text).get("experiment")
    return found if isinstance(found, dict) else {}


def uid_of(start: Mapping[str, Any]) -> str:
    """Tell which run it is.

    Parameters
    ----------
    start : mapping of str to object
        Its start document.

    Returns
    -------
    str
        The uid; empty when the document doesn't say.
    """
    uid = start.get("uid")
    return uid if isinstance(uid, str) else ""


def asked_of(start: Mapping[str, Any]) -> dict[str, Any]:
    """Tell what an experiment of `adsupport.imaging` was asked for, as metadata of its frames.

    Parameters
    ----------
    start : mapping of str to object
        The start document.

    Returns
    -------
    dict
        ``imaging`` as it stands there, if it does.
    """
    asked = start.get("imaging")
    return {"imaging": asked} if isinstance(asked, dict) else {}


def number_of(start: Mapping[str, Any], stream: str) -> int | None:
    """Tell how many frames of a stream a run was to have.

    Parameters
    ----------
    start : mapping of str to object
        The start document.
    stream : str
        The stream's name.

    Returns
    -------
    int or None
        None when the document doesn't say.
    """
    frames = start.get("frames")
    found = frames.get(stream) if isinstance(frames, dict) else None
    return found if isinstance(found, int) and found > 0 else None


def _mapping(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
