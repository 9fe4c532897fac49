"""Where the next file goes, worked out without an IOC."""

from __future__ import annotations

import pathlib
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.devices.files.target import FileTarget
from adsupport.errors import (
    ConfigurationError,
    FileExistsRefusedError,
    NamingError,
    PathMapError,
)

WHEN = datetime(2026, 11, 20)


class Target(FileTarget):
    """A file plugin's naming without the plugin."""

    name = "det_hdf1"
    file_path = SimpleNamespace(name="X:FilePath")
    file_name = SimpleNamespace(name="X:FileName")
    file_template = SimpleNamespace(name="X:FileTemplate")


@pytest.fixture
def target(tmp_path: pathlib.Path) -> Any:
    (tmp_path / "here").mkdir()
    return Target(write_path_template="/ioc/", read_path_template=tmp_path / "here")


def test_the_next_file_is_mapped(target: Any, tmp_path: pathlib.Path) -> None:
    full, local, number = target.plan_file("/ioc/", "a", 7, "%s%s_%4.4d.h5")
    assert full == "/ioc/a_0007.h5"
    assert local == tmp_path / "here/a_0007.h5"
    assert number == 7


def test_an_existing_file_is_refused(target: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "here/a_0007.h5").touch()
    with pytest.raises(FileExistsRefusedError, match=r"a_0007\.h5 exists already"):
        target.plan_file("/ioc/", "a", 7, "%s%s_%4.4d.h5")


def test_a_dangling_link_counts_as_a_file(target: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "here/a_0007.h5").symlink_to(tmp_path / "gone")
    with pytest.raises(FileExistsRefusedError):
        target.plan_file("/ioc/", "a", 7, "%s%s_%4.4d.h5")


@given(taken=st.sets(st.integers(0, 12)), first=st.integers(0, 12))
def test_bump_finds_the_first_free_number(
    tmp_path_factory: pytest.TempPathFactory, taken: set[int], first: int
) -> None:
    here = tmp_path_factory.mktemp("bump")
    target: Any = Target(write_path_template="/ioc/", read_path_template=here, if_exists="bump")
    for number in taken:
        (here / f"a_{number}.h5").touch()
    _, local, number = target.plan_file("/ioc/", "a", first, "%s%s_%d.h5")
    assert number == min(set(range(first, 30)) - taken)
    assert not local.exists()


@given(first=st.integers(0, 100), step=st.integers(1, 9))
def test_files_of_one_point_begin_at_a_multiple(first: int, step: int) -> None:
    target: Any = Target(write_path_template="/no/such/place/")
    _, _, number = target.plan_file("/no/such/place/", "a", first, "%s%s_%d.tif", step)
    assert number % step == 0
    assert 0 <= number - first < step


def test_bump_needs_a_number_in_the_template(target: Any, tmp_path: pathlib.Path) -> None:
    target.if_exists = "bump"
    (tmp_path / "here/a.h5").touch()
    with pytest.raises(FileExistsRefusedError, match="no file number"):
        target.plan_file("/ioc/", "a", 0, "%s%s.h5")


def test_allow_takes_what_is_asked_for(target: Any, tmp_path: pathlib.Path) -> None:
    target.if_exists = "allow"
    (tmp_path / "here/a_0.h5").touch()
    assert target.plan_file("/ioc/", "a", 0, "%s%s_%d.h5")[2] == 0


def test_errors_name_the_process_variable(target: Any) -> None:
    with pytest.raises(NamingError, match="X:FileTemplate"):
        target.plan_file("/ioc/", "a", 0, "%s%s%s")
    with pytest.raises(NamingError, match="X:FileName"):
        target.plan_file("/ioc/", "", 0, "%s%s.h5")
    with pytest.raises(PathMapError, match="/elsewhere/"):
        target.plan_file("/elsewhere/", "a", 0, "%s%s.h5")


def test_dates_are_expanded_and_the_template_remembered(tmp_path: pathlib.Path) -> None:
    target: Any = Target(write_path_template=f"{tmp_path}/%Y/%m")
    assert target.expand_path(when=WHEN) == f"{tmp_path}/2026/11/"
    assert target._expanded == (f"{tmp_path}/%Y/%m/", f"{tmp_path}/2026/11/")


def test_a_template_is_missed_where_it_is_needed() -> None:
    advice = r"prepare_count\(\.\.\., file_path=.*X:FilePath"
    with pytest.raises(NamingError, match=f"det_hdf1 has no write_path_template.*{advice}"):
        Target().expand_path()
    with pytest.raises(NamingError, match=f"X:FilePath is empty and det_hdf1 has no .*{advice}"):
        Target().expand_path(standing="")


def test_without_a_template_the_directory_that_stands_is_taken(tmp_path: pathlib.Path) -> None:
    target: Any = Target()
    assert target.expand_path(standing=str(tmp_path)) == f"{tmp_path}/"
    target.clock = lambda: WHEN
    assert target.expand_path(f"{tmp_path}/%d") == f"{tmp_path}/20/"
    target.clock = lambda: datetime(2026, 11, 21)
    assert target.expand_path(standing=f"{tmp_path}/20/") == f"{tmp_path}/21/"


def test_a_template_is_preferred_to_the_directory_that_stands() -> None:
    assert Target(write_path_template="/a/").expand_path(standing="/b/") == "/a/"


def test_a_read_template_alone_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no write_path_template"):
        Target(read_path_template="/here/").path_map  # noqa: B018


@pytest.mark.parametrize("root", ["relative", "", "./x"])
def test_the_root_of_the_documents_is_absolute(root: str) -> None:
    with pytest.raises(ConfigurationError, match="absolute"):
        Target(root=root)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="refuse, bump, allow"):
        Target(if_exists="never")


def test_a_place_that_cannot_be_looked_at_is_refused(target: Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "here/folder").touch()  # a file where a directory should be
    with pytest.raises(PathMapError, match="Can't see whether .*Not a directory"):
        target.plan_file("/ioc/folder/", "a", 7, "%s%s_%4.4d.h5")
