"""Handlers of image files: lazy, exact, and no rivals of those that others have registered."""

from __future__ import annotations

import importlib.metadata
import pathlib
import pkgutil
import tomllib
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile
from PIL import Image

from adsupport.documents import (
    HANDLERS,
    HDF5FramesHandler,
    JPEGFramesHandler,
    TIFFFramesHandler,
    register_handlers,
)

PIXELS = np.arange(6 * 5 * 7, dtype=np.uint16).reshape(6, 5, 7)
TEMPLATES = {
    TIFFFramesHandler: "%s%s_%3.3d.tif",
    JPEGFramesHandler: "%s%s_%d.jpg",
    HDF5FramesHandler: "%s%s.%2.2d.h5",
}


def save(path: pathlib.Path, pixels: np.ndarray) -> None:
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels)
    elif path.suffix == ".jpg":
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=100)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("entry/data/data", data=pixels, **hdf5plugin.LZ4())


@pytest.fixture(params=[TIFFFramesHandler, JPEGFramesHandler, HDF5FramesHandler])
def handler(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Any:
    """A handler of six files, two a point."""
    template = TEMPLATES[request.param]
    for number, pixels in enumerate(PIXELS):
        save(pathlib.Path(template % (f"{tmp_path}/", "a", number)), pixels)
    return request.param(tmp_path, template=template, filename="a", frame_per_point=2)


def test_a_point_has_its_frames_with_their_own_type(handler: Any) -> None:
    dtype = np.uint8 if isinstance(handler, JPEGFramesHandler) else np.uint16
    for point in range(3):
        image = handler(point)
        assert (image.shape, image.dtype) == ((2, 5, 7), dtype)
        found = image.compute()
        assert (found.shape, found.dtype) == ((2, 5, 7), dtype)
        wanted = PIXELS[2 * point : 2 * point + 2].astype(int)
        np.testing.assert_allclose(found, wanted, atol=2 if dtype is np.uint8 else 0)


def test_pixels_are_read_when_they_are_needed_and_only_those(
    handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    pixels = type(handler).pixels
    monkeypatch.setattr(
        type(handler), "pixels", lambda self, path: read.append(path.stem) or pixels(self, path)
    )
    image = handler(1)
    assert read == []
    image[1].compute()
    assert len(read) == 1 and "3" in read[0]


def test_the_files_of_points_are_listed(handler: Any, tmp_path: pathlib.Path) -> None:
    listed = handler.get_file_list([{"point_number": 2}, {"point_number": 0}])
    present = sorted(str(path) for path in tmp_path.iterdir())
    assert listed == [*present[4:6], *present[0:2]]


def test_a_missing_frame_is_said_at_once(handler: Any) -> None:
    pathlib.Path(handler.get_file_list([{"point_number": 1}])[1]).unlink()
    with pytest.raises(FileNotFoundError, match="3"):
        handler(1)
    handler(0).compute()


def test_a_frame_of_another_size_is_an_error_that_names_its_file(handler: Any) -> None:
    path = pathlib.Path(handler.get_file_list([{"point_number": 0}])[1])
    path.unlink()
    save(path, PIXELS[0][:3])
    with pytest.raises(OSError, match=rf"{path.name} holds an image of shape \(3, 7\).*\(5, 7\)"):
        handler(0).compute()


def test_colours_stay_where_the_file_has_them(tmp_path: pathlib.Path) -> None:
    planes = np.arange(3 * 5 * 7, dtype=np.uint8).reshape(3, 5, 7)
    tifffile.imwrite(tmp_path / "a_000.tif", planes, photometric="rgb", planarconfig="separate")
    pixels = np.moveaxis(planes, 0, 2).copy()
    tifffile.imwrite(tmp_path / "a_001.tif", pixels, photometric="rgb", planarconfig="contig")
    read = TIFFFramesHandler(tmp_path, TEMPLATES[TIFFFramesHandler], "a")
    np.testing.assert_array_equal(read(0).compute(), planes[None])
    np.testing.assert_array_equal(read(1).compute(), pixels[None])
    Image.fromarray(pixels).save(tmp_path / "a_0.jpg")
    assert JPEGFramesHandler(tmp_path, TEMPLATES[JPEGFramesHandler], "a")(0).shape == (1, 5, 7, 3)


def test_compressed_hdf5_files_are_read_by_the_handler_of_others(tmp_path: pathlib.Path) -> None:
    from area_detector_handlers.handlers import AreaDetectorHDF5Handler

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(
            "entry/data/data", data=PIXELS, chunks=(1, 5, 7), **hdf5plugin.Bitshuffle(cname="lz4")
        )
    point = AreaDetectorHDF5Handler(str(tmp_path / "a.h5"), frame_per_point=2)(1)
    np.testing.assert_array_equal(point.compute(), PIXELS[2:4])


def test_the_entry_points_are_handlers_and_compete_with_nobody() -> None:
    project = tomllib.loads(
        (pathlib.Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    )
    ours = project["project"]["entry-points"]["databroker.handlers"]
    assert ours
    for spec, place in ours.items():
        assert pkgutil.resolve_name(place) is HANDLERS[spec]
    distribution = importlib.metadata.distribution("area-detector-handlers")
    theirs = distribution.entry_points.select(group="databroker.handlers").names
    assert set(HANDLERS) <= {*ours, *theirs} and not set(ours) & set(theirs)


def test_a_catalog_takes_ours_in_place_of_others() -> None:
    class Catalog:
        def __init__(self) -> None:
            self.handlers: dict[str, Any] = {"AD_TIFF": object}

        def register_handler(self, spec: str, handler: Any, overwrite: bool = False) -> None:
            assert overwrite or spec not in self.handlers
            self.handlers[spec] = handler

    catalog = Catalog()
    register_handlers(catalog)
    assert catalog.handlers == HANDLERS
