"""Pack runs: their documents and the files that these refer to, in a directory that can travel."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...callbacks.choice import check_choice
from ...documents.asset_paths import AnyPathMap
from ...documents.catalogs import catalog_of
from ...documents.selection import find_runs
from ...documents.stored_runs import StoredRun, stored_runs
from ...errors import DocumentError, PackError, RunNotFoundError
from ...wording import counted
from ..manifest import DOCUMENT_FORMATS, EXTERNAL_WAYS, External, Format, Manifest, MissingFile
from .pack_progress import PackProgress
from .packer import Packer

__all__ = ["PackResult", "pack"]

_MOST_LISTED = 5


@dataclass(frozen=True)
class PackResult:
    """What was packed.

    Parameters
    ----------
    directory : pathlib.Path
        The pack's.
    manifest : Manifest
        All that the pack has now.
    added, known : tuple of str
        uids of the runs that were added or have grown, and of those that were there already.
    remarks : tuple of str
        What else is to be known: runs without stop document; and with ``strict=False`` values
        of documents of which only the text could be written.
    failed : mapping of str to Exception
        By uid, why a run was refused; all others are packed.
    """

    directory: Path
    manifest: Manifest
    added: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    failed: Mapping[str, Exception] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[MissingFile, ...]:
        """The files that documents refer to and the pack doesn't have, or not whole."""
        return self.manifest.missing

    def __str__(self) -> str:
        files = self.manifest.files
        text = (
            f"{self.directory}: {counted(len(self.manifest.runs), 'run')}, "
            f"{len(self.added)} of them new; {counted(len(files), 'file')}"
            f"{' listed' if self.manifest.external == 'list' else ''}, "
            f"{sum(each.size for each in files)} bytes"
        )
        told = [f"{each.source}: {each.reason}" for each in self.missing]
        told += [f"run {uid}: {error}" for uid, error in self.failed.items()]
        if not told:
            return f"{text}."
        bad = [f"{len(self.missing)} missing or damaged"] if self.missing else []
        bad += [f"{len(self.failed)} refused"] if self.failed else []
        return "\n".join([f"{text}; {', '.join(bad)}:", *told])


def pack(
    runs: Any,
    directory: str | os.PathLike[str],
    *,
    format: Format | None = None,
    external: External | None = None,
    path_map: AnyPathMap = None,
    strict: bool = True,
    progress: Callable[[PackProgress], None] | None = None,
) -> PackResult:
    """Put runs and the files they refer to into a directory that can be moved and checked.

    Called again with the same directory, it adds runs to the pack; a run that's there already
    stays, or gets the documents that it has now behind those in the pack.  Stopped or killed at any
    moment, it goes on when it's called again, and gives what it would have given.  The same runs
    give the same bytes.

    Parameters
    ----------
    runs : any
        A run or several, as :func:`~adsupport.documents.replay` takes them, or of another pack;
        or a catalog, a file of documents or a directory of such, or a list of files: all runs
        there.
    directory : str or path
        Missing, empty, or a pack.
    format : str, optional
        Of the documents: ``"jsonl"`` (by default) or ``"msgpack"``.  Nothing of them is lost in
        either, and nothing is changed: not the roots of resources, too.
    external : str, optional
        What to do with the files that documents refer to: ``"copy"`` them (by default);
        ``"hardlink"``: give them a second name, so that a change of the source changes the
        pack; ``"reflink"``: share their blocks, where the file system can; ``"list"``: leave
        them where they are, and put size and digest in the manifest; ``"fill"``: put the images
        of datum documents into the events, in place of the datums; ``"ignore"``.
    path_map : mapping, PathMap or function, optional
        Directories of the documents and where they are here, see
        :func:`~adsupport.documents.asset_of`.
    strict : bool
        Raise if a file is missing or a run is refused, once all else is packed; a value that
        can't be written is a reason to refuse a run.
    progress : callable, optional
        Called with a :class:`PackProgress` for each 4 MiB of a file, and each run.

    Returns
    -------
    PackResult
        What the pack has, and what is missing.

    Raises
    ------
    PackError
        A file is missing, can't be read, changes while it's read, or lacks frames: all else is
        packed, and the manifest lists it.  Or two files that differ have one path in the
        documents; or the pack is damaged.
    OutputExistsError
        The directory isn't empty, and isn't a pack.
    OutputError
        The pack can't be written, or has no room; or another process is packing there.
    ConfigurationError
        An option isn't known, or isn't that of the pack.
    DocumentError
        Something isn't a run; or the pack has a run of this uid with other documents.  Of several
        runs that are refused, or one beside others, a PackError tells once these are packed.
    RunNotFoundError
        There's no run.

    Notes
    -----
    Each file is on the disk before it takes its name; none of them is ever there in part.

    Examples
    --------
    >>> pack(catalog[-5:], "/data/for_user")  # doctest: +SKIP
    """
    check_choice("format", format, (None, *DOCUMENT_FORMATS))
    check_choice("external", external, (None, *EXTERNAL_WAYS))
    found = _runs(runs)
    first = next(found, None)
    if first is None:
        raise RunNotFoundError("There is no run to pack", remedy="Is it the right source?")
    target = Path(directory).absolute()
    broken = None
    with Packer(target, format, external, strict, progress) as packer:
        try:
            for run in itertools.chain([first], found):
                # a run of a pack knows where that has its files
                own = getattr(run, "path_map", None)
                packer.add(run.documents(), own if path_map is None else path_map, run.uid)
        except (DocumentError, RunNotFoundError) as error:  # of what gives the runs
            broken = error
        manifest = packer.finish() if packer.has_something else None
    failed, done = packer.failed, [*packer.added, *packer.known]
    if broken is not None:
        raise broken
    if manifest is None or (failed and (strict or not done)):
        raise _refused(target, failed, bool(done))
    if strict and manifest.missing:
        raise _missing(target, manifest.missing)
    return PackResult(
        target,
        manifest,
        tuple(packer.added),
        tuple(packer.known),
        tuple(packer.remarks),
        dict(failed),
    )


def _runs(source: Any) -> Iterator[StoredRun]:
    paths = [source] if isinstance(source, str | os.PathLike) else source
    if isinstance(paths, list | tuple) and all(
        isinstance(each, str | os.PathLike) for each in paths
    ):
        for each in paths:  # a file may have several runs, mixed
            yield from find_runs(each)
    elif catalog_of(source) is not None:
        yield from find_runs(source)
    else:
        yield from stored_runs(source)


def _refused(directory: Path, failed: Mapping[str, Exception], done: bool) -> Exception:
    first = next(iter(failed.values()))
    if not done and all(each is first for each in failed.values()):
        return first
    listed = _listed([f"{uid}: {error}" for uid, error in failed.items()])
    count = f"{counted(len(failed), 'run')} {'is' if len(failed) == 1 else 'are'} refused"
    return PackError(
        f"{count} in the pack {directory}, which has all others: {listed}",
        path=directory,
        remedy="With strict=False this is no error.",
    )


def _missing(directory: Path, missing: tuple[MissingFile, ...]) -> PackError:
    listed = _listed([f"{each.source}: {each.reason}" for each in missing])
    count = f"{len(missing)} file{' is' if len(missing) == 1 else 's are'}"
    return PackError(
        f"{count} missing or damaged in the pack {directory}, which has all else: {listed}.",
        path=missing[0].source,
        remedy="Bring them back (path_map tells where they are now) and pack again; or take the "
        "pack as it is, with strict=False.",
    )


def _listed(told: list[str]) -> str:
    more = [f"and {len(told) - _MOST_LISTED} more"] if len(told) > _MOST_LISTED else []
    return "; ".join(told[:_MOST_LISTED] + more)
