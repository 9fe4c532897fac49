"""What every writer of files needs: names that are safe, and files that are whole or not there.

:mod:`~adsupport.callbacks.output.hdf5_values` has the values of HDF5 files; it isn't imported
here, so that writers of other formats don't wait for h5py.
"""

from .atomic_file import AtomicFile, Exists
from .file_name import inside, safe_component
from .name_template import OutputName

__all__ = ["AtomicFile", "Exists", "OutputName", "inside", "safe_component"]
