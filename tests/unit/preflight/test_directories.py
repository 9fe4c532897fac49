"""What can be told of a directory of the IOC's from here."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.devices.preflight.directories import check_directory, is_creatable, look_for
from adsupport.devices.preflight.state import PartState
from adsupport.errors import PathMapError
from adsupport.naming import PathMap


@pytest.mark.parametrize(
    ("levels", "present", "depth", "possible"),
    [
        # as ADCore R3-14 did on a running IOC: below a directory of 3 levels
        (4, 3, -1, True),
        (5, 3, -1, False),
        (8, 3, -5, True),
        (9, 3, -5, False),
        (6, 3, 0, False),
        (6, 1, 1, True),
        (6, 3, 3, True),
        (6, 3, 4, False),
        # the first level is never made
        (3, 0, -5, False),
        (3, 0, 1, False),
        (3, 3, 0, True),
    ],
)
def test_what_create_directory_can_make(levels: int, present: int, depth: int, possible: bool):
    assert is_creatable(levels, present, depth) is possible


@given(st.integers(1, 20), st.integers(0, 20), st.integers(1, 30))
def test_more_levels_allowed_make_no_less(levels: int, present: int, depth: int):
    assert is_creatable(levels, present, -depth) <= is_creatable(levels, present, -depth - 1)


def test_looking_through_a_map(tmp_path: pathlib.Path):
    (tmp_path / "2026").mkdir()
    view = look_for("/data/2026/11/", PathMap({"/data": str(tmp_path)}))
    assert view.local == tmp_path / "2026" / "11"
    assert (view.levels, view.present, view.nearest) == (3, 2, tmp_path / "2026")
    assert not view.is_here
    (tmp_path / "2026" / "11").mkdir()
    assert look_for("/data/2026/11/", PathMap({"/data": str(tmp_path)})).is_here


def test_a_mount_that_is_not_here(tmp_path: pathlib.Path):
    view = look_for("/data/2026/", PathMap({"/data": str(tmp_path / "mnt")}))
    assert view.present is None
    assert view.nearest is None


def test_outside_the_map(tmp_path: pathlib.Path):
    with pytest.raises(PathMapError):
        look_for("/elsewhere/", PathMap({"/data": str(tmp_path)}))


def test_a_file_in_the_way(tmp_path: pathlib.Path):
    (tmp_path / "a").write_text("")
    view = look_for(f"{tmp_path}/a/b/", PathMap())
    assert view.nearest == tmp_path
    assert "a" in view.problem
    (finding,) = check_directory(writer("", "No"), f"{tmp_path}/a/b/", view)
    assert finding.severity == "error"
    assert "in the way" in finding.remedy


def test_windows_paths_are_looked_for_through_the_map(tmp_path: pathlib.Path):
    view = look_for("D:\\data\\x\\", PathMap({"D:\\data": str(tmp_path)}))
    assert (view.levels, view.present) == (2, 1)
    unmapped = look_for("D:\\data\\x\\", PathMap())
    assert unmapped.present is None


def writer(path: str, exists: str, depth: int = 0) -> PartState:
    values = {"file_path": path, "file_path_exists": exists, "create_directory": depth}
    return PartState("hdf1", "ad:HDF1:", values)


def test_both_see_it(tmp_path: pathlib.Path):
    path = f"{tmp_path}/"
    (finding,) = check_directory(writer(path, "Yes"), path, look_for(path, PathMap()))
    assert finding.severity == "ok"


def test_the_ioc_did_not_see_what_is_here(tmp_path: pathlib.Path):
    path = f"{tmp_path}/"
    (finding,) = check_directory(writer(path, "No"), path, look_for(path, PathMap()))
    assert finding.severity == "warning"
    assert "FilePathExists_RBV" in finding.remedy


def test_what_the_ioc_said_of_another_path_does_not_count(tmp_path: pathlib.Path):
    path = f"{tmp_path}/new/"
    (finding,) = check_directory(writer("/old/", "Yes", -1), path, look_for(path, PathMap()))
    assert finding.severity == "info"
    (finding,) = check_directory(writer("/old/", "Yes", 0), path, look_for(path, PathMap()))
    assert finding.severity == "error"
    assert "-1" in finding.remedy
