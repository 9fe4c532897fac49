"""The columns of a stream, kept in a file until they're written one behind the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ColumnSpool"]

_COPY_BYTES = 2**20


class ColumnSpool:
    """Pieces of columns in a file without name, which ends with the program however that ends.

    Parameters
    ----------
    directory : path
        Where there is room.
    """

    def __init__(self, directory: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)
        self._pieces: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._end = 0

    def add(self, part: str, key: str, elements: bytes) -> None:
        """Append elements to a column.

        Parameters
        ----------
        part : str
            ``"data"`` and so on.
        key : str
            Of the column in that part.
        elements : bytes
            JSON texts with commas between.

        Raises
        ------
        OSError
            There is no room.
        """
        self._file.write(elements)
        self._pieces.setdefault((part, key), []).append((self._end, len(elements)))
        self._end += len(elements)

    def column(self, part: str, key: str) -> Iterator[bytes]:
        """Go through the JSON text of a column.

        Parameters
        ----------
        part, key : str
            As given to :meth:`add`.

        Yields
        ------
        bytes
            Pieces of an array's text, each at most 1 MiB.
        """
        yield b"["
        for index, (start, size) in enumerate(self._pieces.get((part, key), ())):
            if index:
                yield b","
            self._file.seek(start)
            while size:
                piece = self._file.read(min(size, _COPY_BYTES))
                if not piece:
                    raise OSError("the file of columns is shorter than what was written to it")
                size -= len(piece)
                yield piece
        yield b"]"

    def close(self) -> None:
        """Give the file up."""
        self._file.close()
