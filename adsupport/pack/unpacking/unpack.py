"""Packs unpacked: into a catalog of databroker, into tiled, or into a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...documents.asset_paths import AnyPathMap
from ...documents.catalogs import catalog_of
from ...errors import ConfigurationError, PackError
from ...wording import counted
from ..checking.verifying import Progress
from ..checking.verifying import verify as verify_pack
from ..reading.opening import Pack, open_pack
from ..tree import tree_of
from .catalog_targets import DatabrokerTarget, TiledTarget
from .folder_target import FolderTarget

__all__ = ["UnpackResult", "unpack"]

#: Problems of a pack that an error tells; verify() has all.
_MOST_TOLD = 5

#: What ``adsupport unpack --into`` begins with, and what is to be given here.
_SHELL_WORDS = {
    "folder": "the folder's path alone",
    "catalog": "databroker.catalog[name]",
    "tiled": "tiled.client.from_uri(uri)",
}


@dataclass
class UnpackResult:
    """What was unpacked.

    Parameters
    ----------
    directory : pathlib.Path
        The pack.
    added, known : list of str
        uids of the runs that were added, and of those that were there already.
    failed : dict of str to Exception
        By uid, why a run couldn't be added.
    root_map : dict of str to str
        What databroker needs in order to find the files, see :attr:`Pack.root_map`.
    remark : str
        What is left to do; mostly empty.
    """

    directory: Path
    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)
    root_map: dict[str, str] = field(default_factory=dict, repr=False)
    remark: str = ""

    def __str__(self) -> str:
        counts = f"{counted(len(self.added), 'run')} unpacked, {len(self.known)} were there already"
        failed = [f"Run {uid[:8]}: {error}" for uid, error in self.failed.items()]
        remark = [self.remark] if self.remark else []
        return "\n".join([f"{self.directory}: {counts}", *failed, *remark])


def unpack(
    directory: str | os.PathLike[str],
    into: Any,
    *,
    verify: bool = True,
    path_map: AnyPathMap = None,
    progress: Progress | None = None,
) -> UnpackResult:
    """Take all runs out of a pack.

    Parameters
    ----------
    directory : str or path
        The pack.
    into : any
        A catalog of databroker 1.2, of either interface; a client of tiled, as ``from_uri`` gives
        it; or a folder, which gets ``<uid>.jsonl`` of each run and the files beside, see
        :class:`~adsupport.pack.unpacking.folder_target.FolderTarget`.  Catalogs get the
        documents, and the files stay in the pack.
    verify : bool
        Verify the pack first.
    path_map : mapping, PathMap or function, optional
        See :func:`adsupport.pack.open_pack`.
    progress : callable, optional
        Called as ``progress(done, total)`` with bytes that were verified or copied, from one
        thread at a time.

    Returns
    -------
    UnpackResult
        Runs that are there already are left as they are; one that fails doesn't keep the others
        from being unpacked.

    Raises
    ------
    PackError
        It isn't a pack, or something is wrong with it: then nothing is unpacked.
    ConfigurationError
        ``into`` is none of these, or a text for the command line, such as ``"catalog:mine"``.
    OSError
        The pack can't be read.

    Examples
    --------
    >>> unpack("/mnt/usb/pack", "/data/mine").added  # doctest: +SKIP
    ['8a2f0c4e-...']
    """
    steps = _Steps(progress)
    if progress is not None:
        size = sum(tree_of(Path(directory)).sizes.values())
        steps.total = size * (verify + isinstance(into, str | os.PathLike))
    if verify:
        problems = verify_pack(directory, progress=lambda done, total: steps.reach(done)).problems
        if problems:
            more = len(problems) - _MOST_TOLD
            told = [*problems[:_MOST_TOLD], *([f"And {more} more."] if more > 0 else [])]
            raise PackError(
                f"{os.fspath(directory)} isn't unpacked: {' '.join(told)}",
                path=directory,
                remedy="Get the pack from its source again; verify=False unpacks what can be read.",
            )
    pack = open_pack(directory, path_map)
    target = _target(into, pack, steps)
    result = UnpackResult(pack.directory, root_map=pack.root_map, remark=target.remark)
    for run in pack:
        try:
            done = result.added if target.put(run) else result.known
            done.append(run.uid)
        except Exception as error:  # of a server, database or disk: any
            result.failed[run.uid] = error
    return result


def _target(into: Any, pack: Pack, steps: _Steps) -> FolderTarget | DatabrokerTarget | TiledTarget:
    kind, colon, _ = into.partition(":") if isinstance(into, str) else ("", "", "")
    if colon and kind in _SHELL_WORDS:
        raise ConfigurationError(
            f"into={into!r}: that's for the command line; here it would be a folder of this name",
            remedy=f"Give {_SHELL_WORDS[kind]}; ./{into} is a folder that is really called so.",
        )
    if isinstance(into, str | os.PathLike):
        return FolderTarget(into, pack, steps.add)
    if any(each.__module__.split(".")[0] == "tiled" for each in type(into).__mro__):
        return TiledTarget(into, pack)
    if hasattr(catalog_of(into), "v1"):
        return DatabrokerTarget(into, pack)
    raise ConfigurationError(
        f"into is a {type(into).__name__}; expected the name of a folder, a catalog of databroker "
        "1.2, or a client of tiled."
    )


class _Steps:
    """Counts bytes of verifying and copying together."""

    def __init__(self, progress: Progress | None) -> None:
        self.total = 0
        self._progress = progress
        self._done = 0

    def add(self, count: int) -> None:
        self.reach(self._done + count)

    def reach(self, done: int) -> None:
        self._done = done
        if self._progress is not None:
            self._progress(done, self.total)
