"""Paths of the IOC and local paths."""

import pathlib
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adsupport.errors import NamingError, PathMapError
from adsupport.naming import (
    PathMap,
    PathStyle,
    check_ioc_path,
    path_style,
    same_path,
    with_trailing_separator,
)

SEED_WRITE = "/tmp/adsimdet/%Y/%m/%d/"
SEED_READ = "/tmp/docker_ioc/iocad/tmp/adsimdet/%Y/%m/%d/"

component = st.text(string.ascii_letters + string.digits + "-_ é", min_size=1, max_size=8).filter(
    lambda part: part.strip() == part and part not in (".", "..")
)
components = st.lists(component, max_size=4)


def posix(parts):
    return "/" + "/".join(parts)


@pytest.mark.parametrize(
    ("write", "read", "ioc", "local"),
    [
        (
            SEED_WRITE,
            SEED_READ,
            "/tmp/adsimdet/2024/08/25/test_file_0002.h5",
            "/tmp/docker_ioc/iocad/tmp/adsimdet/2024/08/25/test_file_0002.h5",
        ),
        ("/data", "/mnt/ioc/", "/data/f.h5", "/mnt/ioc/f.h5"),
        ("/data/", "/mnt/ioc", "/data/a/f.h5", "/mnt/ioc/a/f.h5"),
        ("/", "/mnt/a/", "/x/f.h5", "/mnt/a/x/f.h5"),
        ("/mnt/a", "/", "/mnt/a/x/f.h5", "/x/f.h5"),
        ("/data/", "/data/", "/elsewhere/f.h5", "/elsewhere/f.h5"),
        ("/data/", None, "/data/f.h5", "/data/f.h5"),
        ("/data/%Y/", "/data/%Y", "/data/2026/f.h5", "/data/2026/f.h5"),
        ("C:\\data\\%Y\\", "/mnt/c/data/%Y/", "c:/Data/2026/f.h5", "/mnt/c/data/2026/f.h5"),
        ("C:\\", "/mnt/c", "C:\\a\\b.h5", "/mnt/c/a/b.h5"),
        ("\\\\host\\share\\d\\", "/mnt/d/", "\\\\HOST\\share\\d\\a\\f.h5", "/mnt/d/a/f.h5"),
        ("/data/run%Y/raw/", "/mnt/run%Y/raw/", "/data/run2026/raw/f", "/mnt/run2026/raw/f"),
        ("/data/.//x", "/mnt", "/data//x/./f", "/mnt/f"),
    ],
)
def test_templates_map_whole_prefixes(write, read, ioc, local):
    path_map = PathMap.from_templates(write, read)
    assert path_map.to_local(ioc) == pathlib.Path(local)
    assert same_path(path_map.to_ioc(local), ioc, path_style(write))


def test_local_path_is_one_that_can_be_opened(tmp_path):
    (tmp_path / "f.h5").write_text("here")
    assert PathMap({"/data": tmp_path}).to_local("/data/f.h5").read_text() == "here"


@pytest.mark.parametrize(
    "ioc", ["/tmp/adsimdet2/f.h5", "/tmp/f.h5", "/tmp", "/", "/data/f.h5", "C:\\tmp\\adsimdet\\f"]
)
def test_a_path_outside_the_map_is_an_error_that_names_it_and_the_cure(ioc):
    with pytest.raises(PathMapError) as caught:
        PathMap.from_templates(SEED_WRITE, SEED_READ).to_local(ioc)
    message = str(caught.value)
    assert repr(ioc) in message
    if not ioc.startswith("C"):
        assert "/tmp/adsimdet (IOC) = /tmp/docker_ioc/iocad/tmp/adsimdet (local)" in message
        assert "write_path_template" in message


@pytest.mark.parametrize(
    "path", ["/tmp/adsimdet/../etc/x", "/tmp/adsimdet/a/..", "f.h5", "", "./x"]
)
@pytest.mark.parametrize("read", [SEED_READ, SEED_WRITE])
def test_dots_and_relative_paths_are_refused_even_by_the_identity(path, read):
    path_map = PathMap.from_templates(SEED_WRITE, read)
    with pytest.raises(PathMapError):
        path_map.to_local(path)
    with pytest.raises(PathMapError):
        path_map.to_ioc(path)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        ("/data/%Y/%m/", "/mnt/%Y/%d/"),
        ("/data/%Y/", "/mnt/"),
        ("/data/", "/mnt/%Y/"),
        ("/data/%Y/raw/", "/mnt/%Y/"),
        ("C:\\%M\\", "/mnt/%m/"),
    ],
)
def test_templates_whose_dates_differ_are_refused(write, read):
    with pytest.raises(PathMapError, match="dated parts"):
        PathMap.from_templates(write, read)


def test_a_template_with_another_code_is_refused():
    with pytest.raises(NamingError, match="date code"):
        PathMap.from_templates("/data/%Q/", "/mnt/%Q/")


@pytest.mark.parametrize(("write", "read"), [("data/", "/mnt"), ("/data", "mnt"), ("", "/mnt")])
def test_relative_templates_are_refused(write, read):
    with pytest.raises(PathMapError, match="absolute"):
        PathMap.from_templates(write, read)


def test_the_longest_directory_decides():
    path_map = PathMap({"/a": "/x", "/a/b": "/y"})
    assert path_map.to_local("/a/b/f") == pathlib.Path("/y/f")
    assert path_map.to_local("/a/c/f") == pathlib.Path("/x/c/f")
    assert path_map.to_ioc("/y/f") == "/a/b/f"
    with pytest.raises(PathMapError, match="can't be reached"):
        path_map.to_ioc("/x/b/f")


def test_a_directory_mapped_twice_is_refused():
    with pytest.raises(PathMapError, match="twice"):
        PathMap([("/a", "/x"), ("/a/", "/y")])


def test_mixed_styles_in_one_map():
    path_map = PathMap({"C:\\d": "/mnt/c", "/d": "/mnt/d"})
    assert path_map.to_local("c:/d/f") == pathlib.Path("/mnt/c/f")
    assert path_map.to_local("/d/f") == pathlib.Path("/mnt/d/f")


def test_posix_letters_count_windows_letters_do_not():
    with pytest.raises(PathMapError):
        PathMap({"/Data": "/mnt"}).to_local("/data/f")
    assert PathMap({"C:/Data": "/mnt"}).to_local("c:\\DATA\\F.h5") == pathlib.Path("/mnt/F.h5")


def test_a_backslash_is_a_letter_in_posix():
    assert PathMap({"/d": "/m"}).to_local("/d/a\\b") == pathlib.Path("/m/a\\b")
    with pytest.raises(PathMapError, match="Windows"):
        PathMap({"C:\\d": "/m"}).to_ioc("/m/a\\b")


def test_local_windows_paths_are_pure_elsewhere():
    local = PathMap({"/data": "Z:\\data"}).to_local("/data/a/f.h5")
    assert str(local) == "Z:\\data\\a\\f.h5"


def test_verbatim_windows_paths_are_refused():
    with pytest.raises(PathMapError, match="absolute"):
        PathMap({"C:\\d": "/m"}).to_local("\\\\?\\C:\\d\\f")


@given(components, components, components)
def test_round_trip(ioc, local, rest):
    path_map = PathMap({posix(ioc): posix(local)})
    there = path_map.to_local(posix(ioc + rest))
    assert there == pathlib.Path(posix(local + rest))
    assert path_map.to_ioc(there) == posix(ioc + rest)


@given(components, components, components, st.sampled_from("\\/"))
def test_round_trip_windows(ioc, local, rest, separator):
    path_map = PathMap({"C:\\" + "\\".join(ioc): posix(local)})
    there = path_map.to_local("c:" + separator + separator.join(ioc + rest))
    assert there == pathlib.Path(posix(local + rest))
    assert path_map.to_ioc(there) == "C:\\" + "\\".join(ioc + rest)


@given(components, component, st.text(string.ascii_letters, min_size=1, max_size=3), components)
def test_only_whole_components_match(ioc, last, tail, rest):
    path_map = PathMap({posix([*ioc, last]): "/mnt"})
    outside = posix([*ioc, last + tail, *rest])
    with pytest.raises(PathMapError):
        path_map.to_local(outside)


@given(components, components, st.lists(st.sampled_from(["%Y", "%m", "%d", "x%H"]), max_size=3))
def test_templates_map_their_static_parts(ioc, local, dates):
    assume(ioc != local)
    path_map = PathMap.from_templates(posix(ioc + dates) + "/", posix(local + dates))
    assert path_map.pairs == ((posix(ioc), posix(local)),)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a", "/a/"),
        ("/a/", "/a/"),
        ("/", "/"),
        ("", ""),
        ("C:\\a", "C:\\a\\"),
        ("C:/a", "C:/a/"),
        ("C:\\a\\", "C:\\a\\"),
        ("/a\\", "/a\\/"),
    ],
)
def test_trailing_separator(path, expected):
    assert with_trailing_separator(path) == expected


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("/a/", "/a", True),
        ("/a//b", "/a/b/", True),
        ("/a", "/A", False),
        ("C:\\A\\", "c:/a", True),
        ("/a", "C:\\a", False),
        ("a", "a", True),
        ("a", "a/", False),
        ("/a", "/a/..", False),
    ],
)
def test_same_path(first, second, same):
    assert same_path(first, second) is same


def test_path_style_words():
    assert path_style("/a", "nt") is path_style("C:\\") is PathStyle.WINDOWS
    assert path_style("C:\\", "posix") is PathStyle.POSIX
    with pytest.raises(NamingError, match="posix"):
        path_style("/a", "vms")


def test_check_ioc_path():
    assert check_ioc_path("/a/b") == "/a/b/"
    with pytest.raises(NamingError, match="empty"):
        check_ioc_path("")
    with pytest.raises(NamingError, match="255"):
        check_ioc_path("/" + "x" * 254)
    assert check_ioc_path("/" + "x" * 253).endswith("x/")
    for path in ("a/b", "/a/../b"):
        with pytest.raises(PathMapError):
            check_ioc_path(path)


def test_repr_and_words():
    assert repr(PathMap({"/a": "/b"})) == "PathMap([('/a', '/b')])"
    assert str(PathMap()) == "the same paths on both sides"
    assert PathMap().is_identity
