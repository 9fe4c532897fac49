"""``adsupport ioc-scan``: the cameras and plugins of an IOC, and the code for them."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adsupport.errors import ConfigurationError

if TYPE_CHECKING:
    from adsupport.devices.ioc.description import IOCDescription

__all__ = ["run"]

_WIDE = 200
#: From how many columns on the classes are in the table too; the code has them anyway.
_ROOMY = 110


def run(
    prefix: Annotated[str, typer.Argument(help="Prefix of the IOC's PVs, such as ad: .")],
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest time for all, in seconds.")] = 5,
    cam: Annotated[
        list[str] | None,
        typer.Option(help="Another place of a camera, such as eiger: ; repeatable."),
    ] = None,
    suffix: Annotated[
        list[str] | None,
        typer.Option(help="Another place of a plugin, such as MyROI: ; repeatable."),
    ] = None,
    writer: Annotated[
        list[str] | None,
        typer.Option(
            help="File plugin that records, such as tiff1; repeatable.",
            show_default="the first HDF5 plugin",
        ),
    ] = None,
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            help="Take these plugins only, such as hdf1, with all that their arrays come from;"
            " repeatable, or with commas between."
        ),
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Print the Python code only.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print a declaration for load_detectors() only.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all as JSON only.")] = False,
) -> None:
    """Find the cameras and plugins of an IOC; print them as a table and as Python code.

    The usual places are asked, those of ADCore's commonPlugins.  Nothing is written to the IOC,
    which is found by EPICS_CA_ADDR_LIST as always.
    """
    if code + as_yaml + as_json > 1:
        raise typer.BadParameter("Give one of --code, --yaml and --json.")
    with contextlib.suppress(ImportError):  # a libca that needs no caRepeater program
        import epicscorelibs.path.pyepics  # noqa: F401
    from adsupport.devices.ioc.introspection import describe_ioc

    try:
        description = describe_ioc(
            prefix, timeout, cams=cam or (), suffixes=suffix or (), writers=writer or None
        )
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from error
    keys = [key.strip() for each in plugins or () for key in each.split(",") if key.strip()]
    if keys:
        known = [part.key for part in description.parts]
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise typer.BadParameter(
                f"{', '.join(map(repr, unknown))}: {prefix!r} has none such; expected one of "
                f"{', '.join(known)}.",
                param_hint="--plugins",
            )
        description = description.select(*keys)
    if as_json:
        typer.echo(json.dumps(description.as_dict(), indent=2))
    elif as_yaml:
        typer.echo(description.to_yaml(), nl=False)
    elif code:
        typer.echo(description.code(), nl=False)
    else:
        _show(Console(), description)


def _show(console: Console, description: IOCDescription) -> None:
    if not console.is_terminal:
        console.width = _WIDE  # for grep and the like
    rows = description.table()
    release = description.adcore or "of an unknown release"
    # what an IOC says is text, not markup
    table = Table(
        title=escape(f"{description.prefix}  ADCore {release}"),
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    columns = [name for name in rows[0] if name != "class" or console.width >= _ROOMY]
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in ("key", "suffix"))
    for row in rows:
        table.add_row(*(escape(row[name]) for name in columns))
    console.print(table)
    if not description.cameras:
        console.print("\nNo camera was found: say where it is by --cam.")
        return
    for part in description.loose_ends():
        console.print(
            escape(
                f"\n{part.key} takes its arrays from port {part.source_port!r}, which no part here "
                f"has. Say where that is by --suffix, or set {description.prefix}{part.suffix}"
                "NDArrayPort: a detector with this plugin can't be staged."
            ),
            soft_wrap=True,
        )
    console.print()
    typer.echo(description.code(), nl=False)
