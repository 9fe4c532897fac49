"""Templates of a run's metadata."""

import json

import h5py
import pytest

from adsupport.callbacks.nexus import NXWriter, check_nexus
from adsupport.callbacks.nexus.templates import apply_templates

SOURCE = "/entry/instrument/bluesky/streams/primary/x/value"


@pytest.mark.parametrize("encode", [list, json.dumps], ids=["list", "JSON"])
def test_links_constants_and_attributes(documents, write, encode):
    templates = [
        [SOURCE, "/entry/sample:NXsample/beam:NXbeam/flux"],
        ["/entry/sample:NXsample/mass=", 2.5],
        ["/entry/sample/@label", "A7"],
        ["/entry/data/@signal", "x"],
    ]
    start = {"nxwriter_template": encode(templates)}
    path = write(documents({"primary": {"x": [1.0, 2.0]}}, start=start))
    with h5py.File(path) as file:
        sample = file["entry/sample"]
        assert sample.attrs["NX_class"] == "NXsample"
        assert sample.attrs["label"] == "A7"
        assert sample["mass"][()] == 2.5
        assert sample["beam/flux"][()].tolist() == [1, 2]
        assert sample["beam/flux"].attrs["target"] == SOURCE
    assert check_nexus(path) == []


@pytest.mark.parametrize(
    ("templates", "problem"),
    [
        ("{", "JSON"),
        (5, "list"),
        ([["a"]], "pair"),
        ([["/entry/nothing", "/entry/x"]], "there is no /entry/nothing"),
        ([["/entry/a:detector/x=", 1]], "must begin with 'NX'"),
        ([["/entry/@a/@b", 1]], "one attribute"),
        ([["/entry/nothing/@b", 1]], "there is no"),
        ([["/entry", 7]], "must be an address"),
        ([["/entry", "/entry/data"]], "there already"),
        ([["/entry/value/x=", 7]], "is a dataset"),
        ([["/entry/value/a:NXdata/x=", 7]], "is a dataset"),
    ],
)
def test_what_cant_be_done_is_told_and_the_rest_is_done(tmp_path, templates, problem):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("entry/data")
        file["entry/value"] = 1
        if isinstance(templates, list):
            templates = [*templates, ["/entry/good=", 1]]
        (note,) = apply_templates(file, templates)
        assert problem in note
        assert not isinstance(templates, list) or file["entry/good"][()] == 1


def test_a_template_that_fails_is_an_error_of_the_run(documents, tmp_path, caplog):
    writer = NXWriter(file_path=tmp_path, warn_on_missing_content=False)
    start = {"nxwriter_template": [["/entry/nothing", "/entry/x"]]}
    for name, doc in documents({"primary": {"x": [1.0]}}, start=start):
        writer.receiver(name, doc)
    with pytest.raises(ValueError, match="there is no /entry/nothing"):
        writer.wait_writer(timeout=20)
    assert writer.results[-1].paths[0].exists()
