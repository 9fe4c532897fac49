"""One image as one page of a TIFF file, its type and values as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...documents import json_text

__all__ = ["ascii_json", "images_in", "needs_bigtiff", "tifffile_module", "write_page"]

#: Longest classic TIFF file: its offsets have 32 bits.  Some room is left for the last page.
_CLASSIC_BYTES = 2**32 - 2**25

#: What a page takes beside its pixels and its description, in bytes.
_PAGE_BYTES = 1024

_COLOURS = (3, 4)


def tifffile_module() -> Any:
    """Import tifffile.

    Returns
    -------
    module
        tifffile.

    Raises
    ------
    ImportError
        It isn't installed; the message has the pip line.
    """
    try:
        import tifffile
    except ImportError:
        raise ImportError(
            "tifffile is needed to write TIFF files: pip install 'adsupport[sim]'."
        ) from None
    return tifffile


def images_in(value: np.ndarray) -> Iterator[np.ndarray]:
    """Split the value of a row into images.

    Parameters
    ----------
    value : numpy.ndarray
        (Y, X), or (Y, X, 3 or 4) of 8 or 16 bits, which is one image in colours; otherwise the
        last two axes are those of an image, and the others count images.

    Yields
    ------
    numpy.ndarray
        (Y, X), or with the colours.
    """
    in_colour = (
        value.ndim > 2 and value.shape[-1] in _COLOURS and value.dtype.str[1:] in ("u1", "u2")
    )
    axes = 3 if in_colour else 2
    if value.ndim <= axes:
        yield value
    else:
        yield from value.reshape(-1, *value.shape[-axes:])


def needs_bigtiff(pages: int, page_bytes: int, description_bytes: int) -> bool:
    """Tell whether a file is too long for a classic TIFF file.

    Parameters
    ----------
    pages : int
        How many.
    page_bytes : int
        Of the pixels of each.
    description_bytes : int
        Of all descriptions.

    Returns
    -------
    bool
        Whether it is.
    """
    return pages * (page_bytes + _PAGE_BYTES) + description_bytes > _CLASSIC_BYTES


def ascii_json(value: Any) -> str:
    """Write a value as an ``ImageDescription``, which is ASCII.

    Parameters
    ----------
    value : any
        See :mod:`adsupport.documents.json_text`.

    Returns
    -------
    str
        Strict JSON.
    """
    text = json_text.encode(value, where="metadata", other=lambda *_: None)
    # tifffile would take `"shape":` for a sign of its own files
    return json.dumps(json.loads(text), ensure_ascii=True, separators=(", ", " : "))


def write_page(writer: Any, image: np.ndarray, description: str) -> None:
    """Add an image to a file.

    Parameters
    ----------
    writer : tifffile.TiffWriter
        The file.
    image : numpy.ndarray
        (Y, X); or (Y, X, 3 or 4) or (3 or 4, Y, X) in colours.  Of any boolean, integer, float
        or complex type: it isn't converted.
    description : str
        ASCII.
    """
    options: dict[str, Any] = {"photometric": "minisblack"}
    if image.ndim == 3 and image.shape[-1] in _COLOURS:
        options = {"photometric": "rgb", "planarconfig": "contig"}
    elif image.ndim == 3 and image.shape[0] in _COLOURS:
        options = {"photometric": "rgb", "planarconfig": "separate"}
    if image.ndim == 3 and 4 in (image.shape[0], image.shape[-1]):
        options["extrasamples"] = ["unspecified"]
    writer.write(
        image,
        description=description,
        metadata=None,
        contiguous=False,
        software="adsupport",
        **options,
    )
