"""Data Exchange files in a directory of the test's own."""

import pytest

from .dx_files import write_dx


@pytest.fixture
def dx(tmp_path):
    """A function that writes a Data Exchange file; see write_dx()."""

    def call(name="scan.h5", **options):
        return write_dx(tmp_path / name, **options)

    return call
