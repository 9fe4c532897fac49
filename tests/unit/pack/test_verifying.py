"""Packs verified: whatever is changed in one is found, and its file named."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.errors import PackError
from adsupport.pack import pack as pack_runs
from adsupport.pack.checking.verifying import verify
from adsupport.pack.manifest import Manifest, MissingFile, PackedRunEntry

from .made_packs import UID, digest, finish, make_pack, place, regular, resource, run_of, seal
from .source_runs import hdf5_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pack(tmp_path_factory.mktemp("packs") / "made", runs=3)


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "pack"))


def test_a_whole_pack(pack: Path) -> None:
    told: list[tuple[int, int]] = []
    report = verify(pack, progress=lambda done, total: told.append((done, total)))
    assert report.ok and not report.problems and "all as they were packed" in str(report)
    files = list(regular(pack))
    assert report.runs == 3 and report.files == len(files)
    assert report.bytes == sum(path.stat().st_size for path in files)
    assert told[-1] == (report.bytes, report.bytes)


@settings(max_examples=30)  # another test flips 500 bits, when there is time
@given(st.data())
def test_one_changed_byte_is_found_in_its_file(made: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(regular(made))))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != content[at]))
    try:
        path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
        report = verify(made)
        assert any(str(path.relative_to(made)) in each for each in report.problems), report
    finally:
        path.write_bytes(content)


@pytest.mark.slow
def test_one_flipped_bit_anywhere(made: Path) -> None:
    chosen = random.Random(6)
    for _ in range(500):
        path = chosen.choice(sorted(regular(made)))
        content = bytearray(path.read_bytes())
        before = bytes(content)
        content[chosen.randrange(len(content))] ^= 1 << chosen.randrange(8)
        path.write_bytes(content)
        problems = verify(made).problems
        path.write_bytes(before)
        assert any(str(path.relative_to(made)) in each for each in problems), (path, problems)


def test_each_file_may_be_cut_short_or_longer_or_gone(made: Path) -> None:
    for path in sorted(regular(made)):
        content, name = path.read_bytes(), str(path.relative_to(made))
        for changed in (content[:-1], b"", content + b"\n", None):
            path.unlink() if changed is None else path.write_bytes(changed)
            problems = verify(made).problems
            path.write_bytes(content)
            assert any(name in each for each in problems), (name, changed, problems)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-7]), "is cut short: it has "),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "is too long"),
        (lambda path: path.unlink(), "is missing; manifest.json has it"),
        (lambda path: (path.parent / "new.h5").write_bytes(b""), "isn't in manifest.json"),
    ],
)
def test_what_is_wrong_is_said(pack: Path, change: Callable[[Path], object], expected: str) -> None:
    change(place(pack, 2))
    (problem,) = verify(pack).problems
    assert expected in problem


def test_files_that_changed_places(pack: Path) -> None:
    one, other = place(pack, 2), place(pack, 3)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    problems = verify(pack).problems
    assert len(problems) == 2 and all("they were mixed up" in each for each in problems)
    assert "scan_2.h5 has the content of" in problems[0]


def test_links_pipes_and_names_that_differ_in_case(pack: Path) -> None:
    place(pack, 2).rename(pack / "elsewhere.h5")
    place(pack, 2).symlink_to(pack / "elsewhere.h5")
    (pack / "documents/link").symlink_to("/etc")
    os.mkfifo(pack / "pipe")
    shutil.copy(place(pack, 3), place(pack, 3).with_name("SCAN_3.h5"))
    text = str(verify(pack))
    assert f"{place(pack, 2).relative_to(pack)} is a link, which may lead out" in text
    assert "documents/link is a link" in text and "pipe is a pipe" in text
    assert "SCAN_3.h5 and" in text and "differ only in case" in text
    assert "elsewhere.h5 isn't in manifest.json" in text


def test_a_pack_that_was_interrupted(pack: Path) -> None:
    (pack / ".adsupport-pack.journal").write_text("{}\n")
    (problem,) = verify(pack).problems
    assert "packing was interrupted" in problem
    (pack / "manifest.json").unlink()
    (pack / "SHA256SUMS").unlink()
    assert verify(pack).problems == [problem]


def test_documents_that_are_not_what_the_manifest_says(tmp_path: Path) -> None:
    documents = run_of(1)
    directory = seal(tmp_path / "other", [documents])
    path = next((directory / "documents").iterdir())
    text = path.read_text()
    manifest = json.loads((directory / "manifest.json").read_bytes())

    def sealed_with(content: str) -> list[str]:
        path.write_text(content)
        run = dict(manifest["runs"][0])
        run.update(sha256=digest(path), size=path.stat().st_size)
        new = Manifest("jsonl", "copy", runs=(PackedRunEntry(**run),))
        return verify(finish(directory, new)).problems

    assert sealed_with(text) == []
    (problem,) = sealed_with(text.replace(UID.format(1), "x"))
    assert "expected the start of run" in problem and path.name in problem
    (problem,) = sealed_with(text.replace('"event"', "event", 1))
    assert "can't be read as JSON" in problem and path.name in problem
    (problem,) = sealed_with("".join(text.splitlines(keepends=True)[:-1]))
    assert "has 5 documents; expected 6" in problem
    (problem,) = sealed_with(text.replace('"scan_id"', '"uid": "x", "scan_id"'))
    assert "'uid' twice" in problem


def test_files_that_documents_refer_to_and_the_pack_lacks(tmp_path: Path) -> None:
    (problem,) = verify(seal(tmp_path / "a", [run_of(1, resource(1))])).problems
    assert "scan_1.h5, which the pack lacks" in problem and UID.format(1) in problem
    told = MissingFile("/beamline/2026/scan_1.h5", "it's gone", (resource(1)["uid"],))
    assert verify(seal(tmp_path / "b", [run_of(1, resource(1))], missing=(told,))).ok


def test_what_is_wrong_with_a_file_is_said_once_and_its_run_lacks_nothing(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path)
    for name, other in (("scan_1.h5", "second.h5"), ("second.h5", "gone.h5")):
        with h5py.File(tmp_path / name, "a") as file:
            file["link"] = h5py.ExternalLink(other, "/")
    pack_runs([documents], tmp_path / "out", strict=False)
    problems = verify(tmp_path / "out").problems
    told = [each for each in problems if "'gone.h5', which is no file of the pack" in each]
    assert told == problems and len(told) == 2  # of the file, and of the run


def test_a_file_of_a_name_that_no_disk_takes_is_lacking(tmp_path: Path) -> None:
    kwargs = {"frame_per_point": 1, "template": "%s%s_%3.3d.tif", "filename": "x" * 5000}
    asset = resource(1, spec="AD_TIFF", resource_path="", resource_kwargs=kwargs)
    report = verify(seal(tmp_path / "pack", [run_of(1, asset)]))
    assert "xxx_000.tif, which the pack lacks" in report.problems[0]


def test_files_for_other_programs_are_those_of_the_manifest(pack: Path) -> None:
    (pack / "catalog.yml").write_text("sources: '{{ shell(touch harm) }}'")
    (pack / "tiled.yml").unlink()
    lines = (pack / "SHA256SUMS").read_text().splitlines()
    name, digest_ = "catalog.yml", digest(pack / "catalog.yml")
    lines = [f"{digest_}  {name}" if line.endswith(name) else line for line in lines]
    (pack / "SHA256SUMS").write_text("".join(line + "\n" for line in lines))
    problems = verify(pack).problems
    assert len(problems) == 3 and "tiled.yml is missing" in problems[1]
    assert problems[0].startswith("catalog.yml isn't as the manifest says")
    assert "may run commands" in problems[0] and problems[2].startswith("SHA256SUMS isn't")


def test_without_its_manifest_the_sums_tell_of_all_else(pack: Path) -> None:
    (pack / "manifest.json").unlink()
    place(pack, 2).write_bytes(b"else")
    place(pack, 3).unlink()
    (pack / "extra").write_bytes(b"")
    text = str(verify(pack))
    assert "has no manifest.json" in text and "scan_2.h5 was changed" in text
    assert "scan_3.h5 is missing; SHA256SUMS has it" in text and "extra isn't in SHA256" in text


def test_files_that_cannot_be_read(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def failing(path: Any, flags: int, *more: Any) -> int:
        if str(path).endswith("scan_2.h5"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", failing)
    (problem,) = verify(pack).problems
    assert problem.endswith("scan_2.h5 can't be read: Input/output error.")


def test_an_interrupted_verification_ends_at_once(pack: Path) -> None:
    for number in range(64):
        (pack / f"{number}.bin").write_bytes(bytes(2**20))
    done: list[int] = []

    def pressed(count: int, total: int) -> None:
        done.append(count)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(pack, progress=pressed)
    assert len(done) < 16


def test_names_that_are_commands_of_a_terminal(pack: Path) -> None:
    (pack / "\x1b[2Jgone\udcff").write_bytes(b"")
    (problem,) = verify(pack).problems
    assert problem.startswith("\\x1b[2Jgone\\udcff isn't in") and problem.isprintable()


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="isn't a pack"):
        verify(tmp_path)
    with pytest.raises(PackError, match="isn't a directory"):
        verify(tmp_path / "nothing")
