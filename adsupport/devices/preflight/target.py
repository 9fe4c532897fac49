"""Which file comes next, and whether it would be refused or overwrite something."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from ophyd.areadetector.filestore_mixins import FileStorePluginBase

from ...errors import AdsupportError
from ...naming import (
    FileTemplate,
    check_ioc_path,
    format_file_name,
    same_path,
    with_trailing_separator,
)
from ..file_writers import HDF5FileWriterPlugin
from ..files.paths import path_map_of
from ..files.target import FileTarget
from .directories import check_directory, look_for
from .report import Finding
from .run import RunFigures
from .state import PartState
from .writer import writes_frame_files

__all__ = ["check_target", "place_of", "planned_directory"]

#: Hooks for names that only compose one, a new one each time.
_COMPOSING = (HDF5FileWriterPlugin.make_filename, FileStorePluginBase.make_filename)

_TOPIC = "file"
_OTHERWISE = "Correct it, or use prepare_count()."
_TEMPLATE = "Put a template such as '%s%s_%4.4d.h5', or use prepare_count()."


def check_target(writer: PartState, figures: RunFigures) -> Iterator[Finding]:
    """Check path map, directory, template, name and number of a writer's next file.

    Parameters
    ----------
    writer : PartState
        The file writer.
    figures : RunFigures
        The planned run.

    Yields
    ------
    Finding
        What was found, in this order; what can't be known without what failed is left out.
    """
    plugin = writer.device
    try:
        path_map = path_map_of(plugin)
    except AdsupportError as error:
        yield Finding.of_error(writer.prefix, error, "Correct the path templates.", "paths")
        return
    if not writer.get("file_path") and not _has_directory(plugin):
        yield Finding(
            "error",
            writer.pv("file_path"),
            "is empty: the file has no directory",
            "Put FilePath, use prepare_count(), or give the plugin its write_path_template "
            "(--write-path).",
            "paths",
        )
        yield from _file(writer, None, figures, seen=False)
        return
    try:
        directory = planned_directory(writer)
        view = look_for(directory, path_map)
    except AdsupportError as error:
        yield Finding.of_error(writer.pv("file_path"), error, _OTHERWISE, "paths")
        return
    if not path_map.is_identity:
        yield Finding("ok", writer.prefix, f"path map: {path_map}", topic="paths")
    yield from _beside_template(writer, directory)
    yield from check_directory(writer, directory, view)
    yield from _file(writer, directory, figures, seen=view.is_here)


def place_of(writer: PartState) -> pathlib.Path | None:
    """Find what is here of the directory that a writer will write to.

    Parameters
    ----------
    writer : PartState
        The file writer.

    Returns
    -------
    pathlib.Path or None
        The deepest level that exists here; None when nothing of it does, or it isn't known.
    """
    try:
        return look_for(planned_directory(writer), path_map_of(writer.device)).nearest
    except AdsupportError:
        return None  # check_target says why


def planned_directory(writer: PartState) -> str:
    """Tell the directory that staging will put to ``FilePath``.

    Parameters
    ----------
    writer : PartState
        The file writer.

    Returns
    -------
    str
        Directory on the IOC, dates expanded, with a trailing separator.  A class with a
        ``make_filename()`` of its own may choose another: that is not called, since it may count
        files or make directories.

    Raises
    ------
    NamingError, PathMapError, ConfigurationError
        There is none, or it can't be used.
    """
    plugin, standing = writer.device, str(writer.get("file_path", ""))
    if hasattr(plugin, "plan_directory"):
        return plugin.plan_directory(standing)
    if isinstance(plugin, FileStorePluginBase):
        # ophyd's own hook only composes; it gives no separator at the end
        return with_trailing_separator(FileStorePluginBase.make_filename(plugin)[2])
    return check_ioc_path(standing)


def _has_directory(plugin: Any) -> bool:
    """Tell whether a plugin knows a directory without ``FilePath``."""
    template = getattr(plugin, "write_path_template", None)
    return template is not None and hasattr(plugin, "make_filename")


def _beside_template(writer: PartState, directory: str) -> Iterator[Finding]:
    """Say that the files won't go where the template says."""
    plugin = writer.device
    if not _has_directory(plugin) or not hasattr(plugin, "plan_directory"):
        return
    declared = plugin.plan_directory("")
    if not same_path(declared, directory):
        yield Finding(
            "info",
            writer.pv("file_path"),
            f"is {directory}, and that wins over write_path_template, which gives {declared}: "
            f"{directory} was judged, not {declared}",
            f"To write to {declared}, use prepare_count(), or put FilePath to it. To judge it, put "
            "FilePath to it and check again.",
            "paths",
        )


def _hook(plugin: Any) -> Any:
    """Find what decides on names in place of the caller; None when the caller does."""
    hook = getattr(type(plugin), "make_filename", None)
    return None if hook is FileTarget.make_filename else hook


def _file(
    writer: PartState, directory: str | None, figures: RunFigures, seen: bool
) -> Iterator[Finding]:
    plugin = writer.device
    template = str(writer.planned("file_template") or "")
    if not template:
        yield Finding(
            "error",
            writer.pv("file_template"),
            "is empty: the IOC can't compose a file name",
            _TEMPLATE,
            _TOPIC,
        )
    else:
        try:
            FileTemplate(template)
        except AdsupportError as error:
            yield Finding("error", writer.pv("file_template"), str(error), _TEMPLATE, _TOPIC)
            template = ""
    name, hook = str(writer.get("file_name") or ""), _hook(plugin)
    if hook in _COMPOSING and directory is not None:
        name = hook(plugin)[0]
    elif hook is not None and hook not in _COMPOSING:
        yield Finding(
            "info",
            writer.pv("file_name"),
            f"{hook.__qualname__}() chooses the name at staging, and perhaps another directory: a "
            "check doesn't call it, so the next file isn't known",
            topic=_TOPIC,
        )
        return
    if not name:
        yield Finding(
            "error",
            writer.pv("file_name"),
            "is empty: the file has no name",
            "Put FileName, or use prepare_count().",
            _TOPIC,
        )
    if template and name and directory is not None:
        yield from _next(writer, directory, name, template, figures, seen)


def _next(
    writer: PartState, directory: str, name: str, template: str, figures: RunFigures, seen: bool
) -> Iterator[Finding]:
    plugin, number = writer.device, int(writer.get("file_number", 0))
    one_a_frame = writes_frame_files(writer)
    try:
        if one_a_frame and not FileTemplate(template).has_number:
            yield Finding(
                "error",
                writer.pv("file_template"),
                f"is {template!r} without a file number, and {writer.key} writes one file a frame: "
                "each would overwrite the one before",
                "Put a template with a number, such as '%s%s_%6.6d' and the ending.",
                _TOPIC,
            )
        elif not FileTemplate(template).has_number and _hook(plugin) is None:
            yield Finding(
                "warning",
                writer.pv("file_template"),
                f"is {template!r} without a file number: a second run with this name would have to "
                "overwrite the file of the first, and is refused",
                "Put a template with a number, such as '%s%s_%4.4d.h5', or a new name each time.",
                _TOPIC,
            )
        full = format_file_name(template, with_trailing_separator(directory), name, number)
        if not hasattr(plugin, "plan_file"):
            yield from _unguarded(writer, full)
            return
        if not seen:
            # what stands in a directory that isn't here can't be known
            yield Finding("ok", writer.pv("file_name"), f"next file {full}", topic=_TOPIC)
            return
        step = figures.frames_per_point if one_a_frame else 1
        full, local, taken = plugin.plan_file(directory, name, number, template, step)
    except AdsupportError as error:
        yield Finding.of_error(writer.pv("file_name"), error, _OTHERWISE, _TOPIC)
        return
    yield _outcome(writer, full, local, number, taken)


def _outcome(writer: PartState, full: str, local: pathlib.Path, number: int, taken: int) -> Finding:
    plugin, subject = writer.device, writer.pv("file_name")
    try:
        local.relative_to(plugin.reg_root)
    except ValueError:
        return Finding(
            "error",
            str(local),
            f"lies outside root={str(plugin.reg_root)!r} of the documents",
            f"Give {writer.key} a root above it, or write elsewhere.",
            _TOPIC,
        )
    if os.path.lexists(local):
        what = f"{local} exists, and if_exists='allow' lets it be overwritten"
        return Finding("warning", str(local), what, "Choose another FileName.", _TOPIC)
    if taken != number:
        what = f"next file {full}: number {number} exists or isn't the first of a point"
        return Finding("info", subject, what, topic=_TOPIC)
    return Finding("ok", subject, f"next file {full}, free", topic=_TOPIC)


def _unguarded(writer: PartState, full: str) -> Iterator[Finding]:
    """Judge the next file of a plugin that doesn't look what stands there already."""
    local = path_map_of(writer.device).to_local(full)
    if os.path.lexists(local):
        yield Finding(
            "warning",
            str(local),
            f"exists, and {writer.key} will overwrite it",
            "Choose another FileName or FileNumber.",
            _TOPIC,
        )
    else:
        yield Finding("ok", writer.pv("file_name"), f"next file {full}, free", topic=_TOPIC)
