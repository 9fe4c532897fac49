"""Which frame is which, and its angle, as a subclass of TomoFile gets them."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.tomography import FrameKind, TomoFile, TomoFrames, TomoWriter

from ..sending import send
from .made import numbers, plain_run


class Plain(TomoFile):
    """Writes what it gets."""

    format = "test-1"

    def write(self, file: h5py.File, frames: TomoFrames) -> None:
        self.store(file, "data", frames)
        for name in ("kinds", "angles", "ids"):
            file[name] = getattr(frames, name)


class PlainWriter(TomoWriter):
    tomo_file = Plain
    file_extension = "h5"


def written(directory, documents, **options: Any) -> dict[str, Any]:
    """Write a run, and read the file."""
    options = {"image_timeout": 0.1, **options}
    (result,) = send(PlainWriter(directory / "out", "x", **options), documents)
    with h5py.File(result.paths[0]) as file:
        found: dict[str, Any] = {name: each[()] for name, each in file.items()}  # type: ignore[index]
    return {**found, "frames": numbers(found["data"]), "result": result}


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_streams_tell_the_kinds(tmp_path, images):
    found = written(tmp_path, plain_run(tmp_path).stop(), images=images)
    assert found["frames"] == [10, 11, 20, 21, 22, 30, 31, 32, 33, 34]
    assert found["kinds"].tolist() == [2, 2, 1, 1, 1, 0, 0, 0, 0, 0]
    assert found["angles"].tolist() == [0] * 5 + [0, 12.5, 25, 37.5, 50]
    assert found["ids"].tolist() == [11, 12, 21, 22, 23, 31, 32, 33, 34, 35]
    assert found["data"].dtype == np.uint16
    assert FrameKind.FLAT == 1 and FrameKind.DARK == 2
