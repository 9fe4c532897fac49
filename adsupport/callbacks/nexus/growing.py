"""Datasets that grow: see :mod:`adsupport.callbacks.hdf5.growing`."""

from ..hdf5.growing import GrowingDataset

__all__ = ["GrowingDataset"]
