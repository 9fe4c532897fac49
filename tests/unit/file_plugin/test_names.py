"""Paths and names of the files, as recorded from a real IOC."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.conformance


# ---- paths and names


def test_path_gets_a_slash_and_is_looked_up(bench: Any) -> None:
    bench.put(FILE_PATH=str(bench.directory))
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == [f"{bench.directory}/", 1]
    bench.put(FILE_PATH=bench.full("nope"))
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == [bench.full("nope/"), 0]
    bench.put(FILE_PATH="")
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == ["", 0]


def test_empty_path_leaves_existence_alone(bench: Any) -> None:
    bench.put(FILE_PATH=str(bench.directory))
    bench.put(FILE_PATH="")
    assert bench.get("FILE_PATH_EXISTS") == 1


def test_path_is_created_at_its_write_only(bench: Any) -> None:
    bench.put(FILE_PATH=bench.full("a/b"))
    bench.put(CREATE_DIR=-2)
    assert bench.files == []
    bench.put(FILE_PATH=bench.full("a/b"))
    assert (bench.directory / "a" / "b").is_dir()
    assert bench.get("FILE_PATH_EXISTS") == 1


def test_dates_in_a_path_are_not_expanded(stream: Any) -> None:
    stream.put(CREATE_DIR=-3, FILE_PATH=stream.full("%Y/%m/%d"), NUM_CAPTURE=1, CAPTURE=1)
    stream.feed()
    assert stream.get("FULL_FILE_NAME") == stream.full("%Y/%m/%d/f_0000.h5")
    assert (stream.directory / "%Y" / "%m" / "%d" / "f_0000.h5").exists()


def test_path_that_is_not_ascii(stream: Any) -> None:
    """A client's UTF-8 reaches the file system as it was sent."""
    sent = stream.full("probe-é-測").encode().decode("latin-1")
    stream.put(CREATE_DIR=-1, FILE_PATH=sent, FILE_TEMP_SUFFIX=".part", NUM_CAPTURE=1, CAPTURE=1)
    stream.feed()
    assert stream.state("FILE_PATH_EXISTS", "WRITE_STATUS") == [1, 0]
    assert (stream.directory / "probe-é-測" / "f_0000.h5").exists()


def test_template_without_number_still_counts(stream: Any) -> None:
    stream.put(FILE_TEMPLATE="%s%s.h5", NUM_CAPTURE=1, CAPTURE=1)
    assert stream.state("FULL_FILE_NAME", "FILE_NUMBER") == [stream.full("f.h5"), 1]


def test_empty_template(stream: Any) -> None:
    stream.put(FILE_TEMPLATE="", CAPTURE=1)
    assert stream.state() == [0, 0, 1, "Error opening file , status=3", 1]
    assert stream.get("FULL_FILE_NAME") == ""


def test_the_number_after_the_largest_is_the_smallest(stream: Any) -> None:
    stream.put(FILE_NUMBER=2**31 - 1, NUM_CAPTURE=1, CAPTURE=1)
    assert stream.state("FULL_FILE_NAME", "FILE_NUMBER") == [
        stream.full("f_2147483647.h5"),
        -(2**31),
    ]


def test_number_stays_without_increment(stream: Any) -> None:
    stream.put(AUTO_INCREMENT=0, FILE_NUMBER=12, NUM_CAPTURE=1)
    for _ in range(2):
        stream.put(CAPTURE=1)
        stream.feed()
        assert stream.state("FULL_FILE_NAME", "FILE_NUMBER") == [stream.full("f_0012.h5"), 12]
    assert stream.ids("f_0012.h5") == [3], "the second file replaces the first"


def test_temporary_suffix(stream: Any) -> None:
    stream.put(FILE_TEMP_SUFFIX=".part", NUM_CAPTURE=2, CAPTURE=1)
    stream.feed()
    assert stream.files == ["f_0000.h5.part"]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0000.h5")
    stream.feed()
    assert stream.files == ["f_0000.h5"]
    assert stream.get("WRITE_STATUS") == 0


def test_temporary_file_that_disappears(stream: Any) -> None:
    stream.put(FILE_TEMP_SUFFIX=".part", CAPTURE=1)
    (stream.directory / "f_0000.h5.part").unlink()
    stream.put(CAPTURE=0)
    temporary, final = stream.full("f_0000.h5.part"), stream.full("f_0000.h5")
    message = f"Error renaming temporary file {temporary} to {final}"
    assert stream.state("WRITE_STATUS", "WRITE_MESSAGE") == [1, message]
