"""A run as a scan of a SPEC file, from its documents' rows to lines."""

from __future__ import annotations

import getpass
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adsupport.documents.assets import Frames
from adsupport.documents.run import Rows, Run, Stream

from ..run_file import RunFile
from .appending import ScanAppender
from .blocks import MAX_POSITIONERS, header_block, scan_head, scan_line, scan_tail
from .columns import is_number, layout_of
from .existing import SpecContent
from .rows import RowText
from .text import comment_line, is_too_long, positioner_label, shortened, unique_labels

__all__ = ["PRIMARY", "SpecScan"]

#: The stream whose events are rows.
PRIMARY = "primary"
#: Streams with positions at the start: of all motors that there are, as apstools'
#: ``label_stream_decorator("motor")`` reads them, and of bluesky's baseline.
_POSITIONS = ("label_start_motor", "baseline")


class SpecScan(RunFile):
    """Write a run as a scan.

    The scan's head needs positions and columns, so it's written with the first row.

    Parameters
    ----------
    path : pathlib.Path
        The SPEC file.
    name : str
        What its header calls it.
    content : SpecContent
        What is known of it.
    live : bool
        Whether rows are written as they come.
    wait : float
        How long the end of a scan waits for another writer of the file, in seconds.
    nan : float or None
        See :class:`~.rows.RowText`.

    Attributes
    ----------
    held : bool
        Whether the scan waits until it's asked for, and :meth:`finish` leaves it in its spool.
    ended : bool
        Whether nothing more comes.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        content: SpecContent,
        live: bool = True,
        wait: float = 60.0,
        nan: float | None = None,
    ) -> None:
        super().__init__()
        self.path = path
        self.held = not live
        self.ended = False
        self._name = name
        self._content = content
        self._live = live
        self._wait = wait
        self._nan = nan
        self._appender: ScanAppender | None = None
        self._text: RowText | None = None
        self._positions: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}
        self._images: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._said: dict[str, deque[tuple[float, str]]] = {
            "start": deque(),
            "event": deque(),
            "stop": deque(),
        }
        self._last = 0.0

    def comment(self, at: float, text: str, place: str) -> None:
        """Take a comment of the user.

        Parameters
        ----------
        at : float
            When, seconds since 1970 (UTC).
        text : str
            The comment.
        place : str
            ``"start"`` in the scan's head, ``"event"`` behind the rows so far, ``"stop"`` at
            its end.
        """
        if place == "start" and self._appender is not None:
            place = "event"
        self._said[place].append((at, text))
        if place == "event" and self._appender is not None:
            self._appender.write(self._joined(self._comments("event")))

    @property
    def _also(self) -> str:
        """What is escaped from here on, see :class:`~.rows.RowText`."""
        return "" if self._text is None else self._text.also

    def _comments(self, place: str) -> list[str]:
        also, said = self._also, self._said[place]
        return [comment_line(*said.popleft(), also) for _ in range(len(said))]

    # what comes

    def begin(self, run: Run) -> None:
        """Take the start of the run."""
        super().begin(run)
        self._last = run.time

    def rows(self, run: Run, rows: Rows) -> None:
        """Take rows: those of the primary stream are written."""
        stream = rows.stream
        self._counts[stream.name] = self._counts.get(stream.name, 0) + len(rows)
        if not rows.events:
            return
        self._last = float(rows.events[-1]["time"])
        if stream.name != PRIMARY:
            if stream.name in _POSITIONS and self._appender is None:
                self._take_positions(stream, rows.events[0]["data"])
            return
        lines = self._begin_scan(run, stream) if self._appender is None else []
        if self._text is None or self._appender is None:
            return
        for key in self._images:
            self._look_at_images(key, rows)
        lines += self._text.lines(rows.events)
        lines += self._comments("event")
        self._appender.write(self._joined(lines))

    def _take_positions(self, stream: Stream, data: dict[str, Any]) -> None:
        for key, column in stream.columns.items():
            if key in data and is_number(column):
                self._positions.setdefault(key, data[key])
            elif key in data and column.dtype == "string":
                self._beside.setdefault(key, data[key])

    def _begin_scan(self, run: Run, stream: Stream | None) -> list[str]:
        """Open the file, and return the scan's head."""
        layout = None if stream is None else layout_of(run, stream)
        too_many = list(self._positions)[MAX_POSITIONERS:]
        if too_many:
            self.remarks.append(
                f"{len(too_many)} positioners from {too_many[0]!r} on: a SPEC file has "
                f"{MAX_POSITIONERS} at most."
            )
        self._positions = dict(list(self._positions.items())[:MAX_POSITIONERS])
        comments = self._comments("start")
        self._appender = ScanAppender(self.path, self._first_lines(run), self._content, self._live)
        if layout is not None:
            self._text = RowText(layout, run.time, self._nan)
            self._images = dict.fromkeys(layout.images, 0)
        values = list(self._positions.values())
        return scan_head(run, layout, values, self._beside, comments)

    def _joined(self, lines: list[str]) -> str:
        for number, line in enumerate(lines):
            if is_too_long(line):
                lines[number] = shortened(line)
                name = " ".join(line[:60].split(" ")[:2])
                self.remark(
                    f"{name}: the line has {len(line)} characters; only its beginning is there."
                )
        return "".join(f"{line}\n" for line in lines)

    def _first_lines(self, run: Run) -> Callable[[SpecContent], str]:
        positioners = unique_labels(self._positions, positioner_label)

        def lines(content: SpecContent) -> str:
            found = [""] if content.size else []
            # A scan without positions says nothing against the header that there is.
            if not content.has_header or (positioners and positioners != content.positioners):
                found += header_block(self._name, run, positioners, *_user_and_host())
            number = run.scan_id
            if number is None or not 0 <= number < 2**31:  # readers find no others
                number = content.highest + 1
            return self._joined([*found, scan_line(run, number)])

        return lines

    def _look_at_images(self, key: str, rows: Rows) -> None:
        """Tell once, in the scan, where images are: a SPEC file doesn't hold them."""
        values = rows.values(key)
        count = sum(each.count if isinstance(each, Frames) else 1 for each in values)
        first = not self._images[key]
        self._images[key] += count
        if first:
            where = next((str(v.asset.path) for v in values if isinstance(v, Frames)), "unknown")
            self._said["event"].append((self._last, f"images of {key} are in {where}"))
            self.remarks.append(f"Images of {key!r}: a SPEC file doesn't hold them; see {where}.")

    def end(self, run: Run) -> None:
        """Take the end of the run, and write the scan's tail."""
        self.ended = True
        lines = self._begin_scan(run, run.streams.get(PRIMARY)) if self._appender is None else []
        for place in self._said:
            lines += self._comments(place)
        at = self._last if run.stop_time is None else run.stop_time
        notes = self._text.notes if self._text is not None else {}
        told = [f"{text} (in {count} rows)." for text, count in notes.items()]
        lines += [comment_line(at, each, self._also) for each in told]
        lines += scan_tail(run, self._counts, at, self._also)
        self.remarks += told
        if self._appender is not None:
            self._appender.write(self._joined(lines))
            # At once: the next run may begin before `finish` has its turn.
            self._appender.release()

    def finish(self) -> list[Path]:
        """Make sure that the scan is in the file, waiting for another writer if need be."""
        if self.held:
            return []
        if self._appender is not None:
            self._appender.finish(self._wait)
        return [self.path]

    def abandon(self) -> None:
        """Let others write: the rows that the file has are whole, and stay."""
        self.ended = True
        if self._appender is not None:
            self._appender.abandon()


def _user_and_host() -> tuple[str, str]:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = "unknown"
    return user, socket.gethostname()
