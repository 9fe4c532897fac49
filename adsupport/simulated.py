"""Bring up simulated hardware for one process: what ``--demo`` of an example does."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

from adsupport.launch import DEFAULT_PREFIXES, IOCError, IOCProcess, client_environment

__all__ = ["simulated_hardware", "simulated_mounts"]

_running: dict[str, IOCProcess] = {}


def simulated_hardware(*names: str) -> list[IOCProcess]:
    """Start simulated IOCs for this process alone: on loopback, private ports, default prefixes.

    The environment is set so that Channel Access finds them, and they end when this process
    does, on every way out.  Call it before ophyd is imported.  Those that this process has
    started this way before are not started again.

    Parameters
    ----------
    *names : str
        ``"adsim"``, ``"gp"``, ``"imaging_beamline"``.

    Returns
    -------
    list of IOCProcess
        In the order of the names.

    Raises
    ------
    IOCError
        When epics is imported already, or an IOC does not start.
    """
    missing = [name for name in names if name not in _running]
    if missing and "epics" in sys.modules:
        raise IOCError(
            f"simulated_hardware{names} came too late: epics has been imported and has read its"
            " environment. Expected the call before the first import of ophyd, epics or"
            " adsupport.devices: move it up."
        )
    for name in missing:
        _running[name] = IOCProcess(name, DEFAULT_PREFIXES[name])
    iocs = _running.values()
    pva_ports = [ioc.pva_port for ioc in iocs]
    os.environ.update(client_environment(*(ioc.port for ioc in iocs), pva_ports=pva_ports))
    with contextlib.suppress(ImportError):  # a libca that needs no caRepeater program
        import epicscorelibs.path.pyepics  # noqa: F401
    if threading.current_thread() is threading.main_thread():
        # A plain SIGTERM would end Python without running what atexit holds.
        signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    for name in missing:
        atexit.register(_running[name].stop)
        _running[name].start()
    return [_running[name] for name in names]


def simulated_mounts(directory: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Return one directory under two names, as an IOC and a workstation see a file server.

    Parameters
    ----------
    directory : str or path
        Where to make them; ``~`` and relative paths are understood.

    Returns
    -------
    tuple of Path
        The IOC's name (``<directory>/ioc``, where the files really are) and the workstation's
        (``<directory>/workstation``, a symbolic link to it).
    """
    directory = Path(directory).expanduser().resolve()
    ioc, workstation = directory / "ioc", directory / "workstation"
    ioc.mkdir(parents=True, exist_ok=True)
    if not workstation.is_symlink():
        workstation.symlink_to(ioc.name, target_is_directory=True)
    return ioc, workstation
