"""Names of output files: safe, short, and inside their directory."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.callbacks.output import inside, safe_component
from adsupport.errors import OutputNameError

HOSTILE = st.text(
    st.one_of(
        st.sampled_from('./\\~- \0\n\r\t:*?"<>|%${}\u202e\u200b\u2028\ud800\udcffé日'),
        st.characters(),
    ),
    max_size=400,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("scan_0001.h5", "scan_0001.h5"),
        ("größe 日本.csv", "größe 日本.csv"),
        ("", "_"),
        (".", "_"),
        ("..", "__"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("/etc/passwd", "_etc_passwd"),
        ("a\\b", "a_b"),
        ("-rf", "_rf"),
        ("~root", "_root"),
        (".hidden", "_hidden"),
        (" a ", "_a_"),
        ("a.", "a_"),
        ("a\0b\nc\x7f", "a_b_c_"),
        ("a\u202egpj.exe", "a_gpj.exe"),
        ("\ud800\udcff", "__"),
        ("CON", "_CON"),
        ("con.h5", "_con.h5"),
        ("aux .txt", "_aux .txt"),
        ("LPT¹", "_LPT¹"),
        ("COM0.csv", "_COM0.csv"),
        ("conic.h5", "conic.h5"),
        ("a:b*c?", "a_b_c_"),
    ],
)
def test_safe_component(text: str, name: str) -> None:
    assert safe_component(text) == name


@given(HOSTILE)
def test_safe_component_is_always_safe(text: str) -> None:
    name = safe_component(text)
    assert 1 <= len(name.encode()) <= 200
    assert not set(name) & set('/\\<>:"|?*')
    assert all(unicodedata.category(char)[0] != "C" for char in name)
    assert name[0] not in ".-~ "
    assert name[-1] not in ". "
    assert safe_component(name) == name
    assert os.fsdecode(os.fsencode(name)) == name


def test_long_names_keep_their_extension_and_stay_different() -> None:
    first, second = (safe_component("日" * 100 + end + ".h5") for end in ("a", "b"))
    assert first != second
    assert first.endswith(".h5")
    assert len(first.encode()) <= 200


def test_a_long_extension_is_cut_like_the_rest() -> None:
    assert len(safe_component("a." + "b" * 300).encode()) == 200


@given(HOSTILE)
def test_a_safe_name_is_inside(text: str) -> None:
    assert inside("/data", safe_component(text)).parent == Path("/data")


def test_inside_takes_directories_below(tmp_path: Path) -> None:
    assert inside(tmp_path, "2026/11/scan.h5") == tmp_path / "2026" / "11" / "scan.h5"
    assert inside(str(tmp_path), "..scan") == tmp_path / "..scan"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "a//b",
        "a/",
        "./a",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "\ud800",
    ],
)
def test_inside_refuses(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputNameError, match="File name"):
        inside(tmp_path, name)


def test_inside_refuses_what_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(OutputNameError, match="must be a str, got PosixPath"):
        inside(tmp_path, Path("a"))  # type: ignore[arg-type]


def test_inside_refuses_links_that_lead_out(tmp_path: Path) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    (root / "out").symlink_to(other)
    (root / "file").symlink_to(other / "target")
    (root / "loop").symlink_to("loop")
    (root / "self").symlink_to(".")
    for name in ("out/x", "file", "self", "out/../../other"):
        with pytest.raises(OutputNameError):
            inside(root, name)
    with pytest.raises(OutputNameError, match=str(other)):
        inside(root, "out/x")


def test_inside_follows_a_directory_that_is_a_link_itself(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / "below").mkdir(parents=True)
    link.symlink_to(real)
    (real / "again").symlink_to(real / "below")
    assert inside(link, "x") == link / "x"
    assert inside(link, "again/x") == link / "again" / "x"


def test_a_sibling_that_begins_alike_is_outside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data2").mkdir()
    (tmp_path / "data" / "link").symlink_to(tmp_path / "data2")
    with pytest.raises(OutputNameError):
        inside(tmp_path / "data", "link/x")
