"""Directories and file names of the simulated file plugins, as recorded and as C's printf."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adsupport.sim.plugins.file_paths import create_path, make_file_name, path_exists, with_slash


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("put", "readback"),
    [
        ("/data", "/data/"),
        ("/data/", "/data/"),
        ("/data//", "/data//"),
        ("", ""),
        ("/", "/"),
        ("rel/path", "rel/path/"),
        ("/data/a b", "/data/a b/"),
        ("C:\\foo", "C:\\foo/"),
    ],
)
def test_slash(put: str, readback: str) -> None:
    assert with_slash(put) == readback


@pytest.mark.conformance
def test_existence(tmp_path: Path) -> None:
    assert path_exists(f"{tmp_path}/")
    assert path_exists(f"{tmp_path}//")
    assert not path_exists(f"{tmp_path}/nope/")
    assert not path_exists("/")
    (tmp_path / "file").touch()
    assert not path_exists(f"{tmp_path}/file/")
    assert not path_exists("\0/")


# Recorded below a directory three levels deep, as here: the counts include those levels.
@pytest.mark.conformance
@pytest.mark.parametrize(
    ("depth", "below", "exists"),
    [
        (0, "c0/x", False),
        (-1, "cm1", True),
        (-1, "cm1b/x", False),
        (-2, "cm2/x", True),
        (-2, "cm2b/x/y", False),
        (-5, "cm5/a/b/c/d", True),
        (-5, "cm5b/a/b/c/d/e", False),
        (1, "c1/x/y", True),
        (3, "c3/x", True),
        (-5, "%Y/%m/%d", True),
    ],
)
def test_create_directory(
    depth: int, below: str, exists: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp" / "realioc" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    path = f"tmp/realioc/data/{below}/"
    create_path(path, depth)
    assert path_exists(path) is exists
    made = list((tmp_path / "tmp" / "realioc" / "data").rglob("*"))
    assert len(made) == (len(below.split("/")) if exists else 0)


def test_create_directory_absolute(tmp_path: Path) -> None:
    create_path(f"{tmp_path}/a/b/", -2)
    assert path_exists(f"{tmp_path}/a/b/")
    create_path("/proc/nope/x/", -5)
    assert not path_exists("/proc/nope/x/")


def test_the_first_directory_is_never_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    create_path("top/below/", -9)
    assert not os.listdir(tmp_path)


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("template", "number", "full"),
    [
        ("%s%s_%4.4d.h5", 2, "/data/test_0002.h5"),
        ("%s%s.h5", 3, "/data/test.h5"),
        ("%s%s_%6.6d.hdf", 4, "/data/test_000004.hdf"),
        ("%s%s_%d", 5, "/data/test_5"),
        ("%s/%s%03d.h5", 6, "/data//test006.h5"),
        ("nofmt.h5", 7, "nofmt.h5"),
        ("", 8, ""),
    ],
)
def test_recorded_templates(template: str, number: int, full: str) -> None:
    assert make_file_name(template, "/data/", "test", number) == full


@pytest.mark.parametrize(
    ("template", "full"),
    [
        ("%d", "0"),
        ("%s%d", "/data/0"),
        ("%s%s_%d_%d", "/data/test_7_0"),
        ("%s%s%s", "/data/test"),
        ("%s%s%d%s.h5", "/data/test7.h5"),
        ("%s%s%%%d", "/data/test%7"),
        ("%s%Y-%m-%d", "/data/%Y-%m-0"),
        ("%s%s %", "/data/test %"),
        ("%n%s", "test"),
        ("%f%g", "0.0000000"),
        ("%*d", "0"),
        ("%999999999d", "0".rjust(511)),
        ("%.999999999d", "0" * 511),
    ],
)
def test_templates_that_c_does_not_define(template: str, full: str) -> None:
    assert make_file_name(template, "/data/", "test", 7) == full


LIBC = ctypes.CDLL(None)


def printf(template: str, path: str, name: str, number: int) -> str:
    buffer = ctypes.create_string_buffer(4096)
    LIBC.snprintf(
        buffer,
        ctypes.c_size_t(len(buffer)),
        template.encode(),
        path.encode(),
        name.encode(),
        ctypes.c_int(number),
    )
    return buffer.value.decode()


plain = st.text("abc_-./ ", max_size=4)
flags = st.text("-+ #0", max_size=3)
width = st.one_of(st.just(""), st.integers(0, 30).map(str))
precision = st.one_of(st.just(""), st.integers(0, 30).map(lambda n: f".{n}"), st.just("."))
text_field = st.builds(lambda f, w, p: f"%{f}{w}{p}s", st.sampled_from(["", "-"]), width, precision)
number_field = st.builds(
    lambda f, w, p, k: f"%{f}{w}{p}{k}", flags, width, precision, st.sampled_from("diuxX")
)
words = st.text("abcxyz/_. ", max_size=12)


@given(plain, text_field, plain, text_field, plain, number_field, plain,
       words, words, st.integers(-(2**31), 2**31 - 1))  # fmt: skip
def test_as_printf(a, first, b, second, c, third, d, path, name, number) -> None:
    template = f"{a}{first}{b}{second}{c}{third}{d}"
    # '#' and zero padding together: the prefix is padded behind, which no file name needs
    assume(not ("#" in third and "0" in third))
    assert make_file_name(template, path, name, number) == printf(template, path, name, number)


@given(st.text("%sdxc*.0123456789-+ #nYmlf", max_size=20), st.text(max_size=5), st.integers(0, 9))
def test_no_template_crashes(template: str, name: str, number: int) -> None:
    assert isinstance(make_file_name(template, "/p/", name, number), str)
