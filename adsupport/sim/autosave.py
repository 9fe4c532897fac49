"""Keep set-points over restarts, as synApps' autosave does.

The file is text, in the form of autosave's ``.sav`` files: a line ``PV value`` each, comments
behind ``#``, ``<END>`` as the last line. The version before stands beside it, with a ``B`` behind
its name, and is used when the newest one is not whole.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adsupport.sim.ioc import IOC
from adsupport.sim.record import Record

END = "<END>"
"""Last line of a whole file."""

COUNTERS = frozenset({"ArrayCounter", "DroppedArrays", "DroppedOutputArrays", "DisorderedArrays"})
"""Set-points that begin at zero with every IOC."""

_log = logging.getLogger(__name__)


class AutosaveError(OSError):
    """Set-points cannot be kept in a file; the message says what was expected of it."""


def is_setting(record: Record) -> bool:
    """Return whether a record's value is kept: a set-point that the driver is told at boot.

    Busy records and those that start or reset something are none: records that the IOC doesn't
    process as it starts (``PINI``).
    """
    row = record.row
    scalar = row.count == 1 or row.is_long_string
    kept = row.pini and bool(row.param) and row.type != "busy" and scalar
    return kept and record.name.rpartition(":")[2] not in COUNTERS


def to_text(value: Any) -> str:
    """Return a value as it stands in the file: one line."""
    if isinstance(value, bytes):
        value = value.split(b"\0", 1)[0].decode("latin-1")
    if isinstance(value, str):
        return value.encode("unicode_escape").decode("ascii")
    return repr(value)


def from_text(record: Record, text: str) -> Any:
    """Return a value of the file as the record takes it.

    Raises
    ------
    ValueError
        When it is no value of the record's type.
    """
    row = record.row
    if row.is_long_string or row.dbr == "STRING":
        plain = text.encode("latin-1", "backslashreplace").decode("unicode_escape")
        return plain.encode("latin-1", "replace") + b"\0" if row.is_long_string else plain
    return float(text) if row.dbr in ("DOUBLE", "FLOAT") else int(text)


def read_saved(path: Path) -> dict[str, str]:
    """Return the newest whole version of a file: texts by PV name; none when there is none.

    Parameters
    ----------
    path : pathlib.Path
        The file; its predecessor is ``<path>B``.
    """
    for each in (path, predecessor(path)):
        lines = _whole_lines(each)
        if lines is not None:
            entries = (line.split(" ", 1) for line in lines if line and line[0] not in "#!")
            return {name: "".join(value) for name, *value in entries}
    return {}


def _whole_lines(path: Path) -> list[str] | None:
    """Return a file's lines before its end mark; None, and a line in the log, without one."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.error("%s cannot be read: %s", path, error)
        return None
    if not lines or lines[-1] != END:
        _log.error("%s does not end with %s: it is not whole, and not used", path, END)
        return None
    return lines[:-1]


def check_file(path: Path) -> None:
    """See whether set-points can be kept in a file, and nothing else is lost by that.

    Parameters
    ----------
    path : pathlib.Path
        The file. It may be missing or empty.

    Raises
    ------
    AutosaveError
        When its directory is missing; when it is no file; or when it has something in it, and
        neither it nor its predecessor is a whole file of set-points.
    """
    if not path.absolute().parent.is_dir():
        raise AutosaveError(
            f"set-points cannot be kept in {path}: {path.absolute().parent} is no directory."
            " Make it, or name another file."
        )
    if not path.exists():
        return
    if not path.is_file():
        raise AutosaveError(
            f"set-points cannot be kept in {path}: it is no file. Expected the name of a file."
        )
    if path.stat().st_size and all(
        _whole_lines(each) is None for each in (path, predecessor(path))
    ):
        raise AutosaveError(
            f"{path} is not overwritten: expected a file of set-points, 'PV value' in each line"
            f" and {END} in the last, found another one. Name another file, or move this one away."
        )


def predecessor(path: Path) -> Path:
    """Return the name of the version before: ``auto.savB`` for ``auto.sav``."""
    return path.with_name(f"{path.name}B")


def write_saved(path: Path, values: Mapping[str, str]) -> None:
    """Write a file so that it is whole or not there; the version before is kept.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    values : mapping of str to str
        Texts by PV name.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    lines = ["# set-points of a simulated IOC, written by itself"]
    lines += [f"{name} {text}" for name, text in values.items()]
    _replace(path.with_name(f"{path.name}.new"), "\n".join([*lines, END, ""]), path)


def _replace(new: Path, text: str, path: Path) -> None:
    with new.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        # two names for a moment, so that one of them is always whole
        older = path.with_name(f"{path.name}.old")
        older.unlink(missing_ok=True)
        os.link(path, older)
        os.replace(older, predecessor(path))
    os.replace(new, path)


class Autosave:
    """Restores an IOC's set-points when it starts; saves them when they have changed.

    Parameters
    ----------
    ioc : IOC
        All of its records are loaded.
    path : pathlib.Path
        The file.

    Raises
    ------
    AutosaveError
        See :func:`check_file`.
    """

    def __init__(self, ioc: IOC, path: Path) -> None:
        check_file(path)
        self._path = path
        self._records = [record for record in ioc.records.values() if is_setting(record)]
        if not self._records:  # motors and user calculations keep nothing
            _log.warning("%s %s has no set-points to keep in %s", ioc.name, ioc.prefix, path)
        self._saved: list[Any] = []
        self._writing: asyncio.Future[None] | None = None
        ioc.starters.append(self._start)
        ioc.scans.append(self._look)
        ioc.stoppers.append(self.save)

    def _start(self, _: asyncio.AbstractEventLoop) -> None:
        saved = read_saved(self._path)
        for record in self._records:
            text = saved.get(record.name)
            if text is None:
                continue
            try:
                record.put_now(from_text(record, text))
            except ValueError:
                _log.error("%s: %s cannot be %r", self._path, record.name, text)
        self._saved = self._values()
        if saved:
            _log.info("%d set-points restored from %s", len(saved), self._path)
        else:
            self._write(self._texts())

    def _values(self) -> list[Any]:
        return [record.channel.value for record in self._records]

    def _texts(self) -> dict[str, str]:
        return {record.name: to_text(record.channel.value) for record in self._records}

    def _look(self) -> None:
        if self._writing is not None and not self._writing.done():
            return  # a slow disk: the next look finds what has changed
        values = self._values()
        if values == self._saved:
            return
        self._saved = values
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write, self._texts())

    def _write(self, texts: Mapping[str, str]) -> None:
        try:
            write_saved(self._path, texts)
        except OSError as error:
            _log.error("set-points cannot be saved: %s", error)

    def save(self) -> None:
        """Save now what has changed; the IOC's end calls it."""
        if self._values() != self._saved:
            self._write(self._texts())
