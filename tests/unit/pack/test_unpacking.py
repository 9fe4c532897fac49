"""Packs unpacked: judged by what databroker, tiled and our own readers find afterwards."""

from __future__ import annotations

import json
import resource as rlimits
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from adsupport.callbacks.output import AtomicFile
from adsupport.documents.selection import find_runs
from adsupport.errors import (
    ConfigurationError,
    DocumentError,
    OutputExistsError,
    PackError,
)
from adsupport.pack import open_pack, unpack, verify
from adsupport.pack.layout import place_of
from adsupport.pack.reading.stream_arrays import stream_arrays

from ..tiled_server import tiled_client
from .made_packs import UID, images, make_pack, place, regular, resource, run_of, seal, write_hdf5

DATABROKER_PACK = Path(__file__).parents[2] / "data/databroker-pack-0.3/msgpack"


def documents_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def arrays_of(folder: Path, number: int) -> dict[str, Any]:
    """Read the stream of a run in a folder, by the paths that its documents have now."""
    (run,) = find_runs(folder, [str(number)])
    return stream_arrays(run.documents(), "primary", str, lambda column: None)


@pytest.mark.parametrize("into", ["folder:mine", "catalog:mine", "tiled:http://localhost:8000"])
def test_the_command_lines_words_are_no_folder(tmp_path: Path, monkeypatch: Any, into: str) -> None:
    pack = make_pack(tmp_path / "pack")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"command line.*Give .*\./"):
        unpack(pack, into)
    assert [each.name for each in tmp_path.iterdir()] == ["pack"]


def test_a_result_is_told_in_short(tmp_path: Path) -> None:
    result = unpack(make_pack(tmp_path / "pack"), tmp_path / "mine")
    assert str(result) == f"{tmp_path}/pack: 2 runs unpacked, 0 were there already"


def test_a_folder_gets_documents_and_files(tmp_path: Path) -> None:
    pack, told = make_pack(tmp_path / "pack", runs=3), []
    result = unpack(pack, tmp_path / "mine", progress=lambda *each: told.append(each))
    assert result.added == [UID.format(number) for number in (1, 2, 3)]
    assert not result.known and not result.failed and not result.remark
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {2 * verify(pack).bytes} and told[-1][0] <= told[-1][1]
    shutil.rmtree(pack)
    for number in (2, 3):
        data = arrays_of(tmp_path / "mine", number)
        assert np.array_equal(data["det_image"], images()[:, None] + 100 * number)
    documents = documents_of(tmp_path / f"mine/{UID.format(2)}.jsonl")
    expected = run_of(2, resource(2))
    assert documents[2][1]["root"] == str(tmp_path / "mine")
    del documents[2], expected[2]
    assert documents == [list(each) for each in expected]
    assert (tmp_path / f"mine/{UID.format(1)}.jsonl").is_file()


def test_again_adds_nothing_and_replaces_nothing(tmp_path: Path) -> None:
    pack, mine = make_pack(tmp_path / "pack"), tmp_path / "mine"
    unpack(pack, mine)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in regular(mine)}
    result = unpack(pack, mine)
    assert not result.added and result.known == [UID.format(1), UID.format(2)]
    assert before == {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in regular(mine)}
    (mine / f"{UID.format(1)}.jsonl").write_text("mine\n")
    next(mine.rglob("*.h5")).unlink()
    result = unpack(pack, mine)
    assert result.added == [UID.format(2)]
    assert isinstance(result.failed[UID.format(1)], OutputExistsError)
    assert (mine / f"{UID.format(1)}.jsonl").read_text() == "mine\n"
    assert next(mine.rglob("*.h5")).is_file()


def test_another_that_unpacks_at_once_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = make_pack(tmp_path / "pack", runs=3)
    commit = AtomicFile.commit

    def slow_commit(file: AtomicFile) -> Path:
        monkeypatch.undo()
        assert len(unpack(pack, tmp_path / "mine").added) == 3  # the other one
        monkeypatch.setattr(AtomicFile, "commit", commit)
        return commit(file)

    monkeypatch.setattr(AtomicFile, "commit", slow_commit)
    result = unpack(pack, tmp_path / "mine")
    assert not result.failed and len(result.known) == 3
    assert not list((tmp_path / "mine").rglob(".*"))


def test_a_file_with_the_name_of_one_of_the_pack_stays(tmp_path: Path) -> None:
    pack, mine = make_pack(tmp_path / "pack"), tmp_path / "mine"
    target = mine / place(pack, 2).relative_to(pack)
    target.parent.mkdir(parents=True)
    target.symlink_to(tmp_path / "elsewhere")
    result = unpack(pack, mine)
    assert list(result.failed) == [UID.format(2)] and "isn't replaced" in str(result.failed)
    assert not (tmp_path / "elsewhere").exists()
    assert not (mine / f"{UID.format(2)}.jsonl").exists()


def test_a_folder_that_cannot_be_written_gets_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    result = unpack(make_pack(tmp_path / "pack"), tmp_path / "file/mine")
    assert len(result.failed) == 2
    told = [str(each) for each in result.failed.values()]
    assert all("file/mine" in each and "kept" not in each for each in told)
    assert not [path for path in regular(tmp_path) if "spool" in str(path)]


def test_a_full_disk_is_named_and_leaves_nothing_half(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    limits = rlimits.getrlimit(rlimits.RLIMIT_FSIZE)
    rlimits.setrlimit(rlimits.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        failed = unpack(pack, tmp_path / "mine").failed
    finally:
        rlimits.setrlimit(rlimits.RLIMIT_FSIZE, limits)
    assert failed.keys() == {UID.format(2)}
    assert "scan_2.h5 can't be written: File too large; make room" in str(failed[UID.format(2)])
    assert [path.name for path in regular(tmp_path / "mine")] == [f"{UID.format(1)}.jsonl"]
    assert unpack(pack, tmp_path / "mine").added == [UID.format(2)]


def test_what_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    path = place(pack, 2)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PackError, match="scan_2.h5 is cut short"):
        unpack(pack, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    assert len(unpack(pack, tmp_path / "mine", verify=False).added) == 2


def test_hostile_runs_are_refused_without_verifying_too(tmp_path: Path) -> None:
    asset = resource(1, root="", resource_path="../../../secret.h5")
    pack = seal(tmp_path / "pack", [run_of(1, asset), run_of(2)])
    result = unpack(pack, tmp_path / "mine", verify=False)
    assert result.added == [UID.format(2)] and isinstance(result.failed[UID.format(1)], PackError)


def test_series_uris_and_files_that_stay_where_they_are(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    kwargs = {"template": "%s%s_%d.tif", "filename": "a", "frame_per_point": 1}
    series = resource(1, spec="AD_TIFF", resource_path="2026/", resource_kwargs=kwargs)
    directory = place(pack).parent
    directory.mkdir(parents=True)
    for number in range(3):
        tifffile.imwrite(directory / f"a_{number}.tif", images()[number])
    streamed = {
        "uid": "sr",
        "run_start": UID.format(2),
        "data_key": "det_image",
        "mimetype": "application/x-hdf5",
        "uri": "file://localhost/beamline/2026/scan%202.h5",
        "parameters": {"dataset": "/entry/data/data"},
    }
    write_hdf5(directory / "scan 2.h5", images() + 7)
    second = run_of(2, resource(2))
    datum = {"uid": "sd", "stream_resource": "sr", "descriptor": f"{UID.format(2)}-d"}
    spans = {"indices": {"start": 0, "stop": 3}, "seq_nums": {"start": 1, "stop": 4}}
    second = [each for each in second if each[0] not in ("resource", "datum")]
    second[1][1]["data_keys"]["det_image"]["external"] = "STREAM:"
    for name, doc in second:
        if name == "event":
            del doc["data"]["det_image"], doc["timestamps"]["det_image"]
    second[2:2] = [("stream_resource", streamed), ("stream_datum", datum | spans)]
    listed = resource(3, resource_path="elsewhere/scan_3.h5")
    seal(pack, [run_of(1, series), second, run_of(3, listed)])
    write_hdf5(tmp_path / "here/elsewhere/scan_3.h5")
    mapping = {"/beamline": tmp_path / "here"}
    result = unpack(pack, tmp_path / "mine", verify=False, path_map=mapping)
    assert not result.failed
    shutil.rmtree(pack)
    for number, added in ((1, 0), (2, 7), (3, 0)):
        data = arrays_of(tmp_path / "mine", number)
        assert np.array_equal(data["det_image"], images()[:, None] + added), number
    text = (tmp_path / f"mine/{UID.format(2)}.jsonl").read_text()
    assert '"file://localhost/' in text and "scan%202.h5" in text


def test_a_file_of_windows_that_two_runs_share(tmp_path: Path) -> None:
    more = {"root": "C:\\data", "resource_path": "a\\b.h5", "path_semantics": "windows"}
    pack = tmp_path / "pack"
    write_hdf5(pack / place_of("C:\\data\\a\\b.h5"))
    seal(pack, [run_of(number, resource(number, **more)) for number in (1, 2)])
    assert not unpack(pack, tmp_path / "mine").failed
    shutil.rmtree(pack)
    assert len(list((tmp_path / "mine").rglob("*.h5"))) == 1
    for number in (1, 2):
        found = arrays_of(tmp_path / "mine", number)["det_image"]
        assert np.array_equal(found, images()[:, None])
        (doc,) = [
            doc
            for name, doc in documents_of(tmp_path / f"mine/{UID.format(number)}.jsonl")
            if name == "resource"
        ]
        assert doc["path_semantics"] == "posix" and doc["root"] == str(tmp_path / "mine")


def test_a_pack_of_databroker_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="keeps no digests"):
        unpack(DATABROKER_PACK, tmp_path / "mine")
    result = unpack(DATABROKER_PACK, tmp_path / "mine", verify=False)
    assert len(result.added) == 2
    data = arrays_of(tmp_path / "mine", 1)
    assert np.array_equal(data["det_image"], np.arange(60, dtype="<u2").reshape(3, 1, 4, 5))


def test_what_nothing_can_be_unpacked_into(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    with pytest.raises(ConfigurationError, match="into is a dict"):
        unpack(pack, {})
    with pytest.raises(ConfigurationError, match="is in the pack"):
        unpack(pack, pack / "mine")


@pytest.mark.filterwarnings("ignore")  # of databroker and xarray
def test_databroker_gets_the_documents_as_they_are(tmp_path: Path) -> None:
    import databroker

    pack = make_pack(tmp_path / "pack")
    no_end = run_of(3)[:-1]
    stream = run_of(4)
    stream.insert(2, ("stream_resource", {"uid": "sr", "run_start": UID.format(4)}))
    roots = {"/beamline": "external_files/8a5edab28263/beamline"}
    seal(pack, [run_of(1), run_of(2, resource(2)), no_end, stream], roots=roots)
    broker = databroker.temp()
    result = unpack(pack, broker, verify=False)
    assert result.added == [UID.format(1), UID.format(2)]
    assert "for good, put it into the catalog's configuration" in result.remark
    assert "no stop document" in str(result.failed[UID.format(3)])
    assert isinstance(result.failed[UID.format(4)], DocumentError)
    run = broker.v2[2]
    assert dict(run.metadata["start"]) == run_of(2)[0][1]
    resources = [doc for name, doc in run.documents(fill="no") if name == "resource"]
    assert [dict(doc) for doc in resources] == [resource(2)]
    found = run.primary.read()["det_image"].values
    assert np.array_equal(found, images()[:, None] + 200)
    again = unpack(pack, broker.v2, verify=False)
    assert not again.added and again.known == result.added and not again.remark
    other = databroker.temp().v2
    for name, doc in run_of(9):
        other.v1.insert(name, doc)
    result = unpack(pack, other, verify=False)
    assert "runs of its own" in result.remark and "own catalog.yml" in result.remark
    assert not other.root_map
    assert result.root_map == {"/beamline": str(pack / roots["/beamline"])}


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore")  # of tiled and dask
def test_tiled_gets_runs_whose_images_it_reads_in_the_pack(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    with tiled_client(tmp_path, tmp_path / "log") as client:
        result = unpack(pack, client)
        assert result.added == [UID.format(1), UID.format(2)], result.failed
        run = client[UID.format(2)]
        assert run.metadata["start"]["scan_id"] == 2
        found = np.asarray(run["primary"]["det_image"].read())
        assert np.array_equal(found.reshape(3, 4, 5), images() + 200)
        assert unpack(pack, client).known == result.added


def test_open_pack_tells_databroker_where_files_are(tmp_path: Path) -> None:
    pack = seal(tmp_path, [run_of(1)], roots={"/beamline": "external_files/8a5edab28263/beamline"})
    found = open_pack(pack).root_map
    assert found == {"/beamline": str(tmp_path / "external_files/8a5edab28263/beamline")}
