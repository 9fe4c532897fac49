"""``adsupport pack``, ``verify``, ``unpack``: runs and their files, in a directory that travels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from adsupport.cli.byte_bar import ByteBar
from adsupport.cli.catalog_sources import catalog_named, quiet, tiled_at
from adsupport.cli.parameters import checked_choice
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
)
from adsupport.cli.shell_words import in_shell_words
from adsupport.wording import counted

if TYPE_CHECKING:
    from adsupport.pack import PackProgress, PackResult

__all__ = ["run", "unpack_pack", "verify_pack"]

PackArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The pack.", exists=True, file_okay=False)
]
_INTO = ("catalog", "tiled", "folder")


def run(
    directory: Annotated[
        Path, typer.Option("--dir", help="Directory of the pack: new, empty, or a pack.")
    ],
    runs: RunsArgument = None,
    catalog: CatalogOption = None,
    tiled: TiledOption = None,
    file: FileOption = None,
    pack: PackOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    query: QueryOption = None,
    all_runs: AllOption = False,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Of the documents: jsonl or msgpack.", show_default="jsonl"),
    ] = None,
    external: Annotated[
        str | None,
        typer.Option(
            help="Files of images: copy, hardlink, reflink, list (leave them where they are), "
            "fill (into the documents) or ignore.",
            show_default="copy",
        ),
    ] = None,
    path_map: MapOption = None,
    strict: Annotated[
        bool, typer.Option(help="Whether a file that is missing is an error.")
    ] = True,
) -> None:
    """Pack stored runs, with the files they refer to and the digest of each.

    Called again with the same directory it adds runs, or goes on where it was stopped.

    Exit code 0: all was packed. 1: something is missing or damaged, or a run is refused; what that
    is was said, and all else is there. 2: the command line can't be used.
    """
    selection = RunSelection(
        runs or (), catalog, tiled, file, pack, since, until, all_runs, query or ()
    )
    mapping = mapping_of(path_map)
    console = Console(stderr=True, highlight=False)
    with quiet("adsupport.pack"):
        from adsupport.pack import pack as pack_runs
        from adsupport.pack.manifest import DOCUMENT_FORMATS, EXTERNAL_WAYS

        checked_choice("--format", form, DOCUMENT_FORMATS)
        checked_choice("--external", external, EXTERNAL_WAYS)
        found, where = selection.find(mapping)
        with _going_on(console, directory), ByteBar(console, "packing") as bar:

            def show(done: PackProgress) -> None:
                bar.show(done.size, what=f"packing, {done.runs}/{len(found)} runs")

            result = pack_runs(
                found,
                directory,
                format=form,  # type: ignore[arg-type]
                external=external,  # type: ignore[arg-type]
                path_map=where,
                strict=strict,
                progress=show,
            )
    _tell(console, result)
    if result.failed:
        raise typer.Exit(1)


@contextlib.contextmanager
def _going_on(console: Console, directory: Path) -> Iterator[None]:
    """Say what a key that was pressed leaves."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(
            f"Stopped: {escape(str(directory))} isn't finished. Packing the same again goes on.",
            soft_wrap=True,
        )
        raise typer.Exit(130) from None


def _tell(console: Console, result: PackResult) -> None:
    for text in result.remarks:
        console.print(f"[dim]{escape(text)}[/dim]", soft_wrap=True)
    for each in result.missing:
        console.print(
            f"[red]Missing:[/red] {escape(f'{each.source}: {each.reason}')}.", soft_wrap=True
        )
    _tell_failed(console, result.failed)
    typer.echo(str(result.directory))
    console.print(
        f"{counted(len(result.added), 'run')} packed{_known(result.known)}; the pack has "
        f"{counted(len(result.manifest.runs), 'run')} with {result.manifest.holds()}.",
        soft_wrap=True,
    )


def _tell_failed(console: Console, failed: Mapping[str, Exception]) -> None:
    for uid, error in failed.items():
        text = escape(in_shell_words(str(error)))
        console.print(f"[red]Run {escape(uid[:8])}:[/red] {text}", soft_wrap=True)


def _known(known: Sequence[str]) -> str:
    count = f"{len(known)} {'was' if len(known) == 1 else 'were'} there already"
    return f", {count}" if known else ""


def verify_pack(directory: PackArgument) -> None:
    """Compare every file of a pack with what was packed.

    Exit code 0: all is as it was. 1: something is missing, damaged or hostile; each is named.
    2: the command line can't be used.
    """
    with ByteBar(Console(stderr=True), "verifying") as bar, quiet("adsupport.pack"):
        from adsupport.pack.checking.verifying import verify

        report = verify(directory, progress=bar.show)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(1)


def unpack_pack(
    directory: PackArgument,
    into: Annotated[
        str,
        typer.Option(
            metavar="KIND:PLACE",
            help="catalog:NAME of databroker, tiled:URI (or a profile), or folder:PATH.",
        ),
    ],
    path_map: MapOption = None,
    verify: Annotated[bool, typer.Option(help="Whether to verify the pack first.")] = True,
) -> None:
    """Take the runs out of a pack, into a catalog, a tiled server or a folder.

    Runs that are there already stay as they are. Catalogs get the documents only: the files stay
    in the pack.

    Exit code 0: all runs are there. 1: the pack is damaged, or something else went wrong, which
    was said. 2: the command line can't be used.
    """
    kind, _, place = into.partition(":")
    if kind not in _INTO or not place:
        raise typer.BadParameter(
            f"{into!r}: expected catalog:NAME, tiled:URI or folder:PATH", param_hint="--into"
        )
    mapping = mapping_of(path_map)
    console = Console(stderr=True, highlight=False)
    with quiet("adsupport.pack"):
        from adsupport.pack.unpacking.unpack import unpack

        target = place
        if kind != "folder":
            target = catalog_named(place) if kind == "catalog" else tiled_at(place)
        with ByteBar(console, "unpacking") as bar:
            result = unpack(directory, target, verify=verify, path_map=mapping, progress=bar.show)
    _tell_failed(console, result.failed)
    if result.remark:
        console.print(escape(result.remark), soft_wrap=True)
    console.print(
        f"{counted(len(result.added), 'run')} unpacked{_known(result.known)}.", soft_wrap=True
    )
    if result.failed:
        raise typer.Exit(1)
