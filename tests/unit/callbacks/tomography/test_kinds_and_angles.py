"""Which frame is which, and its angle, as a subclass of TomoFile gets them."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.tomography import FrameKind, TomoFile, TomoFrames, TomoWriter
from adsupport.errors import ConfigurationError, DocumentError, ImageFileError

from ..sending import send
from .made import (
    IMAGE,
    SHAPE,
    THETA,
    TomoRun,
    frame,
    number_key,
    numbers,
    plain_run,
    write_images,
)


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


def in_one_stream(directory, count=8, keys=None, row=lambda number: {}, per_row=1):
    """Frames 0 ... in the primary stream, in one file."""
    path = directory / "all.h5"
    write_images(path, range(count * per_row), range(1, count * per_row + 1))
    run = TomoRun().stream("primary", {THETA: number_key(), **(keys or {})}, per_row=per_row)
    run.resource(path, per_row)
    for number in range(count):
        run.row("primary", path, **{THETA: 10.0 * number, **row(number)})
    return run


def test_ranges_tell_the_kinds(tmp_path):
    found = written(tmp_path, in_one_stream(tmp_path).stop(), flats="0:2,6:7", darks="7:")
    assert found["frames"] == list(range(8))
    assert found["kinds"].tolist() == [1, 1, 0, 0, 0, 0, 1, 2]
    assert found["angles"].tolist() == [10.0 * number for number in range(8)]


@pytest.mark.parametrize(
    "names",
    [
        ("Normal", "Background", "FlatField"),
        (0, 1, 2),
        (0.0, 1.0, 2.0),
        ("/exchange/data", "/exchange/data_dark", "/exchange/data_white"),
        ("/entry/data/data", "/entry/data/dark", "/entry/data/white"),
    ],
)
def test_frame_types_tell_the_kinds_of_rows(tmp_path, names):
    order = [0, 2, 1, 1, 0, 2, 0, 0]
    keys = {"type": {"dtype": "string", "shape": [], "source": "PV:t"}}
    run = in_one_stream(tmp_path, keys=keys, row=lambda number: {"type": names[order[number]]})
    found = written(tmp_path, run.stop(), frame_type="type", strict=False)
    assert found["kinds"].tolist() == [{0: 0, 1: 2, 2: 1}[each] for each in order]


def test_frame_types_tell_the_kinds_of_a_rows_frames(tmp_path):
    keys = {"type": {"dtype": "array", "shape": [4], "source": "PV:t"}}
    run = in_one_stream(tmp_path, 2, keys, lambda number: {"type": [1, 2, 0, number]}, per_row=4)
    found = written(tmp_path, run.stop(), frame_type="type")
    assert found["kinds"].tolist() == [2, 1, 0, 0, 2, 1, 0, 2]
    assert found["angles"].tolist() == [0] * 4 + [10] * 4


def test_a_frame_type_that_isnt_known_leaves_its_frames_out(tmp_path):
    keys = {"type": {"dtype": "string", "shape": [], "source": "PV:t"}}
    types = ["Normal", "Double", "Normal"]
    run = in_one_stream(tmp_path, 3, keys, lambda number: {"type": types[number]})
    found = written(tmp_path, run.stop(), frame_type="type", strict=False)
    assert found["frames"] == [0, 2]
    assert any("'Double'" in text and "event 2" in text for text in found["result"].skipped)


TYPE = {"det_cam_frame_type": {"dtype": "integer", "shape": [], "source": "PV:t"}}


def test_a_recorded_frame_type_is_believed_when_one_stream_has_all(tmp_path):
    types = [1, 1, 2, 0, 0]
    run = in_one_stream(tmp_path, 5, TYPE, lambda number: {"det_cam_frame_type": types[number]})
    found = written(tmp_path, run.stop())
    assert found["kinds"].tolist() == [2, 2, 1, 0, 0]
    assert any("told apart by det_cam_frame_type" in text for text in found["result"].remarks)
    found = written(tmp_path, run.stop(), flats="0:1", exists="bump")  # the user knows better
    assert found["kinds"].tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("odd", ["key", "value"])
def test_a_frame_type_that_is_doubtful_is_told(tmp_path, odd):
    types = [1, 2, 7 if odd == "value" else 0]
    keys = TYPE | ({"other_frame_type": TYPE["det_cam_frame_type"]} if odd == "key" else {})
    run = in_one_stream(tmp_path, 3, keys, lambda number: dict.fromkeys(keys, types[number]))
    found = written(tmp_path, run.stop())
    assert found["kinds"].tolist() == [0, 0, 0]
    assert any("frame_type=<data key>" in text for text in found["result"].remarks)


def test_streams_that_were_asked_for_and_arent_there_are_told(tmp_path):
    documents = plain_run(tmp_path).stop()
    found = written(tmp_path, documents, flats="flats,flats_after", darks="darkz", strict=False)
    assert found["kinds"].tolist() == [1] * 3 + [0] * 5
    skipped = " ".join(found["result"].skipped)
    assert "flats='flats_after'" in skipped and "darks='darkz'" in skipped
    with pytest.raises(DocumentError, match="darks='darkz': the run has no such stream.*'darks'"):
        written(tmp_path, documents, darks="darkz", exists="bump")


@pytest.mark.parametrize("text", ["2-4", "2..4", "2 - 4", "0 to 10", "1-"])
def test_what_looks_like_a_range_is_no_stream(text):
    with pytest.raises(ConfigurationError, match="'0:10'"):
        PlainWriter(flats=text)


def test_each_frame_of_a_fly_scan_has_its_own_angle(tmp_path):
    path = tmp_path / "fly.h5"
    write_images(path, range(6), range(1, 7))
    angles = {"dtype": "array", "shape": [6], "source": "PV:x", "units": "rad"}
    run = TomoRun().stream("primary", {THETA: angles}, per_row=6).resource(path, 6)
    run.row("primary", path, **{THETA: [0.1 * each for each in range(6)]})
    found = written(tmp_path, run.stop())
    np.testing.assert_allclose(found["angles"], np.degrees(0.1 * np.arange(6)))


def test_frames_of_streams_are_in_the_order_in_which_they_were_taken(tmp_path):
    paths = {name: tmp_path / f"{name}.h5" for name in ("flats", "primary")}
    run = TomoRun()
    for name, path in paths.items():
        write_images(path, range(20, 24) if name == "flats" else range(4))
        run.stream(name, {THETA: number_key()}).resource(path)
    for name in ("flats", "flats", "primary", "primary", "flats", "primary", "flats"):
        run.row(name, paths[name], **{THETA: 1.0})
    found = written(tmp_path, run.stop())
    assert found["frames"] == [20, 21, 0, 1, 22, 2, 23]
    assert found["kinds"].tolist() == [1, 1, 0, 0, 1, 0, 1]
    assert found["ids"].tolist() == [-1] * 7


def test_streams_are_named_by_the_user(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(4))
    run = TomoRun().resource(path)
    for name in ("before", "proj", "after"):
        run.stream(name, {THETA: number_key()})
    for name in ("before", "proj", "proj", "after"):
        run.row(name, path, **{THETA: 3.0})
    found = written(tmp_path, run.stop(), projections="proj", flats=("before", "after"))
    assert found["kinds"].tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("hints", "motors", "expected"),
    [
        ({"dimensions": [[["phi"], "primary"], [[THETA], "primary"]]}, [THETA], [1, 2]),
        ({"dimensions": [[["time"], "primary"]]}, [THETA, "phi"], [50, 51]),
        ({"dimensions": "odd"}, ["phi"], [1, 2]),
        (None, [], [np.nan, np.nan]),
    ],
)
def test_the_rotation_is_what_the_scan_moved(tmp_path, hints, motors, expected):
    path = tmp_path / "a.h5"
    write_images(path, range(2))
    run = TomoRun(hints=hints, motors=motors)
    run.stream("primary", {THETA: number_key(), "phi": number_key()}).resource(path)
    for number in range(2):
        run.row("primary", path, **{THETA: 50.0 + number, "phi": 1.0 + number})
    found = written(tmp_path, run.stop())
    np.testing.assert_array_equal(found["angles"], expected)


@pytest.mark.parametrize("named", [True, False])
def test_units_that_are_no_angles_are_told(tmp_path, named):
    """As a problem only when somebody said that these are angles: a grating's steps aren't."""
    path = tmp_path / "a.h5"
    write_images(path, range(2))
    run = TomoRun().stream("primary", {THETA: number_key("mm")}).resource(path)
    for _ in range(2):
        run.row("primary", path, **{THETA: 5.0})
    found = written(tmp_path, run.stop(), strict=False, theta=THETA if named else None)
    assert np.isnan(found["angles"]).all()
    assert len(found["result"].skipped) == named
    if named:
        assert "'mm'" in found["result"].skipped[0]


def test_an_angle_that_is_missing_is_nan_and_told(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(3))
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path)
    for value in (1.0, None, 3.0):
        run.row("primary", path, **({} if value is None else {THETA: value}))
    found = written(tmp_path, run.stop(), strict=False)
    np.testing.assert_array_equal(found["angles"], [1, np.nan, 3])
    assert any("event 2" in text and THETA in text for text in found["result"].skipped)


@pytest.mark.parametrize(
    "options",
    [
        {"flats": "0:10", "darks": "5:15"},
        {"flats": "5:5"},
        {"flats": "-5:"},
        {"flats": "0:10:2"},
        {"projections": "0:10"},
        {"projections": ""},
        {"flats": "primary"},
        {"darks": 7},
        {"missing": "ignore"},
        {"images": "move"},
    ],
)
def test_options_that_contradict_each_other_are_refused_at_once(options):
    with pytest.raises(ConfigurationError):
        PlainWriter(**options)


def test_a_range_beyond_the_frames_is_told(tmp_path):
    run = in_one_stream(tmp_path, 4)
    found = written(tmp_path, run.stop(), flats="0:1", darks="3:9", strict=False)
    assert found["kinds"].tolist() == [1, 0, 0, 2]
    assert any("darks=3:9" in text for text in found["result"].skipped)


def test_several_detectors_need_a_choice(tmp_path):
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    run = TomoRun().stream("primary", {THETA: number_key()}, images=("a", "b"))
    for path, first in zip(paths, (0, 50), strict=True):
        write_images(path, range(first, first + 2))
        run.resource(path)
    for number in range(2):
        for path in paths:
            run.documents.append(
                ("datum", {"datum_id": f"{path.name}-{number}", "resource": path.name,
                           "datum_kwargs": {"point_number": number}})
            )  # fmt: skip
        images = {"a": f"a.h5-{number}", "b": f"b.h5-{number}"}
        run.row("primary", None, **{THETA: 1.0 * number}, **images)
        run.documents[-1][1]["filled"] = {"a": False, "b": False}
    documents = run.stop()
    with pytest.raises(DocumentError, match="'a', 'b'.*detector="):
        written(tmp_path, documents)
    assert written(tmp_path, documents, detector="b")["frames"] == [50, 51]
    assert os.listdir(tmp_path / "out") == ["x.h5"]


def test_a_detector_that_isnt_there_is_an_error_and_no_images_arent(tmp_path):
    with pytest.raises(DocumentError, match="'other'.*'darks', 'flats', 'primary'"):
        written(tmp_path, plain_run(tmp_path).stop(), detector="other")
    run = TomoRun().stream("primary", {THETA: number_key()}, images=()).row("primary", None)
    (result,) = send(PlainWriter(tmp_path / "out", strict=False), run.stop())
    assert result.paths == []
    assert "no images" in result.remarks[0]
    assert os.listdir(tmp_path / "out") == []


def test_colours_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = np.zeros((2, *SHAPE, 3), np.uint8)
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path)
    run.row("primary", path, **{THETA: 1.0})
    with pytest.raises(ImageFileError, match=r"\(3, 5, 3\).*ColorMode Mono"):
        written(tmp_path, run.stop())
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("as_lists", [False, True])
@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_images_in_the_documents_are_written(tmp_path, images, as_lists):
    run = TomoRun()
    for name in ("darks", "primary"):
        run.stream(name, {THETA: number_key()}, per_row=2)
    for number in range(3):
        name = "darks" if number == 2 else "primary"
        pixels = np.array([frame(2 * number), frame(2 * number + 1)])
        run.row(name, None, **{THETA: 5.0, IMAGE: pixels.tolist() if as_lists else pixels})
        run.documents[-1][1]["filled"] = {IMAGE: "yes"}
    found = written(tmp_path, run.stop(), images=images)
    assert found["frames"] == list(range(6))
    assert found["data"].dtype == np.uint16
    assert found["kinds"].tolist() == [0, 0, 0, 0, 2, 2]
    assert os.listdir(tmp_path / "out") == ["x.h5"]


def test_a_frame_type_that_isnt_recorded_is_told(tmp_path):
    found = written(tmp_path, in_one_stream(tmp_path, 3).stop(), frame_type="type", strict=False)
    assert found["kinds"].tolist() == [0, 0, 0]
    assert "no data key 'type'" in found["result"].skipped[0]


def test_a_rotation_that_isnt_recorded_is_told(tmp_path):
    found = written(tmp_path, in_one_stream(tmp_path, 3).stop(), theta="omega", strict=False)
    assert np.isnan(found["angles"]).all()
    assert "theta='omega'" in found["result"].skipped[0]


def test_results_and_writers_are_shown_in_short(tmp_path):
    result = written(tmp_path, plain_run(tmp_path).stop(), darks="darkz", strict=False)["result"]
    first, problem = str(result).splitlines()
    assert first == f"Run {result.uid[:8]} (scan_id 7), success: {tmp_path}/out/x.h5"
    assert problem == result.skipped[0]
    assert repr(PlainWriter(tmp_path, "x")) == f"PlainWriter(file_path='{tmp_path}', file_name='x')"


def test_options_count_from_the_next_run_on(tmp_path):
    documents = in_one_stream(tmp_path, 4).stop()
    writer = PlainWriter(tmp_path, "first")
    send(writer, documents)
    writer.file_name, writer.flats = "second", "0:1"
    send(writer, documents)
    kinds = []
    for name in ("first", "second"):
        with h5py.File(tmp_path / f"{name}.h5") as file:
            kinds.append(file["kinds"][()].tolist())  # type: ignore[index]
    assert kinds == [[0, 0, 0, 0], [1, 0, 0, 0]]


def test_a_run_that_ends_anywhere_has_what_was_told_until_then(tmp_path):
    documents = plain_run(tmp_path, 1, 2, 3).stop()
    whole = [(10, 0.0), (20, 0.0), (21, 0.0), (30, 0.0), (31, 12.5), (32, 25.0)]
    for end in range(1, len(documents)):
        name = f"x{end}"
        writer = PlainWriter(tmp_path, name, strict=False, image_timeout=0)
        (result,) = send(writer, documents[:end])
        events = sum(kind == "event" for kind, _ in documents[:end])
        assert bool(result.paths) == (events > 0)
        if events:
            with h5py.File(result.paths[0]) as file:
                found = numbers(file["data"][()]), file["angles"][()].tolist()  # type: ignore[index]
            assert list(zip(*found, strict=True)) == whole[:events]
