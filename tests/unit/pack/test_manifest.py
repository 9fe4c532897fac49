"""The manifest of a pack, and the paths in it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import PackError
from adsupport.pack.layout import documents_path, place_of, tag_of
from adsupport.pack.manifest import (
    Manifest,
    MissingFile,
    PackedFile,
    PackedRunEntry,
    read_manifest,
)
from adsupport.pack.safe_paths import checked_relative, inside_pack

A, B = "a" * 64, "b" * 64
FULL = Manifest(
    "jsonl",
    "copy",
    "adsupport 1",
    (PackedRunEntry("u", "documents/u.jsonl", 10, A, 4, 1.5, 7),),
    (PackedFile(place_of("/data/é.h5"), "/data/é.h5", 20, B, 10**18, ("r1", "r2")),),
    (MissingFile("/data/b.h5", "there is no such file", ("r3",)),),
    {"/data": place_of("/data")},
)


def changed(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A manifest with other content and the digest of that."""
    found = json.loads(FULL.text())
    del found["sha256"]
    change(found)
    canonical = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**found, "sha256": hashlib.sha256(canonical).hexdigest()}).encode()


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(FULL.text())
    assert read_manifest(tmp_path) == FULL
    assert FULL.text().isascii()


def test_its_digest_is_that_of_the_rest() -> None:
    assert changed(lambda found: None) == json.dumps(json.loads(FULL.text())).encode()


def test_order_of_runs_and_files_makes_no_difference() -> None:
    runs = [PackedRunEntry(f"u{n}", f"documents/u{n}.jsonl", 1, A, 1, 9.0 - n) for n in range(3)]
    one = dataclasses.replace(FULL, runs=tuple(runs))
    two = dataclasses.replace(FULL, runs=tuple(runs[::-1]))
    assert one.text() == two.text()
    assert [each.uid for each in Manifest.of_text(one.text()).runs] == ["u2", "u1", "u0"]


def test_no_byte_can_be_changed_unseen() -> None:
    text = FULL.text()
    for place in range(len(text)):
        damaged = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        try:
            found = Manifest.of_text(damaged)
        except PackError:
            continue
        assert found == FULL  # white space


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(format="adsupport-pack-2"),
        lambda found: found.update(more=1),
        lambda found: found.pop("roots"),
        lambda found: found.update(documents="pickle"),
        lambda found: found.update(external="move"),
        lambda found: found.update(runs={}),
        lambda found: found["runs"].append(found["runs"][0]),
        lambda found: found["runs"][0].update(path="external_files/x/u.jsonl"),
        lambda found: found["runs"][0].update(size=-1),
        lambda found: found["runs"][0].update(size=True),
        lambda found: found["runs"][0].update(size="10"),
        lambda found: found["runs"][0].update(sha256="A" * 64),
        lambda found: found["runs"][0].pop("time"),
        lambda found: found["files"].append(found["files"][0]),
        lambda found: found["files"][0].update(path=""),
        lambda found: found["files"][0].update(path="external_files/../../x"),
        lambda found: found["files"][0].update(path="/etc/passwd"),
        lambda found: found["files"][0].update(documents=[1]),
        lambda found: found["files"].append(7),
        lambda found: found["roots"].update({"/": "/"}),
        lambda found: found["roots"].update({"/": 3}),
    ],
)
def test_a_manifest_that_is_not_as_described_is_refused(change: Callable[..., Any]) -> None:
    with pytest.raises(PackError) as refused:
        Manifest.of_text(changed(change))
    assert refused.value.path is not None


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b'{"format": 1, "format": 2}'])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(PackError, match=r"manifest\.json"):
        Manifest.of_text(text)


def test_a_directory_without_manifest_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"isn't a pack: it has no manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").symlink_to("/etc/passwd")
    with pytest.raises(PackError, match="is a link"):
        read_manifest(tmp_path)


def test_a_file_of_the_pack_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("x")
    assert inside_pack(tmp_path, "a/b") == tmp_path / "a/b"


@pytest.mark.parametrize(
    "relative",
    ["", "/", "/a", "..", "a/../b", "a//b", "./a", "a/.", "C:/a", "c:a", "a\\b", "a\0", "a\nb"],
)
def test_a_path_that_may_lead_out_is_refused(tmp_path: Path, relative: str) -> None:
    with pytest.raises(PackError, match="isn't the path of a file in a pack"):
        inside_pack(tmp_path, relative)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to("directory")
    (tmp_path / "directory/file").write_text("x")
    for relative, problem in {
        "missing": "No such file",
        "directory": "isn't a regular file",
        "directory/file/x": "isn't a directory",
        "link": "is a link",
        "link/file": "is a link",
    }.items():
        with pytest.raises(PackError, match=problem):
            inside_pack(tmp_path, relative)


@pytest.mark.parametrize(
    ("path", "anchor", "rest"),
    [
        ("/data/a.h5", "/", "data/a.h5"),
        ("/data//x/../a.h5", "/", "data/a.h5"),
        ("/../a", "/", "a"),
        ("/", "/", ""),
        ("C:\\data\\a.h5", "c:/", "data/a.h5"),
        ("c:/data/a.h5", "c:/", "data/a.h5"),
        ("\\\\server\\share\\a.h5", "//server/share/", "a.h5"),
        ("hash/a.h5", "", "hash/a.h5"),
    ],
)
def test_places_are_by_what_paths_begin_with(path: str, anchor: str, rest: str) -> None:
    tag = hashlib.sha256(anchor.encode()).hexdigest()[:12]
    assert place_of(path) == f"external_files/{tag}/{rest}".rstrip("/")
    assert tag_of(anchor) == tag


@given(st.text())
def test_any_path_has_a_safe_place_or_none(path: str) -> None:
    try:
        found = place_of(path)
    except PackError:
        return
    assert checked_relative(found).startswith("external_files/")


@given(st.text(min_size=1), st.text(min_size=1))
def test_runs_have_files_of_their_own(one: str, other: str) -> None:
    first, second = documents_path(one, "jsonl"), documents_path(other, "jsonl")
    assert (first == second) == (one == other)
    directory, name = checked_relative(first).split("/")
    assert directory == "documents"
    assert not name.startswith(".")


def test_ordinary_uids_are_names() -> None:
    uid = "5e1d0f3a-7c1b-4b0e-9f6e-000000000001"
    assert documents_path(uid, "msgpack") == f"documents/{uid}.msgpack"
