"""``adsupport reconstruct``: slices of a finished tomography."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from adsupport.cli.catalog_sources import quiet
from adsupport.cli.extras import require
from adsupport.cli.parameters import checked_choice, naming
from adsupport.cli.run_selection import (
    CatalogOption,
    FileOption,
    MapOption,
    PackOption,
    RunSelection,
    TiledOption,
    mapping_of,
)
from adsupport.errors import ConfigurationError
from adsupport.wording import counted

if TYPE_CHECKING:
    from adsupport.imaging.addons import Tomogram

__all__ = ["CentreOption", "RowsOption", "centre_of", "rows_of", "run"]

_ORDER = ("darks", "flats", "primary")
_ROWS = re.compile(r"(\d*):(\d*)(?::(\d+))?")
_SLICE = re.compile(r"slice_(\d+)\.tif")
#: More rows no detector has.
_MOST = 1_000_000

#: Where the axis is from, in words.
_FOUND = {
    "given": "given",
    "pair": "found from two projections half a turn apart",
    "slices": "found from the slices",
    "middle": "not found: the middle",
}

RowsOption = Annotated[
    str,
    typer.Option(
        metavar="ROWS",
        help="Of the detector, a slice each: 256, 100,200,300 or 100:400:10; ':' is all.",
        show_default="the middle one",
    ),
]
CentreOption = Annotated[
    str,
    typer.Option(
        "--centre",
        "--center",
        metavar="PIXELS",
        help="The rotation axis' column on the detector, or auto.",
    ),
]


def run(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN",
            help="A Data Exchange file, or a directory of TIFF files in darks, flats and radios; "
            "with --catalog, --tiled, --file or --pack a run: uid, scan_id, -1.",
        ),
    ],
    rows: RowsOption = "",
    centre: CentreOption = "auto",
    filter: Annotated[
        str, typer.Option(help="ramp, shepp-logan, cosine, hamming or hann.")
    ] = "ramp",
    pixel_size: Annotated[
        float | None,
        typer.Option(metavar="UM", min=0, help="Of the sample, in um: slices are in 1/mm then."),
    ] = None,
    flat_scale: Annotated[
        float | None,
        typer.Option(
            metavar="RATIO",
            min=0,
            help="Exposure of projections over that of flats, where the run doesn't tell it.",
        ),
    ] = None,
    angle: Annotated[
        float | None,
        typer.Option(metavar="DEGREES", help="That all projections cover, when none has its own."),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="local|ADDRESS",
            help="Spread the slices of a Data Exchange file over processes here, or over the dask "
            "cluster at an address, such as tcp://10.0.0.1:8786.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Directory of the new files.")] = Path(
        "slices"
    ),
    to: Annotated[str, typer.Option(help="hdf5 (NXtomoproc), tiff, or both: hdf5,tiff.")] = "hdf5",
    catalog: CatalogOption = None,
    tiled: TiledOption = None,
    file: FileOption = None,
    pack: PackOption = None,
    path_map: MapOption = None,
) -> None:
    """Compute slices by filtered back-projection: the same as online.

    Files are tomogram.h5 and slice_000256.tif by the rows; none is replaced.
    """
    require("recon", "numba")
    from adsupport.devices.frames.report import id_list
    from adsupport.imaging.asked.arguments import positive
    from adsupport.imaging.reconstruction import FILTERS
    from adsupport.imaging.storage.named_images import check_formats, check_free
    from adsupport.imaging.storage.tomogram_files import tomogram_files, write_tomogram

    checked_choice("--filter", filter, FILTERS)
    chosen = rows_of(rows)
    axis = centre_of(centre)
    with naming("--to", ConfigurationError):
        formats = check_formats(to.split(","))
    if pixel_size is not None:
        with naming("--pixel-size", ConfigurationError):
            positive("pixel_size", pixel_size, "µm")
    if flat_scale is not None:
        with naming("--flat-scale", ConfigurationError):
            positive("flat_scale", flat_scale)
    check_free(tomogram_files(out, _named_already(out, chosen), formats))
    stored = [catalog, tiled, file, pack] != [None] * 4
    began = time.monotonic()
    options = {
        "centre": axis,
        "filter": filter,
        "pixel_size": pixel_size,
        "flat_scale": flat_scale,
    }
    if workers is not None:
        if stored:
            raise typer.BadParameter(
                "Only Data Exchange files are spread over workers: make one first, by adsupport "
                "export --to dx.",
                param_hint="--workers",
            )
        found = _spread(source, chosen, angle, workers, options)
    else:
        if stored:
            selection = RunSelection([source], catalog, tiled, file, pack, None, None, False, ())
            acquisitions = _of_run(selection, mapping_of(path_map))
        else:
            acquisitions = _of_files(source)
        found = _played(acquisitions, chosen, angle, options)
    out.mkdir(parents=True, exist_ok=True)
    files = write_tomogram(out, found, formats)
    console = Console(stderr=True, highlight=False)
    if found.reason:
        console.print(found.reason, soft_wrap=True)
    if found.facts.get("angles_shifted"):
        console.print("nobody knows which: angles behind them are wrong", soft_wrap=True)
    if found.missing:
        console.print(
            f"neighbours stand in for projections {id_list(found.missing)}, counted from 0",
            soft_wrap=True,
        )
    for reason, number in found.left_out.items():
        console.print(f"{counted(number)} left out: {reason}", soft_wrap=True)
    starved = found.facts.get("replaced_pixels")
    if starved:
        console.print(f"{starved} pixels without light replaced from neighbours", soft_wrap=True)
    console.print(
        f"{counted(len(found.rows), 'slice')} of {counted(len(found.angles), 'projection')}, axis "
        f"at column {found.centres[0]:.2f} ({_FOUND[found.facts['centre_from']]}), "
        f"{time.monotonic() - began:.1f} s",
        soft_wrap=True,
    )
    for path in files:
        typer.echo(str(path))


def rows_of(text: str) -> list[int] | slice | None:
    """Read the rows of a command line.

    Parameters
    ----------
    text : str
        Such as ``256``, ``100,200`` or ``100:400:10``; empty for the one in the middle.

    Returns
    -------
    list of int, slice or None
        As `OnlineReconstruction` takes them.

    Raises
    ------
    typer.BadParameter
        It isn't understood.
    """
    if not text:
        return None
    matched = _ROWS.fullmatch(text)
    if matched and matched[3] != "0":
        return slice(*(int(each) if each else None for each in matched.groups()))
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected rows, such as 256, 100,200,300 or 100:400:10.",
            param_hint="--rows",
        ) from None


def centre_of(text: str) -> float | Literal["auto"]:
    """Read the axis of a command line.

    Parameters
    ----------
    text : str
        Pixels, or ``auto``.

    Returns
    -------
    float or "auto"
        As `OnlineReconstruction` takes it.

    Raises
    ------
    typer.BadParameter
        It isn't understood.
    """
    try:
        return "auto" if text == "auto" else float(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: expected pixels, or auto.", param_hint="--centre"
        ) from None


def _named_already(out: Path, rows: list[int] | slice | None) -> list[int]:
    """Tell which rows have files, as far as the rows are known before the detector is."""
    if rows is None:
        return []
    wanted = range(*rows.indices(_MOST)) if isinstance(rows, slice) else rows
    return [row for row in _rows_of_files(out) if row in wanted]


def _rows_of_files(out: Path) -> list[int]:
    found = (_SLICE.fullmatch(path.name) for path in out.glob("slice_*.tif"))
    return sorted(int(each[1]) for each in found if each)


def _of_files(source: str) -> list[Any]:
    from adsupport.imaging.frames import dx_acquisitions, tiff_acquisitions

    return tiff_acquisitions(source) if Path(source).is_dir() else dx_acquisitions(source)


def _of_run(selection: RunSelection, path_map: Any) -> list[Any]:
    from adsupport.imaging.frames import run_acquisitions

    found, where = selection.find(path_map)
    if len(found) != 1:
        raise typer.BadParameter(f"{len(found)} runs are meant; expected one.", param_hint="RUN")
    return run_acquisitions(found[0], path_map=where)


def _played(
    acquisitions: list[Any], rows: Any, angle: float | None, options: dict[str, Any]
) -> Tomogram:
    from adsupport.imaging.addons import OnlineReconstruction
    from adsupport.imaging.frames import play

    # however it was taken: stored darks and flats can come first
    ordered = [each for name in _ORDER for each in acquisitions if each.about.stream == name]
    addon = OnlineReconstruction(rows, angles=_equal_angles(ordered, angle), **options)
    with quiet("adsupport.imaging"):
        source: Any = play(ordered, [addon], missing="log").source
    if source.failed:  # what was lost is left out; what can't be read is an error
        raise source.failed[0]
    if addon.result is None:
        raise ConfigurationError(
            "There are no projections: no stream 'primary'.",
            remedy="Give a tomography, or name the streams by OnlineReconstruction in Python.",
        )
    return addon.result


def _equal_angles(acquisitions: list[Any], angle: float | None) -> Any:
    """Space the angles of all projections that should be there; None when that isn't asked for."""
    from adsupport.imaging import equal_angles

    number = sum(
        each.about.expected or 0 for each in acquisitions if each.about.stream == "primary"
    )
    return equal_angles(number, angle) if angle is not None and number else None


def _spread(
    source: str, rows: Any, angle: float | None, workers: str, options: dict[str, Any]
) -> Tomogram:
    require("distributed", "distributed")
    from adsupport.imaging.frames import dx_acquisitions
    from adsupport.imaging.stored_tomogram import reconstruct_dx

    if angle is not None:
        options["angles"] = _equal_angles(dx_acquisitions(source), angle)
    if workers == "local":
        return reconstruct_dx(source, rows, client="local", **options)
    import distributed

    try:
        client = distributed.Client(workers, timeout=10)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(
            f"No dask scheduler answers at {workers!r}: {error}", param_hint="--workers"
        ) from error
    with client:
        return reconstruct_dx(source, rows, client=client, **options)
