"""Prepare an area detector for a run: exposure, number of frames, name and place of the file."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import Msg

from ..devices.files.compression import choice_index, unknown_choice
from ..devices.files.existing import check_if_exists
from ..devices.files.paths import missing_directory
from ..devices.files.target import FileTarget
from ..devices.signals.putting import PUT_TIMEOUT, stand_already
from ..devices.signals.reading import explain_timeouts, get_setpoint, pv_name, read_signals
from ..errors import ConfigurationError, FileWriteError, NamingError
from ..naming import check_file_name, same_path
from .put import put

__all__ = ["prepare_count"]

_DIRECTORY_CHECKS, _DIRECTORY_PAUSE = 20, 0.025
_LARGEST = 2**31 - 1  # of an IOC's integers
_NUMBERS = (int, float, np.integer, np.floating)


def prepare_count(
    plugin: Any,
    file_name: str,
    acquire_time: float,
    acquire_period: float,
    n_images: int = 1,
    auto_increment: str = "Yes",
    auto_save: str = "Yes",
    compression: str | None = None,
    create_directory: int = -5,
    file_path: str | None = None,
    file_template: str | None = None,
    *,
    if_exists: str | None = None,
) -> Generator[Msg, Any, pathlib.Path]:
    """Prepare the camera and one of its file plugins for ``count`` or any other plan.

    Everything is checked before anything is changed.  The settings are made one after the
    other, what stands already isn't written again, and dates in the path are filled in
    before it is put: an IOC knows no date codes.

    Parameters
    ----------
    plugin : AD_EpicsFileNameHDF5Plugin or a relative
        The file plugin, part of a detector with a ``cam``.
    file_name : str
        Name of the file, without directory, number and extension.
    acquire_time : float
        Exposure, in seconds.
    acquire_period : float
        Time from frame to frame, in seconds; 0 is as fast as the camera goes.
    n_images : int
        Frames per point, at least 1.
    auto_increment : {"Yes", "No"}
        Whether each file takes the next number.
    auto_save : {"Yes", "No"}
        Whether the plugin writes without being asked (Single and Capture mode).
    compression : str, optional
        One of the plugin's choices, which depend on the release of ADCore, in any spelling;
        ``zlib`` by default.  Only for HDF5.
    create_directory : int
        How many levels of directories the IOC may create: -5 the last five.
    file_path : str, optional
        Directory on the IOC, with ``strftime`` codes; ``write_path_template`` by default,
        without one what stands in ``FilePath``.
    file_template : str, optional
        C printf format of directory, name and number; ``%s%s_%4.4d.h5`` by default.
    if_exists : {"refuse", "bump", "allow"}, optional
        What to do when the file exists already; kept in ``plugin.if_exists``.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    pathlib.Path
        The next file, as this computer will see it, for a plan that says
        ``path = yield from prepare_count(...)``.  ``RE(prepare_count(...))`` gives the uids of
        runs, here ``()``; a ``RunEngine(call_returns_result=True)`` has it as ``plan_result``.

    Raises
    ------
    ConfigurationError
        An argument can't be; nothing has been changed.
    NamingError, PathMapError, FileExistsRefusedError
        The file can't be written so; nothing has been changed.
    FileWriteError
        The IOC has no such directory, and could not create it.
    PutError
        The IOC didn't take a value.
    """
    _check_times(acquire_time, acquire_period)
    n_images = _whole("n_images", n_images, 1)
    create_directory = _whole("create_directory", create_directory, -_LARGEST)
    _check_plugin(plugin)
    check_file_name(file_name)
    template = file_template or f"%s%s_%4.4d{getattr(plugin, 'extension', '.h5')}"
    policy = plugin.if_exists if if_exists is None else check_if_exists(if_exists)

    with explain_timeouts(plugin):
        wanted = _wanted(
            plugin,
            (acquire_time, acquire_period, n_images),
            auto_increment,
            auto_save,
            compression,
            create_directory,
        )
        wanted += [(plugin.file_template, template), (plugin.file_name, file_name)]
        state = _state(plugin)
    if int(state["capture"]):
        raise ConfigurationError(
            f"{pv_name(plugin.capture)}: {plugin.name} is writing a file. Unstage the detector, or "
            f"end the capture: {plugin.dotted_name}.capture.put(0)."
        )
    plugin.if_exists, previous = policy, plugin.if_exists
    try:
        path = plugin.expand_path(file_path, standing=state["path"])
        _check_ascii(file_name=file_name, file_path=path, file_template=template)
        step = 1 if plugin.multi_frame else n_images
        _, local, number = plugin.plan_file(path, file_name, int(state["number"]), template, step)
    except Exception:
        plugin.if_exists = previous
        raise

    yield from _put_changes(wanted)
    if not (same_path(path, state["path"]) and same_path(path, state["put"]) and state["exists"]):
        yield from _put_directory(plugin, path)
    if number != int(state["number"]):
        yield from put(plugin.file_number, number)
    return local


def _wanted(
    plugin: Any,
    times: tuple[float, float, int],
    auto_increment: str,
    auto_save: str,
    compression: str | None,
    create_directory: int,
) -> list[tuple[Any, Any]]:
    """List signals and values in the order of the puts."""
    cam = plugin.parent.cam
    acquire_time, acquire_period, n_images = times
    return [
        (cam.num_images, n_images),
        (cam.acquire_time, float(acquire_time)),
        (cam.acquire_period, float(acquire_period)),
        (cam.image_mode, "Multiple" if n_images > 1 else "Single"),
        (plugin.auto_increment, _choice(plugin.auto_increment, auto_increment, "auto_increment")),
        (plugin.auto_save, _choice(plugin.auto_save, auto_save, "auto_save")),
        (plugin.create_directory, create_directory),
        *_compression(plugin, compression),
    ]


def _state(plugin: Any) -> dict[str, Any]:
    found = read_signals(
        {
            "capture": plugin.capture,
            "number": plugin.file_number,
            "path": plugin.file_path,
            "exists": plugin.file_path_exists,
        }
    )
    return {**found, "put": get_setpoint(plugin.file_path)}


def _check_times(acquire_time: float, acquire_period: float) -> None:
    for name, value in (("acquire_time", acquire_time), ("acquire_period", acquire_period)):
        if not (isinstance(value, _NUMBERS) and 0 <= value < math.inf):
            raise ConfigurationError(f"{name}={value!r}: expected a time of 0 s or more.")
    if 0 < acquire_period < acquire_time:
        raise ConfigurationError(
            f"acquire_period={acquire_period:g} s is shorter than acquire_time={acquire_time:g} s. "
            "Give a period of at least the exposure, or 0 for as fast as the camera goes."
        )


def _check_ascii(**texts: str) -> None:
    for argument, text in texts.items():
        if not text.isascii():
            raise NamingError(
                f"{argument}={text!r} has characters beyond ASCII, which Channel Access doesn't "
                "carry unchanged; use others."
            )


def _whole(name: str, value: Any, smallest: int) -> int:
    number = isinstance(value, _NUMBERS) and not isinstance(value, bool)
    if not (number and smallest <= value <= _LARGEST and value == int(value)):
        raise ConfigurationError(
            f"{name}={value!r}: expected a whole number from {smallest} to {_LARGEST}."
        )
    return int(value)


def _check_plugin(plugin: Any) -> None:
    named_by_caller = (
        isinstance(plugin, FileTarget) and type(plugin).make_filename is FileTarget.make_filename
    )
    if not named_by_caller:
        raise ConfigurationError(
            f"{getattr(plugin, 'name', plugin)} is a {type(plugin).__name__}, which takes no file "
            "name from its caller. Use AD_EpicsFileNameHDF5Plugin, or that for TIFF or JPEG."
        )
    if getattr(getattr(plugin, "parent", None), "cam", None) is None:
        raise ConfigurationError(
            f"{plugin.name} isn't part of a detector with a 'cam': make the detector with "
            "ad_creator(), and give its plugin."
        )


def _choice(signal: Any, value: Any, argument: str) -> int:
    """Check a choice and return its number."""
    signal.wait_for_connection()
    choices: list[str] = list(signal.enum_strs or ())
    number = choice_index(choices, value)
    if number is None:
        raise ConfigurationError(unknown_choice(signal, choices, value, argument))
    return number


def _compression(plugin: Any, compression: str | None) -> list[tuple[Any, Any]]:
    signal = getattr(plugin, "compression", None)
    if signal is not None:
        return [(signal, _choice(signal, compression or "zlib", "compression"))]
    if compression not in (None, "None"):
        raise ConfigurationError(
            f"compression={compression!r}: {plugin.name} ({type(plugin).__name__}) can't compress; "
            "leave it out."
        )
    return []


def _put_changes(wanted: list[tuple[Any, Any]]) -> Generator[Msg, Any, None]:
    for (signal, value), stands in zip(wanted, stand_already(wanted), strict=True):
        if not stands:
            yield from put(signal, value)


def _put_directory(plugin: Any, path: str) -> Generator[Msg, Any, None]:
    # The IOC answers when it has created the directories.
    yield from put(plugin.file_path, path, PUT_TIMEOUT)
    for _ in range(_DIRECTORY_CHECKS):
        if plugin.file_path_exists.get():
            return
        yield from bps.sleep(_DIRECTORY_PAUSE)
    raise FileWriteError(missing_directory(plugin, path))
