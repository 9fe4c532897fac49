"""What really lies in the directory of a pack."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import PackError
from .safe_paths import checked_relative

__all__ = ["Tree", "tree_of"]

#: Directories within directories.
_DEEPEST = 100


@dataclass
class Tree:
    """Files of a directory.

    Parameters
    ----------
    sizes : dict of str to int
        Bytes of each regular file, by its path relative to the directory, sorted.
    problems : list of str
        What isn't a file or directory, each a sentence that names it.
    names : list of str
        Names that no pack has, in the same way.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def tree_of(directory: Path, nested: bool = True) -> Tree:
    """List the files of a pack.

    Parameters
    ----------
    directory : pathlib.Path
        The pack's, or one in it.
    nested : bool
        Look into its directories, too.

    Returns
    -------
    Tree
        Its regular files.  Links, which aren't followed, devices, pipes, and directories that can't
        be read are its problems; names that only differ in case, or aren't good ones, its names.

    Raises
    ------
    PackError
        It isn't a directory.
    OSError
        It can't be read.
    """
    if not directory.is_dir():
        raise PackError(f"{directory} isn't a directory; expected that of a pack.")
    tree = Tree()
    folded: dict[str, str] = {}
    waiting = [("", 0)]
    while waiting:
        place, depth = waiting.pop()
        if depth > _DEEPEST:
            tree.problems.append(f"{place} is nested more than {_DEEPEST} directories deep.")
            continue
        try:
            entries = list(os.scandir(directory / place))
        except OSError as error:
            if not place:
                raise
            tree.problems.append(f"{place} can't be read: {error.strerror}.")
            continue
        for entry in entries:
            relative = f"{place}/{entry.name}".lstrip("/")
            _look_at_name(relative, folded, tree)
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError as error:
                tree.problems.append(f"{relative} can't be read: {error.strerror}.")
                continue
            if stat.S_ISDIR(found.st_mode):
                if nested:
                    waiting.append((relative, depth + 1))
            elif stat.S_ISREG(found.st_mode):
                tree.sizes[relative] = found.st_size
            else:
                kind = _kind(found.st_mode)
                tree.problems.append(f"{relative} is {kind}; a pack has none.")
    tree.sizes = dict(sorted(tree.sizes.items()))
    tree.problems.sort()
    tree.names.sort()
    return tree


def _look_at_name(relative: str, folded: dict[str, str], tree: Tree) -> None:
    try:
        checked_relative(relative)
    except PackError as error:
        tree.names.append(error.problem)
    # as file systems do that don't tell capital from small letters, or ways to write an accent
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", relative).casefold())
    other = folded.setdefault(key, relative)
    if other != relative:
        tree.names.append(
            f"{min(relative, other)} and {max(relative, other)} differ only in case: many "
            "computers have but one of them."
        )


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link, which may lead out of the pack"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"
