"""Data Exchange files of runs: what they have, and what is told when something is missing."""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
from datetime import datetime
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.callbacks.dataexchange import DataExchangeWriter
from adsupport.documents import replay
from adsupport.documents.json_text import encode_document
from adsupport.errors import DocumentError, OutputError, OutputExistsError

from ..sending import send
from ..tomography.made import (
    IMAGE,
    THETA,
    TomoRun,
    frame,
    number_key,
    numbers,
    plain_run,
    write_images,
)


def value_of(item: Any) -> Any:
    return np.asarray(item[()]).tolist() if isinstance(item, h5py.Dataset) else None


def text(file: Any, address: str) -> str:
    return file[address].asstr()[()]


def test_the_exposure_is_that_of_the_projections(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(3))
    run = TomoRun()
    for stream, exposure in (("flats", 0.5), ("primary", 0.25)):
        values = {"det_cam_acquire_time": exposure}
        described = {"det_cam_acquire_time": {"dtype": "number", "shape": [], "source": "x"}}
        configuration = {"det": {"data": values, "data_keys": described, "timestamps": {}}}
        run.stream(stream, {THETA: number_key()}, configuration)
    run.resource(path).row("flats", path, **{THETA: 0.0})
    for number in range(2):
        run.row("primary", path, **{THETA: 60.0 * number})
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), run.stop())
    with h5py.File(result.paths[0]) as file:
        assert file["measurement/instrument/detector/exposure_time"][()] == 0.25  # type: ignore[index]


def test_what_the_documents_tell_is_in_the_file(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(3))
    described = {
        "det_cam_acquire_time": {"dtype": "number", "shape": [], "source": "x", "units": ""},
        "det_cam_pixel_size_x": {"dtype": "number", "shape": [], "source": "x", "units": "um"},
        "det_cam_model": {"dtype": "string", "shape": [], "source": "x"},
    }
    values = {"det_cam_acquire_time": 0.25, "det_cam_pixel_size_x": 6.5, "det_cam_model": "Simu"}
    configuration = {"det": {"data": values, "data_keys": described, "timestamps": {}}}
    start = {"sample": {"name": "rock", "mass": 1.5}, "beamline_id": "2-BM", "user": "me",
             "proposal_id": 77, "title": "a scan"}  # fmt: skip
    run = TomoRun(**start).stream("baseline", {"mono_energy": number_key("eV")}, images=())
    run.row("baseline", None, mono_energy=25000.0)
    run.stream("primary", {THETA: number_key()}, configuration).resource(path)
    for number in range(3):
        run.row("primary", path, **{THETA: 60.0 * number})
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), run.stop())
    with h5py.File(result.paths[0]) as file:
        assert text(file, "implements") == "exchange:measurement:process"
        assert text(file, "exchange/name") == "a scan"
        detector: Any = file["measurement/instrument/detector"]
        assert detector["exposure_time"][()] == 0.25
        assert detector["exposure_time"].attrs["units"] == "s"
        assert detector["pixel_size_x"][()] == pytest.approx(6.5e-6)
        assert detector["pixel_size_x"].attrs["units"] == "m"
        assert "pixel_size_y" not in detector
        assert text(detector, "model") == "Simu"
        assert text(file, "measurement/instrument/name") == "2-BM"
        energy: Any = file["measurement/instrument/monochromator/energy"]
        assert (energy[()], energy.attrs["units"]) == (25.0, "keV")
        sample: Any = file["measurement/sample"]
        assert text(sample, "name") == "rock"
        assert sample["mass"][()] == 1.5
        assert text(sample, "experimenter/name") == "me"
        assert sample["experiment/proposal"][()] == 77
        rotation: Any = file["process/acquisition/rotation"]
        assert {name: float(each[()]) for name, each in rotation.items()} == {
            "num_angles": 3, "rotation_start": 0, "rotation_step": 60, "start": 0, "step": 60,
        }  # fmt: skip
        assert json.loads(text(file, "process/bluesky/start"))["sample"]["name"] == "rock"
        assert json.loads(text(file, "process/bluesky/stop"))["exit_status"] == "success"
        assert file.attrs["format"] == "adsupport-dataexchange-1"
        assert file.attrs["scan_id"] == 7
        assert file["exchange/theta"].attrs["units"] == "degree"
        assert "problems" not in file.attrs


def test_what_isnt_known_isnt_in_the_file(tmp_path):
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), plain_run(tmp_path).stop())
    with h5py.File(result.paths[0]) as file:
        assert list(file["measurement/instrument"]) == ["detector"]  # type: ignore[arg-type]
        assert list(file["measurement/instrument/detector"]) == ["name"]  # type: ignore[arg-type]
        assert not len(file["measurement/sample"])  # type: ignore[arg-type]


def test_the_order_in_which_frames_were_taken_is_kept(tmp_path):
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), plain_run(tmp_path, 1, 2, 3).stop())
    with h5py.File(result.paths[0]) as file:
        key: Any = file["process/acquisition/image_key"]
        assert key.dtype == np.int8
        assert key[()].tolist() == [2, 1, 1, 0, 0, 0]
        for name, seconds in (("start_date", 1000.0), ("end_date", 1008.0)):
            found = datetime.fromisoformat(text(file, f"process/acquisition/{name}"))
            assert found.timestamp() == seconds


def test_steps_that_vary_have_no_step(tmp_path):
    documents = plain_run(tmp_path, angle=lambda row: float(row**2)).stop()
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), documents)
    with h5py.File(result.paths[0]) as file:
        assert set(file["process/acquisition/rotation"]) == {
            "num_angles",
            "start",
            "rotation_start",
        }  # type: ignore[arg-type]  # noqa: E501


@pytest.mark.parametrize(("asked", "told"), [({}, True), ({"imaging": {"exposure": 1}}, False)])
def test_angles_are_asked_for_where_something_may_turn(tmp_path, asked, told):
    path = tmp_path / "a.h5"
    write_images(path, [0])
    run = TomoRun(motors=[], **asked).stream("primary").resource(path).row("primary", path)
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), run.stop())
    assert any("No angle of the projections" in each for each in result.remarks) is told


@pytest.mark.parametrize("lacking", ["darks", "flats", "projections"])
def test_a_kind_without_frames_is_left_out_and_told(tmp_path, lacking):
    documents = plain_run(tmp_path, **{lacking: 0}).stop()
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), documents)
    name = {"darks": "data_dark", "flats": "data_white", "projections": "data"}[lacking]
    (remark,) = result.remarks
    assert f"no {lacking}: /exchange/{name} is left out" in remark
    assert "tomocupy needs" in remark
    with h5py.File(result.paths[0]) as file:
        assert name not in file["exchange"]


def test_links_are_relative_so_all_can_be_moved(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (result,) = send(DataExchangeWriter(old / "dx", "x"), plain_run(old).stop())
    assert result.paths[0].stat().st_size < 60_000
    shutil.move(old, new)
    with h5py.File(new / "dx" / "x.h5") as file:
        data: Any = file["exchange/data"]
        assert data.is_virtual
        assert {each.file_name for each in data.virtual_sources()} == {"../primary.h5"}
        assert numbers(data[()]) == [30, 31, 32, 33, 34]


def test_a_copy_keeps_chunks_and_filters(tmp_path):
    path = tmp_path / "a.h5"
    write_images(path, range(4), compression="gzip", shuffle=True)
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path)
    for number in range(4):
        run.row("primary", path, **{THETA: 1.0 * number})
    writer = DataExchangeWriter(tmp_path / "out", "x", images="copy", flats="0:1", darks="1:2")
    (result,) = send(writer, run.stop())
    with h5py.File(result.paths[0]) as file:
        data: Any = file["exchange/data"]
        assert (data.compression, data.shuffle, data.chunks) == ("gzip", True, (1, 3, 5))
        assert numbers(data[()]) == [2, 3]
        assert numbers(file["exchange/data_white"][()]) == [0]  # type: ignore[index]
        assert numbers(file["exchange/data_dark"][()]) == [1]  # type: ignore[index]


def test_images_of_other_formats_are_copied_instead_of_linked(tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"a_{number:06d}.tif", frame(number))
    kwargs = {"template": "%s%s_%6.6d.tif", "filename": "a", "frame_per_point": 1}
    run = TomoRun().stream("primary", {THETA: number_key()})
    run.resource(tmp_path, spec="AD_TIFF", resource_kwargs=kwargs)
    for number in range(3):
        run.row("primary", tmp_path, **{THETA: 1.0 * number})
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x", flats="0:1"), run.stop())
    with h5py.File(result.paths[0]) as file:
        assert numbers(file["exchange/data"][()]) == [1, 2]  # type: ignore[index]
        assert numbers(file["exchange/data_white"][()]) == [0]  # type: ignore[index]
    assert "Images are copied: HDF5 can't link those in TIFF files." in result.remarks


def test_live_and_replayed_runs_make_the_same_file(tmp_path):
    documents = plain_run(tmp_path).stop()
    stored = tmp_path / "run.jsonl"
    stored.write_bytes(b"".join(encode_document(name, doc) for name, doc in documents))
    live, replayed = (DataExchangeWriter(tmp_path / each, "x") for each in ("live", "replayed"))
    send(live, documents)
    replay(stored, replayed.receiver)
    replayed.wait_writer()
    found = []
    for directory in ("live", "replayed"):
        content: dict[str, Any] = {}
        with h5py.File(tmp_path / directory / "x.h5") as file:
            file.visititems(lambda name, each, to=content: to.update({name: value_of(each)}))
        found.append(content)
    assert found[0] == found[1]
    assert len(found[0]) > 20


def test_streams_of_one_flying_detector_are_read(tmp_path):
    """ophyd-async: stream_resource and stream_datum."""
    path = tmp_path / "fly.h5"
    write_images(path, range(6), range(1, 7))
    run = TomoRun()
    for name in ("flats", "primary"):
        run.stream(name, {THETA: number_key()})
        run.documents[-1][1]["data_keys"][IMAGE]["external"] = "STREAM:"
    run.documents.append(
        ("stream_resource", {"uid": "sr", "run_start": run.documents[0][1]["uid"],
                             "data_key": IMAGE, "mimetype": "application/x-hdf5",
                             "uri": f"file://localhost{path}",
                             "parameters": {"dataset": "/entry/data/data", "chunk_shape": [1]}})
    )  # fmt: skip
    for number in range(6):
        name = "flats" if number < 2 else "primary"
        seq = number + 1 if number < 2 else number - 1
        run.row(name, None, **{THETA: 1.0 * number})
        run.documents.append(
            ("stream_datum", {"uid": f"sr/{number}", "stream_resource": "sr", "descriptor": name,
                              "indices": {"start": number, "stop": number + 1},
                              "seq_nums": {"start": seq, "stop": seq + 1}})
        )  # fmt: skip
    (result,) = send(DataExchangeWriter(tmp_path / "out", "x"), run.stop())
    with h5py.File(result.paths[0]) as file:
        assert numbers(file["exchange/data_white"][()]) == [0, 1]  # type: ignore[index]
        assert numbers(file["exchange/data"][()]) == [2, 3, 4, 5]  # type: ignore[index]
        assert file["exchange/theta"][()].tolist() == [2, 3, 4, 5]  # type: ignore[index]


def test_a_name_that_is_taken_keeps_the_work(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.h5").write_text("mine")
    writer = DataExchangeWriter(tmp_path / "out", "x")
    with pytest.raises(OutputExistsError):
        send(writer, plain_run(tmp_path).stop())
    (tmp_path / "out" / "x.h5").unlink()
    (result,) = writer.retry(timeout=20)
    with h5py.File(result.paths[0]) as file:
        assert numbers(file["exchange/data"][()]) == [30, 31, 32, 33, 34]  # type: ignore[index]
    assert os.listdir(tmp_path / "out") == ["x.h5"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    real = os.statvfs

    def full(path: Any) -> Any:
        found = list(real(path))
        found[4] = 0
        return os.statvfs_result(found)

    monkeypatch.setattr(os, "statvfs", full)
    with pytest.raises(OutputError, match="has room for 0"):
        send(DataExchangeWriter(tmp_path / "out", "x"), plain_run(tmp_path).stop())
    assert os.listdir(tmp_path / "out") == []


def test_an_image_that_cant_be_decoded_is_an_error_and_leaves_nothing(tmp_path):
    documents = plain_run(tmp_path).stop()
    path = tmp_path / "primary.h5"
    write_images(path, range(30, 35), range(31, 36), compression="gzip")
    with h5py.File(path) as file:
        data: Any = file["entry/data/data"]
        where = data.id.get_chunk_info(2)
    with open(path, "r+b") as raw:
        raw.seek(where.byte_offset)
        raw.write(b"\xff" * where.size)
    with pytest.raises(OSError, match=r"primary\.h5"):
        send(DataExchangeWriter(tmp_path / "out", "x", images="repack"), documents)
    assert os.listdir(tmp_path / "out") == []


def test_files_that_contradict_the_descriptor_are_told(tmp_path):
    documents = plain_run(tmp_path).stop()
    for name in ("darks", "flats", "primary"):
        write_images(tmp_path / f"{name}.h5", range(5), shape=(7, 9))
    with pytest.raises(DocumentError, match=r"\(7, 9\).*expected"):
        send(DataExchangeWriter(tmp_path / "out", "x"), documents)
    assert os.listdir(tmp_path / "out") == ["x.h5"]


def test_darks_of_another_size_are_no_darks(tmp_path):
    documents = plain_run(tmp_path).stop()
    write_images(tmp_path / "darks.h5", range(2), shape=(7, 9))
    writer = DataExchangeWriter(
        tmp_path / "out", "x", missing="drop", strict=False, image_timeout=0
    )
    (result,) = send(writer, documents)
    with h5py.File(result.paths[0]) as file:
        assert "data_dark" not in file["exchange"]
        assert numbers(file["exchange/data"][()]) == [30, 31, 32, 33, 34]  # type: ignore[index]
    assert any("2 of 2 darks" in text and "(7, 9)" in text for text in result.remarks)


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_one_run_makes_the_same_file_again_at_any_time(tmp_path, images):
    begin = int(time.time())
    (result,) = send(DataExchangeWriter(tmp_path / "x", images=images), plain_run(tmp_path).stop())
    content = result.paths[0].read_bytes()
    for second in range(begin, int(time.time()) + 1):
        assert struct.pack("<I", second) not in content
