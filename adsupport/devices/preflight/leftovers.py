"""What a probe that was cut off, as by SIGKILL, has left on the IOC."""

from __future__ import annotations

import os
import pathlib
import re
from collections.abc import Iterator

from ...errors import AdsupportError
from ..files.paths import path_map_of
from .report import Finding
from .state import PartState, is_on

__all__ = ["PROBE_NAME", "check_cut_off", "is_probe"]

#: What the names of the files of all probes begin with.
PROBE_NAME = "adsupport-probe-"


def is_probe(name: object) -> bool:
    """Tell whether a file is that of a probe.

    Parameters
    ----------
    name : object
        Its name, with or without a directory.

    Returns
    -------
    bool
        By what it begins with.
    """
    return re.split(r"[/\\]", str(name or ""))[-1].startswith(PROBE_NAME)


def check_cut_off(writer: PartState) -> Iterator[Finding]:
    """See whether a probe was cut off before it could put the settings back.

    Parameters
    ----------
    writer : PartState
        The file writer, before another probe is made.

    Yields
    ------
    Finding
        One warning, or nothing.
    """
    left = _settings_left(writer)
    full = str(writer.get("full_file_name") or "")
    name_left, probed = is_probe(writer.get("file_name")), is_probe(full)
    # After a probe that ended well FullFileName is its file's too, until the next file.
    if not name_left and not (probed and len(left) == len(_LEFT)):
        return
    names = [*left, *(["FileName"] if name_left else [])]
    remedy = (
        f"Put {', '.join(names)} to what they were (prepare_count() puts most of them); look at "
        "FilePath and CreateDirectory too."
    )
    file = _file_left(writer, full) if probed else ""
    if file:
        remedy += f" Remove {file}."
    yield Finding(
        "warning",
        writer.pv("file_name"),
        f"a probe of an earlier check was cut off ({writer.get('file_name')!r}): it has left its "
        f"own settings in {', '.join(names)}",
        remedy,
        "probe",
    )


#: The settings of a probe that can be told from others, beside the name.
_LEFT = {
    "auto_save": "AutoSave",
    "auto_increment": "AutoIncrement",
    "file_write_mode": "FileWriteMode",
    "file_template": "FileTemplate",
}


def _settings_left(writer: PartState) -> list[str]:
    template = str(writer.get("file_template") or "")
    same = {
        "auto_save": not is_on(writer.get("auto_save", "Yes")),
        "auto_increment": not is_on(writer.get("auto_increment", "Yes")),
        "file_write_mode": writer.get("file_write_mode") == "Single",
        "file_template": re.fullmatch(r"%s%s(\.\w+)?", template) is not None,
    }
    return [record for name, record in _LEFT.items() if same[name]]


def _file_left(writer: PartState, full: str) -> str:
    try:
        local = pathlib.Path(path_map_of(writer.device).to_local(full))
    except AdsupportError:
        return ""
    return str(local) if os.path.lexists(local) else ""
