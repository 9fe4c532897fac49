"""``adsupport consume``: an addon as a process, with frames that come over the network."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from adsupport.cli.ended_by_sigterm import ended_by_sigterm
from adsupport.cli.extras import require
from adsupport.cli.log_level import log_level
from adsupport.cli.parameters import checked_choice
from adsupport.cli.reconstruct import CentreOption, RowsOption, centre_of, rows_of
from adsupport.errors import FrameConnectionError
from adsupport.wording import counted

if TYPE_CHECKING:
    from adsupport.imaging import DirectoryWalker
    from adsupport.imaging.remote import Consumed

__all__ = ["run"]

_OWN = {"benchmark": "Benchmarker", "gaps": "FrameGapCheck"}
_FOR_EVER = 1e6  # s
#: Options that only some addons have, by their parameters.
_ONLY = {
    "out": ("--out", ("write", "reconstruct")),
    "names": ("--names", ("write",)),
    "rows": ("--rows", ("reconstruct",)),
    "centre": ("--centre", ("reconstruct",)),
}


def run(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="Of the publisher, such as tcp://127.0.0.1:5701.")],
    addon: Annotated[
        str,
        typer.Argument(
            help="write (files), reconstruct (slices), benchmark (rates), gaps (missing frames), "
            "or MODULE:NAME, a class or function of yours that gives an addon."
        ),
    ],
    name: Annotated[str, typer.Option(help="Of this consumer, for the publisher.")] = "",
    stream: Annotated[
        list[str] | None, typer.Option(help="Only frames of this stream; repeatable.")
    ] = None,
    policy: Annotated[
        str,
        typer.Option(help="When this is too slow: block (frames wait), drop (some) or fail."),
    ] = "block",
    queue: Annotated[int, typer.Option(min=1, help="Frames that may wait here.")] = 8,
    runs: Annotated[
        int, typer.Option(min=0, help="End after so many runs; 0: go on until Ctrl-C.")
    ] = 1,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="For the publisher to answer.")
    ] = 30.0,
    out: Annotated[
        Path, typer.Option("--out", help="Of write and reconstruct: directory of the scans.")
    ] = Path("scans"),
    names: Annotated[
        str, typer.Option("--names", help="Of write: names of files; the end tells the format.")
    ] = "frame_{:>06}.tif",
    rows: RowsOption = "",
    centre: CentreOption = "auto",
    key: Annotated[
        Path | None, typer.Option(help="The file *.key_secret of this consumer.")
    ] = None,
    publisher_key: Annotated[Path | None, typer.Option(help="The publisher's file *.key.")] = None,
) -> None:
    """Give frames that a publisher sends to an addon, in this process, on any machine.

    The publisher is an addon of the experiment: FramePublisher(address, consumers=[NAME]).  It
    waits for the consumers that it names before the first frame is taken.
    """
    require("remote", "zmq")
    checked_choice("--policy", policy, ("block", "drop", "fail"))
    from adsupport.imaging.remote import CurveKeys, FrameConnection, consume

    if (key is None) != (publisher_key is None):
        raise typer.BadParameter("--key and --publisher-key go together.")
    keys = None if key is None or publisher_key is None else CurveKeys(key, publisher_key)
    checked = _addon_maker(addon, rows, centre)
    _check_used(ctx, addon)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    connection = FrameConnection(
        address,
        name=name or addon,
        streams=stream,
        policy=policy,  # type: ignore[arg-type]
        queue=queue,
        keys=keys,
    )
    done, early = 0, False
    findings = log_level(logging.INFO, "adsupport.imaging")  # what addons find is printed
    with ended_by_sigterm() as signals, findings:
        try:
            while not runs or done < runs:
                with checked(out, names) as made:
                    if not connection.is_open:
                        connection.open(wait, runs=runs or None)
                        console.print(f"{connection.name}: connected to {address}")
                    try:
                        found = consume(connection, [made])
                    except FrameConnectionError as error:
                        if runs:
                            raise
                        console.print(
                            f"{connection.name}: {error.problem} Waiting for another one."
                        )
                        connection.close()
                        wait = _FOR_EVER
                        continue
                done += 1
                console.print(f"{connection.name}: {_told(found)}")
                for reason in found.reasons:
                    early = True
                    console.print(f"{connection.name}: {reason}")
                for path in _written(made):
                    console.print(str(path))
            connection.close()
        except KeyboardInterrupt:
            connection.close()
            console.print(f"{connection.name}: interrupted after {counted(done, 'run')}")
            raise typer.Exit(128 + (signals or [signal.SIGINT])[0]) from None
        except Exception as error:
            connection.close(f"{type(error).__name__}: {error}")
            raise
    if early:
        raise typer.Exit(1)


def _check_used(ctx: typer.Context, addon: str) -> None:
    """Refuse options that the addon doesn't have: nobody would miss what they ask for."""
    for parameter, (option, users) in _ONLY.items():
        source = ctx.get_parameter_source(parameter)
        if addon not in users and source is not None and source.name != "DEFAULT":
            raise typer.BadParameter(
                f"{addon} takes no such option; only {' and '.join(users)} "
                f"{'does' if len(users) == 1 else 'do'}.",
                param_hint=option,
            )


def _addon_maker(
    kind: str, rows: str, centre: str
) -> Callable[[Path, str], AbstractContextManager[Any]]:
    """Find what makes the addon of a run, before anything is connected."""
    from adsupport.imaging import addons

    if kind == "write":
        return _image_writer
    if kind == "reconstruct":
        require("recon", "numba")
        return partial(_reconstruction, rows=rows_of(rows), centre=centre_of(centre))
    if kind in _OWN:
        made = getattr(addons, _OWN[kind])
        return lambda out, names: contextlib.nullcontext(made())
    module, colon, name = kind.partition(":")
    if not (module and colon and name):
        known = ", ".join(("write", "reconstruct", *_OWN))
        raise typer.BadParameter(
            f"{kind!r}: expected one of {known}, or MODULE:NAME.", param_hint="ADDON"
        )
    with _from_here():
        try:
            own = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise typer.BadParameter(f"{kind!r}: {error}.", param_hint="ADDON") from error
    return lambda out, names: contextlib.nullcontext(own())


@contextlib.contextmanager
def _image_writer(out: Path, names: str) -> Iterator[Any]:
    """Write each run into a scan directory of its own."""
    from adsupport.imaging import DirectoryWalker
    from adsupport.imaging.addons import ImageWriter

    walker = DirectoryWalker(out, names)
    with _scan_unless_empty(walker):
        yield ImageWriter(walker)


@contextlib.contextmanager
def _reconstruction(out: Path, names: str, rows: Any, centre: Any) -> Iterator[Any]:
    """Reconstruct each run into a scan directory of its own."""
    from adsupport.imaging import DirectoryWalker
    from adsupport.imaging.addons import OnlineReconstruction

    walker = DirectoryWalker(out, names)
    with _scan_unless_empty(walker):
        yield OnlineReconstruction(rows, centre=centre, walker=walker)


@contextlib.contextmanager
def _scan_unless_empty(walker: DirectoryWalker) -> Iterator[None]:
    """Claim a scan directory; give it back when no run came."""
    with walker.scan() as directory:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it has files
                directory.rmdir()


@contextlib.contextmanager
def _from_here() -> Iterator[None]:
    """Find modules of the current directory, too, as ``python -m`` does."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(here)


def _written(made: Any) -> tuple[Path, ...]:
    """Tell where an addon has written: its files, or the directory of many images."""
    from adsupport.imaging.addons import ImageWriter

    if isinstance(made, ImageWriter):
        directory = made.walker.current
        return (directory,) if any(directory.iterdir()) else ()
    return tuple(getattr(made, "written", ()))


def _told(found: Consumed) -> str:
    text = f"{counted(found.frames)} in {counted(found.runs, 'run')}"
    if found.dropped:
        text += f", {found.dropped} dropped"
    if found.refused:
        text += f", {found.refused} not taken"
    return text
