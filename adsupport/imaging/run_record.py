"""What a run leaves beside its images: how it began, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bluesky.utils import ensure_generator

from ..plans.in_thread import in_thread
from .storage.device_snapshot import read_devices
from .storage.experiment_files import write_experiment_finish, write_experiment_start
from .stubs.cleanup import Plan

__all__ = ["RunRecord", "exit_of"]


def exit_of(error: BaseException | None) -> dict[str, str]:
    """Tell how a run ended, in the words of its stop document.

    Parameters
    ----------
    error : BaseException or None
        What ended it; bluesky's requests know their own exit status.

    Returns
    -------
    dict
        ``exit_status`` and ``reason``.
    """
    if error is None:
        return {"exit_status": "success", "reason": ""}
    return {"exit_status": getattr(error, "exit_status", "fail"), "reason": str(error)}


class RunRecord:
    """Writes ``experiment_start.json`` and ``experiment_finish.json`` of a run.

    Parameters
    ----------
    directory : pathlib.Path or None
        Of the scan; None writes nothing.
    start : mapping
        What is in the start document.
    devices : sequence of bluesky Readable
        Read for each.
    settings : sequence of bluesky Readable
        Read besides; one that can't be is named there, and the run begins nevertheless.
    """

    def __init__(
        self,
        directory: Path | None,
        start: Mapping[str, Any],
        devices: Sequence[Any],
        settings: Sequence[Any] = (),
    ) -> None:
        self._directory, self._start = directory, start
        self._devices = [*settings, *devices]
        self._optional = [each.name for each in settings]
        self._error: BaseException | None = None

    def watched(self, plan: Any) -> Plan:
        """Run a plan, and remember what ends it.

        Parameters
        ----------
        plan : iterable of Msg
            The plan.

        Yields
        ------
        Msg
            The plan's.

        Returns
        -------
        any
            What the plan returns.
        """
        try:
            return (yield from ensure_generator(plan))
        except BaseException as error:
            self._error = self._error or error
            raise

    def begin(self) -> Plan:
        """Write how all is before it.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._write(write_experiment_start, self._start, optional=False)

    def finish(self) -> Plan:
        """Write how it ended, and how all is then; devices that can't be read are named.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        told = {**self._start, **exit_of(self._error)}
        yield from self.watched(self._write(write_experiment_finish, told, optional=True))

    def _write(self, write: Callable[..., Any], told: Mapping[str, Any], optional: bool) -> Plan:
        directory = self._directory
        if directory is None:
            return
        snapshot = yield from read_devices(self._devices, optional or self._optional)
        # Again is harmless: a clean-up that was interrupted is done once more.
        yield from in_thread(partial(write, directory, told, snapshot, exists="replace"))
