"""The one HDF5 call that h5py does not make right.

``PropDCID.set_fill_value`` of h5py 3.16 stores eight bytes of an address and whatever follows it
in memory as the fill value of a fixed-size string. HDF5 itself is asked instead, in the library
that h5py has loaded.
"""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import ctypes
from functools import cache

from h5py import h5p, h5t, h5z


@cache
def _library() -> ctypes.CDLL | None:
    """Return the HDF5 library behind h5py; None where its symbols cannot be reached."""
    try:
        library = ctypes.PyDLL(h5p.__file__)
        function = library.H5Pset_fill_value
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int64, ctypes.c_int64, ctypes.c_char_p)
    function.restype = ctypes.c_int
    return library


def set_string_fill(plist: h5p.PropDCID, kind: h5t.TypeStringID) -> None:
    """Make a string of NULs the fill value of a dataset of fixed-size strings.

    Parameters
    ----------
    plist : h5py.h5p.PropDCID
        Property list of the dataset. Where HDF5 cannot be reached it stays as it is: its default
        fill value is the same, but counts as not chosen.
    kind : h5py.h5t.TypeStringID
        Type of the strings.

    Raises
    ------
    RuntimeError
        When HDF5 refuses.
    """
    library = _library()
    if library is None:
        return
    with h5z.phil:  # HDF5 lets one thread in at a time
        refused = library.H5Pset_fill_value(plist.id, kind.id, bytes(kind.get_size()))
    if refused < 0:
        raise RuntimeError("H5Pset_fill_value failed for a string")
