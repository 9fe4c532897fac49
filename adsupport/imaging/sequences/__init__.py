"""Many experiments: one sample after the other, mosaics, closed loops."""
