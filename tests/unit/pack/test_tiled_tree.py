"""Packs served by tiled, in this process, through the configuration that each of them has."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from adsupport.documents.selection import find_runs
from adsupport.pack.making.catalog_files import catalog_files
from adsupport.pack.manifest import read_manifest

from .made_packs import images, make_pack, place

pytest.importorskip("tiled.server")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore"),  # of tiled and dask
]


@pytest.fixture
def serve(tmp_path):
    """Return what serves a pack from another directory than it was made in."""
    from tiled.client import from_context
    from tiled.client.context import Context
    from tiled.config import parse_configs
    from tiled.server.app import build_app_from_config

    contexts = []

    def client(pack):
        for name, text in catalog_files(read_manifest(pack)).items():
            (pack / name).write_text(text)
        moved = shutil.move(pack, tmp_path / "else where")
        config = parse_configs(f"{moved}/tiled.yml")
        config.authentication.single_user_api_key = "secret"
        app = build_app_from_config(config)
        contexts.append(Context.from_app(app, api_key="secret"))
        return from_context(contexts[-1].__enter__())

    yield client
    for context in contexts:
        context.__exit__(None, None, None)


def test_tiled_serves_a_pack_that_was_moved(serve, tmp_path):
    catalog = serve(make_pack(tmp_path / "pack", 3))
    assert len(catalog) == 3
    run = catalog[list(catalog)[1]]
    assert (run.start["scan_id"], run.stop["exit_status"]) == (2, "success")
    assert run["primary/m1"].read().tolist() == [0, 0.5, 1]
    assert np.array_equal(run["primary/det_image"][:, 0], images() + 200)
    assert np.array_equal(run["primary/det_image"][1, 0, 2:], images()[1, 2:] + 200)
    found = run["primary"].read()
    assert found["det_image"].shape == (3, 1, 4, 5)
    assert found["m1"].values.tolist() == [0, 0.5, 1]
    (chosen,) = find_runs(catalog, ["3"], query={"plan_name": "scan"})
    docs = list(chosen.documents())
    assert docs[0][1]["scan_id"] == 3 and docs[-1][1]["exit_status"] == "success"
    (page,) = (doc for name, doc in docs if name == "event_page")
    assert page["data"]["m1"] == [0, 0.5, 1] and page["seq_num"] == [1, 2, 3]


def test_a_missing_file_costs_no_other_values(serve, tmp_path):
    pack = make_pack(tmp_path / "pack", 2)
    place(pack, 2).unlink()
    catalog = serve(pack)
    assert set(catalog[list(catalog)[1]]["primary"].base) == {"internal"}
