"""File templates and file names, judged by the C library's own printf."""

import ctypes
import ctypes.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import NamingError
from adsupport.naming import FileTemplate, check_file_name, format_file_name

LIBC = ctypes.CDLL(ctypes.util.find_library("c"))


def c_printf(template: str, path: str, name: str, number: int) -> str:
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


flags_s = st.sampled_from(["", "-"])
flags_d = st.text("-+ 0", max_size=3)
width = st.one_of(st.just(""), st.integers(1, 20).map(str))
precision = st.one_of(st.just(""), st.just("."), st.integers(0, 20).map(lambda n: f".{n}"))
literal = st.text("ab_./-%", max_size=4).map(lambda text: text.replace("%", "%%"))
string_field = st.builds("%{}{}{}s".format, flags_s, width, precision)
number_field = st.builds("%{}{}{}{}".format, flags_d, width, precision, st.sampled_from("di"))
templates = st.builds(
    "".join,
    st.tuples(literal, string_field, literal, string_field, literal, number_field, literal),
) | st.builds("".join, st.tuples(literal, string_field, literal, string_field, literal))
ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


@given(templates, ascii_text, ascii_text, st.integers(-(2**31), 2**31 - 1))
def test_formats_as_c_printf_does(template, path, name, number):
    assert FileTemplate(template).format(path, name, number) == c_printf(
        template, path, name, number
    )


@pytest.mark.parametrize(
    ("template", "number", "expected"),
    [
        ("%s%s_%4.4d.h5", 7, "/d/x_0007.h5"),
        ("%s%s_%4.4d.h5", 12345, "/d/x_12345.h5"),
        ("%s%s.h5", 7, "/d/x.h5"),
        ("%s%s_%06.3d", 7, "/d/x_   007"),  # Python's % operator gives 000007
        ("%s%s_%.0d|", 0, "/d/x_|"),  # Python's % operator gives 0
        ("%s%s_%d%%", 3, "/d/x_3%"),
        ("%s%s_%05d", -3, "/d/x_-0003"),
    ],
)
def test_known_results(template, number, expected):
    assert FileTemplate(template).format("/d/", "x", number) == expected
    assert c_printf(template, "/d/", "x", number) == expected


def test_utf8_precision_counts_bytes_as_c_does():
    assert FileTemplate("%s%.2s").format("/", "éa", 0) == c_printf("%s%.2s", "/", "éa", 0) == "/é"
    with pytest.raises(NamingError, match="in two"):
        FileTemplate("%s%.1s").format("/", "éa", 0)


@pytest.mark.parametrize(
    "template",
    [
        "",
        "fixed.h5",
        "%s.h5",
        "%s_%d.h5",
        "%s%s_%d_%d.h5",
        "%s%s%s.h5",
        "%d%s%s",
        "%s%d%s",
        "%s%s%n",
        "%s%s_%f",
        "%s%s_%ld",
        "%s%s_%*d",
        "%2$s%1$s_%d",
        "%s%s_%Y",
        "%s%s%",
        "%s%s_%#d",
        "%0s%s",
        "%s%s_%999d",
        "%s%s\0.h5",
        "%s%s" + "x" * 300,
    ],
)
def test_templates_printf_could_not_serve_are_refused(template):
    with pytest.raises(NamingError, match="template"):
        FileTemplate(template)


@pytest.mark.parametrize("template", ["%s.h5", "fixed.h5", "%s%s_%d_%d.h5"])
def test_refusal_says_what_is_expected(template):
    with pytest.raises(ValueError, match=r"'%s' for the directory.*'%s%s_%4.4d.h5'"):
        format_file_name(template, "/d/", "x", 1)


def test_a_template_of_another_type_is_refused():
    with pytest.raises(NamingError, match="int"):
        FileTemplate(5)


def test_has_number():
    assert FileTemplate("%s%s_%d.h5").has_number
    assert not FileTemplate("%s%s.h5").has_number


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1])
def test_number_beyond_the_iocs_is_refused(number):
    with pytest.raises(NamingError, match="32-bit"):
        FileTemplate("%s%s_%d").format("/", "x", number)


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "..", "a/b", "a\\b", "../x", "a\0b", "a\nb", "\x7f", "x" * 256, "é" * 128],
)
def test_unsafe_names_are_refused(name):
    with pytest.raises(NamingError, match="name"):
        check_file_name(name)


@given(st.text(st.characters(blacklist_categories=["C", "Z"], blacklist_characters="/\\")))
def test_other_names_pass_unchanged(name):
    if 0 < len(name.encode()) <= 255 and name not in (".", "..") and name.strip():
        assert check_file_name(name) == name


def test_full_name_the_ioc_would_cut_is_refused():
    path = "/" + "d" * 200 + "/"
    with pytest.raises(NamingError, match="255"):
        format_file_name("%s%s_%4.4d.h5", path, "n" * 60, 1)
    assert format_file_name("%s%s_%4.4d.h5", path, "n" * 60, 1, ioc=False).endswith("_0001.h5")


def test_last_component_too_long_for_a_file_system_is_refused():
    with pytest.raises(NamingError, match="last component"):
        format_file_name("%s%s_%4.4d.h5", "/d/", "n" * 250, 1, ioc=False)


@pytest.mark.parametrize("template", ["%s%s/", "%s%.0s", "%s%.0s.."])
def test_full_name_that_is_a_directory_is_refused(template):
    with pytest.raises(NamingError, match="is a directory"):
        format_file_name(template, "/d/", "x", 1)
