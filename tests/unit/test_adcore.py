"""Facts about the releases of ADCore: spellings, order, records by template, compressions.

Expected names and choices come from ADCore's templates of the tags, not from the simulator.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport import adcore
from adsupport.adcore import KNOWN_RELEASES, Release
from adsupport.adcore.records import _table

numbers = st.integers(min_value=0, max_value=9999)
releases = st.builds(Release, numbers, numbers, numbers)


@pytest.mark.parametrize(
    "text", ["3.14.0", "R3-14", "3.14", "3-14", "r3-14", " R3-14\n", "R3-14-0"]
)
def test_every_spelling_is_the_same_release(text: str) -> None:
    assert Release.parse(text) == Release(3, 14)
    assert hash(Release.parse(text)) == hash(Release(3, 14))
    assert str(Release.parse(text)) == "R3-14"


@pytest.mark.parametrize(
    "text", ["", "3", "R3", "3.x", "V34", "3.14.0.1", "-3.14", "3..14", "٣.١٤"]
)
def test_what_is_no_release_is_refused_with_the_spellings(text: str) -> None:
    with pytest.raises(ValueError, match="R3-14"):
        Release.parse(text)


def test_a_long_text_is_not_shown_to_its_end() -> None:
    with pytest.raises(ValueError, match=r"'x{40}\.\.\.'; expected"):
        Release.parse("x" * 100_000)


@given(releases)
def test_what_is_written_is_read(release: Release) -> None:
    assert Release.parse(str(release)) == release
    assert Release.parse(release.version) == release


@given(releases, releases)
def test_order_is_that_of_the_numbers(one: Release, other: Release) -> None:
    numbers = [(r.major, r.minor, r.patch) for r in (one, other)]
    assert (one < other) == (numbers[0] < numbers[1])
    assert (one == other) == (numbers[0] == numbers[1])


def test_ten_is_newer_than_nine() -> None:
    assert Release.parse("3.10") > Release.parse("R3-9")


@given(releases)
def test_nearest_is_known_and_not_newer(release: Release) -> None:
    known = adcore.nearest(release)
    assert known in KNOWN_RELEASES
    assert known <= release or known == KNOWN_RELEASES[0]
    assert not any(known < between <= release for between in KNOWN_RELEASES)


@pytest.mark.parametrize(
    ("release", "expected"),
    [("1.9.1", "R2-6"), ("2.6", "R2-6"), ("3.0", "R2-6"), ("3.2", "R3-1"), ("3.12.1", "R3-11"),
     ("3.14", "R3-14"), ("R3-15", "R3-14"), ("4.0", "R3-14")],
)  # fmt: skip
def test_nearest(release: str, expected: str) -> None:
    assert str(adcore.nearest(release)) == expected


def test_known_releases_are_in_order() -> None:
    assert list(KNOWN_RELEASES) == sorted(set(KNOWN_RELEASES))
    assert {"R2-6", "R3-1", "R3-3", "R3-4", "R3-5", "R3-7", "R3-9", "R3-13", "R3-14"} <= {
        str(release) for release in KNOWN_RELEASES
    }


@pytest.mark.parametrize(
    ("template", "release", "count"),
    [
        (template, release, count)
        for template, counts in {
            "ADBase": (139, 141, 146, 146, 149, 149, 149, 149, 153),
            "NDFileHDF5": (266, 284, 291, 296, 299, 319, 331, 332, 336),
            "NDStdArrays": (95, 113, 114, 119, 121, 121, 133, 133, 137),
            "NDCodec": (0, 0, 0, 135, 137, 137, 149, 149, 153),
            "NDBadPixel": (0, 0, 0, 0, 0, 0, 0, 133, 137),
        }.items()
        for release, count in zip(
            ("R2-6", "R3-1", "R3-3", "R3-4", "R3-5", "R3-7", "R3-9", "R3-13", "R3-14"),
            counts,
            strict=True,
        )
    ],
)
def test_number_of_records(template: str, release: str, count: int) -> None:
    assert len(adcore.records(template, release)) == count


def test_a_release_that_is_not_known_has_the_records_of_the_nearest() -> None:
    assert adcore.records("ADBase", "3.8") == adcore.records("ADBase", "R3-7")
    assert adcore.records("ADBase", Release(3, 20)) == adcore.records("ADBase", "R3-14")


@pytest.mark.parametrize(
    ("template", "record", "expected"),
    [
        ("ADBase", "Acquire", (None, None)),
        ("ADBase", "AcquireBusy", ("R3-3", None)),
        ("ADBase", "PoolMaxBuffers", (None, "R3-3")),
        ("NDFileHDF5", "FlushNow", ("R3-5", None)),
        ("NDFileHDF5", "ChunkSizeAuto", ("R3-7", None)),
        ("NDFileHDF5", "FreeCapture", ("R3-13", None)),
        ("NDProcess", "LowClip", (None, "R3-13")),
        ("NDStats", "TSControl", (None, "R3-3")),
        ("NDAttribute", "TSControl", (None, "R3-5")),
        ("NDCodec", "Compressor", ("R3-4", None)),
        ("NDScatter", "PoolMaxBuffers", ("R3-1", "R3-3")),
    ],
)
def test_history(template: str, record: str, expected: tuple[str | None, str | None]) -> None:
    found = adcore.history(template, record)
    assert tuple(None if r is None else str(r) for r in found) == expected


@pytest.mark.parametrize("template", adcore.templates())
def test_history_agrees_with_the_records_of_each_release(template: str) -> None:
    names = frozenset().union(*(adcore.records(template, r) for r in KNOWN_RELEASES))
    for name in names:
        added, removed = adcore.history(template, name)
        for release in KNOWN_RELEASES:
            there = (added is None or release >= added) and (removed is None or release < removed)
            assert (name in adcore.records(template, release)) == there, (name, release)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="NDFileHDF5"):
        adcore.records("HDF5", "R3-14")
    with pytest.raises(ValueError, match="'AcquireBusy'"):
        adcore.history("ADBase", "AcquireBsy")


@pytest.mark.parametrize(
    ("release", "choices", "readbacks"),
    [
        ("R2-6", "None N-bit szip zlib", "None nbit szip zlib"),
        ("R3-1", "None N-bit szip zlib", "None nbit szip zlib"),
        ("R3-3", "None N-bit szip zlib blosc", "None nbit szip zlib blosc"),
        ("R3-4", "None N-bit szip zlib blosc", "None nbit szip zlib blosc"),
        ("R3-5", "None N-bit szip zlib Blosc BSLZ4 LZ4", "None N-bit szip zlib Blosc BSLZ4 LZ4"),
        ("R3-7", "None N-bit szip zlib Blosc BSLZ4 LZ4 JPEG", None),
        ("R3-14", "None N-bit szip zlib Blosc BSLZ4 LZ4 JPEG", None),
    ],
)
def test_compressions(release: str, choices: str, readbacks: str | None) -> None:
    assert adcore.compressions(release) == tuple(choices.split())
    assert adcore.compression_readbacks(release) == tuple((readbacks or choices).split())


@pytest.mark.parametrize("content", [None, b""])
def test_a_table_that_is_missing_is_no_empty_table(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pkgutil, "get_data", lambda *_: content)
    with pytest.raises(FileNotFoundError, match=r"records\.json of adsupport\.adcore is missing"):
        _table.__wrapped__()


def test_import_reads_no_records() -> None:
    code = "import sys, adsupport.adcore; print('json' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
