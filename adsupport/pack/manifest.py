"""The manifest of a pack: which runs and files it has, of what size and with what digest.

``manifest.json`` is JSON in ASCII and depends on nothing but what is in the pack: the same runs
packed twice give the same bytes.  ``sha256`` is that of the rest, keys sorted, without spaces.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from ..errors import PackError
from ..wording import counted
from .layout import DOCUMENTS, EXTERNAL_FILES, FORMAT, MANIFEST
from .safe_paths import checked_relative, inside_pack

__all__ = [
    "DAMAGED",
    "DOCUMENT_FORMATS",
    "EXTERNAL_WAYS",
    "External",
    "Format",
    "Manifest",
    "MissingFile",
    "PackedFile",
    "PackedRunEntry",
    "read_manifest",
]

#: More than that of a pack of some million files.
_MOST_BYTES = 2**30

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: How a pack may have its documents, and what may become of the files that these refer to.
Format = Literal["jsonl", "msgpack"]
External = Literal["copy", "hardlink", "reflink", "list", "fill", "ignore"]
DOCUMENT_FORMATS: tuple[str, ...] = get_args(Format)
EXTERNAL_WAYS: tuple[str, ...] = get_args(External)
#: How the reason begins of a file that the pack has as it is, and that isn't whole.
DAMAGED = "it isn't whole: "


@dataclass(frozen=True, order=True)
class PackedRunEntry:
    """A run of a pack.

    Parameters
    ----------
    uid : str
        Its uid.
    path : str
        Of its documents, relative to the pack.
    size : int
        Bytes of that file.
    sha256 : str
        Its digest, hexadecimal.
    documents : int
        How many documents it has.
    time : float or None
        When the run began, in seconds since 1970 (UTC).
    scan_id : int or None
        Its scan_id.
    """

    uid: str
    path: str
    size: int
    sha256: str
    documents: int
    time: float | None = None
    scan_id: int | None = None


@dataclass(frozen=True, order=True)
class PackedFile:
    """A file that documents refer to.

    Parameters
    ----------
    path : str
        Relative to the pack; empty where the file stays at its source (``external="list"``).
    source : str
        Where it was when it was packed.
    size : int
        Bytes.
    sha256 : str
        Its digest, hexadecimal.
    mtime_ns : int
        When the source was last changed, in nanoseconds since 1970 (UTC).
    documents : tuple of str
        uids of the resource and stream_resource documents that refer to it, sorted.
    """

    path: str
    source: str
    size: int
    sha256: str
    mtime_ns: int
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class MissingFile:
    """A file, or more, that documents refer to and the pack doesn't have, or not whole.

    Parameters
    ----------
    source : str
        Where it was looked for; or what the documents say, where that isn't understood.
    reason : str
        Why it isn't there; it begins with :data:`DAMAGED` when a file is, as it was found.
    documents : tuple of str
        See :class:`PackedFile`.
    """

    source: str
    reason: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What is in a pack.

    Parameters
    ----------
    documents : str
        Format of the documents: ``"jsonl"`` or ``"msgpack"``.
    external : str
        What was done with the files that documents refer to, see :func:`adsupport.pack.pack`.
    creator : str
        Program and version that made the pack.
    runs : tuple of PackedRunEntry
        By time and uid.
    files : tuple of PackedFile
        By path and source.
    missing : tuple of MissingFile
        By source.
    roots : mapping of str to str
        Directories as the documents call them (``root`` of resources, and what absolute paths
        begin with), and the directory that has their files, relative to the pack.
    """

    documents: str
    external: str
    creator: str = ""
    runs: tuple[PackedRunEntry, ...] = ()
    files: tuple[PackedFile, ...] = ()
    missing: tuple[MissingFile, ...] = ()
    roots: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """Write the manifest as JSON.

        Returns
        -------
        bytes
            The content of ``manifest.json``.
        """
        rest = self._rest()
        digest = hashlib.sha256(_canonical_text(rest)).hexdigest()
        return json.dumps({**rest, "sha256": digest}, indent=1).encode("ascii") + b"\n"

    def holds(self) -> str:
        """Say what images the pack has, or lists.

        Returns
        -------
        str
            Such as ``"2 files of images, 7.7 MB"``.
        """
        files = f"{counted(len(self.files), 'file')} of images"
        size = f"{sum(each.size for each in self.files) / 1e6:.1f} MB"
        match self.external:
            case "list":
                return f"{files} listed, {size}, which stay where they are"
            case "fill":
                return f"images in the documents, {sum(run.size for run in self.runs) / 1e6:.1f} MB"
            case "ignore":
                return "no files of images"
        return f"{files}, {size}"

    def lacks(self) -> list[str]:
        """Say what documents refer to and the pack doesn't have.

        Returns
        -------
        list of str
            Sentences' ends.
        """
        lacking = [f"{each.source}: {each.reason}" for each in self.missing]
        if self.external == "list" and self.files:
            lacking.append(f"{counted(len(self.files), 'file')} of images, which it only lists")
        if self.external == "ignore":
            lacking.append("files of images: external='ignore' left them out")
        return lacking

    def _rest(self) -> dict[str, Any]:
        runs = sorted(self.runs, key=lambda run: (run.time is None, run.time or 0.0, run.uid))
        return {
            "format": FORMAT,
            "creator": self.creator,
            "documents": self.documents,
            "external": self.external,
            "runs": [dataclasses.asdict(each) for each in runs],
            "roots": dict(sorted(self.roots.items())),
            "files": [dataclasses.asdict(each) for each in sorted(self.files)],
            "missing": [dataclasses.asdict(each) for each in sorted(self.missing)],
        }

    @classmethod
    def of_text(cls, text: bytes) -> Self:
        """Read a manifest from JSON.

        Parameters
        ----------
        text : bytes
            What :meth:`text` wrote.

        Returns
        -------
        Manifest
            With paths that stay in the pack.

        Raises
        ------
        PackError
            It's damaged, or of a format that isn't known.
        """
        try:
            found = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise _damaged(f"it isn't JSON: {error}") from None
        if not isinstance(found, dict):
            raise _damaged("it isn't a JSON object")
        form = found.get("format")
        if form != FORMAT:
            raise PackError(
                f"{MANIFEST} has the format {form!r:.60}; expected {FORMAT!r}.",
                path=MANIFEST,
                remedy="A newer adsupport may read it.",
            )
        digest = found.pop("sha256", None)
        if digest != hashlib.sha256(_canonical_text(found)).hexdigest():
            raise _damaged("its content doesn't have the sha256 that it says")
        return cls._checked(found)

    @classmethod
    def _checked(cls, found: dict[str, Any]) -> Self:
        _keys("it", found, {"format", *(each.name for each in dataclasses.fields(cls))})
        documents = _one_of("documents", found["documents"], DOCUMENT_FORMATS)
        external = _one_of("external", found["external"], EXTERNAL_WAYS)
        manifest = cls(
            documents,
            external,
            _typed("creator", found["creator"], str),
            _records(PackedRunEntry, "runs", found),
            _records(PackedFile, "files", found),
            _records(MissingFile, "missing", found),
            dict(_typed("roots", found["roots"], dict)),
        )
        for run in manifest.runs:
            _below(DOCUMENTS, run.path)
        for file in manifest.files:
            if file.path or external != "list":
                _below(EXTERNAL_FILES, file.path)
            _name_of_file("files: source", file.source)
        for directory in manifest.roots.values():
            _below(EXTERNAL_FILES, directory)
        _distinct("uid of a run", [run.uid for run in manifest.runs])
        _distinct("path", [each.path for each in (*manifest.runs, *manifest.files) if each.path])
        return manifest


def read_manifest(directory: str | os.PathLike[str]) -> Manifest:
    """Read the manifest of a pack.

    Parameters
    ----------
    directory : str or path
        The pack's.

    Returns
    -------
    Manifest
        Checked: its digest is right, and its paths stay in the pack.

    Raises
    ------
    PackError
        There's none, it's damaged, or it's of a format that isn't known.
    OSError
        It can't be read.
    """
    directory = Path(directory)
    if not os.path.lexists(directory / MANIFEST):
        raise PackError(
            f"{directory} isn't a pack: it has no {MANIFEST}.",
            remedy="Give the directory that adsupport.pack.pack() wrote.",
        )
    path = inside_pack(directory, MANIFEST)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise _damaged(f"it has {size} bytes; expected at most {_MOST_BYTES}")
    return Manifest.of_text(path.read_bytes())


def _canonical_text(value: Any) -> bytes:
    """Write JSON in the one way of which the digest is taken: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float | None": (int, float, type(None)),
    "int | None": (int, type(None)),
    "tuple[str, ...]": (list,),
}


def _records(cls: Any, key: str, found: Mapping[str, Any]) -> Any:
    return tuple(_record(cls, key, each) for each in _typed(key, found[key], list))


def _record(cls: Any, key: str, found: Any) -> Any:
    """Make one of the dataclasses, each of whose values has the right type."""
    fields = {each.name: _TYPES[str(each.type)] for each in dataclasses.fields(cls)}
    _keys(f"an entry of {key!r}", _typed(key, found, dict), set(fields))
    values = {name: _typed(f"{key}: {name}", found[name], *kinds) for name, kinds in fields.items()}
    for name in ("size", "documents"):
        if isinstance(values.get(name), int) and values[name] < 0:
            raise _damaged(f"{key}: {name} is {values[name]}")
    if "sha256" in values and not _SHA256.fullmatch(values["sha256"]):
        raise _damaged(f"{key}: sha256 is {values['sha256']!r:.80}")
    if isinstance(values["documents"], list):
        values["documents"] = tuple(_typed(key, each, str) for each in values["documents"])
    return cls(**values)


def _keys(what: str, found: Mapping[str, Any], expected: set[str]) -> None:
    if found.keys() != expected:
        odd = ", ".join(repr(each)[:60] for each in sorted(found.keys() ^ expected)[:5])
        raise _damaged(f"{what} lacks, or has without reason, {odd}")


def _typed(what: str, value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds) or isinstance(value, bool):
        names = " or ".join(each.__name__ for each in kinds)
        raise _damaged(f"{what} is {value!r:.60} where {names} is expected")
    return value


def _one_of(what: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise _damaged(f"{what} is {value!r:.60}; expected one of {', '.join(choices)}")
    return value


def _below(directory: str, path: Any) -> None:
    if not checked_relative(path).startswith(directory + "/"):
        raise _damaged(f"{path!r:.200} doesn't lie in {directory}")


def _name_of_file(what: str, value: str) -> None:
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise _damaged(f"{what} is {value!r:.200}, which no file is called") from None


def _distinct(what: str, values: list[str]) -> None:
    seen: set[str] = set()
    for each in values:
        if each in seen:
            raise _damaged(f"the {what} {each!r:.200} is there twice")
        seen.add(each)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _damaged(problem: str) -> PackError:
    return PackError(
        f"{MANIFEST} of the pack is damaged: {problem}.",
        path=MANIFEST,
        remedy="Get the pack from its source again.",
    )
