"""Runs whose documents or files say odd things: no frame may get another one's angle or kind."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import DataExchangeWriter
from adsupport.callbacks.nxtomo import NXtomoWriter
from adsupport.errors import DocumentError, ImageFileError

from ..sending import send
from .made import IMAGE, THETA, UID, TomoRun, number_key, write_images
from .test_kinds_and_angles import PlainWriter, written

NUMBER = "det_number"


def counted(
    directory: Path, value: Callable[[int], Any], rows: int = 5, per_row: int = 1
) -> TomoRun:
    """Rows at 0, 1, 2 ... degrees, with another value beside; unique ids count from 1."""
    path = directory / "a.h5"
    count = rows * per_row
    write_images(path, range(count), range(1, count + 1))
    run = TomoRun().stream("primary", {THETA: number_key(), NUMBER: number_key("")},
                           per_row=per_row).resource(path, per_row)  # fmt: skip
    for row in range(rows):
        run.row("primary", path, **{THETA: float(row), NUMBER: value(row)})
    return run


@pytest.mark.parametrize("missing", ["error", "drop", "fill"])
@pytest.mark.parametrize(
    ("ids", "why"),
    [
        ([1, 2, 2, 4, 5], "one unique id for several"),  # the PV hadn't changed yet
        ([2, 3, 4, 5, 6], "if -1 is added"),  # a counter that begins with another number
        ([0, 1, 2, 3, 4], r"if \+1 is added"),
        ([11, 12, 13, 14, 15], "if -10 is added"),
    ],
)
def test_a_counter_of_something_else_shifts_no_frame(tmp_path, ids, why, missing):
    documents = counted(tmp_path, ids.__getitem__).stop()
    with pytest.raises(ImageFileError, match=f"{why}.*Leave out unique_id="):
        written(tmp_path, documents, unique_id=NUMBER, missing=missing)


@pytest.mark.parametrize("offset", [-1, 1])
def test_a_counter_of_something_else_is_noticed_beside_lost_frames(tmp_path, offset):
    """Rows of three frames with others between them, and a frame of the second row is lost."""
    path = tmp_path / "a.h5"
    ids = [5, 6, 7, 9, 11, 13, 14, 15]
    write_images(path, range(8), ids)
    run = TomoRun().stream("primary", {THETA: number_key(), NUMBER: number_key("")}, per_row=3)
    run.resource(path, 3)
    for row, last in enumerate((7, 11, 15)):
        run.row("primary", path, **{THETA: float(row), NUMBER: last + offset})
    with pytest.raises(ImageFileError, match=rf"if \{-offset:+d} is added"):
        written(tmp_path, run.stop(), unique_id=NUMBER, missing="drop")


def test_what_cant_be_told_without_unique_ids_is_remarked(tmp_path):
    documents = counted(tmp_path, lambda row: row + 1).stop()
    write_images(tmp_path / "a.h5", range(7))
    found = written(tmp_path, documents, unique_id=NUMBER)
    assert found["frames"] == [0, 1, 2, 3, 4]
    remarks = " ".join(found["result"].remarks)
    assert "has no unique ids: those of the documents are of no use" in remarks
    assert "has 2 frames more than the documents tell of" in remarks


def test_a_counter_in_an_array_of_one_is_that_of_the_last_frame(tmp_path):
    found = written(
        tmp_path, counted(tmp_path, lambda row: [3 * row + 3], 2, 3).stop(), unique_id=NUMBER
    )
    assert found["frames"] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_frame_type_in_an_array_is_that_of_the_row(tmp_path, shape):
    def value(row: int) -> np.ndarray:
        return np.full(shape, row)

    found = written(tmp_path, counted(tmp_path, value, 3, 2).stop(), frame_type=NUMBER)
    assert found["kinds"].tolist() == [0, 0, 2, 2, 1, 1]


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_angle_that_isnt_finite_is_told(tmp_path, value):
    documents = counted(tmp_path, lambda row: value if row == 2 else 1.0).stop()
    with pytest.raises(DocumentError, match="1 of 5 projections have no angle"):
        written(tmp_path, documents, theta=NUMBER)


def test_what_is_wrong_with_every_row_is_told_in_short(tmp_path):
    documents = counted(tmp_path, lambda row: "x", 300).stop()
    writer = PlainWriter(tmp_path / "out", "x", theta=NUMBER, strict=False)
    (result,) = send(writer, documents)
    assert len(result.skipped) == 201
    assert result.skipped[-1] == "So it goes on, 100 times more."


@pytest.mark.parametrize("shape", [[], [1]])
def test_numbers_in_the_detectors_file_are_no_images(tmp_path, shape):
    """ophyd-async announces what its HDF5 file has of each frame like the images themselves."""
    run = counted(tmp_path, float)
    del run.documents[2:]
    keys = run.documents[1][1]["data_keys"]
    keys[IMAGE]["external"] = "STREAM:"
    keys["det-sum"] = {"dtype": "number", "shape": shape, "source": "ca://", "external": "STREAM:"}
    path, ids = tmp_path / "a.h5", "/entry/instrument/NDAttributes/NDArrayUniqueId"
    for key, address in (("det-sum", ids), (IMAGE, "/entry/data/data")):
        told = {"uid": key, "run_start": UID, "data_key": key, "mimetype": "application/x-hdf5",
                "uri": f"file://localhost{path}", "parameters": {"dataset": address}}  # fmt: skip
        run.documents.append(("stream_resource", told))
        run.documents.append(
            ("stream_datum", {"uid": f"{key}/0", "stream_resource": key, "descriptor": "primary",
                              "indices": {"start": 0, "stop": 5},
                              "seq_nums": {"start": 1, "stop": 6}})
        )  # fmt: skip
    for row in range(5):
        run._rows["primary"] = row
        run.row("primary", None, **{THETA: float(row), NUMBER: 0.0})
    found = written(tmp_path, run.stop())
    assert found["frames"] == [0, 1, 2, 3, 4]
    assert found["angles"].tolist() == [0, 1, 2, 3, 4]


def test_rows_without_time_stand_where_their_stream_began(tmp_path):
    """A stream with images alone has no events, so nothing tells when its rows were taken."""
    run, flying = TomoRun(), tmp_path / "primary.h5"
    for name, first in (("darks", 0), ("flats", 20)):
        path = tmp_path / f"{name}.h5"
        write_images(path, range(first, first + 2))
        run.stream(name, {THETA: number_key()}).resource(path)
        run.row(name, path, **{THETA: 0.0}).row(name, path, **{THETA: 0.0})
        if name == "darks":
            run.stream("primary")
    write_images(flying, range(10, 13))
    described = next(each for name, each in run.documents if each.get("name") == "primary")
    described["data_keys"][IMAGE]["external"] = "STREAM:"
    run.documents += [
        ("stream_resource", {"uid": "sr", "run_start": UID, "data_key": IMAGE,
                             "mimetype": "application/x-hdf5", "uri": f"file://localhost{flying}",
                             "parameters": {"dataset": "/entry/data/data"}}),
        ("stream_datum", {"uid": "sr/0", "stream_resource": "sr", "descriptor": "primary",
                          "indices": {"start": 0, "stop": 3}, "seq_nums": {"start": 1, "stop": 4}}),
    ]  # fmt: skip
    run._rows["primary"] = 3
    found = written(tmp_path, run.stop())
    assert found["frames"] == [0, 1, 10, 11, 12, 20, 21]
    assert any("have no time" in text for text in found["result"].remarks)


def test_two_documents_of_one_file_tell_together_how_many_frames_it_should_have(tmp_path):
    """The file lacks its first frame: what is there mustn't move up."""
    path, run = tmp_path / "all.h5", TomoRun()
    write_images(path, range(1, 6), range(1, 6))
    for name in ("flats", "primary"):
        run.stream(name, {THETA: number_key()}).resource(path)
        run.documents[-1][1]["uid"] = name
    for number in range(6):
        name = "flats" if number < 2 else "primary"
        datum = {
            "datum_id": f"{number}",
            "resource": name,
            "datum_kwargs": {"point_number": number},
        }
        run.documents.append(("datum", datum))
        run.row(name, None, **{THETA: float(number)})
        run.documents[-1][1]["data"][IMAGE] = datum["datum_id"]
        run.documents[-1][1]["filled"][IMAGE] = False
    with pytest.raises(ImageFileError, match="holds 5 frames, and the documents tell of 6"):
        written(tmp_path, run.stop(), missing="drop")


def test_the_readback_of_a_motor_that_hints_at_nothing_is_found(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(3))
    keys = ["m1_user_setpoint", "m1_user_readback"]
    run = TomoRun(motors=["m1"]).stream("primary", {key: number_key() for key in keys})
    run.documents[-1][1].update(object_keys={"m1": keys, "det": [IMAGE]}, hints={})
    run.resource(path)
    for row in range(3):
        run.row("primary", path, m1_user_readback=1.5 * row, m1_user_setpoint=9.0)
    assert written(tmp_path, run.stop())["angles"].tolist() == [0, 1.5, 3]


def test_angles_in_files_are_told_once(tmp_path):
    run = counted(tmp_path, float)
    run.documents[1][1]["data_keys"][NUMBER]["external"] = "FILESTORE:"
    with pytest.raises(DocumentError, match=f"theta='{NUMBER}' has its numbers in files"):
        written(tmp_path, run.stop(), theta=NUMBER)


@pytest.mark.parametrize("shape", [(0, 3, 5), (1, 0, 5)])
def test_an_image_without_pixels_is_told(tmp_path, shape):
    run = counted(tmp_path, float)
    event = run.documents[-1][1]
    event["data"][IMAGE], event["filled"] = np.zeros(shape, np.uint16), {IMAGE: True}
    with pytest.raises(DocumentError, match="event 5: det_image is no image"):
        written(tmp_path, run.stop())


def test_a_plan_of_angles_isnt_told_when_some_are_left_out(tmp_path):
    """Readers would count on from the first angle: all behind the lost frame would be shifted."""
    path = tmp_path / "fly.h5"
    kept = [each for each in range(10) if each != 4]
    write_images(path, kept, kept)
    run = TomoRun(rotation_start=0.0, rotation_step=1.0, motors=[])
    run.stream("primary", per_row=10).resource(path, 10).row("primary", path)
    writer = DataExchangeWriter(tmp_path / "out", "x", missing="drop", image_timeout=0)
    (result,) = send(writer, run.stop())
    with h5py.File(result.paths[0]) as file:
        rotation: Any = file["process/acquisition/rotation"]
        assert {name: each[()] for name, each in rotation.items()} == {"num_angles": 9}


@pytest.mark.parametrize("missing", ["error", "drop", "fill"])
@pytest.mark.parametrize("writer", [DataExchangeWriter, NXtomoWriter])
def test_without_any_image_there_is_no_file(tmp_path, writer, missing):
    documents = counted(tmp_path, float).stop()
    (tmp_path / "a.h5").unlink()
    with pytest.raises(ImageFileError, match=r"5 of 5 projections .*a\.h5 is missing"):
        send(writer(tmp_path / "out", "x", missing=missing, image_timeout=0), documents)
    assert os.listdir(tmp_path / "out") == []


def test_a_frame_at_an_unbelievable_place_is_refused(tmp_path):
    documents = counted(tmp_path, float).stop()
    datum = next(each for name, each in documents if name == "datum")
    datum["datum_kwargs"]["point_number"] = 10**20
    with pytest.raises(DocumentError, match="event 1: det_image has 1 frames from 10{20} on"):
        written(tmp_path, documents)


def test_a_unique_id_that_is_none_is_told(tmp_path):
    documents = counted(tmp_path, lambda row: [1, [2]] if row == 3 else row + 1).stop()
    with pytest.raises(DocumentError, match=r"event 4: det_number is \[1, \[2\]\]; expected"):
        written(tmp_path, documents, unique_id=NUMBER)


def test_a_row_of_unbelievably_many_frames_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path, 10**13)
    with pytest.raises(DocumentError, match="event 1: det_image has 10000000000000 frames"):
        written(tmp_path, run.row("primary", path, **{THETA: 0.0}).stop())
