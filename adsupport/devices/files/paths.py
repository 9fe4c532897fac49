"""Directories of a file plugin: mapped to this computer, and put to the IOC."""

from __future__ import annotations

from typing import Any

from ...errors import ConfigurationError, FileWriteError
from ...naming import PathMap, same_path
from ..signals.putting import PUT_TIMEOUT, put_and_confirm, put_and_wait
from ..signals.reading import pv_name, read_signals, wait_for

__all__ = ["missing_directory", "path_map_of", "put_file_path"]

#: How long the records may lag behind the put of a path, in seconds.
_LOOK_TIMEOUT = 0.5


def path_map_of(plugin: Any) -> PathMap:
    """Derive the map from IOC paths to local paths from a plugin's templates.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin; without templates both sides see the same file system.

    Returns
    -------
    PathMap
        The map.

    Raises
    ------
    ConfigurationError
        There's a read template and no write template.
    PathMapError, NamingError
        The templates don't fit each other.
    """
    write = getattr(plugin, "write_path_template", None)
    read = getattr(plugin, "read_path_template", None)
    if write is None and read is None:
        return PathMap()
    if write is None:
        raise ConfigurationError(
            f"{plugin.name} has read_path_template={read!r} but no write_path_template: give the "
            "directory as the IOC sees it, too."
        )
    return PathMap.from_templates(write, read)


def put_file_path(plugin: Any, path: str, timeout: float = PUT_TIMEOUT) -> None:
    """Put a directory to ``FilePath`` and wait until the IOC has looked for it.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin.
    path : str
        Directory on the IOC, dates expanded.
    timeout : float
        Longest wait, in seconds: creating directories may take its time.

    Raises
    ------
    FileWriteError
        The IOC says that the directory doesn't exist, and could not create it.
    PutError
        The IOC didn't take the path.
    """
    put_and_wait(plugin.file_path, path, timeout)
    signals = {"path": plugin.file_path, "exists": plugin.file_path_exists}
    found: dict[str, Any] = {}

    def has_looked() -> bool:
        found.update(read_signals(signals))
        return same_path(path, found["path"]) and bool(int(found["exists"]))

    if wait_for(has_looked, _LOOK_TIMEOUT):
        return
    if not same_path(path, found["path"]):
        put_and_confirm(plugin.file_path, path, timeout, lambda _, *both: same_path(*both))
    raise FileWriteError(missing_directory(plugin, path))


def missing_directory(plugin: Any, path: str) -> str:
    """Say that the IOC has no such directory.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin.
    path : str
        Directory on the IOC.

    Returns
    -------
    str
        What was found, and what to do.
    """
    depth = int(plugin.create_directory.get())
    where = plugin.dotted_name or plugin.name
    if depth < 0:
        meaning = f"it may create the last {-depth} levels, but may not write there, or more miss"
    elif depth > 0:
        meaning = f"it may create what follows level {depth}, but may not write there"
    else:
        meaning = f"it may create none; {where}.create_directory.put(-5) lets it create five"
    return (
        f"{pv_name(plugin.file_path_exists)}: directory {path!r} doesn't exist on the IOC. "
        f"{pv_name(plugin.create_directory, True)} is {depth}: {meaning}. Check the path and the "
        "IOC's permissions, or create the directory."
    )
