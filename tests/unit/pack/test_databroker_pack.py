"""Directories that databroker-pack 0.3.0 made, as it is on PyPI: opened without databroker."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport.documents import replay
from adsupport.errors import ImageFileError, PackError
from adsupport.pack import open_pack, verify

MADE = Path(__file__).parents[2] / "data/databroker-pack-0.3"
UID = "5e1d0f3a-7c1b-4b0e-9f6e-0000000000{:02d}"
ROOT = "a923b31b98816bb7ef3c52f0741762a8"


@pytest.fixture(params=["msgpack", "jsonl"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(MADE / request.param, tmp_path / "pack"))


def test_runs_and_images(made: Path) -> None:
    pack = open_pack(made)
    assert sorted(run.uid for run in pack) == [UID.format(1), UID.format(2)]
    run = pack[1]
    assert run.uid == UID.format(1) and run.stop and run.stop["exit_status"] == "success"
    data = run.read()
    assert data["m1"].tolist() == [0.0, 0.1, 0.2]
    images = np.arange(60, dtype="<u2").reshape(3, 1, 4, 5)
    assert np.array_equal(data["det_image"], images)
    assert pack[-1].uid == UID.format(2) and "det_image" not in pack[-1].read()
    played: list[Any] = []
    replay(pack, lambda name, doc: played.append(name))
    assert played.count("start") == 2 and played[0] == "start" and played[-1] == "stop"


def test_its_contents_cannot_be_verified_and_that_is_said(made: Path) -> None:
    (problem,) = verify(made).problems
    assert "databroker-pack keeps no digests" in problem
    next(made.glob("external_files/*/2026/*.h5")).unlink()
    next(made.glob(f"documents/*{UID.format(2)}*")).write_bytes(b"\xc1 no document")
    problems = verify(made).problems
    assert len(problems) == 3 and "scan_000.h5, which the pack lacks" in str(problems)


def test_files_that_stayed_where_they_were(made: Path, tmp_path: Path) -> None:
    (made / f"external_files/{ROOT}").rename(tmp_path / "ioc")
    catalog = made / "catalog.yml"
    text = catalog.read_text().replace(f": external_files/{ROOT}", ": /home/ioc/data")
    catalog.write_text(text)
    data = open_pack(made)[1].read()
    assert data["m1"].tolist() == [0.0, 0.1, 0.2]
    with pytest.raises(ImageFileError, match="/home/ioc/data/2026/scan_000.h5 is missing"):
        np.asarray(data["det_image"])
    found = open_pack(made, path_map={"/home/ioc/data": tmp_path / "ioc"})[1].read()
    assert found["det_image"].shape == (3, 1, 4, 5)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("catalog.yml", "sources: !!python/object/apply:os.system [touch harm]", "plain YAML"),
        ("catalog.yml", "sources: {a: {args: {root_map: {x: ../..}}}}", "'..' part"),
        ("catalog.yml", "sources: {a: {args: {root_map: {x: documents}}}}", "isn't in external"),
        ("catalog.yml", "sources: {a: {args: {root_map: {x: [1]}}}}", "expected texts"),
        ("catalog.yml", "sources: {a: {args: {root_map: {x/y: external_files/x}}}}", "a hash"),
        ("catalog.yml", "sources: [", "plain YAML"),
        ("catalog.yml", "a: &a [1]\nb: *a", "no sources"),
        ("catalog.yml", "x" * 300_000, "expected at most"),
        ("catalog.yml", "\ud800".encode(errors="surrogatepass"), "isn't text"),
        ("documents_manifest.txt", "documents/../../evil.jsonl", "'..' part"),
        ("documents_manifest.txt", "/etc/passwd", "is absolute"),
        ("documents_manifest.txt", "documents/a/b.jsonl", "expected documents/<uid>"),
        ("documents_manifest.txt", "documents/a.pickle", "expected documents/<uid>"),
    ],
)
def test_hostile_lists(made: Path, name: str, content: str | bytes, expected: str) -> None:
    content = content if isinstance(content, bytes) else content.encode()
    (made / name).write_bytes(content)
    with pytest.raises(PackError, match=expected):
        open_pack(made)
    assert any(expected in each for each in verify(made).problems)
    assert not (Path.cwd() / "harm").exists()


@pytest.mark.parametrize("path", ["../../../../etc/passwd", "/etc/passwd", "2026/../../x.h5"])
def test_resources_that_lead_out(tmp_path: Path, path: str) -> None:
    made = Path(shutil.copytree(MADE / "jsonl", tmp_path / "pack"))
    documents = made / f"documents/{UID.format(1)}.jsonl"
    documents.write_text(documents.read_text().replace("2026/scan_000.h5", path))
    with pytest.raises((PackError, ImageFileError), match=r"'\.\.' part|pack/.*passwd is missing"):
        np.asarray(open_pack(made)[1].read()["det_image"])
