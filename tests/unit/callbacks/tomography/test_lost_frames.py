"""Frames that the file plugin lost: each of the others keeps its own angle."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adsupport.callbacks.dataexchange import DataExchangeWriter
from adsupport.callbacks.tomography.matching import matched
from adsupport.errors import ImageFileError

from ..sending import send
from .made import THETA, TomoRun, frame, number_key, numbers, plain_run, write_images

COUNTER = "det_cam_array_counter"


def fly(directory, count=10, lost=(), counter=None, ids=True, first_id=101):
    """One event with all frames: their angles are known, but not all were written."""
    path = directory / "fly.h5"
    kept = [each for each in range(count) if each not in lost]
    write_images(path, kept, [first_id + each for each in kept] if ids else None)
    keys = {THETA: {"dtype": "array", "shape": [count], "source": "PV:x", "units": "deg"}}
    data: dict[str, Any] = {THETA: [0.5 * each for each in range(count)]}
    if counter is not None:
        keys[COUNTER] = number_key("")
        data[COUNTER] = counter
    run = TomoRun().stream("primary", keys, per_row=count).resource(path, count)
    return run.row("primary", path, **data)


def dx(directory, documents, **options: Any) -> dict[str, Any]:
    options = {"image_timeout": 0.05, **options}
    (result,) = send(DataExchangeWriter(directory / "out", "x", **options), documents)
    with h5py.File(result.paths[0]) as file:
        exchange: Any = file["exchange"]
        found = {name: each[()] for name, each in exchange.items()}
        found["attrs"] = dict(exchange["data"].attrs)
        found["image_key"] = file["process/acquisition/image_key"][()]  # type: ignore[index]
    return {**found, "result": result}


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_lost_frames_are_left_out_with_their_angles(tmp_path, images):
    found = dx(tmp_path, fly(tmp_path, lost=(3, 4, 8)).stop(), missing="drop", images=images)
    assert numbers(found["data"]) == [0, 1, 2, 5, 6, 7, 9]
    assert found["theta"].tolist() == [0, 0.5, 1, 2.5, 3, 3.5, 4.5]
    told = found["result"].remarks[0]
    assert "3 of 10 projections" in told
    assert "number 3, 4, 8" in told
    assert "NDArrayUniqueId 104, 105, 109" in told
    assert "angle 1.5, 2, 4" in told


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_lost_frames_can_be_blank_instead(tmp_path, images):
    found = dx(tmp_path, fly(tmp_path, lost=(3, 8)).stop(), missing="fill", images=images)
    assert found["theta"].tolist() == [0.5 * each for each in range(10)]
    assert (found["data"][[3, 8]] == 65535).all()
    kept = [each for each in range(10) if each not in (3, 8)]
    assert numbers(found["data"][kept]) == kept
    assert found["attrs"]["missing_frames"] == 2
    assert len(found["result"].remarks) == 3  # which ones are missing; no flats; no darks
    assert found["image_key"].tolist() == [0, 0, 0, 3, 0, 0, 0, 0, 3, 0]


def test_lost_frames_are_an_error_unless_told_otherwise(tmp_path):
    with pytest.raises(ImageFileError, match=r"1 of 10 projections \(number 3.*missing='drop'"):
        dx(tmp_path, fly(tmp_path, lost=(3,)).stop())
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize("lost", [(0,), (9,), (0, 4), (0, 1, 9)])
def test_what_cant_be_told_is_refused_whatever_the_policy(tmp_path, lost):
    documents = fly(tmp_path, lost=lost).stop()
    for missing in ("drop", "fill"):
        with pytest.raises(ImageFileError, match=r"fly\.h5: the file holds .*unique_id="):
            dx(tmp_path, documents, missing=missing)


@pytest.mark.parametrize("lost", [(0,), (9,), (0, 4), (0, 1, 9), range(9)])
def test_the_cameras_counter_tells_all(tmp_path, lost):
    documents = fly(tmp_path, lost=lost, counter=110).stop()
    found = dx(tmp_path, documents, missing="drop", unique_id=COUNTER)
    kept = [each for each in range(10) if each not in lost]
    assert numbers(found["data"]) == kept
    assert found["theta"].tolist() == [0.5 * each for each in kept]


def test_without_ids_a_short_file_is_refused(tmp_path):
    with pytest.raises(ImageFileError, match="nothing tells which are lost"):
        dx(tmp_path, fly(tmp_path, lost=(3,), ids=False).stop(), missing="drop")


def test_a_file_that_isnt_there_takes_its_frames_along(tmp_path):
    documents = plain_run(tmp_path).stop()
    os.remove(tmp_path / "flats.h5")
    with pytest.raises(ImageFileError, match=r"3 of 3 flats.*flats\.h5 is missing"):
        dx(tmp_path, documents)
    found = dx(tmp_path, documents, missing="fill")
    assert "data_white" not in found
    assert numbers(found["data"]) == [30, 31, 32, 33, 34]
    assert any("tomocupy" in text for text in found["result"].remarks)


def test_files_of_single_frames_may_be_missing(tmp_path):
    for number in (0, 2, 3):
        with h5py.File(tmp_path / f"a_{number:06d}.h5", "w") as file:
            file["entry/data/data"] = frame(number)
    kwargs = {"template": "%s%s_%6.6d.h5", "filename": "a", "frame_per_point": 1}
    more = {"spec": "AD_HDF5_SINGLE", "resource_kwargs": kwargs}
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(tmp_path, **more)
    for number in range(4):
        run.row("primary", tmp_path, **{THETA: 1.0 * number})
    found = dx(tmp_path, run.stop(), missing="drop")
    assert numbers(found["data"]) == [0, 2, 3]
    assert found["theta"].tolist() == [0, 2, 3]


def test_an_event_without_images_is_a_missing_frame(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(2))
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path)
    for file, angle in ((path, 1.0), (None, 2.0), (path, 3.0)):
        run.row("primary", file, **{THETA: angle})
    found = dx(tmp_path, run.stop(), missing="drop", strict=False)
    assert numbers(found["data"]) == [0, 1]
    assert found["theta"].tolist() == [1, 3]


def test_a_look_between_two_streams_loses_no_frame(tmp_path):
    path = tmp_path / "all.h5"
    write_images(path, range(5), [1, 2, 50, 51, 52])
    run = TomoRun().resource(path)
    for name in ("darks", "primary"):
        run.stream(name, {THETA: number_key()})
    for number in range(5):
        run.row("darks" if number < 2 else "primary", path, **{THETA: 1.0 * number})
    found = dx(tmp_path, run.stop())
    assert numbers(found["data"]) == [2, 3, 4]
    assert numbers(found["data_dark"]) == [0, 1]
    assert any("gaps in their unique ids" in text for text in found["result"].remarks)


def test_a_loss_hidden_by_a_later_frame_is_seen(tmp_path):
    path = tmp_path / "fly.h5"
    documents = fly(tmp_path).stop()
    write_images(path, [0, 1, 3, 4, 5, 6, 7, 8, 9, 10], [101, 102, *range(104, 112)])
    with pytest.raises(ImageFileError, match="gaps, though it has as many frames"):
        dx(tmp_path, documents, missing="drop")


def test_a_run_that_was_aborted_has_what_was_taken(tmp_path):
    documents = plain_run(tmp_path, projections=0).stop("abort")
    found_remarks = send(DataExchangeWriter(tmp_path / "out", "x"), documents)[0]
    with h5py.File(found_remarks.paths[0]) as file:
        assert set(file["exchange"]) == {"data_white", "theta_white", "data_dark", "theta_dark"}  # type: ignore[arg-type]
        assert file.attrs["exit_status"] == "abort"
    assert any("/exchange/data is left out" in text for text in found_remarks.remarks)


def test_a_run_without_end_has_what_was_taken(tmp_path):
    documents = plain_run(tmp_path).stop()[:-3]
    found = dx(tmp_path, documents, strict=False)
    assert numbers(found["data"]) == [30, 31, 32, 33]
    assert found["theta"].tolist() == [0, 12.5, 25, 37.5]


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_each_frame_has_its_own_angle_whatever_happened(tmp_path, data):
    """Streams by turns in one file, any number of frames an event, some of them lost."""
    directory = tmp_path / str(len(os.listdir(tmp_path)))
    directory.mkdir()
    kinds = {"darks": "data_dark", "flats": "data_white", "primary": "data"}
    names = data.draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=12))
    per_row = data.draw(st.integers(1, 3))
    total = len(names) * per_row
    steps = data.draw(st.lists(st.integers(1, 3), min_size=len(names), max_size=len(names)))
    ids, counter = [], data.draw(st.integers(0, 1000))
    for row, step in enumerate(steps):  # one may look through the camera between two streams
        counter += step if row and names[row - 1] != names[row] else 1
        ids += range(counter, counter + per_row)
        counter += per_row - 1
    lost = data.draw(st.sets(st.integers(0, total - 1), max_size=total - 1))
    with_key = data.draw(st.booleans())
    kept = [each for each in range(total) if each not in lost]
    path = directory / "all.h5"
    write_images(path, kept, [ids[each] for each in kept])
    run = TomoRun().resource(path, per_row)
    for name in dict.fromkeys(names):
        run.stream(name, {THETA: number_key(), COUNTER: number_key("")}, per_row=per_row)
    for row, name in enumerate(names):
        run.row(name, path, **{THETA: 7.0 * row, COUNTER: ids[row * per_row + per_row - 1]})
    options: dict[str, Any] = {"missing": "drop", "unique_id": COUNTER if with_key else None}
    options |= {"images": data.draw(st.sampled_from(["link", "copy"])), "image_timeout": 0}
    writer = DataExchangeWriter(directory, "x", strict=False, **options)
    try:
        (result,) = send(writer, run.stop())
    except ImageFileError:
        assert lost and not with_key  # only a counter tells all
        return
    with h5py.File(result.paths[0]) as file:
        for name, where in kinds.items():
            wanted = [each for each in kept if names[each // per_row] == name]
            assert (f"exchange/{where}" in file) == bool(wanted)
            if wanted:
                pixels: Any = file[f"exchange/{where}"]
                theta: Any = file[f"exchange/{where.replace('data', 'theta')}"]
                assert numbers(pixels[()]) == wanted
                assert theta[()].tolist() == [7.0 * (each // per_row) for each in wanted]


@given(
    blocks=st.lists(
        st.tuples(st.integers(1, 6), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=5
    ),
    lost=st.sets(st.integers(0, 29), max_size=5),
    first=st.integers(0, 10),
)
def test_matching_never_shifts(blocks, lost, first):
    """Frames of streams by turns, each with a gap of the ids before the first one."""
    streams, ids, counter = [], [], first
    for frames, stream, gap in blocks:
        counter += gap if streams and streams[-1] != stream else 0
        streams += [stream] * frames
        ids += range(counter, counter + frames)
        counter += frames
    count = len(ids)
    held = np.array([each for each in range(count) if each not in lost], np.int64)
    rows = np.arange(count)
    found = np.array(ids)[held]
    places, why = matched(np.arange(count), rows, np.array(streams), None, found, held.size, count)
    if why:
        assert lost
        return
    for number, place in enumerate(places):
        assert held[place] == number if place >= 0 else number in lost
