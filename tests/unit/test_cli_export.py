"""``adsupport export``: from names of runs to files, and what's told when something is wrong."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import json
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

import h5py
import pytest
from event_model import compose_run
from typer.testing import CliRunner

from adsupport.callbacks import formats
from adsupport.callbacks.export import export_runs
from adsupport.callbacks.formats import FORMATS, format_names, make_writer
from adsupport.callbacks.json import JSONLinesWriter
from adsupport.cli.app import app
from adsupport.documents.json_lines import read_documents
from adsupport.documents.json_text import encode_document
from adsupport.documents.selection import find_runs
from adsupport.errors import (
    AdsupportError,
    ConfigurationError,
    OutputExistsError,
    OutputNameError,
)
from adsupport.pack import pack

#: Of make_writer, which not all writers have.
OPTIONS = ("images", "image_timeout")

UIDS = [f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abcd"]


def documents(index, *, image=None) -> Iterator[Any]:
    run = compose_run(uid=UIDS[index], time=1.7e9 + index, metadata={"scan_id": 40 + index})
    keys: dict[str, Any] = {"x": {"source": "PV:x", "dtype": "number", "shape": []}}
    if image:
        keys["img"] = {"source": "PV:i", "dtype": "array", "shape": [1, 2, 3],
                       "external": "FILESTORE:"}  # fmt: skip
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    yield "start", run.start_doc
    yield "descriptor", stream.descriptor_doc
    data: dict[str, Any] = {"x": 0.5 * index}
    stamps = {"x": 1.7e9}
    if image:
        resource = run.compose_resource(
            spec="AD_HDF5", root="/", resource_path=image, resource_kwargs={"frame_per_point": 1}
        )
        datum = resource.compose_datum(datum_kwargs={"point_number": 0})
        yield "resource", resource.resource_doc
        yield "datum", datum
        data["img"], stamps["img"] = datum["datum_id"], 1.7e9
    filled: Any = {"img": False} if image else {}
    yield "event", stream.compose_event(data=data, timestamps=stamps, filled=filled, time=1.7e9)
    yield "stop", run.compose_stop(time=1.7e9 + index + 1)


def write(path, runs):
    path.write_bytes(b"".join(encode_document(*each) for run in runs for each in run))
    return str(path)


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "docs.jsonl", [documents(index) for index in range(4)])


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def call(*arguments):
    """Run the command; an error that it raises on purpose is told as main() does."""
    found = CliRunner().invoke(app, ["export", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        if not isinstance(found.exception, AdsupportError):
            raise found.exception
        return 1, "", str(found.exception)
    return found.exit_code, found.stdout, " ".join(found.stderr.split())


def test_one_run_in_all_formats(file, out):
    names = [name for name in FORMATS if name != "tiff"]
    name = "{start[scan_id]:05d}-{start[uid]:.3}"
    code, stdout, stderr = call("-1", "--file", file, "--dir", out, "--to", ",".join(names),
                                "--name", name, "--exists", "bump")  # fmt: skip
    assert (code, stderr.split(". ")[-1]) == (0, "8 files of 1 run written."), stderr
    assert stderr.count("(scan_id 43) as nexus-aps: The baseline has no sample_data_*") == 1
    paths = stdout.split()
    assert sorted(map(os.path.basename, paths)) == sorted(os.listdir(out))
    assert all(os.path.getsize(each) for each in paths)
    by_end = {each.rpartition(".")[2]: each for each in paths}
    assert os.path.basename(by_end["jsonl"]) == "00043-ddd.jsonl"
    assert os.path.basename(by_end["hdf"]) in ("00043-ddd.hdf", "00043-ddd-1.hdf")
    assert list(read_documents(by_end["jsonl"])) == list(read_documents(file))[-4:]
    with open(next(each for each in paths if each.endswith("primary.csv"))) as table:
        assert [row["x"] for row in csv.DictReader(table)] == ["1.5"]
    with h5py.File(by_end["h5"]) as found:
        assert found["streams/primary/data/x"][()] == [1.5]  # type: ignore[index]


def test_several_runs_by_number_and_uid(file, out):
    code, stdout, stderr = call("41-42", "aaaaa", "--file", file, "--dir", out, "--to", "jsonl",
                                "--to", "json", "--name", "{start[scan_id]}")  # fmt: skip
    assert (code, stderr) == (0, "6 files of 3 runs written.")
    assert stdout.split() == [
        str(out / f"{number}.{kind}") for number in (41, 42, 40) for kind in ("jsonl", "json")
    ]
    assert json.loads((out / "41.json").read_text())["start"]["uid"] == UIDS[1]


def test_all_runs_go_to_one_spec_file(file, out):
    code, stdout, _ = call("--all", "--file", file, "--dir", out, "--to", "spec", "--name", "a.dat")
    assert code == 0 and set(stdout.split()) == {str(out / "a.dat")}
    assert (out / "a.dat").read_text().count("\n#S ") == 4


def test_runs_of_a_time(file, out):
    code, stdout, _ = call("--since", 1.7e9 + 1, "--until", 1.7e9 + 3, "--file", file, "--dir", out,
                           "--to", "json", "--name", "{start[scan_id]}")  # fmt: skip
    assert code == 0 and sorted(os.listdir(out)) == ["41.json", "42.json"]


def test_what_fails_is_told_and_the_rest_is_written(file, out):
    out.mkdir()
    (out / "41.json").write_text("precious")
    code, stdout, stderr = call("--file", file, "--dir", out, "--to", "json,jsonl",
                                "--name", "{start[scan_id]}")  # fmt: skip
    assert code == 1
    assert len(stdout.split()) == 7 and (out / "41.json").read_text() == "precious"
    assert "Run bbbbbbbb (scan_id 41) as json: " in stderr
    assert "7 files of 4 runs written; something is wrong with 1 of 8: see above." in stderr


def test_a_run_that_can_t_be_read_is_told(tmp_path, out):
    lines = [*documents(0), *documents(1)]
    lines[2:3] = [("event", {})]
    path = tmp_path / "docs.jsonl"
    path.write_text(
        "\n".join(
            "rubbish" if not doc else encode_document(name, doc).decode().strip()
            for name, doc in lines
        )
        + "\n"  # fmt: skip
    )
    code, stdout, stderr = call("--file", path, "--dir", out, "--to", "json")
    assert code == 1 and "line 3 of" in stderr


def test_a_run_that_isn_t_whole_is_written_and_told(tmp_path, out):
    first, second, third = [list(documents(index)) for index in range(3)]
    first[-1] = ("stop", first[-1][1] | {"num_events": {"primary": 7}})
    path = write(tmp_path / "docs.jsonl", [first, second[:-1], third[:-1]])
    code, stdout, stderr = call("--file", path, "--dir", out, "--to", "json")
    assert code == 1 and len(stdout.split()) == 3
    assert (
        "Run aaaaaaaa (scan_id 40) as json: Stream 'primary': the stop document counts 7" in stderr
    )
    assert "2 runs as json: There is no stop document" in stderr
    assert "3 files of 3 runs written; something is wrong with 1 of 3" in stderr


def test_missing_images_are_told_with_their_file(tmp_path, out):
    path = write(tmp_path / "docs.jsonl", [documents(0, image="no/such.h5")])
    code, _, stderr = call("--file", path, "--dir", out, "--to", "csv", "--images", "copy")
    assert code == 0, stderr  # a table only tells where they are
    with open(next(out.glob("*primary.csv"))) as table:
        assert next(csv.DictReader(table))["img"] == "/no/such.h5[0:1]"
    code, _, _ = call("--file", path, "--dir", out, "--to", "csv", "--map", "/no=/yes",
                      "--exists", "bump")  # fmt: skip
    tables = [each.read_text() for each in out.glob("*primary.csv")]
    assert sum("/yes/such.h5[0:1]" in each for each in tables) == 1


def test_the_help_names_every_format():
    found = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200"})
    (line,) = [each for each in found.stdout.splitlines() if "File formats: " in each]
    assert line.split("File formats: ")[1].split(".")[0] == ", ".join(FORMATS)


def test_the_wait_for_images_is_as_given(tmp_path, out):
    path = write(tmp_path / "docs.jsonl", [documents(0, image="no/such.h5")])
    writers = {}
    original = formats.make_writer

    def keep(name, *args, **options):
        writers[name] = original(name, *args, **options)
        return writers[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "make_writer", keep)
        code, stdout, stderr = call("-1", "--file", path, "--dir", out, "--image-timeout", "0.01",
                                    "--to", "hdf5,nexus,csv")  # fmt: skip
    assert code == 1 and len(stdout.split()) == 4 and stderr.count("such.h5 is missing") == 2
    assert [getattr(each, "image_timeout", None) for each in writers.values()] == [0.01, 0.01, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-1", "--to", "json"], "Give one of --catalog, --tiled, --file and --pack"),
        (["-1", "--to", "json", "--file", "FILE", "--catalog", "x"], "Give one of"),
        (["-1", "--file", "FILE"], "Say which formats"),
        (["-1", "--to", "word", "--file", "FILE"], "word isn't a file format"),
        (["-1", "--to", ",", "--file", "FILE"], "No file format"),
        (["--to", "json", "--catalog", "x"], "Say which runs"),
        (["--no-such", "--to", "json", "--file", "FILE"], "No such option: --no-such"),
        (["-1", "--to", "json", "--file", "FILE", "--exists", "eat"], "'eat' isn't known"),
        (["-1", "--to", "json", "--file", "FILE", "--images", "eat"], "'eat' isn't known"),
        (["-1", "--to", "json", "--file", "FILE", "--map", "/a"], "expected two directories"),
        (["-1", "--to", "json", "--file", "/no/such"], "does not exist"),
        (["--to", "json", "--file", "FILE", "--since", "soon"], "--since: since: 'soon' isn't"),
        (["--to", "json", "--file", "FILE", "--until", "nan"], "--until: until: 'nan' isn't"),
        (["40", "4-2", "--to", "json", "--file", "FILE"], "for RUN: "),
        (["-1..-3", "--to", "json", "--file", "FILE"], "has no run '-1..-3'"),
        (["40", "aa", "--to", "json", "--file", "FILE"], "'aa' is too short"),
        (["-1", "--to", "json", "--file", "FILE", "--image-timeout", "-1"], "--image-timeout"),
    ],
)
def test_a_command_line_that_can_t_be_used_is_told(file, out, arguments, message):
    arguments = [file if each == "FILE" else each for each in arguments]
    code, stdout, stderr = call(*arguments, "--dir", out)
    assert (code, stdout) == (2, "")
    assert message in stderr.replace("│ ", "").replace(" │", "")
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["99"], "has no run '99' among its 4 runs, with scan_id 40 to 43"),
        (["-9"], "has no run -9: it has 4 runs"),
        (["--since", "2030-01-01"], "(since 2030-01-01) has no run"),
        (["40", "--name", "{start[color]}"], "color"),
        (["40", "--name", "../../evil"], ""),
    ],
)
def test_what_isn_t_there_is_told(file, out, arguments, message):
    code, stdout, stderr = call(*arguments, "--to", "json", "--file", file, "--dir", out)
    assert code == 1 and message in stderr
    assert all(str(out) in each for each in stdout.split())


def test_runs_are_chosen_by_a_query(file, out):
    options = ["--to", "json", "--file", file, "--dir", out, "--name", "{start[scan_id]}"]
    assert call("--query", "scan_id=41", *options)[0] == 0
    assert os.listdir(out) == ["41.json"]
    code, _, stderr = call("--query", 'scan_id="41"', *options)
    assert (code, stderr.count("(scan_id='41') has no run")) == (1, 1)
    assert call("--query", "scan_id", *options)[0] == 2


def test_an_unknown_catalog_is_told_with_those_there_are(monkeypatch, out):
    fake = types.ModuleType("databroker")
    fake.catalog = {"mine": None}  # type: ignore[attr-defined]
    fake.catalog_search_path = lambda: ("/etc/intake",)  # type: ignore[attr-defined]
    fake.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "databroker", fake)
    code, _, stderr = call("-1", "--to", "json", "--catalog", "yours", "--dir", out)
    assert code == 1
    assert "no catalog 'yours'; there are: mine." in stderr and "/etc/intake" in stderr


@pytest.mark.filterwarnings("ignore")  # of databroker
def test_runs_of_a_databroker_catalog_are_written_as_those_of_a_file(monkeypatch, tmp_path, out):
    databroker = pytest.importorskip("databroker")
    cat = databroker.temp().v2
    for index in range(4):
        for name, doc in documents(index):
            cat.v1.insert(name, doc)
    monkeypatch.setattr(databroker, "catalog", {"mine": cat})
    file = write(tmp_path / "docs.jsonl", [documents(index) for index in range(4)])
    options = ["--to", "json,csv,spec", "--dir", out, "--name"]
    code, _, stderr = call("-2", "40", "--catalog", "mine", *options, "{start[scan_id]}-catalog")
    assert (code, stderr) == (0, "8 files of 2 runs written.")
    assert call("-2", "40", "--file", file, *options, "{start[scan_id]}-file")[0] == 0
    for number, other in ((40, 42), (42, 40)):
        text = (out / f"{number}-catalog").read_text()
        assert f"#S {number} " in text and f"#S {other} " not in text
    for number in (40, 42):
        from_catalog, from_file = (
            json.loads((out / f"{number}-{source}.json").read_text())
            for source in ("catalog", "file")
        )
        for found in (from_catalog, from_file):  # uids of events are made anew
            for descriptor in found["streams"]["primary"]["descriptors"]:
                del descriptor["uid"], descriptor["time"]
            del found["stop"]["uid"]
        assert from_catalog == from_file


def test_every_format_can_be_made(tmp_path):
    for name in FORMATS:
        writer: Any = make_writer(name, tmp_path, images="copy", image_timeout=1.5)
        assert type(writer) is FORMATS[name].load()
        assert FORMATS[name].options == tuple(each for each in OPTIONS if hasattr(writer, each))
    assert os.listdir(tmp_path) == []
    assert type(make_writer("JSONL ", tmp_path)) is JSONLinesWriter
    assert format_names(["csv, spec", "csv"]) == ["csv", "spec"]
    with pytest.raises(ConfigurationError, match="expected some of nexus"):
        make_writer("pdf", tmp_path)


def scanned(tmp_path, *types):
    """A run whose frames tell by a recorded key what they are, and the files of images."""
    from .callbacks.tomography.made import THETA, TomoRun, number_key, write_images

    images = tmp_path / "frames.h5"
    write_images(images, range(len(types)), range(1, len(types) + 1))
    keys = {THETA: number_key(), "kind": number_key("")}
    run = TomoRun().stream("primary", keys).resource(images)
    for number, kind in enumerate(types):
        run.row("primary", images, **{THETA: 10.0 * number, "kind": kind})
    return write(tmp_path / "tomo.jsonl", [run.stop()])


def test_options_of_a_writer_are_given_as_text(tmp_path, out):
    arguments = ["--file", scanned(tmp_path, 1, 2, 0, 0), "--dir", out, "--to", "dx,nxtomo,csv",
                 "--name", "a", "--option", "frame_type=kind"]  # fmt: skip
    code, stdout, stderr = call(*arguments)
    assert (code, len(stdout.split())) == (0, 4), stderr
    with h5py.File(out / "a.h5") as file:
        assert file["process/acquisition/image_key"][()].tolist() == [2, 1, 0, 0]  # type: ignore[index]
    code, _, stderr = call(*arguments, "--option", "missing=0", "--exists", "bump")
    assert code == 2 and "missing='0'" in stderr
    code, _, stderr = call(*arguments, "--option", "colour=red")
    assert code == 2 and "no option 'colour'" in stderr and "unique_id" in stderr


def test_each_own_option_is_one_of_the_writer():
    for each in FORMATS.values():
        assert set(each.own) <= set(inspect.signature(each.load()).parameters)


@pytest.mark.parametrize("names", ["json", "jsonl,hdf5", "csv", "dx,hdf5"])
def test_a_name_that_is_taken_costs_neither_time_nor_room(tmp_path, out, names):
    file = scanned(tmp_path, 0, 0)
    arguments = ["--file", file, "--dir", out, "--to", names, "--name", "a", "--images", "copy"]
    call(*arguments)
    before = sorted(os.listdir(out))
    for _ in range(2):
        code, stdout, stderr = call(*arguments)
        assert (code, stdout, stderr.count("exists already")) == (1, "", len(names.split(",")))
        assert "--exists bump or replace" in stderr and "retry" not in stderr
        assert sorted(os.listdir(out)) == before


def test_a_run_isnt_read_when_no_file_can_be_written(file, out):
    out.mkdir()
    (out / "a.json").touch()
    (run,) = find_runs(file, ["-1"])
    run = dataclasses.replace(run, documents=lambda: pytest.fail("it is read"))
    (found,) = export_runs([run], {"json": make_writer("json", out, file_name="a")})
    assert isinstance(found.error, OutputExistsError)


def test_files_of_a_pack_arent_waited_for(tmp_path, out, monkeypatch):
    file = write(tmp_path / "docs.jsonl", [documents(0, image="no/such.h5")])
    pack([file], tmp_path / "pack", external="list", strict=False)
    waits = []

    def keep(name, *args, **options):
        waits.append(options["image_timeout"])
        return make_writer(name, *args, **options)

    monkeypatch.setattr(formats, "make_writer", keep)
    arguments = ["--pack", tmp_path / "pack", "--dir", out, "--to", "hdf5", "--exists", "bump"]
    assert call(*arguments)[0] == 1
    call(*arguments, "--image-timeout", "0.01")
    assert waits == [0, 0.01]


@pytest.mark.parametrize("name", ["../a.dat", "/tmp/a.dat", ".."])
def test_the_file_of_all_runs_is_in_its_directory(tmp_path, name):
    with pytest.raises(OutputNameError):
        make_writer("spec", tmp_path / "out", file_name=name)
    assert os.listdir(tmp_path) == []
