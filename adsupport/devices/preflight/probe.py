"""Let the IOC write one small file, look for it here, and leave no trace."""

from __future__ import annotations

import logging
import os
import pathlib
import threading
import uuid
from typing import Any

from ...errors import AdsupportError, FileWriteError, PutError
from ...naming import FileTemplate, format_file_name, same_path
from ..arrays.prediction import received_array
from ..files.paths import path_map_of, put_file_path
from ..priming.prime import prime_now
from ..signals.putting import PUT_TIMEOUT, lost_before_put_back, put_and_confirm, same_value
from ..signals.reading import get_setpoint, pv_name, read_signals, wait_for
from ..staging import FirstError
from .directories import LocalView, look_for
from .interruption import Interruption
from .leftovers import PROBE_NAME
from .report import Finding
from .state import PartState
from .target import planned_directory

__all__ = ["probe"]

logger = logging.getLogger(__name__)

_TOPIC = "probe"
#: Longest time for the IOC to write one frame, in seconds.
_WRITE_TIMEOUT = 30.0
#: How long a file that the IOC has just written may take to show here, in seconds.
_VISIBLE_TIMEOUT = 5.0
#: How what ends a program arrives.
_INTERRUPTS = (KeyboardInterrupt, SystemExit)


def probe(writer: PartState, camera: PartState, staged: bool = False) -> list[Finding]:
    """Write the last array of a plugin to a file of its own name; remove it, restore all.

    The array is written by ``WriteFile`` in Single mode: no frame is taken, unless none has come
    since the IOC was started.  What can't be put back are the read-backs that tell of the last
    file: ``FullFileName_RBV``, ``NumCaptured_RBV``, ``WriteStatus``, ``WriteMessage``; and
    directories that the IOC made, which a run would make too.

    Parameters
    ----------
    writer : PartState
        The file writer.
    camera : PartState
        The camera.
    staged : bool
        Whether the detector is staged.

    Returns
    -------
    list of Finding
        Whether the IOC could write and the file was seen here; what could not be put back.

    Raises
    ------
    KeyboardInterrupt, SystemExit
        SIGINT, or SIGTERM or SIGHUP, came meanwhile: all is put back.  Its notes say so.
    """
    try:
        refusal = _refusal(writer, camera, staged)
        if refusal:
            return [_not_made(writer, refusal)]
        directory = planned_directory(writer)
        path_map = path_map_of(writer.device)
        before = look_for(directory, path_map)
    except AdsupportError as error:
        return [_not_made(writer, str(error))]
    if before.present is None:
        why = f"{before.local} isn't here, so the file could not be seen nor removed"
        return [_not_made(writer, why)]
    attempt = _Attempt(writer, directory)
    cleanup, restoring = FirstError(logger), FirstError(logger)
    with Interruption() as interruption:
        cleanup.run(attempt.write, interruption)
        if isinstance(cleanup.error, _INTERRUPTS):
            cleanup.run(attempt.wait_written)
        removed = cleanup.run(attempt.remove)
        restoring.run(attempt.restore)
    interrupt = cleanup.error if isinstance(cleanup.error, _INTERRUPTS) else interruption.pending()
    if interrupt is not None:
        for note in attempt.notes(removed, restoring.error):
            interrupt.add_note(note)
        raise interrupt
    for error in (cleanup.error, restoring.error):
        if error is not None and not isinstance(error, AdsupportError | TimeoutError | OSError):
            raise error
    findings = [attempt.finding(cleanup.error, before)]
    if removed is False:
        findings.append(attempt.left_behind())
    if restoring.error is not None:
        findings.append(
            Finding(
                "error",
                writer.prefix,
                f"not all settings could be put back after the probe: {restoring.error}",
                "Look at this setting, and put it by hand.",
                _TOPIC,
            )
        )
    return findings


def _refusal(writer: PartState, camera: PartState, staged: bool) -> str:
    """Say why no probe may be made now; asked anew, for time has passed."""
    if staged:
        return "the detector is staged"
    plugin = writer.device
    signals = [camera.device.acquire, plugin.capture, plugin.write_file]
    busy = read_signals(dict(enumerate(signals)))
    names = [pv_name(signal) for i, signal in enumerate(signals) if int(busy[i])]
    if not names:
        return ""
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} on, somebody is at work"


def _not_made(writer: PartState, why: str) -> Finding:
    return Finding(
        "error",
        writer.prefix,
        f"no probe was written: {why}",
        "Correct that, then check again.",
        _TOPIC,
    )


class _Attempt:
    """One probe: its settings, its file, and the way back."""

    def __init__(self, writer: PartState, directory: str) -> None:
        self.writer = writer
        self.plugin: Any = writer.device
        self.directory = directory
        self.name = f"{PROBE_NAME}{uuid.uuid4().hex}"
        ending = pathlib.PurePosixPath(str(writer.planned("file_template") or "")).suffix
        self.template = f"%s%s{ending}"
        self.full = format_file_name(FileTemplate(self.template), directory, self.name)
        self.local = pathlib.Path(path_map_of(self.plugin).to_local(self.full))
        self.size = 0
        # whether the IOC may have a file, or still make one, that isn't seen here
        self.unseen = False
        self._saved: list[tuple[Any, Any]] = []
        self._done = threading.Event()

    def write(self, interruption: Interruption) -> None:
        """Set the plugin up and let it write.

        Parameters
        ----------
        interruption : Interruption
            What may interrupt it.

        Raises
        ------
        AdsupportError
            The file wasn't written, or isn't seen here.
        """
        with interruption.allowed():
            self._write()

    def _write(self) -> None:
        plugin = self.plugin
        if received_array(plugin) is None:
            prime_now(plugin)
        depth = int(self.writer.planned("create_directory", 0) or 0)
        self._put(plugin.create_directory, depth)
        self._put(plugin.auto_save, 0)
        self._put(plugin.auto_increment, 0)  # so that FileNumber stays
        self._put(plugin.file_write_mode, "Single")
        self._put(plugin.file_template, self.template)
        self._put(plugin.file_name, self.name)
        self._saved.append((plugin.create_directory, depth))
        self._saved.append((plugin.file_path, get_setpoint(plugin.file_path)))
        put_file_path(plugin, self.directory)
        self._write_file()
        if not wait_for(self._is_here, _VISIBLE_TIMEOUT):
            raise FileWriteError(
                f"the IOC says that it wrote {self.full}, and {self.local} isn't here: the path "
                "templates pair two different directories, or the mount is another disk"
            )

    def _put(self, signal: Any, value: Any) -> None:
        before = get_setpoint(signal)
        if same_value(signal, before, value) and same_value(signal, signal.get(), value):
            return
        self._saved.append((signal, before))
        put_and_confirm(signal, value)

    def _write_file(self) -> None:
        plugin, done = self.plugin, self._done
        self.unseen = True
        plugin.write_file.put(1, use_complete=True, callback=lambda **_: done.set())
        # the answer never comes from an IOC that is gone
        wait_for(lambda: done.is_set() or not plugin.write_file.connected, _WRITE_TIMEOUT)
        if not plugin.write_file.connected:
            raise FileWriteError(f"{pv_name(plugin.write_file, True)}: the IOC was lost meanwhile")
        if not done.is_set():
            raise FileWriteError(
                f"{pv_name(plugin.write_file, True)}: one frame wasn't written within "
                f"{_WRITE_TIMEOUT:g} s"
            )
        status = plugin.write_status.get(as_string=True)
        found = plugin.full_file_name.get()
        if status != "Write OK":
            message = plugin.write_message.get()
            self.unseen = False
            raise FileWriteError(f"the IOC could not write {self.full}: {status}, {message!r}")
        if found != self.full:
            raise FileWriteError(
                f"{pv_name(plugin.full_file_name)} is {found!r}, expected {self.full!r}: somebody "
                "else changed the settings meanwhile"
            )

    def wait_written(self) -> None:
        """Wait a moment for a file that was asked for: it can be removed then."""
        if self.unseen:
            wait_for(lambda: self._done.is_set() and self._is_here(), _VISIBLE_TIMEOUT)

    def notes(self, removed: bool | None, error: BaseException | None) -> list[str]:
        """Say what was put back after an interruption.

        Parameters
        ----------
        removed : bool or None
            What :meth:`remove` said.
        error : BaseException or None
            What :meth:`restore` raised.

        Returns
        -------
        list of str
            One for the settings; one for the file unless it is gone.
        """
        prefix = self.writer.prefix
        settings = f"the settings of {prefix} are put back"
        if error is not None:
            settings = f"not all settings of {prefix} could be put back: {error}"
        if removed and not self.unseen:
            return [settings]
        return [settings, f"the probe {self.full} may be left: remove it"]

    def _is_here(self) -> bool:
        try:
            self.size = os.stat(self.local).st_size
        except OSError:
            return False
        return self.size > 0

    def remove(self) -> bool:
        """Remove the file.

        Returns
        -------
        bool
            False when it's here and can't be removed.
        """
        try:
            self.local.unlink()
            self.unseen = False
        except FileNotFoundError:
            return True
        except OSError as error:
            logger.warning("%s can't be removed: %s", self.local, error.strerror)
            return not os.path.lexists(self.local)
        return True

    def restore(self) -> None:
        """Put every setting back, from the last to the first, whatever fails on the way."""
        cleanup, plugin = FirstError(logger), self.plugin
        while self._saved:
            signal, value = self._saved.pop()
            if signal is plugin.file_path:
                # a write of FilePath makes directories, also those that were missing before
                cleanup.run(_put_back, plugin.create_directory, 0)
            cleanup.run(_put_back, signal, value)
        cleanup.raise_first()

    def finding(self, error: BaseException | None, before: LocalView) -> Finding:
        """Say what came of it."""
        if error is not None:
            remedy = (
                "Let the IOC's user write there, free space on its disk, or correct the path; "
                "look at the IOC's console."
            )
            if self.unseen:
                here = "" if same_path(str(self.local), self.full) else f" (here {self.local})"
                remedy += (
                    f" The probe {self.full}{here} may be on the IOC's disk, or come later: remove "
                    "it then."
                )
            return Finding("error", self.directory, str(error), remedy, _TOPIC)
        made = "" if before.is_here else f"; it made {self.directory}, which stays"
        return Finding(
            "ok",
            self.directory,
            f"the IOC wrote a probe of {self.size} bytes, seen here and removed{made}",
            topic=_TOPIC,
        )

    def left_behind(self) -> Finding:
        """Say that the file is still there."""
        return Finding(
            "warning",
            str(self.local),
            "the probe can't be removed from here: you may not write to this directory",
            "Remove it on the IOC's computer.",
            _TOPIC,
        )


def _put_back(signal: Any, value: Any) -> None:
    """Put a set-point back, at once an error when the IOC is gone."""
    if not signal.connected:
        raise PutError(lost_before_put_back(signal, value))

    def same(_: Any, wanted: Any, found: Any) -> bool:
        alike = same_value(signal, wanted, found)
        return alike or (isinstance(wanted, str) and same_path(wanted, str(found)))

    put_and_confirm(signal, value, PUT_TIMEOUT, same)
