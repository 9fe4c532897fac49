"""HDF5 filters with the codes, flags and client data that areaDetector's plugin writes."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import zlib

import numpy as np
from h5py import h5p, h5t, h5z

from adsupport.sim.arrays.filter_codes import BITSHUFFLE, BITSHUFFLE_LZ4, BLOSC, JPEG, LZ4
from adsupport.sim.hdf5.settings import Compression, HDF5Settings

_CODES = {
    Compression.NBIT: h5z.FILTER_NBIT,
    Compression.SZIP: h5z.FILTER_SZIP,
    Compression.ZLIB: h5z.FILTER_DEFLATE,
    Compression.BLOSC: BLOSC,
    Compression.BSLZ4: BITSHUFFLE,
    Compression.LZ4: LZ4,
    Compression.JPEG: JPEG,
}


def missing_filter(compression: int) -> str:
    """Say why a compression cannot be used.

    Parameters
    ----------
    compression : int
        A member of :class:`Compression`, or any other number.

    Returns
    -------
    str
        Reason, or an empty string when the compression can be used.
    """
    if compression == Compression.NONE:
        return ""
    code = _CODES.get(compression)  # type: ignore[call-overload]
    if code is None:
        return f"compression {compression} is unknown"
    if code > h5z.FILTER_NBIT and not h5z.filter_avail(code):
        _load_plugins()
    if not h5z.filter_avail(code):
        return f"HDF5 compression filter ({code}) not available"
    if not h5z.get_filter_info(code) & h5z.FILTER_CONFIG_ENCODE_ENABLED:
        return f"HDF5 compression filter ({code}) not available for encoding"
    return ""


def _load_plugins() -> None:
    """Register the filters that do not come with HDF5."""
    try:
        import hdf5plugin  # noqa: F401  registers its filters when imported
    except ImportError:
        # without it these filters are missing, as on an IOC without the plugins
        return


def set_filter(plist: h5p.PropDCID, settings: HDF5Settings) -> None:
    """Put the chosen filter on a dataset creation property list.

    Parameters
    ----------
    plist : h5py.h5p.PropDCID
        Property list; its chunk shape is set.
    settings : HDF5Settings
        Compression and its options.

    Raises
    ------
    OSError
        When the filter is not available, or cannot work with its options.
    """
    reason = missing_filter(settings.compression)
    if reason:
        raise OSError(reason)
    match settings.compression:
        case Compression.NBIT:
            plist.set_filter(h5z.FILTER_NBIT, h5z.FLAG_OPTIONAL, ())
        case Compression.SZIP:
            if settings.szip_pixels < 1:  # the library would divide by it, and the process end
                raise OSError(f"szip cannot encode blocks of {settings.szip_pixels} pixels")
            plist.set_szip(h5z.SZIP_NN_OPTION_MASK, settings.szip_pixels)
        case Compression.ZLIB:
            plist.set_deflate(settings.zlib_level)
        case Compression.BLOSC:
            options = (settings.blosc_level, settings.blosc_shuffle, settings.blosc_compressor)
            # Blosc itself fills in the first four: versions, type size and chunk size
            plist.set_filter(BLOSC, h5z.FLAG_MANDATORY, (0, 0, 0, 0, *options))
        case Compression.BSLZ4:
            plist.set_filter(BITSHUFFLE, h5z.FLAG_MANDATORY, (0, BITSHUFFLE_LZ4))
        case Compression.LZ4:
            plist.set_filter(LZ4, h5z.FLAG_MANDATORY, (0, 0))


def element_type(dtype: np.dtype, settings: HDF5Settings) -> h5t.TypeID:
    """Return the HDF5 type of a pixel, narrowed where the N-bit filter is to drop bits."""
    native = h5t.py_create(dtype)
    if settings.compression is Compression.NBIT and isinstance(native, h5t.TypeIntegerID):
        native = native.copy()
        native.set_precision(min(settings.nbit_precision or 1, 8 * dtype.itemsize))
        native.set_offset(settings.nbit_offset)
    return native


def encode(data: np.ndarray, settings: HDF5Settings) -> bytes | np.ndarray | None:
    """Encode a chunk outside of HDF5, where other threads need not wait for it.

    Returns
    -------
    bytes or numpy.ndarray or None
        What the filters would write, or None when only HDF5 can encode it.
    """
    match settings.compression:
        case Compression.NONE:
            return data
        case Compression.ZLIB:
            return zlib.compress(data.data, settings.zlib_level)
        case _:
            return None
