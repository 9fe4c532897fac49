"""The files that are written last: they list what a pack has, for several readers."""

from __future__ import annotations

import hashlib
import os

from ..layout import DOCUMENTS_LIST, MANIFEST, SUMS, external_list, tag_of
from ..manifest import Manifest
from .catalog_files import catalog_files
from .pack_directory import PackDirectory
from .writing import write_all, writing_to

__all__ = ["final_texts", "write_final_files"]


def final_texts(manifest: Manifest) -> dict[str, bytes]:
    """Make the content of the manifest and the lists.

    Parameters
    ----------
    manifest : Manifest
        What the pack has.

    Returns
    -------
    dict of str to bytes
        By name of the file, the manifest's and the sums' last.
    """
    texts = {name: text.encode() for name, text in catalog_files(manifest).items()}
    texts[DOCUMENTS_LIST] = _lines(sorted(run.path for run in manifest.runs))
    texts |= _source_lists(manifest)
    texts[MANIFEST] = manifest.text()
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    sums |= {run.path: run.sha256 for run in manifest.runs}
    sums |= {file.path: file.sha256 for file in manifest.files if file.path}
    texts[SUMS] = _lines([f"{sums[path]}  {path}" for path in sorted(sums)])
    return texts


def write_final_files(directory: PackDirectory, manifest: Manifest) -> None:
    """Write the manifest and the lists, each in one step.

    Parameters
    ----------
    directory : PackDirectory
        The pack's.
    manifest : Manifest
        What it has.

    Raises
    ------
    OutputError
        One can't be written.
    """
    for name, text in final_texts(manifest).items():
        temporary = directory.temporary()
        with writing_to(temporary, len(text)), temporary.open("xb", buffering=0) as file:
            write_all(file.fileno(), text)
            os.fsync(file.fileno())
        directory.name(temporary, name)


def _source_lists(manifest: Manifest) -> dict[str, bytes]:
    """List the sources by the anchor that their paths had in the documents."""
    lists: dict[str, set[str]] = {}
    for file in manifest.files:
        tag = file.path.split("/")[1] if file.path else tag_of("/")
        lists.setdefault(tag, set()).add(file.source)
    return {external_list(tag): _lines(sorted(sources)) for tag, sources in lists.items()}


def _lines(lines: list[str]) -> bytes:
    return b"".join(os.fsencode(line) + b"\n" for line in lines)
