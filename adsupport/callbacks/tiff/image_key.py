"""The images of one data key, gathered while the run goes on and gone through at its end."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np

from ...documents.assets import Frames
from ...documents.columns import TypedColumn, as_array, fill_of
from ...documents.run import Column, Rows
from .page import images_in

__all__ = ["Image", "ImageKey", "has_images"]


class Image(NamedTuple):
    """One image of a run.

    Parameters
    ----------
    pixels : numpy.ndarray
        (Y, X), with the colours where there are some.
    seq_num, time : int, float
        Of the event; ``time`` in seconds since 1970.
    frame : int
        Which of the event's images, from 0.
    missing : bool
        Whether there is no such image, and the pixels only stand for it.
    """

    pixels: np.ndarray
    seq_num: int
    time: float
    frame: int
    missing: bool


def has_images(column: Column) -> bool:
    """Tell whether the values of a data key are images.

    Parameters
    ----------
    column : Column
        What the descriptor says.

    Returns
    -------
    bool
        For images in files, and arrays of two axes or more.
    """
    return column.external or (column.shape is not None and len(column.shape) >= 2)


class ImageKey:
    """Gathers the images of a data key: by reference, or in a file for those in the documents.

    Parameters
    ----------
    column : Column
        What the descriptor says.
    spool : callable
        Returns the file for pixels that come in the documents, open for reading and writing.

    Attributes
    ----------
    notes : list of str
        What is missing: sentences.
    """

    def __init__(self, column: Column, spool: Any) -> None:
        self.column = column
        self.notes: list[str] = []
        self._spool = spool
        self._typed = TypedColumn(column)
        self._references: list[Frames | None] = []
        self._seq_nums = array("q")
        self._times = array("d")
        self._offsets = array("q")  # in the spool; -1 for a row that isn't there
        self._found: Any = None
        self._prepared = False

    def add(self, rows: Rows) -> None:
        """Take rows.

        Parameters
        ----------
        rows : Rows
            Of the key's stream.
        """
        for event in rows.events:
            value = event["data"].get(self.column.name)
            self._seq_nums.append(event["seq_num"])
            self._times.append(event["time"])
            if value is None or isinstance(value, Frames):
                self._references.append(value)
                self._offsets.append(-1)
            else:
                self._references.append(None)
                self._offsets.append(self._put(value))

    def _put(self, value: Any) -> int:
        row = as_array(self.column, [value])
        if row.type.dtype.kind == "O":
            self._note("a value that isn't an array of numbers is left out.")
            return -1
        if row.data[0].ndim < 2 or not row.data[0].size:
            self._note("a value that has no rows and columns is left out.")
            return -1
        self._typed.take([value])
        file: IO[bytes] = self._spool()
        offset = file.seek(0, 2)
        np.save(file, np.asarray(row.data[0]), allow_pickle=False)
        return offset

    def _note(self, text: str) -> None:
        whole = f"{self.column.name}: {text}"
        if whole not in self.notes:
            self.notes.append(whole)

    def prepare(self, timeout: float) -> None:
        """Wait for the files of images; again is harmless.

        Parameters
        ----------
        timeout : float
            Seconds.
        """
        if self._prepared:
            return
        from ...documents import images

        if self._in_documents:
            if any(each is not None for each in self._references):
                self._note("some images came in the documents; those in files are left out.")
        elif self._references:
            self._found, notes = images.wait_for_images(
                self._references, timeout=timeout, missing="placeholder"
            )
            wrong = images.contradiction(self.column, self._found)
            for text in [*notes, wrong] if wrong else notes:
                self._note(text)
        self._prepared = True

    @property
    def _in_documents(self) -> bool:
        return any(each >= 0 for each in self._offsets)

    @property
    def one_each(self) -> bool:
        """Whether no event has more than one image."""
        if self._found is not None:
            return self._found.per_row == 1
        return len(self.column.shape or ()) <= 2

    def size(self) -> tuple[int, int]:
        """Tell how much there is to write.

        Returns
        -------
        int, int
            How many images at most, and bytes of the largest one.
        """
        if self._found is not None:
            image = int(np.prod(self._found.frame_shape, dtype=np.int64))
            return self._found.rows * self._found.per_row, image * self._found.dtype.itemsize
        count = largest = 0
        for image in self.images():
            count, largest = count + 1, max(largest, image.pixels.nbytes)
        return count, largest

    def images(self) -> Iterator[Image]:
        """Go through all images, in the order of events and frames.

        Yields
        ------
        Image
            Each of the same type; with one that is missing among them.
        """
        if self._found is not None:
            yield from self._of_files()
        elif self._in_documents:
            yield from self._of_documents()

    def _of_files(self) -> Iterator[Image]:
        from ...documents import images

        found = self._found
        there = np.zeros(found.rows * found.per_row, np.bool_)
        for piece in found.pieces:
            there[piece.flat : piece.flat + piece.count] = True
        lost: list[str] = []
        unreadable = 0
        for position, pixels in enumerate(images.frames_of(found, lost)):
            row, frame = divmod(position, found.per_row)
            missing = not there[position] or len(lost) > unreadable
            unreadable = len(lost)
            yield Image(pixels, self._seq_nums[row], self._times[row], frame, missing)
        for text in lost:
            self._note(text)

    def _of_documents(self) -> Iterator[Image]:
        dtype, file = self._typed.type.dtype, self._spool()
        shape = self._typed.type.shape  # None when rows differ: then a row that lacks has no page
        for row, offset in enumerate(self._offsets):
            if offset >= 0:
                file.seek(offset)
                value = np.load(file, allow_pickle=False)
                if dtype.kind != "O":
                    value = value.astype(dtype)
            elif dtype.kind == "O" or shape is None:
                continue
            else:
                value = np.full(shape, fill_of(dtype), dtype)
            for frame, pixels in enumerate(images_in(value)):
                yield Image(pixels, self._seq_nums[row], self._times[row], frame, offset < 0)
