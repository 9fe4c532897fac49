"""The files with which databroker opens a pack that was moved; of tiled's see test_tiled_tree."""

from __future__ import annotations

import shutil
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from event_model import compose_run

from adsupport.documents.json_text import encode_document as as_json
from adsupport.pack.layout import documents_path, place_of
from adsupport.pack.making.catalog_files import CATALOG_NAME, catalog_files
from adsupport.pack.manifest import Manifest, PackedFile, PackedRunEntry
from adsupport.pack.msgpack_text import encode_document as as_msgpack

FRAMES = np.arange(24, dtype="<u2").reshape(2, 3, 4)
ENCODERS = {"jsonl": as_json, "msgpack": as_msgpack}


def documents(root: str, file: str, scan_id: int = 1):
    """Make a run of two events: a number that's NaN once, and a frame of a file."""
    run = compose_run(metadata={"scan_id": scan_id})
    keys: dict[str, Any] = {
        "x": {"source": "PV:x", "dtype": "number", "shape": []},
        "img": {"source": "PV:i", "dtype": "array", "shape": [1, 3, 4], "external": "FILESTORE:"},
    }
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    resource = run.compose_resource(
        spec="AD_HDF5", root=root, resource_path=file, resource_kwargs={"frame_per_point": 1}
    )
    yield "start", run.start_doc
    yield "descriptor", stream.descriptor_doc
    yield "resource", resource.resource_doc
    for index in range(2):
        datum = resource.compose_datum(datum_kwargs={"point_number": index})
        yield "datum", datum
        event = stream.compose_event(
            data={"x": 0.5 * index, "img": datum["datum_id"]},
            timestamps={"x": 1.0, "img": 1.0},
            filled={"img": False},
        )
        yield "event", event
    yield "stop", run.compose_stop()


@pytest.fixture
def make(tmp_path):
    """Return what makes a pack by hand, of one run with a given root, in a given format."""

    def write(kind="jsonl", root="/data", file="2026/a.h5", extra=()):
        pack = tmp_path / "pack"
        docs = [*documents(root, file)]
        docs[-1:-1] = extra
        uid = docs[0][1]["uid"]
        path = pack / documents_path(uid, kind)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"".join(ENCODERS[kind](*each) for each in docs))
        image = pack / place_of(f"{root}/{file}")
        image.parent.mkdir(parents=True)
        with h5py.File(image, "w") as h5:
            h5["entry/data/data"] = FRAMES
        manifest = Manifest(
            kind,
            "copy",
            runs=(PackedRunEntry(uid, documents_path(uid, kind), 1, "0" * 64, len(docs)),),
            files=(PackedFile(place_of(f"{root}/{file}"), f"{root}/{file}", 1, "0" * 64, 0),),
            roots={root: place_of(root)},
        )
        for name, text in catalog_files(manifest).items():
            (pack / name).write_text(text)
        return pack, uid

    return write


def read(pack, uid):
    """Read the one run with databroker."""
    intake = pytest.importorskip("intake")
    pytest.importorskip("databroker")
    catalog = intake.open_catalog(str(pack / "catalog.yml"))[CATALOG_NAME]
    assert list(catalog) == [uid]
    return catalog[uid].primary.read()


@pytest.mark.filterwarnings("ignore")  # of intake and databroker
@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize(
    ("root", "file"), [("/data", "2026/a.h5"), ("/", "data/2026/a.h5"), ("/{{ 7 }} {%", "a.h5")]
)
def test_databroker_reads_a_pack_that_was_moved(make, tmp_path, kind, root, file):
    pack, uid = make(kind, root, file)
    moved = shutil.move(pack, tmp_path / "else where")
    found = read(moved, uid)
    assert found["x"].values.tolist() == [0, 0.5]
    assert np.array_equal(found["img"].values[:, 0], FRAMES)
    assert found["img"].values.shape == (2, 1, 3, 4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ENCODERS)
def test_databroker_isn_t_disturbed_by_documents_that_it_doesn_t_know(make, kind):
    resource = {
        "uid": "sr",
        "data_key": "other",
        "run_start": "u",
        "mimetype": "application/x-hdf5",
        "uri": "file://localhost/data/b.h5",
        "parameters": {"dataset": "/entry"},
    }
    datum = {
        "uid": "sd",
        "stream_resource": "sr",
        "descriptor": "d",
        "indices": {"start": 0, "stop": 1},
        "seq_nums": {"start": 1, "stop": 2},
    }
    pack, uid = make(kind, extra=[("stream_resource", resource), ("stream_datum", datum)])
    assert read(pack, uid)["x"].values.tolist() == [0, 0.5]


def test_a_root_leads_into_the_pack_only_where_that_has_its_files():
    roots = {"/data": place_of("/data"), "/more": place_of("/more")}
    inside = PackedFile(place_of("/data/a/b.h5"), "/data/a/b.h5", 1, "0" * 64, 0)
    outside = PackedFile("", "/data/a/b.h5", 1, "0" * 64, 0)

    def root_map(*files):
        manifest = Manifest("jsonl", "copy", files=files, roots=roots)
        found = yaml.safe_load(catalog_files(manifest)["catalog.yml"])
        return found["sources"][CATALOG_NAME]["args"].get("root_map")

    assert root_map(inside) == {"/data": "{{ CATALOG_DIR }}/" + place_of("/data")}
    assert root_map(outside) is None
