"""``adsupport tree``: what is in an HDF5 file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adsupport.errors import AdsupportError

__all__ = ["FileReadError", "run"]


class FileReadError(AdsupportError, OSError):
    """A file can't be read as HDF5."""


def run(
    file: Annotated[Path, typer.Argument(help="An HDF5 file.", exists=True, dir_okay=False)],
) -> None:
    """Print the tree of an HDF5 file: groups, datasets, attributes, links, some values."""
    from adsupport.file_tree import tree_lines

    try:
        for line in tree_lines(file):
            typer.echo(line)
    except BrokenPipeError:  # the reader has seen enough: nothing is wrong with the file
        raise
    except OSError as error:
        raise FileReadError(
            f"{file} can't be read as HDF5. Expected an HDF5 file that is complete and closed;"
            f" the HDF5 library says: {error}"
        ) from error
