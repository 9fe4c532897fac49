"""From the parts of all runs to the file."""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import h5py

from .. import __version__
from ..callbacks.choice import check_choice
from ..callbacks.file_set import writing
from ..callbacks.output import AtomicFile, Exists
from ..callbacks.output.hdf5_closing import ROOM, close_anyway
from ..callbacks.output.temporary import clear_stale
from ..errors import (
    IncompleteScanError,
    OutputError,
    OutputExistsError,
    RunNotFoundError,
    StxmDataError,
)
from ..wording import counted
from .file.compat import add_older_attributes
from .file.entry import EntryWriter
from .file.entry_plan import EntryPlan
from .file.set_plan import plan_entries
from .parts.about import PartAbout
from .parts.finished_mark import finished_before, identities, mark, unchanged
from .parts.reader import PartReader
from .parts.work import find_work, finishing, others_of, parts_of, remove_work, rendered

__all__ = ["Compat", "FinishedStxm", "finish_export"]

Compat = Literal["cls"]
_NEXUS_VERSION = "2024.02"
#: Seconds after which a file that isn't locked was left behind by a program that was killed.
_KILLED_AGO = 1.0


@dataclass(frozen=True)
class FinishedStxm:
    """A finished file; can be opened as a path.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    entries : tuple of str
        Names of its entries.
    missing : tuple of str
        What it lacks that was to be scanned, a phrase each: empty unless that was allowed.
    remarks : tuple of str
        What is worth knowing, a sentence each.
    """

    path: Path
    entries: tuple[str, ...]
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), repr=False)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        lines = [f"{self.path}: {', '.join(self.entries)}"]
        return "\n".join([*lines, *(f"missing: {each}" for each in self.missing), *self.remarks])


def finish_export(
    directory: str | os.PathLike[str],
    file_prefix: str,
    first_uid: str | None = None,
    *,
    allow_partial: bool = False,
    compat: Compat | None = None,
    exists: Exists = "refuse",
) -> FinishedStxm:
    """Make the file of the runs that were exported, and remove the work on it.

    Parameters
    ----------
    directory : str or path
        Where the runs were exported to.
    file_prefix : str
        The file's name without ``.hdf5``, or the template, as it was given to
        :func:`~adsupport.nxstxm.export`.
    first_uid : str, optional
        As it was given there; needed when there is more than one work of this name.
    allow_partial : bool
        Whether runs may be missing: their places have NaN.
    compat : str, optional
        ``"cls"`` adds the attributes that older programs of the Canadian Light Source look for.
        Judges of NeXus files may mind them.
    exists : str
        What to do when the file exists, see :class:`adsupport.callbacks.output.AtomicFile`.

    Returns
    -------
    FinishedStxm
        The file, and what it lacks.

    Raises
    ------
    RunNotFoundError
        Nothing was exported under this name.
    IncompleteScanError
        Runs are missing.
    StxmDataError, StxmMetadataError
        The runs don't belong together, or a part is damaged.
    OutputExistsError
        The file exists; the work on it stays.
    OutputError
        The file can't be written, or another program does so.  The work on it stays.

    Notes
    -----
    A file under its final name is whole.  After an error, or a crash, the parts are still there:
    call it again, or export runs again first.
    """
    check_choice("compat", compat, (None, "cls"))
    work = find_work(directory, file_prefix, first_uid)
    with finishing(work):
        done = _finished_before(work)
        if done is not None:
            return done
        parts = identities(parts_of(work))
        abouts = [PartAbout.of(work / name) for name in parts]
        if not abouts:
            remove_work(work, ())
            raise RunNotFoundError(
                f"{work} has no run: none came, or its file is finished.",
                remedy="Look for the file; if it's missing, export its runs (again).",
            )
        planned, missing, remarks = plan_entries(abouts)
        entries = _measured(planned)
        missing += [
            f"{each.name}, of which no point was measured"
            for each in planned
            if each not in entries
        ]
        target = work.parent / f"{_prefix(file_prefix, abouts, first_uid)}.hdf5"
        if missing and not allow_partial:
            raise _incomplete(target, abouts, missing, others_of(work, file_prefix))
        if exists == "refuse" and os.path.lexists(target):
            raise OutputExistsError(
                f"{target} exists already, and isn't replaced; the runs are kept in {work.name}",
                path=target,
                remedy="Move it away and call finish_export(), or call it with exists='bump' or "
                "'replace'.",
            )
        remarks += _problems(abouts)
        names = tuple(each.name for each in entries)
        clear_stale(target.parent, target.name, older_than=_KILLED_AGO)
        if exists == "bump":  # the name stands in the file, too
            target = _free(target)
        done = FinishedStxm(target, names, tuple(missing), tuple(remarks))
        path, note = _write(done, work, parts, entries, compat, exists)
        return _without_work(replace(done, path=path), work, note)


def _finished_before(work: Path) -> FinishedStxm | None:
    """Complete what a program has left undone that died when the file had its name."""
    found = finished_before(work)
    if found is None:
        return None
    path, note = found
    lists = (tuple(note["told"].get(key, ())) for key in ("entries", "missing", "remarks"))
    done = _without_work(FinishedStxm(path, *lists), work, note)
    return None if parts_of(work) else done


def _without_work(done: FinishedStxm, work: Path, note: dict[str, Any]) -> FinishedStxm:
    if remove_work(work, unchanged(work, note)):
        return done
    text = f"{work} is still there: it has what isn't in the file, or can't be removed."
    return replace(done, remarks=(*done.remarks, text))


def _prefix(file_prefix: str, parts: Sequence[PartAbout], first_uid: str | None) -> str:
    """Fill in a template with the start document of the first run, or the first that came."""
    first = min(parts, key=lambda each: (each.uid != first_uid, each.begun))
    with PartReader(first.path) as part:
        return rendered(file_prefix, part.run.start)


def _problems(parts: Sequence[PartAbout]) -> list[str]:
    """Tell what was wrong with the runs, or isn't known, each thing once."""
    uids: dict[str, list[str]] = {}
    for each in parts:
        for text in (*each.problems, *each.remarks):
            uids.setdefault(text, []).append(each.uid)
    return [
        f"Run {own[0]}: {text}" if len(own) == 1 else f"{counted(len(own), 'run')}: {text}"
        for text, own in uids.items()
    ]


def _free(target: Path) -> Path:
    numbers = (f"{target.stem}-{number}{target.suffix}" for number in itertools.count(1))
    names = itertools.chain([target.name], numbers)
    return next(each for each in map(target.with_name, names) if not os.path.lexists(each))


def _incomplete(
    target: Path, parts: Sequence[PartAbout], missing: list[str], others: Sequence[Path]
) -> Exception:
    remedy = "Export these runs too; or finish with allow_partial=True, which leaves NaN there."
    if others:
        remedy += (
            f" There is other work of this name, such as {others[0].name}: runs of one scan need "
            "the same first_uid in export()."
        )
    return IncompleteScanError(
        f"{target.name} isn't finished: {counted(len(parts), 'run')} came, and missing are "
        f"{'; '.join(missing)}.",
        missing=tuple(missing),
        remedy=remedy,
    )


def _measured(entries: Sequence[EntryPlan]) -> list[EntryPlan]:
    """Choose the entries that have points: of others the counters aren't known."""
    found = [each for each in entries if each.counters]
    if found:
        return found
    runs = ", ".join(each.uid for entry in entries for each in entry.parts)
    raise StxmDataError(
        f"No point was measured: no event with a counter came of {runs}.",
        remedy="There is nothing to be written; look at the run's exit status.",
    )


def _write(
    done: FinishedStxm,
    work: Path,
    parts: dict[str, list[int] | None],
    entries: Sequence[EntryPlan],
    compat: Compat | None,
    exists: Exists,
) -> tuple[Path, dict[str, Any]]:
    with AtomicFile(done.path, exists=exists) as output, writing(done.path):
        if output.spooled:  # the whole work would be in vain
            raise OutputError(
                output.problem.rstrip("."),
                path=done.path,
                remedy="mend that, and call finish_export() again: the parts are still there.",
            )
        output.check_room(ROOM + sum(entry.bytes for entry in entries))
        file = h5py.File(output.temporary, "w", locking=False)
        try:
            _write_root(file, done.path, entries)
            for entry in entries:
                EntryWriter(file, entry, lambda: output.check_room(ROOM)).write()
            if done.missing:
                collection: Any = file[f"{entries[0].name}/collection"]
                texts = h5py.string_dtype()
                collection.create_dataset("missing", data=list(done.missing), dtype=texts)
            if compat == "cls":
                add_older_attributes(file)
            file.close()
        finally:
            close_anyway(file)
        if identities(work / name for name in parts) != parts:
            raise OutputError(
                f"Runs were exported to {work} again while {done.path} was written",
                path=done.path,
                remedy="call finish_export() again when all of them are there.",
            )
        told = {"entries": done.entries, "missing": done.missing, "remarks": done.remarks}
        note = mark(work, output.temporary, parts, told)
    return output.path, note


def _write_root(file: h5py.File, target: Path, entries: Sequence[EntryPlan]) -> None:
    now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    file.attrs.update(
        {
            "NX_class": "NXroot",
            "default": entries[0].name,
            "file_name": target.name,
            "file_time": now,
            "creator": "adsupport",
            "creator_version": __version__,
            "NeXus_version": _NEXUS_VERSION,
            "HDF5_Version": h5py.version.hdf5_version,
            "h5py_version": h5py.version.version,
        }
    )
