"""Start, watch and stop simulated IOCs, each one a process of its own.

Cheap to import, and without Channel Access: what it sets in the environment is read when epics is
imported.  The simulator is reached as a program (the boot files of ``iocs/``), never by import.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from adsupport.errors import ConfigurationError, IOCError
from adsupport.ioc_faults import Conversation, RunningFault
from adsupport.loopback import client_environment, free_port, server_environment
from adsupport.shipped_files import boot_file, example_file

if TYPE_CHECKING:
    from adsupport.adcore import Release

__all__ = [
    "DEFAULT_PREFIXES",
    "IOCError",
    "IOCProcess",
    "RunningFault",
    "boot_file",
    "client_environment",
    "example_file",
    "free_port",
]

#: The IOCs that come with adsupport, and the prefix that each has unless told otherwise.
DEFAULT_PREFIXES = {"adsim": "ad:", "gp": "gp:", "imaging_beamline": "im:"}


class IOCProcess:
    """A simulated IOC as a child process, from its ready line to its clean end.

    The child has its own session, so a Ctrl-C in the terminal reaches the parent alone, which
    then stops its IOCs in order; and it ends by itself when the parent dies, because it watches
    its standard input.

    Parameters
    ----------
    boot : str or path
        ``"adsim"``, ``"gp"``, ``"imaging_beamline"`` or the path of a boot file.
    prefix : str
        Prefix of every PV, such as ``"ad:"``.
    port : int, optional
        Channel Access port; default: a free one.
    args : sequence of str
        More arguments of the boot file.
    cwd : str or path, optional
        Working directory of the IOC; default: this process's.
    autosave : str or path, optional
        File in which the IOC keeps its set-points over restarts; default: nowhere.
    pva_port : int, optional
        pvAccess port; default: a free one.
    adcore : Release or str, optional
        Release of ADCore whose records it serves, such as ``"R3-4"``; default: the newest that
        is known. For boot files that take ``--adcore``.

    Raises
    ------
    FileNotFoundError
        There is no such boot file.
    IOCError
        No port is free.
    ConfigurationError
        ``adcore`` is no release of ADCore.

    Examples
    --------
    >>> with IOCProcess("adsim", "ad:") as ioc:      # doctest: +SKIP
    ...     os.environ.update(client_environment(ioc.port))
    ...     with ioc.fault("disk-full", "HDF1", after=3):
    ...         ...
    """

    def __init__(
        self,
        boot: str | os.PathLike[str],
        prefix: str,
        port: int | None = None,
        args: Sequence[str] = (),
        cwd: str | os.PathLike[str] | None = None,
        autosave: str | os.PathLike[str] | None = None,
        pva_port: int | None = None,
        adcore: Release | str | None = None,
    ) -> None:
        self.boot = boot_file(boot)
        self.prefix = prefix
        self.port = free_port() if port is None else port
        #: Where it serves pvAccess, TCP and search alike, when it has a pvAccess plugin.
        self.pva_port = free_port() if pva_port is None else pva_port
        self.args = tuple(args)
        self.cwd = cwd
        #: The release of ADCore that was asked for.
        self.adcore = None if adcore is None else _release(adcore)
        self.autosave = None if autosave is None else Path(autosave).absolute()
        #: The line with which the IOC said that clients can connect.
        self.ready_line = ""
        self._process: subprocess.Popen[str] | None = None
        self._errors: deque[str] = deque(maxlen=40)
        self._threads: list[threading.Thread] = []
        self._conversation: Conversation | None = None

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

    @property
    def exit_code(self) -> int | None:
        """What the process ended with, minus the number of a signal; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self, timeout: float = 60.0) -> IOCProcess:
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
        assert process.stdin is not None  # noqa: S101  narrowing: it is a pipe
        conversation = Conversation(f"{self.boot.stem} {self.prefix}", process.stdin)
        self._conversation = conversation
        ready = threading.Event()

        def ended() -> None:
            ready.set()
            conversation.close()

        self._threads = [
            _drain(process.stdout, lambda line: self._on_output(line, ready), ended),
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
        autosave = [] if self.autosave is None else ["--autosave", str(self.autosave)]
        adcore = [] if self.adcore is None else ["--adcore", str(self.adcore)]
        options = ["--prefix", self.prefix, "--watch-stdin", *autosave, *adcore, *self.args]
        return [sys.executable, boot, *options]

    def fault(self, name: str, target: str | None = None, **parameters: Any) -> RunningFault:
        """Let something go wrong in the running IOC; see the guide on faults for what there is.

        Parameters
        ----------
        name : str
            The fault, such as ``"disk-full"``.
        target : str, optional
            What it is about: a port such as ``"HDF1"``, or a pattern of PVs such as
            ``"cam1:*_RBV"``.
        **parameters
            Those of the fault, such as ``after=3``.

        Returns
        -------
        RunningFault
            It lasts until its ``end()``, the end of a ``with`` block, or that of the IOC.

        Raises
        ------
        FaultError
            There is no such fault, target or parameter; the message names those that there are.
        IOCError
            The IOC is not running.
        """
        words = [name, target or "", *(f"{key}={value}" for key, value in parameters.items())]
        reply = self._talk().ask(begin=name, target=target, parameters=parameters)
        return RunningFault(self._talk(), reply["fault"], " ".join(filter(None, words)))

    def faults_end(self) -> None:
        """End all faults that the IOC has, those of its command line too.

        Raises
        ------
        IOCError
            The IOC is not running.
        """
        conversation = self._talk()
        conversation.faults.clear()
        conversation.ask(end="all")

    @property
    def has_faults(self) -> bool:
        """Whether a fault was begun that has not been ended since."""
        return self.running and self._conversation is not None and bool(self._conversation.faults)

    def _talk(self) -> Conversation:
        if self._conversation is None or not self.running:
            raise IOCError(f"The IOC {self.boot.stem} {self.prefix} is not running: start() it.")
        return self._conversation

    def kill(self) -> None:
        """Kill the IOC (SIGKILL), as a power cut does; :meth:`restart` starts it again.

        Raises
        ------
        IOCError
            The IOC is not running.
        """
        if self._process is None:
            raise IOCError(f"The IOC {self.boot.stem} {self.prefix} is not running: start() it.")
        self._process.kill()
        self._process.wait()

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
        # under nohup or in a shell's background SIGINT is ignored, also by what is started there
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                break
            if signum == signal.SIGINT and ignored:
                continue
            process.send_signal(signum)
            try:
                process.wait(None if signum == signal.SIGKILL else timeout)
            except subprocess.TimeoutExpired:
                continue
        for thread in self._threads:
            thread.join(timeout=2)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                # what the IOC has not read any more is of no use
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def restart(self, timeout: float = 60.0) -> IOCProcess:
        """Stop the IOC and start it again on the same port; its records are as new.

        Set-points are as they were when it has an autosave file. Faults are over, but for those
        of its command line.

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
        environment = dict(os.environ) | server_environment(self.port, self.pva_port)
        root = Path(__file__).resolve().parent.parent
        if self.boot.resolve().is_relative_to(root / "iocs"):  # a checkout, maybe not installed
            paths = [str(root), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return environment

    def _on_output(self, line: str, ready: threading.Event) -> None:
        if ready.is_set() and self._conversation is not None:
            self._conversation.hear(line)
        elif line.startswith("IOC ready:"):
            self.ready_line = line.strip()
            ready.set()

    def _start_error(self, timeout: float, ended: bool) -> IOCError:
        what = f"printed no ready line within {timeout:g} s"
        if ended:  # its standard output did, so the exit code and the rest of stderr follow
            for thread in self._threads:
                thread.join(timeout=2)
            what = f"ended (exit code {self._await_exit_code()}) before it was ready"
        tail = "".join(self._errors).strip() or "(nothing)"
        return IOCError(
            f"The IOC {self.boot} with prefix {self.prefix!r} on 127.0.0.1:{self.port} {what}."
            f" Expected 'IOC ready: ...' on its standard output. Its standard error ends:\n{tail}"
        )

    def _await_exit_code(self) -> int | None:
        # a process closes its standard output a moment before it can be reaped
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None


def _release(adcore: Release | str) -> Release:
    from adsupport.adcore import Release  # few ask for one

    try:
        return Release.parse(adcore) if isinstance(adcore, str) else adcore
    except ValueError as error:
        raise ConfigurationError(f"adcore={adcore!r}: {error}.") from None


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
