"""``adsupport demo``: the main job, from detector to picture, on simulated hardware."""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adsupport.cli.extras import require
from adsupport.launch import IOCProcess, example_file
from adsupport.simulated import simulated_hardware

__all__ = ["run"]


def run(
    out: Annotated[
        Path, typer.Option("--out", help="Directory of the data; made when it is missing.")
    ] = Path("demo-data"),
) -> None:
    """Show the main job on simulated hardware: three IOCs, real Channel Access, real HDF5 files.

    It runs the examples one after the other: an area detector that writes HDF5 files with names
    of the user's choice, a scan of random numbers against a motor, NeXus files of a scan, the
    export of a run in every format, and a small tomogram that is reconstructed while the sample
    turns.  Every process that it starts ends with it.
    """
    require("demo", "caproto", "databroker", "matplotlib", "numba")
    console = Console()
    started = time.monotonic()
    out = out.resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(
            f"{out} can't be made ({error.strerror}). Choose a directory that you may write to.",
            param_hint="--out",
        ) from error
    hardware = simulated_hardware("adsim", "gp", "imaging_beamline")
    for ioc in hardware:
        console.print(f"{ioc.ready_line} (process {ioc.pid})", highlight=False)

    from bluesky.utils import RunEngineInterrupted

    try:
        _run_examples(console, str(out))
    except (KeyboardInterrupt, RunEngineInterrupted):
        _end(console, hardware)
    console.rule(f"Done in {time.monotonic() - started:.0f} s")
    console.print("Everything is in", str(out), soft_wrap=True, highlight=False)


def _run_examples(console: Console, out: str) -> None:
    console.rule("Area detector with custom HDF5 file name")
    # slower than the example alone, so that there is progress to see
    times = ("--acquire-time", "0.2", "--acquire-period", "0.25")
    _run_example("01_custom_file_name", "--demo", "--out", out, *times)
    console.rule("Scan of random numbers")
    _run_example("02_scan_random_numbers", "--demo", "--out", out)
    console.rule("NeXus files")
    _run_example("03_nexus_writer", "--demo", "--out", out)
    console.rule("Export")
    _run_example("04_export", "--demo", "--out", out)
    console.rule("Online reconstruction")
    small = ("--binning", "4", "--projections", "100", "--period", "0.08")
    _run_example("12_online_reconstruction", "--demo", "--out", out, *small)


def _end(console: Console, hardware: list[IOCProcess]) -> None:
    """End after Ctrl-C, at once.

    A plan that is on its way keeps its threads and channels: a regular exit, which waits for
    these, may take long or fail.
    """
    for ioc in hardware:
        ioc.stop()
    console.print("\nInterrupted; all processes have ended.")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT)


def _run_example(name: str, *arguments: str) -> None:
    path = str(example_file(name))
    typed, sys.argv = sys.argv, [path, *arguments]
    sys.path.insert(0, os.path.dirname(path))  # as of a program: examples share a module
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        sys.argv = typed
        sys.path.remove(os.path.dirname(path))
