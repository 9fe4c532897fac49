"""Links in a pack or a folder on which unpacking would follow them to somewhere else."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from adsupport.errors import ConfigurationError, OutputExistsError, PackError
from adsupport.pack import open_pack, unpack, verify

from .made_packs import UID, make_pack, place
from .source_runs import tree


@pytest.mark.parametrize("at", ["external_files", "external_files/8a5edab28263/beamline"])
def test_nothing_is_unpacked_through_a_link_of_the_folder(tmp_path: Path, at: str) -> None:
    pack, victim = make_pack(tmp_path / "pack"), tmp_path / "victim"
    victim.mkdir()
    link = tmp_path / "mine" / at
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    result = unpack(pack, tmp_path / "mine")
    assert result.added == [UID.format(1)]
    error = result.failed[UID.format(2)]
    assert isinstance(error, OutputExistsError) and "is a link" in str(error)
    assert os.listdir(victim) == []


def test_a_folder_that_is_a_link_is_where_it_leads_to(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    (tmp_path / "real").mkdir()
    (tmp_path / "mine").symlink_to("real")
    assert len(unpack(pack, tmp_path / "mine").added) == 2
    (tmp_path / "into").symlink_to(pack)
    with pytest.raises(ConfigurationError, match="is in the pack"):
        unpack(pack, tmp_path / "into/deep")
    assert verify(pack).ok


def test_a_file_of_the_manifest_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    (tmp_path / "secret").write_text("secret")
    manifest = open_pack(pack).manifest
    assert manifest is not None
    link = place(pack, 7)  # which only the manifest says to belong to the run
    link.symlink_to(tmp_path / "secret")
    (file,) = manifest.files
    other = dataclasses.replace(
        file, path=str(link.relative_to(pack)), documents=(f"{UID.format(2)}-r",)
    )
    file = dataclasses.replace(file, documents=other.documents)
    text = dataclasses.replace(manifest, files=(file, other)).text()
    (pack / "manifest.json").write_bytes(text)
    result = unpack(pack, tmp_path / "mine", verify=False)
    assert isinstance(result.failed[UID.format(2)], PackError)
    assert b"secret" not in tree(tmp_path / "mine").values()


def test_directories_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    at = os.open(pack, os.O_RDONLY)
    for _ in range(20):  # deeper than any path is long
        os.mkdir("n" * 250, dir_fd=at)
        deeper = os.open("n" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = deeper
    os.close(at)
    (problem,) = verify(pack).problems
    assert problem.startswith("nnn") and problem.endswith("can't be read: File name too long.")
