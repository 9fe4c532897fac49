"""The command and its sub-commands, and how errors reach the terminal."""

from __future__ import annotations

import inspect
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

import adsupport
from adsupport.cli import check, consume, demo, export, ioc, pack, reconstruct, scan, tree, view
from adsupport.cli.shell_words import in_shell_words
from adsupport.errors import AdsupportError

__all__ = ["app", "main"]

app = typer.Typer(
    name="adsupport",
    help="EPICS area detectors with bluesky, and simulated hardware to try it on.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("check")(check.run)
app.command("consume")(consume.run)
app.command("demo")(demo.run)
# -1 is the latest run, no option
app.command("export", context_settings={"ignore_unknown_options": True})(export.run)
app.command("ioc")(ioc.run)
app.command("ioc-scan")(scan.run)
app.command("pack", context_settings={"ignore_unknown_options": True})(pack.run)
app.command("reconstruct", context_settings={"ignore_unknown_options": True})(reconstruct.run)
app.command("tree")(tree.run)
app.command("unpack")(pack.unpack_pack)
app.command("verify")(pack.verify_pack)
app.command("view")(view.run)
for _each in app.registered_commands:  # rich would keep the ends of the source's lines
    _text = inspect.getdoc(_each.callback) or ""
    _each.help = "\n\n".join(" ".join(part.split()) for part in _text.split("\n\n"))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"adsupport {adsupport.__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """EPICS area detectors with bluesky, and simulated hardware to try it on."""


def main() -> None:
    """Run the command; an error that adsupport raised on purpose needs no traceback."""
    try:
        app()
    except AdsupportError as error:
        text = escape(in_shell_words(str(error)))
        Console(stderr=True).print(f"[red]adsupport:[/red] {text}", soft_wrap=True)
        sys.exit(1)
