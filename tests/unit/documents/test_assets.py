"""Resource documents of every kind: which files, and which frames of them."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from adsupport.documents.assets import Frames, asset_of
from adsupport.errors import ImageFileError


def resource(spec: str = "AD_HDF5", path: str = "data/a.h5", root: str = "/", **kwargs: Any) -> Any:
    document = {"uid": "r", "spec": spec, "root": root, "resource_path": path}
    return {**document, "resource_kwargs": kwargs}


def stream_resource(mimetype: str, uri: str, **parameters: Any) -> Any:
    return {"uid": "s", "mimetype": mimetype, "uri": uri, "parameters": parameters, "data_key": "i"}


def names(frames: Frames) -> list[str]:
    return [str(path) for path in frames.files()]


def test_an_hdf5_resource_has_frames_by_points() -> None:
    asset = asset_of(resource(frame_per_point=5))
    assert (asset.kind, asset.path) == ("hdf5", pathlib.Path("/data/a.h5"))
    assert (asset.dataset, asset.frames_per_point) == ("/entry/data/data", 5)
    frames = asset.frames_of_datum({"point_number": 3})
    assert (frames.first, frames.count) == (15, 5)
    assert names(frames) == ["/data/a.h5"]
    assert asset.document == resource(frame_per_point=5)


@pytest.mark.parametrize(
    ("spec", "template", "expected"),
    [
        ("AD_TIFF", "%s%s_%6.6d.tif", "/d/a_000004.tif"),
        ("AD_JPEG", "%s%s_%d.jpg", "/d/a_4.jpg"),
        ("AD_HDF5_SINGLE", "%s%s.%2.2d.h5", "/d/a.04.h5"),
    ],
)
def test_files_of_a_frame_are_numbered(spec: str, template: str, expected: str) -> None:
    document = resource(spec, "d/", template=template, filename="a", frame_per_point=2)
    frames = asset_of(document).frames_of_datum({"point_number": 2})
    assert names(frames)[0] == expected
    assert len(names(frames)) == frames.count == 2


def test_npy_files_of_the_simulated_devices() -> None:
    document = resource("NPY_SEQ", "stem", root="/tmp/x")
    asset = asset_of(document)
    assert names(asset.frames_of_datum({"index": 7})) == ["/tmp/x/stem_7.npy"]
    assert not asset.has_frame_axis
    mime = "multipart/related;type=application/x-npy"
    again = asset_of(stream_resource(mime, "file://localhost/tmp/x/stem"))
    assert names(again.frames_of_indices(7, 8, per_row=10)) == ["/tmp/x/stem_7.npy"]


def test_a_stream_resource_has_rows() -> None:
    uri = "file://localhost/data/my%20scan.h5"
    asset = asset_of(stream_resource("application/x-hdf5", uri, dataset="entry/raw", swmr=True))
    assert (asset.path, asset.dataset) == (pathlib.Path("/data/my scan.h5"), "/entry/raw")
    frames = asset.frames_of_indices(2, 5, per_row=4)
    assert (frames.first, frames.count) == (8, 12)


@pytest.mark.parametrize("template", ["img_{:06d}.tiff", "%s%s_%6.6d.tiff", "img_{0:06}.tiff"])
def test_templates_of_stream_resources(template: str) -> None:
    mime = "multipart/related;type=image/tiff"
    uri = "file://localhost/d/"
    asset = asset_of(
        stream_resource(mime, uri, template=template, filename="img", chunk_shape=[1, 4, 5])
    )
    assert names(asset.frames_of_indices(3, 5)) == ["/d/img_000003.tiff", "/d/img_000004.tiff"]


def test_files_of_several_frames() -> None:
    mime = "multipart/related;type=image/tiff"
    document = stream_resource(mime, "file:///d/", template="a{:d}.tif", chunk_shape=[3, 4, 5])
    asset = asset_of(document)
    assert asset.file_of(7) == (pathlib.Path("/d/a2.tif"), 1)
    assert names(asset.frames_of_indices(0, 3, per_row=2)) == ["/d/a0.tif", "/d/a1.tif"]


def test_the_first_form_of_stream_resources() -> None:
    document = {
        **{"uid": "s", "spec": "AD_HDF5_SWMR_SLICE", "root": "/", "resource_path": "d/a.h5"},
        "resource_kwargs": {"path": "/entry/x", "multiplier": 2, "swmr": True},
    }
    asset = asset_of(document)
    assert (asset.path, asset.dataset) == (pathlib.Path("/d/a.h5"), "/entry/x")
    assert asset.frames_of_indices(1, 2).first == 2


@pytest.mark.parametrize(
    ("root", "path", "path_map", "expected"),
    [
        ("/", "data/a.h5", {"/data": "/mnt/ioc"}, "/mnt/ioc/a.h5"),
        ("/", "data2/a.h5", {"/data": "/mnt/ioc"}, "/data2/a.h5"),
        ("/data", "x/a.h5", {"/data": "/m", "/data/x": "/n"}, "/m/x/a.h5"),
        ("/", "data/x/a.h5", {"/data": "/m", "/data/x": "/n"}, "/n/a.h5"),
        ("9f3a", "x/a.h5", {"9f3a": "/packed"}, "/packed/x/a.h5"),
        ("", "/data/../etc/a.h5", {"/data": "/mnt"}, "/data/../etc/a.h5"),
        ("C:\\", "data\\a.h5", {"C:\\data": "/mnt"}, "/mnt/a.h5"),
        ("/", "data/a.h5", lambda path: path.replace("data", "other"), "/other/a.h5"),
        ("", "/data/a.h5", None, "/data/a.h5"),
    ],
)
def test_path_maps(root: str, path: str, path_map: Any, expected: str) -> None:
    assert str(asset_of(resource(path=path, root=root), path_map).path) == expected


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (resource("AD_CBF"), "AD_CBF"),
        ({"uid": "x"}, "without spec"),
        (stream_resource("text/csv", "file:///a"), "text/csv"),
        (stream_resource("application/x-hdf5", "s3://b/a.h5"), "s3://b/a.h5"),
        (stream_resource("application/x-hdf5", "file:///a.h5", slice="1:"), "slice"),
        (resource("AD_TIFF", "d/"), "template"),
        (resource("AD_TIFF", "d/", template="%s%s.tif", filename="a"), "no number"),
        (resource("AD_TIFF", "d/", template="%s%s%999999999d", filename="a"), "template"),
        (resource("AD_TIFF", "d/", template="%s%s%n%s", filename="a"), "template"),
        (resource("AD_TIFF", "d/", template="{start.__class__}", filename="a"), "template"),
        (resource(frame_per_point=0), "frame_per_point"),
        (resource(frame_per_point="many"), "many"),
        (resource(frame_per_point=None), "TypeError"),
        (resource(path="a\0b.h5"), "NUL"),
        (resource(root="C:\\", path="a.h5"), "Windows"),
    ],
)
def test_what_is_not_understood_is_told_when_it_is_used(document: Any, words: str) -> None:
    asset = asset_of(document)
    frames = asset.frames_of_datum({"point_number": 1})
    for use in (asset.check, frames.files, lambda: asset.file_of(0)):
        with pytest.raises(ImageFileError, match="AD_TIFF") as caught:
            use()
        assert words in str(caught.value)


@pytest.mark.parametrize(
    "kwargs", [{}, {"point_number": -1}, {"point_number": "x"}, {"roi": 3}, {"index": None}]
)
def test_datums_that_are_not_understood(kwargs: Any) -> None:
    frames = asset_of(resource()).frames_of_datum(kwargs)
    assert frames.count == 1
    with pytest.raises(ImageFileError, match="point_number"):
        frames.files()


def test_equal_documents_make_equal_frames() -> None:
    first, second = asset_of(resource()), asset_of(resource())
    assert first.frames_of_datum({"point_number": 1}) == second.frames_of_datum({"point_number": 1})
    assert hash(first) == hash(second)
