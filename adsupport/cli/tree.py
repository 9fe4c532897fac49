"""``adsupport tree``: what is in an HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adsupport.file_tree import tree_lines

__all__ = ["run"]


def run(
    file: Annotated[Path, typer.Argument(help="An HDF5 file.", exists=True, dir_okay=False)],
) -> None:
    """Print the tree of an HDF5 file: groups, datasets, attributes, links, some values."""
    for line in tree_lines(file):
        typer.echo(line)
