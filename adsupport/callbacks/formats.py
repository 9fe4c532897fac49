"""The file formats by name: one table, from which each writer is imported when it's wanted.

Importing the table alone costs nothing: the command's help names what is in it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .writer import RunWriter

__all__ = ["FORMATS", "Format", "format_names", "make_writer", "own_options"]


@dataclass(frozen=True)
class Format:
    """A file format.

    Parameters
    ----------
    module : str
        Below :mod:`adsupport.callbacks`.
    writer : str
        Name of the writer's class there.
    options : tuple of str
        Those of :func:`make_writer`'s options that not all writers have.
    one_file : bool
        Whether all runs go to one file, instead of each having its own.
    own : tuple of str
        The writer's own options that can be given as text.
    """

    module: str
    writer: str
    options: tuple[str, ...] = ()
    one_file: bool = False
    own: tuple[str, ...] = ()

    def load(self) -> type[RunWriter]:
        """Import the writer.

        Returns
        -------
        type
            Its class.
        """
        return getattr(importlib.import_module(f".{self.module}", __package__), self.writer)


_IMAGES = ("images", "image_timeout")
_NEXUS = (
    "instrument_name", "nexus_release", "nxdata_signal", "title", "template_key",
    "on_missing_images", "compat",
)  # fmt: skip
_TOMO = (
    "detector", "theta", "projections", "flats", "darks", "frame_type", "unique_id", "missing",
)  # fmt: skip

#: All formats, by the name that a user gives.
FORMATS: dict[str, Format] = {
    "nexus": Format("nexus", "NXWriter", _IMAGES, own=_NEXUS),
    "nexus-aps": Format("nexus", "NXWriterAPS", _IMAGES, own=_NEXUS),
    "spec": Format("spec", "SpecWriterCallback", one_file=True),
    "csv": Format("csv", "CSVWriter", own=("arrays",)),
    "json": Format("json", "JSONWriter", own=("arrays",)),
    "jsonl": Format("json", "JSONLinesWriter"),
    "hdf5": Format("hdf5", "HDF5Writer", _IMAGES),
    "tiff": Format("tiff", "TIFFWriter", ("image_timeout",), own=("layout",)),
    "dx": Format("dataexchange", "DataExchangeWriter", _IMAGES, own=_TOMO),
    "nxtomo": Format("nxtomo", "NXtomoWriter", _IMAGES, own=_TOMO),
}


def format_names(texts: Iterable[str]) -> list[str]:
    """Read names of formats.

    Parameters
    ----------
    texts : iterable of str
        Names, also several in one text with commas between.

    Returns
    -------
    list of str
        Each once, in their order.

    Raises
    ------
    ConfigurationError
        There is none, or one isn't known.
    """
    names = [name.strip().lower() for text in texts for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        problem = f"{', '.join(unknown)} isn't a file format" if unknown else "No file format"
        raise ConfigurationError(problem, remedy=f"expected some of {', '.join(FORMATS)}.")
    return list(dict.fromkeys(names))


def own_options(names: Iterable[str], given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Tell which format an option is for.

    Parameters
    ----------
    names : iterable of str
        Keys of :data:`FORMATS`.
    given : mapping of str to str
        Options and their values.

    Returns
    -------
    dict of str to dict
        For each of the names those that it has.

    Raises
    ------
    ConfigurationError
        None of the formats has one.
    """
    names = list(names)
    known = list(dict.fromkeys(each for name in names for each in FORMATS[name].own))
    for option in given:
        if option not in known:
            raise ConfigurationError(
                f"{', '.join(names)}: no option {option!r}",
                remedy=f"expected some of {', '.join(known)}." if known else "There are none.",
            )
    return {
        name: {key: text for key, text in given.items() if key in FORMATS[name].own}
        for name in names
    }


def make_writer(
    name: str,
    directory: str | os.PathLike[str],
    *,
    file_name: str | None = None,
    exists: str = "refuse",
    images: str | None = None,
    image_timeout: float | None = None,
    strict: bool = True,
    path_map: Any = None,
    own: Mapping[str, str] | None = None,
) -> RunWriter:
    """Make the writer of a format.

    Parameters
    ----------
    name : str
        A key of :data:`FORMATS`.
    directory : str or path
        Where its files go.
    file_name : str, optional
        Template of their names, with or without extension; of a format with one file for all
        runs the whole name, or a template of it: runs whose names are alike share a file.
    exists : str
        What to do with files that exist: ``"refuse"``, ``"bump"`` or ``"replace"``.  SPEC files
        are appended to in any case.
    images : str, optional
        ``"link"``, ``"copy"`` or ``"repack"``, for the formats that know this.
    image_timeout : float, optional
        How long to wait for the files of images, in seconds, for the formats that read them.
    strict, path_map
        See :class:`~adsupport.callbacks.writer.RunWriter`.
    own : mapping of str to str, optional
        Of the format's own options, see :attr:`Format.own`.

    Returns
    -------
    RunWriter
        The writer.

    Raises
    ------
    ConfigurationError
        There is no such format, or it has no such option, or the option can't be used.
    OutputNameError
        The name leads out of the directory.
    ImportError
        A package that the format needs isn't installed.
    """
    from .output import inside

    (name,) = format_names([name])
    found = FORMATS[name]
    cls: Any = found.load()
    options: dict[str, Any] = {"strict": strict, "path_map": path_map}
    for option, value in (("images", images), ("image_timeout", image_timeout)):
        if option in found.options and value is not None:
            options[option] = value
    options |= own_options([name], own or {})[name]
    if found.one_file:
        path = Path(directory, file_name or cls.make_default_filename())
        inside(directory, path.name if file_name is None else file_name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path, **options)
    ending = f".{cls.file_extension}"
    if file_name and not file_name.endswith(ending):
        file_name += ending  # some writers take a name as it is
    return cls(file_path=directory, file_name=file_name, exists=exists, **options)
