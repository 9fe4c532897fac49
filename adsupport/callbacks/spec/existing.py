"""What a SPEC file holds already, read a piece at a time: it's never in memory."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field

__all__ = ["SpecContent"]

_PIECE = 1 << 20
#: Of a line longer than this the rest doesn't matter.
_LONGEST = 1 << 16
_CONTROL = re.compile(rb"^#(?:S +(?P<scan>\d+)|O(?P<row>\d+) (?P<names>.*)|[FE] )", re.M)


@dataclass
class SpecContent:
    """What is known of a SPEC file, up to where it has been read.

    Parameters
    ----------
    size : int
        Bytes up to the end of the last whole line.
    highest : int
        The highest scan number; 0 without a scan.
    is_spec : bool
        Whether there is any of the lines ``#F``, ``#E`` or ``#S``.
    has_header : bool
        Whether there is a line ``#F`` or ``#E``.
    positioners : list of str
        The labels on the lines ``#O`` of the last header.
    whole : bool
        Whether the last line has its end.
    """

    size: int = 0
    highest: int = 0
    is_spec: bool = False
    has_header: bool = False
    positioners: list[str] = field(default_factory=list)
    whole: bool = True
    _identity: tuple[int, int] | None = field(default=None, repr=False, compare=False)

    def read(self, file: io.RawIOBase) -> SpecContent:
        """Read on from where the last reading ended.

        Parameters
        ----------
        file : io.RawIOBase
            The file, open for reading.  When it's another one, or has
            become shorter, it's read anew.

        Returns
        -------
        SpecContent
            This object.
        """
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino)
        if status.st_size < self.size or identity != (self._identity or identity):
            self.__init__()
        self._identity = identity
        at = file.seek(self.size)
        begun = b""
        while piece := file.read(_PIECE):
            at += len(piece)
            text = begun + piece
            end = text.rfind(b"\n") + 1
            if end:
                self._take(text[:end])
                self.size = at - (len(text) - end)
            begun = text[end:][:_LONGEST]
        self.whole = self.size == at
        self._take(begun)
        return self

    def _take(self, text: bytes) -> None:
        for found in _CONTROL.finditer(text):
            if found["row"]:
                if int(found["row"]) == 0:
                    self.positioners = []
                names = found["names"].decode(errors="replace").strip()
                self.positioners += re.split(" {2,}|\t", names) if names else []
                continue
            self.is_spec = True
            if found["scan"]:
                self.highest = max(self.highest, int(found["scan"]))
            else:
                self.has_header = True
                self.positioners = []
