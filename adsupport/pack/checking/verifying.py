"""Packs verified: every byte by its digest, and that documents and files belong together."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import PackError
from ...wording import counted
from ..layout import EXTERNAL_FILES, JOURNAL, MANIFEST, SUMS
from ..making.final_files import final_texts
from ..manifest import Manifest
from ..reading.databroker_pack import is_databroker_pack
from ..reading.opening import open_pack
from ..tree import Tree, tree_of
from .file_check import check_file_content
from .run_check import check_runs

__all__ = ["Progress", "VerifyReport", "verify"]

#: Called with the bytes that were read and those of all files, from one thread at a time.
Progress = Callable[[int, int], object]

_BLOCK = 2**20
_INTERRUPTED = f"{JOURNAL} is there: packing was interrupted. Pack the same runs again."
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")


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
    lacking : list of str
        What documents refer to and isn't in the pack, as its manifest tells: no problem.
    """

    directory: Path
    problems: list[str] = field(default_factory=list)
    runs: int = 0
    files: int = 0
    bytes: int = 0
    lacking: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        counts = f"{counted(self.runs, 'run')}, {counted(self.files, 'file')}, {self.bytes} bytes"
        if self.ok and self.lacking:
            text = f"{self.directory}: {counts}, all as they were packed. Not in the pack:"
            return "\n".join([text, *self.lacking])
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
        and whatever leads out of it.  Files that stayed at their source (``external="list"``)
        aren't looked at.  A pack of databroker-pack has no digests, which is a problem.

    Raises
    ------
    PackError
        It isn't the directory of a pack.
    OSError
        A directory can't be read.
    """
    path = Path(os.path.abspath(directory))
    tree = tree_of(path)
    report = VerifyReport(path, [*tree.problems, *tree.names])
    report.files, report.bytes = len(tree.sizes), sum(tree.sizes.values())
    if is_databroker_pack(path):
        _verify_others(path, tree, report)
    elif os.path.lexists(path / MANIFEST) or SUMS in tree.sizes:
        _verify_ours(path, tree, report, progress)
    elif JOURNAL in tree.sizes:
        report.problems.append(_INTERRUPTED)
    else:
        raise PackError(
            f"{path} isn't a pack: it has neither {MANIFEST} nor {SUMS}.",
            remedy="Give the directory that adsupport.pack.pack() wrote.",
        )
    # several files may lead to one that is refused
    report.problems = list(dict.fromkeys(map(_printable, report.problems)))
    return report


def _printable(text: str) -> str:
    """Write out what names of files may have that a terminal takes for a command."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _verify_others(path: Path, tree: Tree, report: VerifyReport) -> None:
    report.problems.append(
        f"There is no {MANIFEST}: databroker-pack keeps no digests, so whether its files are as "
        "they were packed can't be told."
    )
    report.problems += _harm(path, tree.sizes)
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
        problems.append(_INTERRUPTED)
    digests = _digests(path, tree.sizes, progress, problems)
    digests.pop(JOURNAL, None)
    problems += _harm(path, digests)
    try:
        pack = open_pack(path)
    except (PackError, OSError) as error:
        problems.append(getattr(error, "problem", f"{MANIFEST} can't be read: {error}."))
        # the sums have all other files, too
        sums = _read_sums(path, digests, problems)
        digests = {name: each for name, each in digests.items() if name not in (MANIFEST, SUMS)}
        sums.pop(MANIFEST, None)
        _compare(tree, digests, sums, SUMS, problems)
        return
    report.runs = len(pack)
    manifest = pack.listed
    report.lacking = [_printable(each) for each in manifest.lacks()]
    entries = [each for each in (*manifest.runs, *manifest.files) if each.path]
    _look_at_lists(path, tree, digests, manifest, problems)
    told = {each.path: each.sha256 for each in entries}
    _compare(tree, digests, told, MANIFEST, problems, {each.path: each.size for each in entries})
    whole = [run for run in pack if digests.get(run.entry.path) == run.entry.sha256]
    problems += check_runs(pack, whole)


def _look_at_lists(
    path: Path, tree: Tree, digests: dict[str, str], manifest: Manifest, problems: list[str]
) -> None:
    """Compare the files that are made of the manifest, and take them out of the digests."""
    for name, text in final_texts(manifest).items():
        digest = digests.pop(name, None)
        if digest is None:
            if name not in tree.sizes:
                problems.append(f"{name} is missing.")
        elif digest != hashlib.sha256(text).hexdigest():
            harm = " Other programs may run commands of it." if name.endswith(".yml") else ""
            problems.append(
                f"{name} isn't as the manifest says that it should be: it was changed.{harm}"
            )


def _harm(path: Path, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name.startswith(EXTERNAL_FILES + "/"):
            yield from check_file_content(path / name, path)


def _read_sums(path: Path, digests: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    if SUMS not in digests:
        problems.append(f"{SUMS} is missing, or can't be read.")
        return {}
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


def _digests(
    path: Path, sizes: Mapping[str, int], progress: Progress | None, problems: list[str]
) -> dict[str, str]:
    """Take SHA-256 of all files, the largest first, so that no thread is left with it at last."""
    total, done, lock, stopped = sum(sizes.values()), 0, threading.Lock(), threading.Event()

    def tell(count: int) -> bool:
        nonlocal done
        if progress is not None:
            with lock:
                done += count
                progress(done, total)
        return not stopped.is_set()

    def digest(name: str) -> str | OSError:
        try:
            return _digest(path / name, tell)
        except OSError as error:  # as of a disk that fails
            return error

    names = sorted(sizes, key=lambda name: -sizes[name])
    found: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count(), "adsupport-verify-sha256") as threads:
        try:
            for name, each in zip(names, threads.map(digest, names), strict=True):
                if isinstance(each, str):
                    found[name] = each
                else:
                    problems.append(f"{name} can't be read: {each.strerror or each}.")
        except BaseException:  # a key was pressed, or the progress bar failed
            stopped.set()
            threads.shutdown(cancel_futures=True)
            raise
    return found


def _digest(path: Path, tell: Callable[[int], bool]) -> str:
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
            if not tell(count):
                break
    return digest.hexdigest()


def _compare(
    tree: Tree,
    digests: Mapping[str, str],
    told: Mapping[str, str],
    by: str,
    problems: list[str],
    sizes: Mapping[str, int] | None = None,
) -> None:
    """Compare digests with those of a list, whose name is ``by``."""
    origin = {digest: name for name, digest in told.items()}
    for name, digest in sorted(digests.items()):
        size, expected = tree.sizes[name], (sizes or {}).get(name, tree.sizes[name])
        if name not in told:
            problems.append(f"{name} isn't in {by}: it doesn't belong to the pack.")
        elif digest == told[name]:
            continue
        elif digest in origin:
            problems.append(f"{name} has the content of {origin[digest]}: they were mixed up.")
        elif size < expected:
            problems.append(f"{name} is cut short: it has {size} bytes of {expected}.")
        elif size > expected:
            problems.append(f"{name} is too long: it has {size} bytes, and had {expected}.")
        else:
            problems.append(f"{name} was changed: its SHA-256 isn't that of {by}.")
    missing = sorted(set(told) - set(tree.sizes))
    problems += [f"{name} is missing; {by} has it." for name in missing]
