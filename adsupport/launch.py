"""Start, watch and stop simulated IOCs, each one a process of its own.

Cheap to import, and without Channel Access: what it sets in the environment is read when epics is
imported.  The simulator is reached as a program (the boot files of ``iocs/``), never by import.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from adsupport.errors import IOCError

__all__ = [
    "DEFAULT_PREFIXES",
    "IOCError",
    "IOCProcess",
    "boot_file",
    "client_environment",
    "example_file",
    "free_port",
]

#: The IOCs that come with adsupport, and the prefix that each has unless told otherwise.
DEFAULT_PREFIXES = {"adsim": "ad:", "gp": "gp:"}

#: Largest array that a client asks for, bytes: a 2048 x 2048 float64 image and its header.
MAX_ARRAY_BYTES = 40_000_000

# Below the usual ephemeral ranges, so that no outgoing connection takes the port meanwhile.
_PORTS = range(12_000, 30_000)
_given_ports: set[int] = set()


def free_port() -> int:
    """Return a port that is free on 127.0.0.1 for TCP and for UDP.

    The same port is never returned twice by one process.

    Returns
    -------
    int
        The port.

    Raises
    ------
    IOCError
        No port could be had.
    """
    for port in random.SystemRandom().sample(_PORTS, 200):
        if port not in _given_ports and _is_free(port):
            _given_ports.add(port)
            return port
    raise IOCError(
        f"No free port on 127.0.0.1 between {_PORTS.start} and {_PORTS.stop}, 200 tried."
        " Expected a port free for TCP and UDP. Stop other servers and try again."
    )


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def client_environment(*ports: int, pva_ports: Sequence[int] = ()) -> dict[str, str]:
    """Return the environment with which Channel Access clients find IOCs on loopback.

    Put it in ``os.environ`` before the first ``import epics`` (or ophyd): libca reads it once.

    Parameters
    ----------
    *ports : int
        The port of each IOC.  Two IOCs can't share one port on loopback.
    pva_ports : sequence of int
        The pvAccess port of each IOC, such as :attr:`IOCProcess.pva_port`, for clients such as
        p4p; without any, nothing is said about pvAccess.

    Returns
    -------
    dict of str to str
        Names and values of the variables.
    """
    environment = {
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_ADDR_LIST": " ".join(f"127.0.0.1:{port}" for port in ports),
        "EPICS_CA_MAX_ARRAY_BYTES": str(MAX_ARRAY_BYTES),
    }
    if pva_ports:
        environment["EPICS_PVA_AUTO_ADDR_LIST"] = "NO"
        environment["EPICS_PVA_ADDR_LIST"] = " ".join(f"127.0.0.1:{port}" for port in pva_ports)
    return environment


def boot_file(name: str | os.PathLike[str]) -> Path:
    """Return the path of a boot file.

    Parameters
    ----------
    name : str or path
        ``"adsim"`` or ``"gp"`` for the ones that come with adsupport, or a path to another.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    return _shipped_file("iocs", name, "'adsim', 'gp'")


def example_file(name: str | os.PathLike[str]) -> Path:
    """Return the path of an example that comes with adsupport.

    Parameters
    ----------
    name : str or path
        Its name, such as ``"01_custom_file_name"``, or a path to another.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    return _shipped_file("examples", name, "'01_custom_file_name', '02_scan_random_numbers'")


def _shipped_file(folder: str, name: str | os.PathLike[str], known: str) -> Path:
    package = Path(__file__).resolve().parent
    if os.fspath(name).endswith(".py"):
        candidates = [Path(name)]
    else:  # beside the package in a checkout, inside it in an installed wheel
        candidates = [place / folder / f"{name}.py" for place in (package.parent, package)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"No {str(name)!r} among the {folder}, looked for "
        + ", ".join(str(candidate) for candidate in candidates)
        + f". Expected {known} or the path of a .py file."
    )


class IOCProcess:
    """A simulated IOC as a child process, from its ready line to its clean end.

    The child has its own session, so a Ctrl-C in the terminal reaches the parent alone, which
    then stops its IOCs in order; and it ends by itself when the parent dies, because it watches
    its standard input.

    Parameters
    ----------
    boot : str or path
        ``"adsim"``, ``"gp"`` or the path of a boot file.
    prefix : str
        Prefix of every PV, such as ``"ad:"``.
    port : int, optional
        Channel Access port; default: a free one.
    args : sequence of str
        More arguments of the boot file.
    cwd : str or path, optional
        Working directory of the IOC; default: this process's.

    Examples
    --------
    >>> with IOCProcess("adsim", "ad:") as ioc:      # doctest: +SKIP
    ...     os.environ.update(client_environment(ioc.port))
    """

    def __init__(
        self,
        boot: str | os.PathLike[str],
        prefix: str,
        port: int | None = None,
        args: Sequence[str] = (),
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.boot = boot_file(boot)
        self.prefix = prefix
        self.port = free_port() if port is None else port
        #: Where it serves pvAccess, TCP and search alike, when it has a pvAccess plugin.
        self.pva_port = free_port()
        self.args = tuple(args)
        self.cwd = cwd
        #: The line with which the IOC said that clients can connect.
        self.ready_line = ""
        self._process: subprocess.Popen[str] | None = None
        self._errors: deque[str] = deque(maxlen=40)
        self._threads: list[threading.Thread] = []

    @property
    def pid(self) -> int:
        """Process id of the running IOC.

        Raises
        ------
        IOCError
            When it is not running.
        """
        if self._process is None:
            raise IOCError(f"The IOC {self.boot.stem} {self.prefix} is not running: start() it.")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 30.0) -> IOCProcess:
        """Start the IOC and return when clients can connect.

        Parameters
        ----------
        timeout : float
            How long to wait for the ready line, seconds.

        Returns
        -------
        IOCProcess
            This one.

        Raises
        ------
        IOCError
            It exits first, prints no ready line in time, or runs already.  The message ends with
            the tail of its standard error.
        """
        if self._process is not None:
            raise IOCError(f"The IOC {self.boot.stem} {self.prefix} runs already: stop() it first.")
        self._errors.clear()
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.cwd,
            env=self._environment(),
            start_new_session=True,
        )
        self._process = process
        ready = threading.Event()
        self._threads = [
            _drain(process.stdout, lambda line: self._on_output(line, ready), ready.set),
            _drain(process.stderr, self._errors.append),
        ]
        try:
            heard = ready.wait(timeout)
            if not self.ready_line:
                raise self._start_error(timeout, ended=heard)
        except BaseException:  # Ctrl-C while waiting, too: leave no process behind
            self.stop(timeout=2)
            raise
        return self

    @property
    def command(self) -> list[str]:
        """The command line of the process."""
        boot = str(self.boot.resolve())
        return [sys.executable, boot, "--prefix", self.prefix, "--watch-stdin", *self.args]

    def stop(self, timeout: float = 10.0) -> None:
        """Stop the IOC: ask (SIGINT), insist (SIGTERM), then kill.  No-op when it isn't running.

        Parameters
        ----------
        timeout : float
            How long to wait after each of the first two signals, seconds.
        """
        process, self._process = self._process, None
        self.ready_line = ""
        if process is None:
            return
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                break
            process.send_signal(signum)
            try:
                process.wait(None if signum == signal.SIGKILL else timeout)
            except subprocess.TimeoutExpired:
                continue
        for thread in self._threads:
            thread.join(timeout=2)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def restart(self, timeout: float = 30.0) -> IOCProcess:
        """Stop the IOC and start it again on the same port; its records are as new.

        Clients that were connected find it again by themselves, which can take them 10 s:
        ``det.wait_for_connection(timeout=60)`` waits for that.  The plugins are unprimed then and
        the settings gone, so ``ensure_AD_plugin_primed`` and ``prepare_count`` come next.

        Parameters
        ----------
        timeout : float
            How long to wait for the ready line, seconds.

        Returns
        -------
        IOCProcess
            This one.

        Raises
        ------
        IOCError
            See :meth:`start`.
        """
        self.stop()
        return self.start(timeout)

    def __enter__(self) -> IOCProcess:
        return self if self.running else self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"pid={self._process.pid}" if self._process is not None else "stopped"
        return f"<IOCProcess {self.boot.stem} prefix={self.prefix} 127.0.0.1:{self.port} {state}>"

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        environment["EPICS_CA_SERVER_PORT"] = str(self.port)
        environment["EPICS_CAS_INTF_ADDR_LIST"] = "127.0.0.1"
        # A beacon to nobody but loopback, whatever the client side of this process talks to.
        environment["EPICS_CAS_AUTO_BEACON_ADDR_LIST"] = "NO"
        environment["EPICS_CAS_BEACON_ADDR_LIST"] = "127.0.0.1"
        environment["EPICS_PVAS_SERVER_PORT"] = str(self.pva_port)
        environment["EPICS_PVAS_BROADCAST_PORT"] = str(self.pva_port)
        environment["EPICS_PVAS_INTF_ADDR_LIST"] = "127.0.0.1"
        root = Path(__file__).resolve().parent.parent
        if self.boot.resolve().is_relative_to(root / "iocs"):  # a checkout, maybe not installed
            paths = [str(root), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return environment

    def _on_output(self, line: str, ready: threading.Event) -> None:
        if line.startswith("IOC ready:") and not ready.is_set():
            self.ready_line = line.strip()
            ready.set()

    def _start_error(self, timeout: float, ended: bool) -> IOCError:
        what = f"printed no ready line within {timeout:g} s"
        if ended:  # its standard output did, so the exit code and the rest of stderr follow
            for thread in self._threads:
                thread.join(timeout=2)
            what = f"ended (exit code {self._exit_code()}) before it was ready"
        tail = "".join(self._errors).strip() or "(nothing)"
        return IOCError(
            f"The IOC {self.boot} with prefix {self.prefix!r} on 127.0.0.1:{self.port} {what}."
            f" Expected 'IOC ready: ...' on its standard output. Its standard error ends:\n{tail}"
        )

    def _exit_code(self) -> int | None:
        # a process closes its standard output a moment before it can be reaped
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None


def _drain(
    stream: IO[str] | None,
    use: Callable[[str], None],
    at_end: Callable[[], None] | None = None,
) -> threading.Thread:
    """Read a stream to its end in a thread, so that the child never blocks on a full pipe."""

    def read() -> None:
        for line in stream or ():
            use(line)
        if at_end is not None:
            at_end()

    thread = threading.Thread(target=read, name="ioc-output", daemon=True)
    thread.start()
    return thread
