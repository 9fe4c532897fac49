"""A directory that the IOC has and this computer hasn't: what stands there can't be seen."""

from __future__ import annotations

import pathlib
from typing import Any

import bluesky.plans as bp
import pytest

from adsupport.errors import PathMapError


@pytest.fixture
def unmounted(det: Any, disk: pathlib.Path) -> pathlib.Path:
    """The IOC's directory with a file in it, mapped to a place that isn't there."""
    existing = disk / "ioc/image_0000.h5"
    existing.write_bytes(b"precious")
    det.hdf1.write_path_template = f"{disk}/ioc/"
    det.hdf1.read_path_template = f"{disk}/not-mounted/"
    det.hdf1.file_path.set(f"{disk}/ioc/", timeout=5).wait()
    return existing


@pytest.mark.parametrize("policy", ["refuse", pytest.param("bump", marks=pytest.mark.slow)])
def test_nothing_is_written_where_nobody_can_look(
    engine: Any, det: Any, unmounted: pathlib.Path, policy: str, unchanged: Any
) -> None:
    det.hdf1.if_exists = policy
    with unchanged(det), pytest.raises(PathMapError, match="not-mounted isn't a directory here"):
        engine(bp.count([det]))
    assert unmounted.read_bytes() == b"precious"


def test_allow_writes_unseen(engine: Any, det: Any, unmounted: pathlib.Path) -> None:
    det.hdf1.if_exists = "allow"
    engine(bp.count([det]))
    assert unmounted.read_bytes() != b"precious"
