"""The end of a file plugin's files: closed, compared with the account, settings restored."""

from __future__ import annotations

import logging
import pathlib
from typing import Any

from ophyd.device import Staged

from ...errors import FileWriteError, PluginBusyError, PutError
from ...naming import FileTemplate
from ...wording import counted
from ..frames.files import FileClaim, FileReport, verify_files
from ..frames.queues import is_idle, tell_queues
from ..frames.report import log_level
from ..signals.putting import put_in_order, same_value
from ..signals.reading import pv_name, read_signals, wait_for
from ..staging import FirstError, is_disabled_when_staged
from .capture import end_capture, file_problem
from .unclosed import unclosed

__all__ = ["FileEnd"]

logger = logging.getLogger(__name__)

_SINGLE = 0  # of FileWriteMode


class FileEnd:
    """Mixin: ends and verifies the files of a file plugin, and restores its settings.

    Attributes
    ----------
    verify_files : bool
        Whether the files are looked into when the capture has ended.
    file_timeout : float
        How long a file may take to show here, in seconds.  A network file system with caches
        may need a minute.
    drain_timeout : float
        How long arrays that still wait in the plugin's queue may take after a failed or
        interrupted point, in seconds.
    """

    verify_files: bool = True
    file_timeout: float = 5.0
    drain_timeout: float = 5.0

    # What the file writer provides.
    name: str
    parent: Any
    put_timeout: float
    is_writing: bool
    problem_reported: bool
    if_exists: str
    _staged: Any
    _mode: str
    _one_file_a_frame: bool
    _predicted: tuple[str, Any]
    _partial: bool
    _frames_done: int
    _ids: list[range] | None
    _numbers: list[range]
    _compose: Any
    _map: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._saved: list[tuple[Any, Any]] = []
        self._owed: tuple[Any, Any] | None = None
        self._forget_files()

    def _forget_files(self) -> None:
        self._file_ended = False
        self._file_reports: list[FileReport] = []
        self._told = 0  # of the reports: their problems have failed a point already
        # shape and type of a frame as the run's documents have them
        self._described: tuple[tuple[int, ...], Any] | None = None

    @property
    def file_reports(self) -> tuple[FileReport, ...]:
        """What was found in the files of the last run, one after the other."""
        return tuple(self._file_reports)

    @property
    def untold_reports(self) -> tuple[FileReport, ...]:
        """Those of :attr:`file_reports` whose problems have not failed a point already."""
        return tuple(self._file_reports[self._told :])

    @property
    def file_report(self) -> FileReport | None:
        """What was found in the last file; None before the first has ended."""
        return self._file_reports[-1] if self._file_reports else None

    def end_file(self) -> FileReport | None:
        """End the capture and compare the file with the account.

        Nothing is done when that has been done already.  The next point begins another file.

        Returns
        -------
        FileReport or None
            What was found; None when no file was being written.

        Raises
        ------
        FileWriteError
            The IOC didn't close the file in time.
        ConnectionTimeoutError
            The IOC doesn't answer; the message says what is in the file.
        """
        if self.is_writing and not self._file_ended:
            self._end_capture()
        return self._end_report()

    def _end_capture(self) -> None:
        try:
            end_capture(self)
        except (TimeoutError, FileWriteError) as error:
            if not self.is_writing or self._file_ended:
                raise
            raise unclosed(error, self._claim, self.verify_files) from error

    def _end_report(self) -> FileReport | None:
        """Compare the file with the account, when the capture has ended and it's the first time."""
        if not self.is_writing or self._file_ended:
            return self.file_report
        self._file_ended = True
        report = self._verify()
        self._file_reports.append(report)
        if report.note:
            unseen = self.verify_files and report.expected and not report.verified
            level = logging.WARNING if unseen else logging.INFO
            logger.log(level, "%s: %s", self.name, report.note)
        if report.doubt:
            logger.warning("%s: %s Look at its frames.", self.name, report.doubt)
        return report

    def _verify(self) -> FileReport:
        claim = self._claim()
        said = None
        if self._frames_done and not self._partial:
            said = file_problem(self, claim.ioc_file, claim.frames, self._mode)
        note = ""
        if not self.verify_files:
            note = "The file wasn't looked into: verify_files is False."
        elif not claim.frames:
            note = "The file wasn't looked into: it has no complete point."
        elif self.if_exists == "allow" and not claim.files[0].parent.is_dir():
            note = (
                f"{claim.ioc_file} wasn't looked into: {claim.files[0].parent} isn't here. It is "
                "as the IOC says."
            )
        if note:
            found = FileReport(
                self.name, claim.files[0], claim.ioc_file, claim.frames, note=note, problems=()
            )
        else:
            # what the IOC itself says isn't there won't show later
            found = verify_files(claim, self.file_timeout if said is None else 0.0)
        if said is None:
            return found
        return FileReport(**{**vars(found), "problems": (said, *found.problems)})

    def _claim(self) -> FileClaim:
        full, local = self._predicted
        shape, dtype = self._described or (None, None)
        files = (pathlib.Path(local),)
        if self._one_file_a_frame and self._numbers:
            files = tuple(self._files_of_frames())
        return FileClaim(
            self.name,
            full,
            files,
            self._frames_done,
            self._one_file_a_frame,
            not self._partial,
            shape,
            dtype,
            None if self._ids is None else tuple(each for ids in self._ids for each in ids),
            pv_name(self.parent.cam.array_counter),
        )

    def _files_of_frames(self) -> list[pathlib.Path]:
        plugin: Any = self
        found = read_signals(
            {"path": plugin.file_path, "name": plugin.file_name, "template": plugin.file_template}
        )
        template = FileTemplate(found["template"])
        return [
            self._compose(template, found["path"], found["name"], number, self._map)[1]
            for numbers in self._numbers
            for number in numbers
        ]

    # -- unstage

    def unstage(self) -> list[object]:
        """End the capture, verify the file, restore every setting.

        Returns
        -------
        list
            The devices unstaged.

        Raises
        ------
        AdsupportError
            The file isn't complete, or a setting could not be restored; the first of these.
        """
        cleanup = FirstError(logger)
        if self._staged != Staged.no or self._saved:
            cleanup.run(self._close)
            if cleanup.error is None:
                cleanup.run(self._check_end)
        self.is_writing = False
        devices = cleanup.run(super().unstage)  # type: ignore[misc]
        cleanup.run(self._restore)
        cleanup.raise_first()
        return devices

    def _close(self) -> None:
        if is_disabled_when_staged(self):
            return
        if self._partial or self.problem_reported:
            # What still waits belongs into this file; in Single mode it would make files.
            wait_for(lambda: is_idle(self), self.drain_timeout)
        self._end_capture()

    def _tell_no_more(self) -> None:
        """Take the problems so far as told, when the plan goes on after a point that failed."""
        if self.problem_reported:
            self._told = len(self._file_reports)
            self.problem_reported = False

    def _check_end(self) -> None:
        self._end_report()  # _close() has ended the capture
        bad = [report for report in self.untold_reports if report.problems]
        error = bad[0].error() if bad and not self.problem_reported else None
        if error is None:
            return
        policy = getattr(self.parent, "frame_policy", "raise")
        if policy == "raise" and not self._partial:
            raise error
        # a run that was interrupted has a reason of its own
        logger.log(log_level(policy), "%s", error)

    def _restore(self) -> None:
        """Put back every setting that was changed, from the last to the first."""
        saved, self._saved = self._saved, []
        if self._owed is not None:
            saved.insert(0, self._owed)
            self._owed = None
        if (self._partial or self.problem_reported) and self._is_too_early(saved):
            plugin: Any = self
            mode = plugin.file_write_mode
            self._owed = next(each for each in saved if each[0] is mode)
            saved = [each for each in saved if each[0] is not mode]
        problems = put_in_order(saved[::-1], self.put_timeout)
        if problems:
            raise PutError(f"{self.name}: {' '.join(problems)} Put it by hand.")

    def _is_too_early(self, saved: list[tuple[Any, Any]]) -> bool:
        """Tell whether arrays that come late would be written one by one in the old mode."""
        plugin: Any = self
        old = [value for signal, value in saved if signal is plugin.file_write_mode]
        if not old or not plugin.file_write_mode.connected:
            return False
        saves = [value for signal, value in saved if signal is plugin.auto_save]
        saves = saves or [plugin.auto_save.get()]
        if (
            not same_value(plugin.file_write_mode, old[0], _SINGLE)
            or not same_value(plugin.auto_save, saves[0], "Yes")
            or is_idle(self)
        ):
            return False
        logger.error(
            "%s stays at Stream: some plugin of the camera is still at work. %sIn Single mode "
            "each array that comes late to %s would be written to a file. Another unstage() puts "
            "it back when the plugins are done, and so does the end of the next run.",
            pv_name(plugin.file_write_mode, setpoint=True),
            f"{tell_queues([self])} ".lstrip(),
            self.name,
        )
        return True

    # -- stage

    def require_free(self) -> None:
        """See that nobody else writes with this plugin, and that nothing old waits in it.

        Raises
        ------
        PluginBusyError
            Another client or another detector writes with it, or old arrays wait in its queue.
        """
        plugin: Any = self
        found = read_signals(
            {
                "capture": plugin.capture,
                "file": plugin.full_file_name,
                "frames": plugin.num_captured,
                "free": plugin.queue_free,
                "size": plugin.queue_size,
            }
        )
        if int(found["capture"]):
            if not found["file"] or found["file"] != self._predicted[0]:
                where = f"{plugin.root.name}.{plugin.dotted_name}" if plugin.parent else self.name
                raise PluginBusyError(
                    f"{pv_name(plugin.capture)} is Capturing: somebody else writes "
                    f"{found['file']!r} with this plugin, {counted(int(found['frames']))} so far: "
                    "another client, or another detector of this session. Wait for its end. If "
                    "nobody does, as after a session that died, end the capture and stage again: "
                    f"{where}.capture.put(0)."
                )
            end_capture(self)  # left over from a run of our own that could not be ended
        if int(found["free"]) < int(found["size"]) and not wait_for(
            lambda: not tell_queues([self]), self.drain_timeout
        ):
            raise PluginBusyError(
                f"{tell_queues([self])} They are of an earlier acquisition and would be written to "
                f"the new file. Wait until {pv_name(plugin.queue_free)} is {found['size']}."
            )
