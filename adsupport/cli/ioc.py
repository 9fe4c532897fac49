"""``adsupport ioc``: run a simulated IOC in this terminal."""

from __future__ import annotations

import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from adsupport.adcore import KNOWN_RELEASES, Release
from adsupport.cli.extras import require
from adsupport.launch import DEFAULT_PREFIXES, boot_file
from adsupport.loopback import is_free

__all__ = ["run"]

#: What a pvAccess server takes unless told otherwise, and where it's told.
_PVA_PORT = 5075
_PVA_VARIABLES = ("EPICS_PVAS_SERVER_PORT", "EPICS_PVA_SERVER_PORT")


class Name(StrEnum):
    """The IOCs that come with adsupport."""

    ADSIM = "adsim"
    GP = "gp"
    IMAGING_BEAMLINE = "imaging_beamline"


def run(
    name: Annotated[
        Name | None,
        typer.Argument(
            help="adsim: an area detector. gp: motors and user calculations."
            " imaging_beamline: tube, shutter, sample stages and a camera behind them."
        ),
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Prefix of every PV.", show_default="ad:, gp: or im:")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1024,
            max=65535,
            help="Channel Access port.",
            show_default="EPICS_CA_SERVER_PORT or 5064",
        ),
    ] = None,
    list_pvs: Annotated[
        bool, typer.Option("--list-pvs", help="Print the names of its records, then exit.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Begin with a fault, such as 'disk-full HDF1 after=3'; repeatable."),
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Print the faults there are, then exit.")
    ] = False,
    autosave: Annotated[
        Path | None,
        typer.Option(help="Keep set-points in this file, and restore them at the start."),
    ] = None,
    adcore: Annotated[
        str | None,
        typer.Option(
            metavar="RELEASE",
            help="Serve the records of this release of ADCore, such as R3-4 or 2.6.",
            show_default=str(KNOWN_RELEASES[-1]),
        ),
    ] = None,
) -> None:
    """Run a simulated IOC until Ctrl-C.

    It serves 127.0.0.1 unless EPICS_CAS_INTF_ADDR_LIST names other interfaces.  Two IOCs can't
    share one port there: give each its own, and put both in the client's EPICS_CA_ADDR_LIST.
    """
    require("sim", "caproto")
    if name is None:
        if not list_faults:
            raise typer.BadParameter(f"Expected one of {', '.join(Name)}.", param_hint="'NAME'")
        name = Name.ADSIM  # every IOC knows the same faults
    prefix = DEFAULT_PREFIXES[name] if prefix is None else _checked(prefix)
    command = [sys.executable, str(boot_file(name)), f"--prefix={prefix}"]
    command += ["--list-pvs"] if list_pvs else []
    command += ["--list-faults"] if list_faults else []
    command += [f"--fault={each}" for each in fault or ()]
    command += [f"--autosave={autosave}"] if autosave else []
    if adcore is not None:
        command += [f"--adcore={_release(adcore, name)}"]
    if port is not None:
        os.environ["EPICS_CA_SERVER_PORT"] = str(port)
    if not any(map(os.environ.get, _PVA_VARIABLES)) and not is_free(_PVA_PORT):
        # any free one: it would take another anyway, but not without a line on standard error
        os.environ[_PVA_VARIABLES[0]] = "0"
    # The boot file becomes this process: signals, standard streams and exit code are its own.
    sys.stdout.flush()
    os.execv(command[0], command)


def _checked(prefix: str) -> str:
    # what the name of a record of EPICS may have; without any prefix it would be another IOC's
    if not re.fullmatch(r"[A-Za-z0-9_\-+:\[\]<>;]{1,40}", prefix):
        raise typer.BadParameter(
            f"{prefix[:50]!r} can't begin the names of PVs; expected 1 to 40 letters, digits and "
            "_-+:[]<>; such as 'ad:'.",
            param_hint="'--prefix'",
        )
    return prefix


def _release(text: str, name: Name) -> Release:
    option = "'--adcore'"
    if name is Name.GP:
        raise typer.BadParameter("gp has no area detector, so no ADCore.", param_hint=option)
    try:
        release = Release.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint=option) from None
    oldest, newest = KNOWN_RELEASES[0], KNOWN_RELEASES[-1]
    if not oldest <= release <= newest:
        raise typer.BadParameter(
            f"{release} is not known; expected {oldest} to {newest}.", param_hint=option
        )
    return release
