"""Files of one frame each: how readers of the documents find them again."""

from __future__ import annotations

import os
import pathlib
from typing import Any

from ...errors import ConfigurationError, NamingError
from ...naming import FileTemplate, PathMap
from ..signals.reading import pv_name, read_signals

__all__ = ["check_sequence", "sequence_of"]


def check_sequence(plugin: Any) -> None:
    """See that each frame will have a file of its own.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin that writes one file a frame.

    Raises
    ------
    ConfigurationError
        The file number stands still, or isn't part of the names.
    """
    if plugin.auto_increment.get(as_string=True) != "Yes":
        raise ConfigurationError(
            f"{pv_name(plugin.auto_increment, True)} is No, and {plugin.name} writes one file a "
            "frame: each would overwrite the one before. Put it to Yes."
        )
    template = plugin.file_template.get()
    if template and not FileTemplate(template).has_number:
        raise ConfigurationError(
            f"{pv_name(plugin.file_template, True)} is {template!r} without a file number, and "
            f"{plugin.name} writes one file a frame: each would overwrite the one before. Use "
            f"'%s%s_%6.6d{plugin.extension}'."
        )


def sequence_of(plugin: Any, path_map: PathMap, first: pathlib.Path) -> tuple[pathlib.Path, dict]:
    """Tell from which directory, template and name readers compose the names of the files.

    Readers of ``AD_TIFF``, ``AD_JPEG`` and ``AD_HDF5_SINGLE`` put the directory, the file name
    and a number into the file template by Python's ``%`` operator, which pads some numbers
    otherwise than the IOC's printf.

    Parameters
    ----------
    plugin : ophyd.areadetector.plugins.FilePlugin
        A file plugin with directory, name, number and template set.
    path_map : PathMap
        From the IOC's paths to local ones.
    first : pathlib.Path
        The first file, as this computer sees it.

    Returns
    -------
    pathlib.Path and dict
        The local directory; ``template`` and ``filename`` for the resource document.

    Raises
    ------
    NamingError
        Readers would look for other files than the IOC writes.
    """
    found = read_signals(
        {
            "path": plugin.file_path,
            "filename": plugin.file_name,
            "template": plugin.file_template,
            "number": plugin.file_number,
        }
    )
    directory = pathlib.Path(path_map.to_local(found["path"]))
    template, name = found["template"], found["filename"]
    sought = template % (os.path.join(directory, ""), name, int(found["number"]))
    if pathlib.Path(os.path.normpath(sought)) != pathlib.Path(os.path.normpath(first)):
        raise NamingError(
            f"{pv_name(plugin.file_template, True)} is {template!r}: the IOC's first file will be "
            f"{first}, but readers of {plugin.filestore_spec} would look for {sought}. Use a "
            "template like '%s%s_%6.6d' with the extension behind."
        )
    return directory, {"template": template, "filename": name}
