"""The options by which commands choose stored runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adsupport.cli.catalog_sources import catalog_named, tiled_at
from adsupport.cli.parameters import naming, pairs
from adsupport.errors import DocumentError

if TYPE_CHECKING:
    from adsupport.documents.asset_paths import AnyPathMap
    from adsupport.documents.stored_runs import StoredRun

__all__ = [
    "AllOption",
    "CatalogOption",
    "FileOption",
    "MapOption",
    "PackOption",
    "QueryOption",
    "RunSelection",
    "RunsArgument",
    "SinceOption",
    "TiledOption",
    "UntilOption",
    "mapping_of",
    "run_called",
]

RunsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN...",
        help="uid or its beginning, scan_id, -1 for the latest run, or a range: 42-45, -3..-1.",
        show_default=False,
    ),
]
CatalogOption = Annotated[
    str | None, typer.Option(help="From this catalog of databroker, by its name.")
]
TiledOption = Annotated[
    str | None, typer.Option(help="From this tiled server: its URI, or the name of a profile.")
]
FileOption = Annotated[
    Path | None,
    typer.Option(help="From this JSON lines file, or a directory of such.", exists=True),
]
PackOption = Annotated[
    Path | None, typer.Option(help="From this pack, a directory.", exists=True, file_okay=False)
]
SinceOption = Annotated[
    str | None, typer.Option(help="Only runs since this time, such as 2026-11-21.")
]
UntilOption = Annotated[str | None, typer.Option(help="Only runs before this time.")]
AllOption = Annotated[bool, typer.Option("--all", help="All runs there are.")]
QueryOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="Only runs whose start document has this, such as plan_name=scan or sample.id=7; "
        "repeatable.",
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="Where images are: IOC-DIRECTORY=DIRECTORY-HERE; repeatable.",
    ),
]


@dataclass(frozen=True)
class RunSelection:
    """Which runs a command line asks for, and of what.

    Parameters
    ----------
    texts : sequence of str
        See :func:`adsupport.documents.selection.find_runs`.
    catalog, tiled : str or None
        See :mod:`adsupport.cli.catalog_sources`.
    file, pack : pathlib.Path or None
        Where runs are; of all four exactly one is given.
    since, until : str or None
        Times.
    all_runs : bool
        Whether ``--all`` is given.
    queries : sequence of str
        ``KEY=VALUE`` each.

    Raises
    ------
    typer.BadParameter
        The options contradict each other, say nothing, or can't be understood.
    """

    texts: Sequence[str]
    catalog: str | None
    tiled: str | None
    file: Path | None
    pack: Path | None
    since: str | None
    until: str | None
    all_runs: bool
    queries: Sequence[str]

    def __post_init__(self) -> None:
        for text in self.texts:
            if text.startswith("--"):
                raise typer.BadParameter(f"No such option: {text}")
        if [self.catalog, self.tiled, self.file, self.pack].count(None) != 3:
            raise typer.BadParameter("Give one of --catalog, --tiled, --file and --pack.")
        few = self.file is not None or self.pack is not None
        if not (self.texts or self.since or self.until or self.queries or self.all_runs or few):
            raise typer.BadParameter(
                "Say which runs: by uid, scan_id, -1 and so on, by --since and --until, by "
                "--query, or --all."
            )

        from adsupport.pack.layout import MANIFEST

        if self.file is not None and (self.file / MANIFEST).is_file():
            raise typer.BadParameter(f"{self.file} is a pack: use --pack", param_hint="--file")

        from adsupport.documents.selection import epoch_of

        for option, time in (("--since", self.since), ("--until", self.until)):
            with naming(option, DocumentError):
                epoch_of(time, option[2:])
        self._query()

    def find(self, path_map: AnyPathMap) -> tuple[list[StoredRun], AnyPathMap]:
        """Find the runs, and where their files are.

        Parameters
        ----------
        path_map : mapping or None
            What ``--map`` says.

        Returns
        -------
        list of StoredRun
            At least one.
        mapping, function or None
            As given; of a pack, which has files itself, its own.

        Raises
        ------
        typer.BadParameter
            A text for a run can't be understood.
        RunNotFoundError
            See :func:`adsupport.documents.selection.find_runs`.
        CatalogError, MissingExtraError
            See :mod:`adsupport.cli.catalog_sources`.
        PackError
            See :func:`adsupport.pack.open_pack`.
        """
        from adsupport.documents.selection import UnclearRunError, find_runs

        source: Any = self.file
        if self.pack is not None:
            from adsupport.pack import open_pack

            source = open_pack(self.pack, path_map)
            path_map = source.path_map
        elif self.catalog is not None:
            source = catalog_named(self.catalog)
        elif self.tiled is not None:
            source = tiled_at(self.tiled)
        with naming("RUN", UnclearRunError):
            found = find_runs(source, self.texts, self.since, self.until, self._query())
        return found, path_map

    def _query(self) -> dict[str, Any]:
        return {key: _value(text) for key, text in pairs("--query", self.queries, _QUERY)}


_QUERY = "a key of start documents and its value, such as plan_name=scan"
_MAP = "two directories, such as /ioc/data=/mnt/data"


def mapping_of(texts: Sequence[str] | None) -> dict[str, str] | None:
    """Read the directories of ``--map``.

    Parameters
    ----------
    texts : sequence of str or None
        ``A=B`` each.

    Returns
    -------
    dict or None
        None without any.

    Raises
    ------
    typer.BadParameter
        One isn't a pair.
    """
    return dict(pairs("--map", texts or (), _MAP)) or None


def _value(text: str) -> Any:
    """Read a value as JSON, such as 7, true or "7"; anything else is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def run_called(run: StoredRun) -> str:
    """Name a run for people.

    Parameters
    ----------
    run : StoredRun
        The run.

    Returns
    -------
    str
        Such as ``"Run 8a2f0c11 (scan_id 42)"``.
    """
    number = run.start.get("scan_id")
    return f"Run {run.uid[:8]}" + ("" if number is None else f" (scan_id {number})")
