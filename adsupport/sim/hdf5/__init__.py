"""HDF5 files as areaDetector's NDFileHDF5 plugin writes them."""
