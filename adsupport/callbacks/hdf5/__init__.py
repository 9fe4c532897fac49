"""Runs as plain HDF5 files."""
