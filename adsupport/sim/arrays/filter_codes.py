"""HDF5's numbers of the compression filters that do not come with it (its registry of filters)."""

from __future__ import annotations

BLOSC = 32001
LZ4 = 32004
BITSHUFFLE = 32008
JPEG = 32019

BITSHUFFLE_LZ4 = 2
"""Bitshuffle's own number for LZ4 behind the shuffling."""
