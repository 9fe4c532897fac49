"""Runs in tiled give the documents from which they came, without a special exporter."""

from __future__ import annotations

import math
from typing import Any

import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from event_model import compose_run
from ophyd import Component, Device, Signal

from adsupport.documents.router import RunRouter
from adsupport.documents.selection import find_runs
from adsupport.documents.stored_runs import replay
from adsupport.errors import RunNotFoundError

from ..tiled_server import tiled_client

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("tiled.server")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),  # the server starts in some 6 s, unless others need the cores
    pytest.mark.filterwarnings("ignore"),  # of tiled and dask
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    log = tmp_path_factory.mktemp("tiled") / "log"
    with tiled_client(tmp_path_factory.getbasetemp(), log) as found:
        yield found


class Rows(list):
    """Keeps what a consumer is told."""

    def begin(self, run):
        self.run = run

    def stream(self, run, stream):
        pass

    def rows(self, run, rows):
        keys = rows.stream.columns
        for index, number in enumerate(rows.seq_nums().tolist()):
            values = {key: rows.values(key)[index] for key in keys}
            stamps = {key: rows.timestamps(key)[index] for key in keys}
            self.append((rows.stream.name, number, rows.times()[index], values, stamps))

    def end(self, run):
        self.ended = True


def told(play):
    rows = Rows()

    def begin(run):
        rows.begin(run)
        return rows

    router = RunRouter(begin)
    play(router)
    router.close()
    assert not router.problems
    return rows


class Instrument(Device):
    x = Component(Signal, value=0.1, kind="hinted")
    nan = Component(Signal, value=math.nan)
    few = Component(Signal, value=np.arange(5.0))
    many = Component(Signal, value=np.arange(2000.0))
    text = Component(Signal, value="a,b\n")
    big = Component(Signal, value=2**60 + 1)
    flag = Component(Signal, value=True)
    setting = Component(Signal, value=3, kind="config")


def test_values_of_all_kinds_come_back(client):
    from bluesky_tiled_plugins import TiledWriter

    documents = []
    engine = RunEngine()
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    engine.subscribe(TiledWriter(client))
    instrument: Any = Instrument(name="d")
    engine(bp.count([instrument], 3, md={"sample": {"name": "x"}}))
    uid = documents[0][1]["uid"]

    live = told(lambda router: [router(*each) for each in documents])
    stored = told(lambda router: replay(client[uid], router))
    assert len(live) == len(stored) == 3
    for (*before, values, stamps), (*after, others, other_stamps) in zip(live, stored, strict=True):
        assert before == after
        assert list(values) == list(others)
        for key in values:
            np.testing.assert_array_equal(values[key], others[key], key)
        assert stamps == other_stamps
    assert stored.run.start["sample"] == {"name": "x"}
    assert stored.run.exit_status == "success"
    assert stored.run.streams["primary"].configuration["d"]["data"] == {"d_setting": 3}
    assert not stored.run.problems


def write(client, spec, kwargs, path, shape, rows, *, stop=True):
    """Give tiled a run with images in files, as ophyd's resource documents tell it."""
    from bluesky_tiled_plugins import TiledWriter

    writer = TiledWriter(client)
    run = compose_run(metadata={"scan_id": 9})
    writer("start", run.start_doc)
    keys = {
        "img": {"source": "PV:x", "dtype": "array", "dtype_numpy": "<u2", "shape": shape,
                "external": "FILESTORE:"},
        "m": {"source": "PV:m", "dtype": "number", "shape": []},
    }  # fmt: skip
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    writer("descriptor", stream.descriptor_doc)
    resource = run.compose_resource(
        spec=spec, root="/", resource_path=str(path).lstrip("/"), resource_kwargs=kwargs
    )
    writer("resource", resource.resource_doc)
    for point in range(rows):
        datum = resource.compose_datum(datum_kwargs={"point_number": point})
        writer("datum", datum)
        writer("event", stream.compose_event(
            data={"img": datum["datum_id"], "m": float(point)},
            timestamps={"img": 1.0, "m": 2.0}, filled={"img": False},
        ))  # fmt: skip
    writer("stop", run.compose_stop())
    return run.start_doc["uid"]


@pytest.mark.parametrize("frames", [1, 2])
def test_images_in_an_hdf5_file_are_found_again(client, tmp_path, frames):
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = np.arange(3 * frames * 20, dtype="u2").reshape(-1, 4, 5)
    kwargs = {"frame_per_point": frames}
    uid = write(client, "AD_HDF5", kwargs, path, [frames, 4, 5], 3)
    rows = told(lambda router: replay(client[uid], router))
    found = [values["img"] for *_, values, _ in rows]
    assert [(each.first, each.count) for each in found] == [(i * frames, frames) for i in range(3)]
    assert {path} == {file for each in found for file in each.files()}
    assert [values["m"] for *_, values, _ in rows] == [0.0, 1.0, 2.0]


def test_images_in_a_series_of_files_are_found_again(client, tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"a {number:04d}.tif", np.full((4, 5), number, "u2"))
    kwargs = {"template": "%s%s%4.4d.tif", "filename": "a ", "frame_per_point": 1}
    uid = write(client, "AD_TIFF", kwargs, f"{tmp_path}/", [1, 4, 5], 3)
    rows = told(lambda router: replay(client[uid], router))
    files = [values["img"].files() for *_, values, _ in rows]
    assert files == [[tmp_path / f"a {number:04d}.tif"] for number in range(3)]


def test_runs_are_found_by_number_uid_age_and_time(client):
    from bluesky_tiled_plugins import TiledWriter

    writer, uids = TiledWriter(client), []
    for number in range(3):
        metadata = {"scan_id": 700 + number, "sample": {"name": "ab"[number % 2], "id": number}}
        run = compose_run(time=5e9 + number, metadata=metadata)
        writer("start", run.start_doc)
        writer("stop", run.compose_stop())
        uids.append(run.start_doc["uid"])

    def found(*texts, **options):
        return [uids.index(run.uid) for run in find_runs(client, texts, **options)]

    assert found("701") == found(uids[1]) == found(uids[1][:10]) == found("-2") == [1]
    assert found("701-800") == found(since=5e9 + 1) == [1, 2]
    assert found("-2..-1", until=5e9 + 2, since=5e9) == [0, 1]
    assert found(query={"sample.name": "a"}, since=5e9) == [0, 2]
    assert found("-1", query={"sample.name": "a", "sample.id": 0}) == [0]
    with pytest.raises(RunNotFoundError, match="has no run '799' among its 3 runs"):
        found("799", since=5e9)
    assert [name for name, _ in find_runs(client, ["700"])[0].documents()] == ["start", "stop"]


def test_a_run_is_exported_by_the_command(client, tmp_path):
    from typer.testing import CliRunner

    from adsupport.cli.app import app

    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = np.arange(60, dtype="u2").reshape(-1, 4, 5)
    uid = write(client, "AD_HDF5", {"frame_per_point": 1}, path, [1, 4, 5], 3)
    uri = f"{client.context.api_uri}?api_key={client.context.api_key}"
    arguments = ["export", uid[:10], "--tiled", uri, "--to", "nexus,csv", "--dir", str(tmp_path)]
    found = CliRunner().invoke(app, [*arguments, "--name", "run", "--images", "copy"])
    assert found.exit_code == 0, found.output
    with h5py.File(tmp_path / "run.hdf") as file:
        images: Any = file["entry/instrument/bluesky/streams/primary/img/value"]
        assert images[()].ravel().tolist() == list(range(60))
    assert (tmp_path / "run-primary.csv").read_text().count("images.h5[") == 3
