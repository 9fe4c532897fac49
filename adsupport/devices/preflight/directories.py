"""Whether a directory is there: on the IOC, as far as it tells, and here, through the path map."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import AdsupportError
from ...naming import PathMap, PathStyle, path_style, same_path
from .report import Finding
from .state import PartState

__all__ = ["LocalView", "check_directory", "is_creatable", "look_for"]

_TOPIC = "directory"


@dataclass(frozen=True)
class LocalView:
    """What can be seen here of a directory of the IOC.

    Attributes
    ----------
    local : pathlib.PurePath
        The directory as it is called here.
    levels : int
        Levels of the IOC's path, below its root.
    present : int or None
        Levels that are directories here, from the top; None when no part of it that the map
        covers is here, or the path can't be a path of this computer.
    nearest : pathlib.Path or None
        The deepest of these.
    problem : str
        Why it can't be looked at, such as ``"Permission denied"``; mostly empty.
    """

    local: pathlib.PurePath
    levels: int
    present: int | None
    nearest: pathlib.Path | None
    problem: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the directory itself can be seen."""
        return self.present == self.levels


def look_for(directory: str, path_map: PathMap) -> LocalView:
    """Look for a directory of the IOC's on this computer.

    Parameters
    ----------
    directory : str
        Absolute directory on the IOC, dates expanded.
    path_map : PathMap
        The map.

    Returns
    -------
    LocalView
        What is here.

    Raises
    ------
    PathMapError
        The directory lies outside the map.
    """
    windows = path_style(directory) is PathStyle.WINDOWS
    here = (pathlib.PureWindowsPath if windows else pathlib.PurePosixPath)(directory)
    levels = len(here.parts) - 1
    whole = path_map.to_local(directory)
    problem = ""
    for present, ancestor in zip(range(levels, -1, -1), [here, *here.parents], strict=False):
        try:
            local = path_map.to_local(str(ancestor))
        except AdsupportError:
            break  # the map doesn't reach higher
        if not isinstance(local, pathlib.Path):
            break  # a path of another kind of computer
        try:
            if os.path.isdir(local):
                return LocalView(whole, levels, present, local, problem)
            os.stat(local)
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = problem or f"{local}: {error.strerror}"
            if isinstance(error, NotADirectoryError):
                continue
            break
        problem = problem or f"{local} is a file"
    return LocalView(whole, levels, None, None, problem)


def is_creatable(levels: int, present: int, depth: int) -> bool:
    """Tell whether an IOC would create what is missing of a path, permissions aside.

    Parameters
    ----------
    levels : int
        Levels of the path, below its root.
    present : int
        Levels that exist, from the top.
    depth : int
        ``CreateDirectory``.  0: none.  n > 0: all but the first n.  n < 0: the last -n; never the
        first level (ADCore's ``createFilePath``).

    Returns
    -------
    bool
        True also when nothing is missing.
    """
    if present >= levels:
        return True
    if depth == 0:
        return False
    return present >= (depth if depth > 0 else max(1, levels + depth))


def check_directory(writer: PartState, directory: str, view: LocalView) -> Iterator[Finding]:
    """Judge what the IOC says of a directory, and what can be seen of it.

    Parameters
    ----------
    writer : PartState
        The file writer.
    directory : str
        Directory on the IOC that staging will put, dates expanded.
    view : LocalView
        What is here.

    Yields
    ------
    Finding
        One or two.
    """
    # FilePathExists is about the path that stands, at the time when it was written.
    stands = same_path(str(writer.get("file_path", "")), directory)
    exists = str(writer.get("file_path_exists")) if stands else ""
    subject = writer.pv("file_path")
    if view.is_here:
        if exists == "No":
            yield Finding(
                "warning",
                subject,
                f"the IOC said that {directory} doesn't exist when FilePath was last written, and "
                f"{view.local} is here",
                "Write FilePath again (prepare_count does). If FilePathExists_RBV stays No, the "
                "path templates pair two different directories, or the IOC may not look there.",
                _TOPIC,
            )
        else:
            said = "exists on the IOC" if exists == "Yes" else "is put at staging"
            yield Finding("ok", subject, f"{directory} {said}, here {view.local}", topic=_TOPIC)
        return
    if exists == "Yes":
        yield from _unseen(writer, directory, view)
    elif view.present is None:
        yield _nowhere(directory, view)
    else:
        yield _missing(writer, directory, view)


def _unseen(writer: PartState, directory: str, view: LocalView) -> Iterator[Finding]:
    unguarded = getattr(writer.device, "if_exists", "allow") == "allow"
    yield Finding(
        "warning" if unguarded else "error",
        str(view.local),
        f"the IOC has {directory}, here {_state(view)}: nobody here can tell what would be "
        "overwritten, nor read what is written",
        "Mount the IOC's disk here, or correct read_path_template (--local-mount, --read-path). "
        "If the directory was removed meanwhile, write FilePath again.",
        _TOPIC,
    )


def _nowhere(directory: str, view: LocalView) -> Finding:
    return Finding(
        "error",
        str(view.local),
        f"{directory} of the IOC can't be looked for: here {_state(view)}",
        "Mount the IOC's disk here, or correct the path templates (--ioc-mount and --local-mount, "
        "--write-path and --read-path).",
        _TOPIC,
    )


def _state(view: LocalView) -> str:
    return f"{view.local} isn't a directory" + (f" ({view.problem})" if view.problem else "")


def _missing(writer: PartState, directory: str, view: LocalView) -> Finding:
    """Reason whether the IOC will create what isn't here."""
    present, depth = view.present or 0, int(writer.planned("create_directory", 0) or 0)
    lacking = view.levels - present
    missing = f"the last {lacking} levels are" if lacking > 1 else "the last level is"
    subject = writer.pv("create_directory")
    if view.problem:
        return Finding(
            "error",
            str(view.nearest),
            f"{directory} can't be made: {view.problem}",
            "Remove what is in the way, or choose another directory.",
            _TOPIC,
        )
    if is_creatable(view.levels, present, depth):
        return Finding(
            "info",
            subject,
            f"{directory}: {missing} missing; CreateDirectory {depth} lets the IOC make that at "
            "staging",
            "Whether the IOC may make it, only a write can tell: --write (write=True).",
            _TOPIC,
        )
    if present:
        remedy = (
            f"Put CreateDirectory to {-lacking} (prepare_count puts -5), or make the directory on "
            "the IOC, writable for the IOC's user."
        )
    else:
        remedy = "Make its first level on the IOC by hand: ADCore never does."
    return Finding(
        "error",
        subject,
        f"{directory} doesn't exist ({missing} missing), and CreateDirectory {depth} doesn't let "
        "the IOC make it",
        remedy,
        _TOPIC,
    )
