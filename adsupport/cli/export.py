"""``adsupport export``: stored runs to files."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adsupport.cli.extras import require
from adsupport.errors import AdsupportError, ConfigurationError, DocumentError

if TYPE_CHECKING:
    from adsupport.callbacks.export import Exported
    from adsupport.documents.stored_runs import StoredRun

__all__ = ["CatalogError", "run"]

_EXISTS = ("refuse", "bump", "replace")
_IMAGES = ("link", "copy", "repack")


class CatalogError(AdsupportError, OSError):
    """A catalog can't be opened."""


def run(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN...",
            help="uid or its beginning, scan_id, -1 for the latest run, or a range: 42-45, -3..-1.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(help="File formats: nexus, nexus-aps, spec, csv, json, jsonl, hdf5, tiff."),
    ] = None,
    catalog: Annotated[
        str | None, typer.Option(help="From this catalog of databroker, by its name.")
    ] = None,
    tiled: Annotated[
        str | None, typer.Option(help="From this tiled server: its URI, or the name of a profile.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="From this JSON lines file, or a directory of such.", exists=True),
    ] = None,
    out: Annotated[Path, typer.Option("--dir", help="Directory of the new files.")] = Path("."),
    name: Annotated[
        str | None,
        typer.Option(
            help=r"Template of their names, such as '{start\[scan_id]:05d}'.",
            show_default="time, scan_id and uid",
        ),
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="Images in files: link, copy or repack (nexus and hdf5).")
    ] = None,
    image_timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="How long to wait for files of images that aren't there or not whole.",
            show_default="20",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only runs since this time, such as 2026-11-21.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only runs before this time.")] = None,
    all_runs: Annotated[bool, typer.Option("--all", help="All runs there are.")] = False,
    exists: Annotated[
        str, typer.Option(help="With files that exist: refuse, bump (another name) or replace.")
    ] = "refuse",
    path_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Where images are: IOC-DIRECTORY=DIRECTORY-HERE; repeatable.",
        ),
    ] = None,
) -> None:
    """Write stored runs to files, in one format or several.

    Exit code 0: all was written. 1: something wasn't, or lacks something; what that is was said,
    and all else is there. 2: the command line can't be used.
    """
    texts = runs or []
    _check(texts, to, exists, images)
    mapping = _mapping(path_map or [])
    if len([each for each in (catalog, tiled, file) if each is not None]) != 1:
        raise typer.BadParameter("Give one of --catalog, --tiled and --file.")
    if not (texts or since or until or all_runs or file):
        raise typer.BadParameter(
            "Say which runs: by uid, scan_id, -1 and so on, by --since and --until, or --all."
        )
    console = Console(stderr=True, highlight=False)
    with _quiet():
        from adsupport.callbacks.export import export_runs
        from adsupport.callbacks.formats import format_names, make_writer
        from adsupport.documents.selection import UnclearRunError, epoch_of, find_runs

        with _naming("--to", ConfigurationError):
            formats = format_names(to or [])
        for option, time in (("--since", since), ("--until", until)):
            with _naming(option, DocumentError):
                epoch_of(time, option[2:])
        with _naming("RUN", UnclearRunError):
            found = find_runs(_source(catalog, tiled, file), texts, since, until)
        options: dict[str, Any] = {
            "file_name": name,
            "exists": exists,
            "images": images,
            "image_timeout": image_timeout,
            "path_map": mapping,
            "strict": False,  # what a file lacks is told here, in fewer words
        }
        writers = {each: make_writer(each, out, **options) for each in formats}
        with _Bar(console, len(found)) as bar:
            results = []
            for result in export_runs(found, writers, bar.show):
                results.append(result)
                bar.tell(result)
    _conclude(console, results, len(found))


def _check(texts: list[str], to: list[str] | None, exists: str, images: str | None) -> None:
    for text in texts:
        if text.startswith("--"):
            raise typer.BadParameter(f"No such option: {text}")
    if not to:
        raise typer.BadParameter("Say which formats, such as --to nexus,csv .")
    for option, value, known in (("--exists", exists, _EXISTS), ("--images", images, _IMAGES)):
        if value is not None and value not in known:
            raise typer.BadParameter(
                f"{value!r} isn't known; expected one of {', '.join(known)}.", param_hint=option
            )


def _mapping(pairs: list[str]) -> dict[str, str] | None:
    for pair in pairs:
        if not all(pair.partition("=")[::2]):
            raise typer.BadParameter(
                f"{pair!r}: expected two directories, such as /ioc/data=/mnt/data .",
                param_hint="--map",
            )
    return dict(pair.split("=", 1) for pair in pairs) or None


@contextlib.contextmanager
def _naming(parameter: str, kind: type[AdsupportError]) -> Iterator[None]:
    """Make of an error one of the command line, which names the parameter."""
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error), param_hint=parameter) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep libraries' warnings from the terminal; what we have to say is in the results."""
    logger = logging.getLogger("adsupport.callbacks")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _source(catalog: str | None, tiled: str | None, file: Path | None) -> Any:
    if file is not None:
        return file
    if catalog is not None:
        require("catalog", "databroker")
        import databroker

        try:
            return databroker.catalog[catalog]
        except KeyError:
            known = ", ".join(sorted(databroker.catalog)) or "none"
            raise CatalogError(
                f"databroker has no catalog {catalog!r}; there are: {known}.",
                remedy="Its configuration is looked for in "
                f"{', '.join(map(str, databroker.catalog_search_path()))}.",
            ) from None
        except Exception as error:  # whatever its driver raises
            raise CatalogError(f"Catalog {catalog!r} can't be opened: {error}") from error
    require("tiled", "tiled", "bluesky_tiled_plugins")
    from tiled.client import from_profile, from_uri

    try:
        return from_uri(tiled) if "://" in str(tiled) else from_profile(str(tiled))
    except Exception as error:  # of httpx, of tiled
        raise CatalogError(
            f"tiled at {str(tiled).split('?')[0]} can't be opened: {error}",
            remedy="Is it running, and is TILED_API_KEY set where it needs a key?",
        ) from error


class _Bar:
    """A progress bar over runs; file names come out above it, on standard output."""

    def __init__(self, console: Console, runs: int) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[documents]} documents"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("runs", total=runs, documents="")
        self._run: Any = None
        self._begun = 0

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def show(self, run: StoredRun, documents: int) -> None:
        if run is not self._run:
            self._run = run
            self._begun += 1
        self._progress.update(
            self._task,
            completed=self._begun - 1,
            description=escape(_called(run)),
            documents=str(documents),
        )

    def tell(self, result: Exported) -> None:
        for path in result.paths:
            typer.echo(str(path))
        for text in [str(result.error)] if result.error else result.skipped:
            self._console.print(
                f"[red]{escape(_called(result.run))} as {result.format}:[/red] {escape(text)}",
                soft_wrap=True,
            )


def _called(run: StoredRun) -> str:
    number = run.start.get("scan_id")
    return f"Run {run.uid[:8]}" + ("" if number is None else f" (scan_id {number})")


def _conclude(console: Console, results: list[Exported], runs: int) -> None:
    remarks: dict[tuple[str, str], list[str]] = {}
    for each in results:
        for text in each.remarks:
            remarks.setdefault((each.format, text), []).append(_called(each.run))
    for (name, text), called in remarks.items():
        where = called[0] if len(called) == 1 else f"{len(called)} runs"
        console.print(f"[dim]{escape(where)} as {name}: {escape(text)}[/dim]", soft_wrap=True)
    failed = [each for each in results if each.error is not None or each.skipped]
    files = len({path for each in results for path in each.paths})
    count = f"{files} file{'' if files == 1 else 's'} of {runs} run{'' if runs == 1 else 's'}"
    if failed:
        console.print(
            f"{count} written; something is wrong with {len(failed)} of {len(results)}: see above.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    console.print(f"{count} written.", soft_wrap=True)
