"""``adsupport pack``, ``verify`` and ``unpack``: what they do, print, and say of what's wrong."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from adsupport.cli.app import app
from adsupport.cli.byte_bar import ByteBar
from adsupport.documents.json_text import encode_document
from adsupport.errors import AdsupportError
from adsupport.pack import open_pack

from .pack.made_packs import digest, images, regular, resource, run_of, write_hdf5
from .tiled_server import tiled_client


@pytest.fixture
def data(tmp_path):
    """Where the image files are."""
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path, data):
    """Documents of three runs, the last two with images."""
    runs = [run_of(1)]
    for number in (2, 3):
        write_hdf5(data / f"2026/scan_{number}.h5", images() + 100 * number)
        runs.append(run_of(number, resource(number, root=str(data))))
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b"".join(encode_document(*each) for run in runs for each in run))
    return path


@pytest.fixture
def box(tmp_path):
    return tmp_path / "box"


def call(*arguments):
    """Run the command; an error that it raises on purpose is told as main() does."""
    found = CliRunner().invoke(app, list(map(str, arguments)))
    assert found.exception is None or isinstance(found.exception, SystemExit | AdsupportError)
    told = str(found.exception) if isinstance(found.exception, AdsupportError) else ""
    return found.exit_code, found.stdout, found.stderr + told


def manifest(directory):
    return json.loads((directory / "manifest.json").read_text())


def test_runs_are_packed_with_their_files(file, data, box):
    code, stdout, stderr = call("pack", "--file", file, "--dir", box)
    assert (code, stdout) == (0, f"{box}\n")
    assert stderr.startswith("3 runs packed; the pack has 3 runs with 2 files of images, ")
    assert {digest(each) for each in regular(box / "external_files")} == {
        digest(data / f"2026/scan_{number}.h5") for number in (2, 3)
    }
    for line in (box / "SHA256SUMS").read_text().splitlines():
        found, name = line.split("  ", 1)
        assert hashlib.sha256((box / name).read_bytes()).hexdigest() == found


@pytest.mark.parametrize("kind", ["jsonl", "msgpack"])
def test_some_runs_are_packed_and_others_added(file, box, kind):
    assert call("pack", "2", "--file", file, "--dir", box, "--format", kind)[0] == 0
    assert [run["scan_id"] for run in manifest(box)["runs"]] == [2]
    code, _, stderr = call("pack", "-2..-1", "--file", file, "--dir", box)
    assert (code, stderr.split(";")[0]) == (0, "1 run packed, 1 was there already")
    assert [run["scan_id"] for run in manifest(box)["runs"]] == [2, 3]
    assert all(run["path"].endswith(f".{kind}") for run in manifest(box)["runs"])


def test_runs_are_packed_from_another_pack(file, data, box):
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    data.rename(data.with_name("gone"))
    second = box.with_name("second")
    code, _, stderr = call("pack", "3", "--pack", box, "--dir", second)
    assert code == 0 and "the pack has 1 run with 1 file of images" in stderr
    assert [run["scan_id"] for run in manifest(second)["runs"]] == [3]
    for command in (["pack"], ["export", "--to", "csv"]):
        code, _, stderr = call(*command, "--file", box, "--dir", box.with_name("third"))
        assert code == 2 and "use --pack" in stderr
    assert not box.with_name("third").exists()


def test_an_image_file_that_is_not_whole_is_told(file, data, box):
    path = data / "2026/scan_2.h5"
    whole = path.read_bytes()
    os.truncate(path, 1000)
    code, _, stderr = call("pack", "--file", file, "--dir", box)
    assert code == 1 and "scan_2.h5: it isn't whole: " in stderr
    code, stdout, _ = call("verify", box)
    assert code == 0 and "as they were packed. Not in the pack:\n" in stdout
    assert f"{path}: it isn't whole: " in stdout
    path.write_bytes(whole)
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    assert call("verify", box)[1].endswith("all as they were packed.\n")


@pytest.mark.parametrize(
    ("external", "has", "lacks"),
    [
        ("list", "2 files of images listed, 0.0 MB, which stay where they are.", "only lists"),
        ("fill", "images in the documents, 0.0 MB.", None),
        ("ignore", "no files of images.", "left them out"),
    ],
)
def test_what_is_in_the_pack_is_told(file, box, external, has, lacks):
    code, _, stderr = call("pack", "--file", file, "--dir", box, "--external", external)
    assert (code, stderr) == (0, f"3 runs packed; the pack has 3 runs with {has}\n")
    code, stdout, _ = call("verify", box)
    assert code == 0
    assert stdout.endswith("all as they were packed.\n") if lacks is None else lacks in stdout


def test_a_run_that_is_refused_is_told_and_the_others_are_packed(file, box):
    assert call("pack", "2", "--file", file, "--dir", box)[0] == 0
    file.write_bytes(file.read_bytes().replace(b'"name":"primary"', b'"name":"another"'))
    for strict in ("--strict", "--no-strict"):
        code, _, stderr = call("pack", "--file", file, "--dir", box, strict)
        assert code == 1 and "is in the pack already, with other documents" in stderr
        assert call("verify", box)[0] == 0
    assert "Run 5e1d0f3a: " in stderr and "0 runs packed, 2 were there already" in stderr
    assert len(manifest(box)["runs"]) == 3


def test_a_run_without_stop_is_remarked(file, box):
    file.write_bytes(file.read_bytes()[:-30])
    code, _, stderr = call("pack", "--file", file, "--dir", box)
    assert code == 0 and "has no stop document" in stderr


@pytest.mark.parametrize("text", ["hello\n", '["start", {"uid": 1}]\n', ""])
def test_lines_that_are_no_run_are_told(tmp_path, box, text):
    (tmp_path / "bad.jsonl").write_text(text)
    for command in (["pack"], ["export", "--to", "csv"]):
        code, _, stderr = call(*command, "--file", tmp_path / "bad.jsonl", "--dir", box)
        assert code == 1 and "bad.jsonl" in stderr
        assert not box.exists()


def test_packing_that_is_stopped_says_how_to_go_on(file, box, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("adsupport.pack.making.packer.Packer.add", stop)
    code, _, stderr = call("pack", "--file", file, "--dir", box)
    assert (code, stderr) == (
        130,
        f"Stopped: {box} isn't finished. Packing the same again goes on.\n",
    )
    monkeypatch.undo()
    assert call("pack", "--file", file, "--dir", box)[0] == 0


def test_other_options_of_a_pack_leave_it_whole(file, box):
    assert call("pack", "2", "--file", file, "--dir", box)[0] == 0
    for option in (["--external", "list"], ["--format", "msgpack"]):
        assert call("pack", "--file", file, "--dir", box, *option)[0] == 1
        assert call("verify", box)[0] == 0


def test_runs_are_packed_by_a_query(file, box):
    assert call("pack", "--query", "scan_id=3", "--file", file, "--dir", box)[0] == 0
    assert [run["scan_id"] for run in manifest(box)["runs"]] == [3]


def test_files_can_be_left_where_they_are(file, box):
    assert call("pack", "--file", file, "--dir", box, "--external", "list")[0] == 0
    assert not (box / "external_files").exists()
    assert len(manifest(box)["files"]) == 2


def test_a_missing_file_is_named_and_all_else_is_packed(file, data, box):
    (data / "2026/scan_2.h5").unlink()
    code, _, stderr = call("pack", "--file", file, "--dir", box)
    assert code == 1 and "scan_2.h5" in stderr
    assert len(manifest(box)["runs"]) == 3 and len(manifest(box)["files"]) == 1
    code, _, stderr = call("pack", "--file", file, "--dir", box, "--no-strict")
    assert code == 0
    assert stderr.startswith(f"Missing: {data}/2026/scan_2.h5: ")
    write_hdf5(data / "elsewhere/scan_2.h5")
    shutil.rmtree(data / "2026")
    options = ["--map", f"{data}/2026={data}/elsewhere"]
    code, _, stderr = call("pack", "2", "--file", file, "--dir", box.with_name("b2"), *options)
    assert (code, len(manifest(box.with_name("b2"))["files"])) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "yaml"], "expected one of jsonl, msgpack"),
        (["--external", "move"], "expected one of copy, hardlink"),
        (["--query", "scan_id"], "expected a key of start documents"),
        (["--map", "here"], "expected two directories"),
        (["--since", "yesterday"], "isn't a time"),
        (["4-2"], "a range that goes up"),
        (["--tiled", "http://localhost"], "Give one of --catalog, --tiled, --file and --pack"),
        (["--no-such"], "No such option"),
    ],
)
def test_wrong_command_lines_are_refused(file, box, arguments, message):
    code, stdout, stderr = call("pack", *arguments, "--file", file, "--dir", box)
    text = " ".join(stderr.replace("│", " ").split())
    assert (code, stdout) == (2, "") and message in text
    assert not box.exists()


def test_an_unknown_run_is_told(file, box):
    code, _, stderr = call("pack", "99", "--file", file, "--dir", box)
    assert code == 1 and "has no run '99'" in stderr
    assert not box.exists()


def test_a_directory_of_something_else_is_refused(file, box):
    box.mkdir()
    (box / "thesis.tex").write_text("mine")
    code, _, stderr = call("pack", "--file", file, "--dir", box)
    assert code == 1 and str(box) in stderr
    assert os.listdir(box) == ["thesis.tex"]


def test_a_pack_is_verified_and_a_flipped_byte_named(file, box):
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    code, stdout, stderr = call("verify", box)
    assert (code, stderr) == (0, "")
    assert stdout.startswith(f"{box}: 3 runs, ") and stdout.endswith("all as they were packed.\n")
    for path in regular(box):
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
        code, stdout, _ = call("verify", box)
        assert code == 1 and path.name in stdout
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    assert call("verify", box)[0] == 0


def test_what_isn_t_a_pack_is_told(tmp_path):
    code, stdout, stderr = call("verify", tmp_path)
    assert (code, stdout) == (1, "") and "isn't a pack" in stderr
    assert call("verify", tmp_path / "missing")[0] == 2


def test_a_pack_is_unpacked_into_a_folder_once(file, data, box, tmp_path):
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    shutil.rmtree(data)
    folder = tmp_path / "mine"
    command = ["unpack", box, "--into", f"folder:{folder}"]
    assert call(*command) == (0, "", "3 runs unpacked.\n")
    uids = {documents[0][1]["uid"] for documents in map(run_of, (1, 2, 3))}
    assert {each.stem for each in folder.glob("*.jsonl")} == uids
    assert call(*command) == (0, "", "0 runs unpacked, 3 were there already.\n")
    options = ["--to", "hdf5", "--images", "copy", "--dir", tmp_path, "--name", "{start[scan_id]}"]
    code, _, stderr = call("export", "3", "--file", folder, *options)
    assert (code, stderr) == (0, "1 file of 1 run written.\n")


@pytest.mark.filterwarnings("ignore")  # of databroker
def test_a_pack_is_unpacked_into_a_catalog(file, box, monkeypatch):
    databroker = pytest.importorskip("databroker")
    catalog = databroker.temp().v2
    monkeypatch.setattr(databroker, "catalog", {"mine": catalog})
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    code, _, stderr = call("unpack", box, "--into", "catalog:mine")
    assert code == 0 and stderr.endswith("3 runs unpacked.\n")
    assert len(catalog) == 3
    code, _, stderr = call("unpack", box, "--into", "catalog:yours")
    assert code == 1 and "no catalog 'yours'; there are: mine." in stderr


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore")  # of tiled and dask
def test_runs_go_into_tiled_and_from_there_into_another_pack(file, data, box, tmp_path):
    pytest.importorskip("tiled.server")
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    shutil.rmtree(data)
    with tiled_client(tmp_path, tmp_path / "log") as client:
        uri = f"{client.context.api_uri}?api_key={client.context.api_key}"
        code, _, stderr = call("unpack", box, "--into", f"tiled:{uri}")
        assert code == 0 and stderr.endswith("3 runs unpacked.\n")
        other = tmp_path / "other"
        code, _, stderr = call("pack", "2", "--tiled", uri, "--dir", other)
    assert code == 0 and stderr.startswith("1 run packed; the pack has 1 run with 1 file of images")
    shutil.rmtree(box)
    (run,) = open_pack(other)
    assert run.read()["m1"].tolist() == [0, 0.5, 1]
    assert np.array_equal(np.asarray(run.read()["det_image"])[:, 0], images() + 200)


def test_nothing_of_a_damaged_pack_is_unpacked(file, box, tmp_path):
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    broken = next(each for each in regular(box / "external_files"))
    broken.write_bytes(broken.read_bytes()[:-1])
    code, _, stderr = call("unpack", box, "--into", f"folder:{tmp_path / 'mine'}")
    assert code == 1 and broken.name in stderr
    assert not (tmp_path / "mine").exists()
    for wrong in ("folder:", "mine", "s3:bucket"):
        code, _, stderr = call("unpack", box, "--into", wrong)
        assert code == 2 and "expected catalog:NAME" in " ".join(stderr.split())


def test_export_takes_runs_from_a_pack_that_was_moved(file, data, box, tmp_path):
    assert call("pack", "--file", file, "--dir", box)[0] == 0
    shutil.rmtree(data)
    moved = Path(shutil.move(box, tmp_path / "elsewhere"))
    options = ["--to", "hdf5", "--images", "copy", "--dir", tmp_path, "--name", "{start[scan_id]}"]
    code, stdout, stderr = call("export", "2", "--pack", moved, *options)
    assert (code, stdout, stderr) == (0, f"{tmp_path}/2.h5\n", "1 file of 1 run written.\n")
    with h5py.File(tmp_path / "2.h5") as found:
        stack = next(
            each[()]
            for each in (found.get(name) for name in _datasets(found))
            if isinstance(each, h5py.Dataset) and each.shape[-2:] == (4, 5)
        )
    assert np.array_equal(stack.reshape(-1, 4, 5), images() + 200)


@pytest.mark.filterwarnings("ignore")  # of databroker
@pytest.mark.parametrize("kind", ["jsonl", "msgpack"])
def test_databroker_reads_what_was_packed_and_moved(file, data, box, tmp_path, kind):
    intake = pytest.importorskip("intake")
    pytest.importorskip("databroker")
    assert call("pack", "--file", file, "--dir", box, "--format", kind)[0] == 0
    shutil.rmtree(data)
    moved = Path(shutil.move(box, tmp_path / "elsewhere"))
    catalog = intake.open_catalog(str(moved / "catalog.yml"))["packed_catalog"]
    assert len(catalog) == 3
    found = catalog[2].primary.read()
    assert found["m1"].values.tolist() == [0, 0.5, 1]
    assert np.array_equal(found["det_image"].values[:, 0], images() + 200)


def _datasets(file):
    names: list[str] = []
    file.visit(names.append)
    return names


def test_nothing_of_a_progress_bar_gets_into_a_pipe(file, box):
    command = [sys.executable, "-m", "adsupport", "pack", "--file", file, "--dir", box]
    found = subprocess.run(command, capture_output=True, check=True)
    assert b"\x1b" not in found.stdout + found.stderr and b"\r" not in found.stderr
    assert found.stderr.count(b"\n") == 1


def test_the_bar_tells_bytes_and_how_many_in_a_second():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with ByteBar(console, "packing") as bar:
        bar.show(2_000_000, what="packing, 1/2 runs")
        bar.show(4_000_000, 8_000_000)
    lines = console.file.getvalue().splitlines()
    assert any("packing, 1/2 runs" in line and "4.0 MB" in line for line in lines)
