"""The last word on a run's files, before the run is closed: in its documents, not only in a log."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.preprocessors import plan_mutator
from bluesky.utils import Msg
from ophyd.status import Status

from ..devices.frames.report import id_list

__all__ = ["FileAccount", "accounted"]

_STREAM = "accounting"


def accounted(plan: Any) -> Generator[Msg, Any, Any]:
    """End the files of each run of a plan, look into them, and say in the run what was found.

    bluesky unstages when a run is closed, so what is found then can't be in its documents.
    This preprocessor ends the files one moment earlier and adds an event to the stream
    ``accounting``, with the readings ``<writer>_file`` (its local name; several, one after the
    other, when a point that failed made the run go on in another file), and of all of them together
    ``_file_frames_expected``, ``_file_frames_found`` (-1: nobody could look), ``_file_verified``
    (0 or 1), ``_file_missing_ids`` (text such as ``4-6, 9``) and ``_file_problem`` (empty when
    each is whole).

    Parameters
    ----------
    plan : iterable of Msg
        Any plan; its detectors come from :func:`~adsupport.devices.ad_creator`.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    object
        What the plan returns.

    Raises
    ------
    FrameLossError
        A file isn't whole and the detector's ``frame_policy`` is ``raise``: after the event,
        so that the run's stop document says that it failed.

    Examples
    --------
    >>> RE(accounted(bp.count([det], num=3)))        # doctest: +SKIP
    >>> RE.preprocessors.append(accounted)           # doctest: +SKIP
    """
    detectors: list[Any] = []
    # how many files each writer had ended before the run
    before: dict[str, int] = {}

    def before_close(msg: Msg) -> tuple[Any, Any]:
        if msg.command == "stage" and msg.obj not in detectors:
            detectors.append(msg.obj)
        elif msg.command == "unstage" and msg.obj in detectors:
            detectors.remove(msg.obj)
        elif msg.command == "open_run":
            before.clear()
            before.update({each.name: len(each.file_reports) for each in _writers_of(detectors)})
        elif msg.command == "close_run" and msg.kwargs.get("exit_status") in (None, "success"):
            writers = _writers_of(detectors)
            if writers:
                return _account_and(msg, writers, before), None
        return None, None

    return (yield from plan_mutator(plan, before_close))


def _writers_of(detectors: list[Any]) -> list[Any]:
    parts = [
        getattr(detector, name)
        for detector in detectors
        for name in getattr(detector, "component_names", ())
    ]
    return [p for p in parts if hasattr(p, "end_file") and p.is_writing]


def _account_and(msg: Msg, writers: list[Any], before: dict[str, int]) -> Generator[Msg, Any, Any]:
    accounts: list[Any] = [FileAccount(each, before.get(each.name, 0)) for each in writers]
    yield from bps.trigger_and_read(accounts, name=_STREAM)
    for account in accounts:
        errors = [report.error() for report in account.writer.untold_reports]
        error = next((each for each in errors if each is not None), None)
        if error is not None and getattr(account.writer.parent, "frame_policy", "") == "raise":
            account.writer.problem_reported = True
            raise error
    return (yield msg)


class FileAccount:
    """Looks like a device to the RunEngine: triggering it ends the file, reading tells of all.

    Parameters
    ----------
    writer : ophyd Device
        A file plugin that is writing.
    before : int
        How many files it had ended before the run.
    """

    parent = None

    def __init__(self, writer: Any, before: int) -> None:
        self.writer = writer
        self.name = f"{writer.name}_file"
        self._before = before

    def trigger(self) -> Status:
        """End the file in a thread of its own: the RunEngine's must not wait."""
        status = Status(timeout=None)

        def end() -> None:
            try:
                self.writer.end_file()
            except Exception as error:
                status.set_exception(error)
            else:
                status.set_finished()

        cl = self.writer.capture.cl
        getattr(cl, "thread_class", threading.Thread)(target=end, daemon=True).start()
        return status

    def _values(self) -> dict[str, Any]:
        reports = self.writer.file_reports[self._before :]
        found = [report.got for report in reports]
        errors = [report.error() for report in reports]
        missing = tuple(sorted(number for report in reports for number in report.missing))
        unseen = not reports or None in found
        return {
            self.name: "; ".join(str(report.file) for report in reports),
            f"{self.name}_frames_expected": sum(report.expected for report in reports),
            f"{self.name}_frames_found": -1 if unseen else sum(filter(None, found)),
            f"{self.name}_verified": int(all(report.verified for report in reports) and not unseen),
            f"{self.name}_missing_ids": id_list(missing),
            f"{self.name}_problem": " ".join(str(error) for error in errors if error is not None),
        }

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Tell what was found."""
        now = time.time()
        return OrderedDict(
            (name, {"value": value, "timestamp": now}) for name, value in self._values().items()
        )

    def describe(self) -> OrderedDict[str, dict[str, Any]]:
        """Describe what :meth:`read` returns."""
        keys: OrderedDict[str, dict[str, Any]] = OrderedDict()
        for name, value in self._values().items():
            key: dict[str, Any] = {"source": "adsupport:file account", "shape": []}
            if isinstance(value, int):
                key |= {"dtype": "integer", "dtype_numpy": "<i8"}
            else:
                key |= {"dtype": "string"}
            keys[name] = key
        return keys

    def describe_configuration(self) -> OrderedDict[str, Any]:
        """Nothing is configured."""
        return OrderedDict()

    def read_configuration(self) -> OrderedDict[str, Any]:
        """Nothing is configured."""
        return OrderedDict()
