"""``adsupport export``: stored runs to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adsupport.callbacks.formats import FORMATS
from adsupport.cli.catalog_sources import quiet
from adsupport.cli.parameters import checked_choice, naming, pairs
from adsupport.cli.run_selection import (
    AllOption,
    CatalogOption,
    FileOption,
    MapOption,
    PackOption,
    QueryOption,
    RunsArgument,
    RunSelection,
    SinceOption,
    TiledOption,
    UntilOption,
    mapping_of,
    run_called,
)
from adsupport.cli.shell_words import in_shell_words
from adsupport.errors import ConfigurationError
from adsupport.wording import counted

if TYPE_CHECKING:
    from adsupport.callbacks.export import Exported
    from adsupport.documents.stored_runs import StoredRun

__all__ = ["run"]

_EXISTS = ("refuse", "bump", "replace")
_IMAGES = ("link", "copy", "repack")


def run(
    runs: RunsArgument = None,
    to: Annotated[
        list[str] | None,
        typer.Option(help=f"File formats: {', '.join(FORMATS)}."),
    ] = None,
    catalog: CatalogOption = None,
    tiled: TiledOption = None,
    file: FileOption = None,
    pack: PackOption = None,
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
            show_default="20; 0 for packs, which don't grow",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Of the format's writer, such as frame_type=det_cam_frame_type, flats=0:10, "
            "theta=rotation or missing=drop for dx and nxtomo; repeatable.",
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    query: QueryOption = None,
    all_runs: AllOption = False,
    exists: Annotated[
        str, typer.Option(help="With files that exist: refuse, bump (another name) or replace.")
    ] = "refuse",
    path_map: MapOption = None,
) -> None:
    """Write stored runs to files, in one format or several.

    Exit code 0: all was written. 1: something wasn't, or lacks something; what that is was said,
    and all else is there. 2: the command line can't be used.
    """
    if not to:
        raise typer.BadParameter("Say which formats, such as --to nexus,csv")
    checked_choice("--exists", exists, _EXISTS)
    checked_choice("--images", images, _IMAGES)
    mapping = mapping_of(path_map)
    own = dict(pairs("--option", option or (), "an option and its value, such as theta=rotation"))
    if pack is not None and image_timeout is None:
        image_timeout = 0.0
    selection = RunSelection(
        runs or (), catalog, tiled, file, pack, since, until, all_runs, query or ()
    )
    console = Console(stderr=True, highlight=False)
    with quiet("adsupport.callbacks"):
        from adsupport.callbacks.export import export_runs
        from adsupport.callbacks.formats import format_names, make_writer, own_options

        with naming("--to", ConfigurationError):
            formats = format_names(to)
        with naming("--option", ConfigurationError):
            chosen = own_options(formats, own)
        found, where = selection.find(mapping)
        options: dict[str, Any] = {
            "file_name": name,
            "exists": exists,
            "images": images,
            "image_timeout": image_timeout,
            "path_map": where,
            "strict": False,  # what a file lacks is told here, in fewer words
        }
        with naming("--option", ConfigurationError):
            writers = {
                each: make_writer(each, out, own=chosen[each], **options) for each in formats
            }
        with _Bar(console, len(found)) as bar:
            results = []
            for result in export_runs(found, writers, bar.show):
                results.append(result)
                bar.tell(result)
    _conclude(console, results, len(found))


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
            description=escape(run_called(run)),
            documents=str(documents),
        )

    def tell(self, result: Exported) -> None:
        for path in result.paths:
            typer.echo(str(path))
        for text in [str(result.error)] if result.error else result.skipped:
            self._console.print(
                f"[red]{escape(run_called(result.run))} as {result.format}:[/red] "
                f"{escape(in_shell_words(text))}",
                soft_wrap=True,
            )


def _conclude(console: Console, results: list[Exported], runs: int) -> None:
    remarks: dict[tuple[str, str], list[str]] = {}
    for each in results:
        for text in each.remarks:
            remarks.setdefault((each.format, text), []).append(run_called(each.run))
    for (name, text), called in remarks.items():
        where = called[0] if len(called) == 1 else f"{len(called)} runs"
        console.print(
            f"[dim]{escape(where)} as {name}: {escape(in_shell_words(text))}[/dim]", soft_wrap=True
        )
    failed = [each for each in results if each.error is not None or each.skipped]
    files = len({path for each in results for path in each.paths})
    count = f"{counted(files, 'file')} of {counted(runs, 'run')}"
    if failed:
        console.print(
            f"{count} written; something is wrong with {len(failed)} of {len(results)}: see above.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    console.print(f"{count} written.", soft_wrap=True)
