"""A program that runs beside others, and what it says; used by example 14."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import threading
import time


class Part:
    """A process of its own: started, listened to, killed, ended, by its id.

    Parameters
    ----------
    name : str
        What it is called.
    host : str
        Which computer it would be on.
    command : list of str
        As typed there.
    ready : str
        Regular expression of the line that tells that it's ready.
    address : str
        Where others find it.
    environment : dict
        Beside that of this process.
    directory : pathlib.Path
        Where it works.
    tell : callable
        Gets its lines; they're in a log file, too.
    """

    def __init__(self, name, host, command, ready, address, environment, directory, tell):
        self.name, self.host, self.command, self.address = name, host, command, address
        self._ready, self._directory, self._tell = ready, directory, tell
        self._environment = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
        self._said = []  # (when, line), of all processes that it has been
        self._changed = threading.Condition()
        self._process = None
        self._reader = None
        self._before = 0

    @property
    def pid(self):
        """Of its process."""
        return self._process.pid

    @property
    def is_running(self):
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, network):
        """Start it on its host; `wait_until_ready` waits."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._before = time.monotonic()
        self._process = subprocess.Popen(
            network.command(self.host, self.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=self._directory,
            env=self._environment,
            start_new_session=True,  # Ctrl-C in the terminal is for who has started it
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self, timeout=60):
        """Wait for the line that tells it."""
        return self.wait_for(self._ready, timeout, self._before)

    def wait_for(self, pattern, timeout, since=0.0):
        """Wait for a line; return when it came, and the line.

        Raises
        ------
        SystemExit
            It doesn't come.
        """

        def found():
            for when, line in list(self._said):
                if when >= since and re.search(pattern, line):
                    return when, line
            return None

        with self._changed:
            self._changed.wait_for(lambda: found() or not self.is_running, timeout)
            said = found()
        if said is None and not self.is_running:
            self._reader.join(5)  # it has ended: its last lines may just be coming
            said = found()
        if said is None:
            last = "".join(f"\n  {line}" for _, line in self._said[-10:])
            raise SystemExit(f"{self.name}: no line with {pattern!r} in {timeout} s.{last}")
        return said

    def type(self, line):
        """Give it a line on its standard input."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def kill(self):
        """Kill it, as a crash would; return when."""
        when = time.monotonic()
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()
        return when

    def end(self, timeout):
        """Ask it to end; after some seconds kill it."""
        if not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self):
        process = self._process
        logs = pathlib.Path(self._directory, f"{self.name}.log")
        with logs.open("a") as log, contextlib.suppress(ValueError):
            for line in process.stdout:
                text = line.rstrip()
                log.write(line)
                log.flush()
                self._tell(self.name, text)
                with self._changed:
                    self._said.append((time.monotonic(), text))
                    self._changed.notify_all()
        process.wait()
        with self._changed:
            self._changed.notify_all()
