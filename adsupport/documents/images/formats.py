"""Files of single images: what a TIFF, JPEG or NPY file holds, and its pixels."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ...errors import ImageFileError

__all__ = ["FileKind", "file_kind", "file_pixels"]


class FileKind(NamedTuple):
    """What a file holds.

    Parameters
    ----------
    frames : int
        How many images.
    shape : tuple of int
        Of one image: (Y, X), with the colour where the file has it.
    dtype : numpy.dtype
        Of the pixels.
    """

    frames: int
    shape: tuple[int, ...]
    dtype: np.dtype


def file_kind(format_: str, path: pathlib.Path, frames: int = 1) -> FileKind:
    """Tell what a file holds, without decoding its pixels; and that it isn't cut short.

    Parameters
    ----------
    format_ : str
        ``"tiff"``, ``"jpeg"`` or ``"npy"``.
    path : pathlib.Path
        The file.
    frames : int
        How many images are wanted; the pages of a TIFF file behind them aren't counted.

    Returns
    -------
    FileKind
        Its contents.

    Raises
    ------
    ImageFileError
        It can't be read, or is cut short.
    """
    with _said(format_, path):
        return _KINDS[format_](path, frames)


def file_pixels(format_: str, path: pathlib.Path, index: int = 0) -> np.ndarray:
    """Decode an image.

    Parameters
    ----------
    format_, path
        See :func:`file_kind`.
    index : int
        Which of its images.

    Returns
    -------
    numpy.ndarray
        (Y, X), with the colour where the file has it.

    Raises
    ------
    ImageFileError
        It can't be read, or is cut short.
    """
    with _said(format_, path):
        return _PIXELS[format_](path, index)


@contextmanager
def _said(format_: str, path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except (ImportError, MemoryError, ImageFileError):
        raise
    except Exception as error:  # decoders raise anything on a damaged file
        reason = str(error).rstrip(".") or type(error).__name__
        raise ImageFileError(
            f"Image file {path} can't be read as {format_.upper()}: {reason}.",
            path=path,
            remedy="It may be cut short, or another program has replaced it.",
        ) from error


def _tiff() -> Any:
    try:
        import tifffile
    except ImportError:
        raise ImportError(
            "tifffile is needed to read TIFF files: pip install 'adsupport[catalog]'."
        ) from None
    return tifffile


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "Pillow is needed to read JPEG files: pip install 'adsupport[catalog]'."
        ) from None
    return Image


def _tiff_kind(path: pathlib.Path, frames: int) -> FileKind:
    with _tiff().TiffFile(path) as file:
        page = file.pages.first
        found = 1 if frames == 1 else len(file.pages)
        last = page if found == 1 else file.pages[min(frames, found) - 1]
        ends = [a + b for a, b in zip(last.dataoffsets, last.databytecounts, strict=True)]
        if max(ends, default=0) > os.path.getsize(path):
            raise ValueError(f"its pixels end at byte {max(ends)}, and the file before it")
        return FileKind(found, tuple(page.shape), np.dtype(page.dtype))


def _tiff_pixels(path: pathlib.Path, index: int) -> np.ndarray:
    with _tiff().TiffFile(path) as file:
        page = file.pages.first if index == 0 else file.pages[index]
        return page.asarray()


def _jpeg_kind(path: pathlib.Path, frames: int) -> FileKind:  # noqa: ARG001
    with _pillow().open(path) as file:
        bands = len(file.getbands())
        shape = file.size[::-1]
    with open(path, "rb") as raw:
        raw.seek(max(0, os.path.getsize(path) - 64))
        ended = b"\xff\xd9" in raw.read()
    if not ended:  # no marker of the end: the decoder knows whether all pixels are there
        _jpeg_pixels(path, 0)
    return FileKind(1, shape if bands == 1 else (*shape, bands), np.dtype(np.uint8))


def _jpeg_pixels(path: pathlib.Path, index: int) -> np.ndarray:  # noqa: ARG001
    with _pillow().open(path) as file:
        return np.asarray(file)


def _npy_kind(path: pathlib.Path, frames: int) -> FileKind:  # noqa: ARG001
    array = _npy(path)
    return FileKind(1, array.shape, array.dtype)


def _npy_pixels(path: pathlib.Path, index: int) -> np.ndarray:  # noqa: ARG001
    return np.array(_npy(path))


def _npy(path: pathlib.Path) -> np.ndarray:
    # Mapping checks the length of the file; a scalar can't be mapped.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("it holds several arrays")
    return array


_KINDS: dict[str, Callable[[pathlib.Path, int], FileKind]] = {
    "tiff": _tiff_kind,
    "jpeg": _jpeg_kind,
    "npy": _npy_kind,
}
_PIXELS: dict[str, Callable[[pathlib.Path, int], np.ndarray]] = {
    "tiff": _tiff_pixels,
    "jpeg": _jpeg_pixels,
    "npy": _npy_pixels,
}
