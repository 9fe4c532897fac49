"""``adsupport check``: will this area detector do for a run, and if not, what is to be changed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from adsupport.cli.chosen_parts import check_ioc, unreachable
from adsupport.cli.log_level import log_level
from adsupport.errors import ConfigurationError, ConnectionTimeoutError

if TYPE_CHECKING:
    from adsupport.devices import CheckReport, PlannedRun

__all__ = ["run"]

_DECLARATIONS = (".yaml", ".yml", ".toml")


def run(
    prefix: Annotated[
        str,
        typer.Argument(
            help="Prefix of the detector's PVs, such as ad:. Or a file that declares detectors,"
            " such as detectors.yml: each of them is checked."
        ),
    ],
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            help="Check these plugins, such as hdf1; repeatable, or with commas between. With a"
            " camera, such as cam2, the detector of that one.",
            show_default="the image, the first HDF5 writer, other writers that are enabled",
        ),
    ] = None,
    points: Annotated[int, typer.Option(min=1, help="Points of the planned run.")] = 1,
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="Frames a point.", show_default="NumImages"),
    ] = None,
    exposure: Annotated[
        float | None,
        typer.Option(min=0, help="Exposure in seconds.", show_default="AcquireTime"),
    ] = None,
    period: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds from frame to frame.", show_default="AcquirePeriod"),
    ] = None,
    compression: Annotated[
        str | None,
        typer.Option(help="Compression, such as zlib.", show_default="as it is set"),
    ] = None,
    ioc_mount: Annotated[
        str | None, typer.Option(help="A directory as the IOC sees it; with --local-mount.")
    ] = None,
    local_mount: Annotated[
        str | None, typer.Option(help="The same directory as this computer sees it.")
    ] = None,
    write_path: Annotated[
        str | None,
        typer.Option(help="Directory of the files on the IOC, with dates such as %Y/%m/%d."),
    ] = None,
    read_path: Annotated[
        str | None, typer.Option(help="The same as this computer sees it; with --write-path.")
    ] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Let the IOC write a probe of one frame, which is removed; settings are put back.",
        ),
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Longest wait for the IOC, s.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check an area detector before a run: connection, ports, paths, space, target, rates.

    Nothing on the IOC changes, unless --write is given. Exit code 0: no error. 1: errors. 2: the
    command line can't be used.
    """
    templates = _templates(ioc_mount, local_mount, write_path, read_path)
    with _one_line_when_interrupted():  # imports take a second
        with contextlib.suppress(ImportError):  # a libca that needs no caRepeater program
            import epicscorelibs.path.pyepics  # noqa: F401
        from adsupport.devices import PlannedRun

    planned = PlannedRun(points, frames, exposure, period, compression)
    keys = [key.strip() for each in plugins or () for key in each.split(",") if key.strip()]
    if _is_other_path(prefix):
        raise typer.BadParameter(
            f"{prefix} is here, and is no file that declares detectors: those end with "
            f"{', '.join(_DECLARATIONS)}. Expected such a file, or a prefix such as ad: .",
            param_hint="PREFIX",
        )
    with _one_line_when_interrupted(), log_level(logging.CRITICAL, "adsupport", "ophyd"):
        if Path(prefix).suffix in _DECLARATIONS:
            if keys or templates:
                raise typer.BadParameter(
                    "Expected neither --plugins nor directories with it: the file has them.",
                    param_hint=prefix,
                )
            reports = _declared(prefix, planned, write, timeout)
            document: object = [report.as_dict() for report in reports]
            headings = [report.title for report in reports]
        else:
            report = check_ioc(prefix, keys, templates, planned, write, timeout)
            reports = [_beside(report) if write_path else report]
            document = reports[0].as_dict()
            headings = [""]
    _end_at_once_when_interrupted()
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for heading, report in zip(headings, reports, strict=True):
            _print(report, heading)
    raise typer.Exit(0 if all(report.ok for report in reports) else 1)


@contextlib.contextmanager
def _one_line_when_interrupted() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        # a probe notes what it has put back; without one there was nothing to be put back
        notes = getattr(stop, "__notes__", None) or ["nothing on the IOC is changed"]
        typer.echo(f"adsupport: interrupted; {'; '.join(notes)}.", err=True)
        code = stop.code if isinstance(stop, SystemExit) else None
        raise typer.Exit(code if isinstance(code, int) else 128 + signal.SIGINT) from None


def _end_at_once_when_interrupted() -> None:
    """Let Ctrl-C end the process without a word: all has been done, and is only to be printed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _print(report: CheckReport, heading: str) -> None:
    console = Console(highlight=False)
    if heading:
        console.print(f"\n{heading}", style="bold", soft_wrap=True, markup=False)
    if not console.is_terminal:  # for grep and the like: a line for each finding
        typer.echo(str(report))
        return
    console.print(report.table())
    style = "green" if report.ok else "bold red"
    console.print(report.verdict, style=style, soft_wrap=True, markup=False)


def _declared(file: str, planned: PlannedRun, write: bool, timeout: float) -> list[CheckReport]:
    from adsupport.devices import check, load_detectors

    try:
        detectors = load_detectors(file, timeout=timeout).values()
    except ConfigurationError as error:
        raise typer.BadParameter(str(error), param_hint="PREFIX") from error
    except ConnectionTimeoutError as error:  # of one whose release is to be asked for
        return [unreachable(file, error)]
    if not detectors:
        raise typer.BadParameter(f"{file} declares no detector.", param_hint="PREFIX")
    return [check(each, run=planned, write=write, timeout=timeout) for each in detectors]


def _is_other_path(prefix: str) -> bool:
    """Tell whether a file or directory is meant: no prefix that ends with a colon is."""
    path = Path(prefix)
    return not prefix.endswith(":") and (
        path.is_dir() or (path.exists() and path.suffix not in _DECLARATIONS)
    )


def _beside(report: CheckReport) -> CheckReport:
    """Warn when another directory than the one that was asked about was judged.

    With mounts it's nothing to warn of: the files go somewhere below.
    """
    findings = [
        dataclasses.replace(each, severity="warning")
        if (each.topic, each.severity) == ("paths", "info")
        else each
        for each in report.findings
    ]
    return dataclasses.replace(report, findings=tuple(findings))


def _templates(
    ioc_mount: str | None, local_mount: str | None, write_path: str | None, read_path: str | None
) -> dict[str, str]:
    """Bring both ways to name directories to the writers' path templates."""
    if (ioc_mount is None) != (local_mount is None):
        raise typer.BadParameter(
            "Expected both, or none.", param_hint="--ioc-mount and --local-mount"
        )
    if read_path is not None and write_path is None:
        raise typer.BadParameter("Expected --write-path with it.", param_hint="--read-path")
    if ioc_mount is not None and write_path is not None:
        raise typer.BadParameter(
            "Expected one of both ways to name directories.",
            param_hint="--ioc-mount and --write-path",
        )
    pair = {
        "write_path_template": write_path or ioc_mount,
        "read_path_template": read_path or local_mount,
    }
    return {name: value for name, value in pair.items() if value is not None}
