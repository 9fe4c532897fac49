"""STXM files of runs that come, each finished as soon as all of its runs are there."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from ..callbacks.choice import Choice
from ..callbacks.output import Exists
from ..documents.run import Run
from ..wording import counted
from .asked.reading import read_request
from .asked.request import ScanRequest
from .export import PartWriter
from .file.missing_runs import runs_of_set
from .finish import Compat, finish_export
from .parts.part import StxmPart
from .parts.work import rendered, work_of

__all__ = ["NXstxmWriter"]

#: In metadata, what differs between the runs of a scan.
_OWN_KEYS = ("img_idx_map", "entry_name", "rotation_angle")


class _Scan:
    """Runs that go to one file."""

    def __init__(self, run: Run, request: ScanRequest, prefix: str) -> None:
        self.first_uid = run.uid
        self.prefix = prefix.replace("{", "{{").replace("}", "}}")  # no template any more
        self.asked = _common(request)
        self.expected = runs_of_set(request)
        self.places: set[tuple[str, int]] = set()
        self._done: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def takes(self, request: ScanRequest) -> bool:
        """Tell whether a run is of this scan, and the first for its place."""
        return _place(request) not in self.places and self.asked == _common(request)

    def done(self, request: ScanRequest) -> int | None:
        """Note that a part is there; tell how many are still to come, if that's known."""
        with self._lock:
            self._done.add(_place(request))
            return None if self.expected is None else self.expected - len(self._done)


def _place(request: ScanRequest) -> tuple[str, int]:
    return request.index.entry, request.index.e_idx


def _common(request: ScanRequest) -> dict[str, Any]:
    told = json.loads(request.text)
    return {key: value for key, value in told.items() if key not in _OWN_KEYS}


class _LivePart(StxmPart):
    """A part that finishes its file when it's the last one."""

    def __init__(self, writer: NXstxmWriter, scan: _Scan, run: Run) -> None:
        self._writer, self._scan = writer, scan
        self._work = work_of(writer.directory, scan.prefix, scan.first_uid)
        super().__init__(self._work, run, writer.image_timeout)

    def finish(self) -> list[Path]:
        """Give the part its name, and make the file of all parts; see the base class."""
        writer, scan = self._writer, self._scan
        paths = super().finish()
        left = scan.done(read_request(self.run.start))
        if left:
            self.remark(
                f"Still to come of this scan: {counted(left, 'run')}; see {self._work}. If they "
                "don't come, call finish_export(..., allow_partial=True)."
            )
        elif left is None:
            self.remark(
                "The metadata don't tell how many runs this scan has: call finish_export() for "
                f"{self._work} when it's over."
            )
        else:
            made = finish_export(
                writer.directory, scan.prefix, scan.first_uid,
                compat=writer.compat, exists=writer.exists,
            )  # fmt: skip
            for text in made.remarks:
                self.remark(text)
            return [made.path]
        return paths


class NXstxmWriter(PartWriter):
    """Write STXM files live: ``RE.subscribe(writer.receiver)``.

    Runs of one scan, such as the images of a stack, go to one file; it's finished as soon as
    all are there.  A scan that was ended early waits in its ``.tmp``, which a result's
    ``remarks`` name: see :func:`~adsupport.nxstxm.finish_export`.

    Parameters
    ----------
    directory : str or path
        Where the files are to go.
    file_prefix : str
        Name of a file without ``.hdf5``: a template that its first run's start document fills
        in, so that each scan has a name of its own.
    compat, exists
        See :func:`~adsupport.nxstxm.finish_export`.
    strict : bool
        Whether a run counts as failed that has something wrong: its file is there, and
        :meth:`wait_writer` raises what is wrong with it.
    image_timeout, path_map
        See :func:`~adsupport.nxstxm.export`.

    Attributes
    ----------
    results : collections.deque of WriterResult
        Of the runs that have ended: the path of the part, or of the file that it made whole.
    """

    exists: Any = Choice("refuse", "bump", "replace")
    compat: Any = Choice(None, "cls")

    def __init__(
        self,
        directory: str | os.PathLike[str],
        file_prefix: str = "{start[time]:%Y%m%d-%H%M%S}-S{start[scan_id]:05d}",
        *,
        compat: Compat | None = None,
        exists: Exists = "refuse",
        strict: bool = True,
        image_timeout: float = 20.0,
        path_map: Any = None,
    ) -> None:
        super().__init__(
            directory,
            file_prefix,
            strict=strict,
            image_timeout=image_timeout,
            path_map=path_map,
        )
        self.exists, self.compat = exists, compat
        self._scan: list[_Scan] = []

    def wants(self, run: Run) -> bool:
        """Leave runs alone that have no metadata of an STXM scan; see the base class."""
        return "metadata" in run.start

    def run_file(self, run: Run) -> _LivePart:
        """Make the part of a run; see the base class."""
        request = read_request(run.start)
        if not self._scan or not self._scan[0].takes(request):
            # Copies of the writer, of which each run has one, share this list.
            self._scan[:] = [_Scan(run, request, rendered(self.file_prefix, run.start))]
        self._scan[0].places.add(_place(request))
        return _LivePart(self, self._scan[0], run)
