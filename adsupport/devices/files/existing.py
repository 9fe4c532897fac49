"""What is done when the file to be written exists already."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from ...errors import ConfigurationError, FileExistsRefusedError, PathMapError
from ...naming import FileTemplate

__all__ = ["IF_EXISTS", "check_if_exists", "is_taken", "require_next", "spelled"]

IF_EXISTS: tuple[str, ...] = ("refuse", "bump", "allow")

#: How many file numbers ``if_exists="bump"`` tries.
_MOST_NUMBERS = 100_000


def check_if_exists(policy: str) -> str:
    """Check what is to be done when a file exists already.

    Parameters
    ----------
    policy : {"refuse", "bump", "allow"}
        Raise, take the next free number, or overwrite.

    Returns
    -------
    str
        The policy.

    Raises
    ------
    ConfigurationError
        It's another word.
    """
    if policy not in IF_EXISTS:
        raise ConfigurationError(
            f"if_exists={policy!r} is unknown; expected one of {', '.join(IF_EXISTS)}."
        )
    return policy


def is_taken(local: pathlib.Path) -> bool:
    """Tell whether something stands where a file is to be written.

    Parameters
    ----------
    local : pathlib.Path
        The file, as this computer sees it.

    Returns
    -------
    bool
        True also for a link that leads nowhere.

    Raises
    ------
    PathMapError
        Its directory can't be looked into.
    """
    try:
        os.lstat(local)
    except FileNotFoundError:
        return False
    except OSError as error:  # not allowed to look, or no directory: nobody can tell
        raise PathMapError(
            f"Can't see whether {local} exists already ({error.strerror}): an existing file might "
            "be overwritten.",
            remedy="Make its directory readable here, or correct read_path_template.",
        ) from error
    return True


def spelled(plugin: Any) -> str:
    """Spell a plugin as a user types it.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        The plugin.

    Returns
    -------
    str
        Such as ``det.hdf1``; its name when it stands alone.
    """
    where = getattr(plugin, "dotted_name", "")
    return f"{plugin.root.name}.{where}" if where else plugin.name


def require_next(
    plugin: str, policy: str, local: pathlib.Path, template: FileTemplate, tried: int
) -> None:
    """See that the policy lets the next file number be tried, where a file exists already.

    Parameters
    ----------
    plugin : str
        The file plugin, see :func:`spelled`.
    policy : {"refuse", "bump"}
        What to do.
    local : pathlib.Path
        The file that exists.
    template : FileTemplate
        What its name is composed by.
    tried : int
        Numbers that were tried before.

    Raises
    ------
    FileExistsRefusedError
        It doesn't: the policy is to refuse, or there's no number, or too many were tried.
    """
    what = f"{local} exists already and would be overwritten by {plugin}."
    if policy == "refuse":
        raise FileExistsRefusedError(
            what,
            remedy=f"Choose another file_name or file_number, or set {plugin}.if_exists to "
            "'bump' (take the next free number) or 'allow' (overwrite).",
        )
    if not template.has_number:
        raise FileExistsRefusedError(
            f"{what} if_exists='bump' can't help: file_template {template.text!r} has no file "
            "number",
            remedy="use one with '%d', or choose another file_name.",
        )
    if tried > _MOST_NUMBERS:
        raise FileExistsRefusedError(
            f"{what} So would {tried} files after it", remedy="choose another file_name."
        )
