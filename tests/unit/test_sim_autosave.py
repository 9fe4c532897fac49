"""The file of set-points: its form, and what is made of one that is not whole."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.autosave import (
    Autosave,
    AutosaveError,
    from_text,
    is_setting,
    predecessor,
    read_saved,
    to_text,
    write_saved,
)
from adsupport.sim.ioc import IOC
from adsupport.sim.port import Port

TABLES = ("NDArrayBase", "NDPluginBase", "NDFile", "NDFileHDF5")


def make_ioc() -> IOC:
    ioc = IOC("bench", "t:")
    ioc.load(TABLES, "HDF1:", Port("FileHDF1"), {"NDARRAY_PORT": "SIM1"})
    return ioc


@pytest.fixture(scope="module")
def ioc() -> IOC:
    return make_ioc()


TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=60)


@given(TEXT)
def test_a_long_text_comes_back(text: str) -> None:
    record = RECORDS["HDF1:FilePath"]
    stored = to_text(text.encode("latin-1") + b"\0 and what was there before")
    assert "\n" not in stored
    assert from_text(record, stored) == text.encode("latin-1") + b"\0"


@given(TEXT)
def test_a_short_text_comes_back(text: str) -> None:
    assert from_text(RECORDS["HDF1:TempSuffix"], to_text(text)) == text


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_integer_comes_back(number: int) -> None:
    assert from_text(RECORDS["HDF1:FileNumber"], to_text(number)) == number


@given(st.floats(allow_nan=False))
def test_a_float_comes_back(number: float) -> None:
    assert from_text(RECORDS["HDF1:MinCallbackTime"], to_text(number)) == number


RECORDS = make_ioc().records


@given(st.dictionaries(st.from_regex(r"[a-z]+:[A-Za-z0-9_]+", fullmatch=True), TEXT, max_size=5))
def test_a_file_comes_back(tmp_path_factory: pytest.TempPathFactory, values: dict) -> None:
    path = tmp_path_factory.mktemp("saved") / "auto.sav"
    texts = {name: to_text(value) for name, value in values.items()}
    write_saved(path, texts)
    assert read_saved(path) == texts
    assert [each.name for each in path.parent.iterdir()] == ["auto.sav"]


def test_the_form_is_that_of_autosave(tmp_path: Path) -> None:
    path = tmp_path / "auto.sav"
    write_saved(path, {"ad:cam1:Gain": "2.5", "ad:HDF1:FileName": "sample 7"})
    first, *rest = path.read_text().splitlines()
    assert first.startswith("#")
    assert rest == ["ad:cam1:Gain 2.5", "ad:HDF1:FileName sample 7", "<END>"]


def test_the_version_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "auto.sav"
    for number in ("1", "2", "3"):
        write_saved(path, {"n": number})
    assert read_saved(path) == {"n": "3"}
    assert read_saved(predecessor(path)) == {"n": "2"}
    assert predecessor(path).name == "auto.savB"


@pytest.mark.parametrize("damaged", [b"", b"n 4\n", b"n 4\n<EN", b"n \xff\xfe\n<END>\n"])
def test_a_file_that_is_not_whole_is_refused_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: bytes
) -> None:
    path = tmp_path / "auto.sav"
    for number in ("1", "2"):
        write_saved(path, {"n": number})
    path.write_bytes(damaged)
    assert read_saved(path) == {"n": "1"}
    assert str(path) in caplog.text
    predecessor(path).write_bytes(damaged)
    assert read_saved(path) == {}


@pytest.mark.parametrize("content", [b"monday: align the tube\n", b"\x89PNG\r\n", b"t:n 4\n"])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(AutosaveError, match=r"notes\.txt is not overwritten.*Name another file"):
        Autosave(make_ioc(), path)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AutosaveError, match=r"gone is no directory\. Make it"):
        Autosave(make_ioc(), tmp_path / "gone" / "auto.sav")
    with pytest.raises(AutosaveError, match="it is no file"):
        Autosave(make_ioc(), tmp_path)


@pytest.mark.parametrize("damaged", [b"", b"n 4\n<EN"])
def test_a_damaged_file_is_accepted_when_the_one_before_is_whole(
    tmp_path: Path, damaged: bytes
) -> None:
    path = tmp_path / "auto.sav"
    for number in ("1", "2"):
        write_saved(path, {"t:HDF1:NumCapture": number})
    path.write_bytes(damaged)
    ioc = make_ioc()
    Autosave(ioc, path)
    ioc.starters[-1](None)  # type: ignore[arg-type]
    assert ioc.records["HDF1:NumCapture"].channel.value == 1


def test_an_empty_file_is_one_to_begin_with(tmp_path: Path) -> None:
    path = tmp_path / "auto.sav"
    path.touch()
    ioc = make_ioc()
    Autosave(ioc, path)
    ioc.starters[-1](None)  # type: ignore[arg-type]
    assert "t:HDF1:NumCapture" in read_saved(path)


def test_without_any_file_nothing_is_restored_and_nothing_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_saved(tmp_path / "auto.sav") == {}
    assert not caplog.records


def test_a_file_that_can_not_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "auto.sav"
    write_saved(path, {"n": "1"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_saved(path, {"n": "2"})
    assert read_saved(path) == {"n": "1"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("FilePath", True),
        ("FileNumber", True),
        ("EnableCallbacks", True),
        ("NDArrayPort", True),
        ("Compression", True),
        ("Capture", False),
        ("WriteFile", False),
        ("FreeCapture", False),
        ("FilePath_RBV", False),
        ("ArraySize0_RBV", False),
        ("ArrayCounter", False),
        ("DroppedArrays", False),
    ],
)
def test_what_is_kept(ioc: IOC, name: str, kept: bool) -> None:
    assert is_setting(ioc.records[f"HDF1:{name}"]) is kept


def test_values_that_can_not_be_are_named_and_the_rest_restored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "auto.sav"
    write_saved(path, {"t:HDF1:FileNumber": "seven", "t:HDF1:NumCapture": "8", "t:gone": "1"})
    ioc = make_ioc()
    Autosave(ioc, path)
    with caplog.at_level(logging.ERROR):
        ioc.starters[-1](None)  # type: ignore[arg-type]
    assert ioc.records["HDF1:NumCapture"].channel.value == 8
    assert ioc.records["HDF1:FileNumber"].channel.value == 0
    assert "t:HDF1:FileNumber cannot be 'seven'" in caplog.text
