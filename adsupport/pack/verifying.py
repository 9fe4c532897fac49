"""Packs verified: every byte by its digest, and that documents and files belong together."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import PackError
from .databroker_pack import is_databroker_pack
from .file_check import check_file_content
from .layout import DOCUMENTS_LIST, EXTERNAL_FILES, JOURNAL, MANIFEST, SUMS
from .manifest import Manifest, PackedFile, PackedRunEntry, read_manifest
from .opening import Pack, open_pack
from .run_check import check_runs
from .tree import Tree, tree_of

__all__ = ["Progress", "VerifyReport", "verify"]

#: Called with the bytes that were read and those of all files, from one thread at a time.
Progress = Callable[[int, int], object]

_BLOCK = 2**20
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")
#: Files whose digests only the sums have.
_LISTS = re.compile(rf"catalog\.yml|tiled\.yml|{DOCUMENTS_LIST}|external_files_manifest_\w+\.txt")


@dataclass
class VerifyReport:
    """What was found of a pack.

    Parameters
    ----------
    directory : pathlib.Path
        The pack.
    problems : list of str
        What is wrong: sentences, each of which names a file.
    runs, files, bytes : int
        How many runs the manifest has, how many files lie in the directory, and their bytes.
    """

    directory: Path
    problems: list[str] = field(default_factory=list)
    runs: int = 0
    files: int = 0
    bytes: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        counts = f"{self.runs} runs, {self.files} files, {self.bytes} bytes"
        if self.ok:
            return f"{self.directory}: {counts}, all as they were packed."
        return "\n".join(
            [f"{self.directory}: {counts}; {len(self.problems)} wrong:", *self.problems]
        )


def verify(directory: str | os.PathLike[str], *, progress: Progress | None = None) -> VerifyReport:
    """Compare a pack with what was packed.

    Parameters
    ----------
    directory : str or path
        The pack's.
    progress : callable, optional
        Called as ``progress(done, total)`` with the bytes read so far and those of all files, from
        one thread at a time, which mostly isn't the caller's.

    Returns
    -------
    VerifyReport
        Its problems: files that are changed, cut short, missing, too many, or swapped; documents
        that can't be read, or aren't the manifest's; files that they refer to and the pack lacks;
        and whatever leads out of it.  One that databroker-pack made has no digests, which is a
        problem.

    Raises
    ------
    PackError
        It isn't the directory of a pack.
    OSError
        A file can't be read.
    """
    path = Path(os.path.abspath(directory))
    tree = tree_of(path)
    report = VerifyReport(path, list(tree.problems))
    report.files, report.bytes = len(tree.sizes), sum(tree.sizes.values())
    if not os.path.lexists(path / MANIFEST) and is_databroker_pack(path):
        _verify_others(path, report)
        return report
    if not os.path.lexists(path / MANIFEST) and SUMS not in tree.sizes:
        raise PackError(
            f"{path} isn't a pack: it has neither {MANIFEST} nor {SUMS}.",
            remedy="Give the directory that adsupport.pack.pack() wrote.",
        )
    _verify_ours(path, tree, report, progress)
    return report


def _verify_others(path: Path, report: VerifyReport) -> None:
    report.problems.append(
        f"There is no {MANIFEST}: databroker-pack keeps no digests, so whether its files are as "
        "they were packed can't be told."
    )
    try:
        pack = open_pack(path)
    except PackError as error:
        report.problems.append(error.problem)
        return
    report.runs = len(pack)
    report.problems += check_runs(pack, list(pack))


def _verify_ours(path: Path, tree: Tree, report: VerifyReport, progress: Progress | None) -> None:
    problems = report.problems
    if JOURNAL in tree.sizes:
        problems.append(f"{JOURNAL} is there: packing was interrupted. Pack the same runs again.")
    pack: Pack | None = None
    manifest = Manifest("jsonl", "copy")
    try:
        manifest = read_manifest(path)
        pack = open_pack(path)
        if manifest.text() != (path / MANIFEST).read_bytes():
            problems.append(f"{MANIFEST} was written by another program than it says, or changed.")
    except PackError as error:
        problems.append(error.problem)
    report.runs = len(manifest.runs)
    sums = _read_sums(path, tree, problems)
    digests = _digests(path, tree.sizes, progress)
    expected: dict[str, PackedRunEntry | PackedFile] = {run.path: run for run in manifest.runs}
    expected |= {file.path: file for file in manifest.files if file.path}
    told = {name: entry.sha256 for name, entry in expected.items()}
    _compare(tree, digests, expected, sums, pack is not None, problems)
    for name in digests:
        if name.startswith(EXTERNAL_FILES + "/"):
            problems += check_file_content(path / name, path)
    if pack is not None:
        whole = [run for run in pack if digests.get(run.entry.path) == told[run.entry.path]]
        problems += check_runs(pack, whole)


def _read_sums(path: Path, tree: Tree, problems: list[str]) -> dict[str, str] | None:
    if SUMS not in tree.sizes:
        problems.append(f"{SUMS} is missing.")
        return None
    *lines, rest = (path / SUMS).read_bytes().decode(errors="surrogateescape").split("\n")
    found: dict[str, str] = {}
    for number, line in enumerate([*lines, rest] if rest else lines, 1):
        match = _SUM.fullmatch(line)
        if not match or match[2] in found or number > len(lines):
            problems.append(
                f"{SUMS}: line {number} is {line!r:.100}; expected a digest, two spaces, a path "
                "that no other line has, and the line's end."
            )
        else:
            found[match[2]] = match[1]
    return found


def _digests(path: Path, sizes: Mapping[str, int], progress: Progress | None) -> dict[str, str]:
    """Take SHA-256 of all files, the largest first, so that no thread is left with it at last."""
    total, done, lock = sum(sizes.values()), 0, threading.Lock()

    def tell(count: int) -> None:
        nonlocal done
        if progress is not None:
            with lock:
                done += count
                progress(done, total)

    names = sorted(sizes, key=lambda name: -sizes[name])
    with ThreadPoolExecutor(os.cpu_count(), "adsupport-verify-sha256") as threads:
        digests = threads.map(lambda name: _digest(path / name, tell), names)
        return dict(zip(names, digests, strict=True))


def _digest(path: Path, tell: Callable[[int], None]) -> str:
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
            tell(count)
    return digest.hexdigest()


def _compare(
    tree: Tree,
    digests: Mapping[str, str],
    expected: Mapping[str, PackedRunEntry | PackedFile],
    sums: Mapping[str, str] | None,
    has_manifest: bool,
    problems: list[str],
) -> None:
    origin = {entry.sha256: name for name, entry in expected.items()}
    for name, digest in sorted(digests.items()):
        if name in (SUMS, JOURNAL):
            continue
        entry, told = expected.get(name), (sums or {}).get(name)
        if entry is not None:
            if digest != entry.sha256:
                problems.append(_changed(name, tree.sizes[name], entry, origin.get(digest)))
            elif told != digest and sums is not None:
                what = "lacks" if told is None else "has another digest than the manifest for"
                problems.append(f"{SUMS} {what} {name}.")
        elif has_manifest and name != MANIFEST and not _LISTS.fullmatch(name):
            problems.append(f"{name} isn't in the manifest: it doesn't belong to the pack.")
        elif told is None and sums is not None:
            problems.append(f"{name} isn't in {SUMS}.")
        elif told not in (None, digest):
            problems.append(
                f"{name} has another digest than {SUMS} says: one of these two was changed."
            )
    for name in sorted({*expected, *(sums or ())} - set(digests)):
        by = MANIFEST if name in expected else SUMS
        problems.append(f"{name} is missing; {by} has it.")


def _changed(name: str, size: int, entry: PackedRunEntry | PackedFile, origin: str | None) -> str:
    if origin is not None:
        return f"{name} has the content of {origin}: they were mixed up."
    if size < entry.size:
        return f"{name} is cut short: it has {size} bytes of {entry.size}."
    if size > entry.size:
        return f"{name} is too long: it has {size} bytes, and had {entry.size}."
    return f"{name} was changed: it has another SHA-256 than the manifest says."
