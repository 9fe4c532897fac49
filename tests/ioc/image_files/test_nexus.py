"""Nexus1: has all records, and says that it writes no files."""

from __future__ import annotations

from typing import Any

import pytest

MESSAGE = "NeXus files are not simulated: write HDF5 files with HDF1"


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_writing_is_refused_with_an_alarm(mode: int, make_bench: Any) -> None:
    bench = make_bench("Nexus1")
    bench.put(FileWriteMode=mode)
    for record in ("Capture", "WriteFile"):
        bench.put(**{record: 1})
        assert bench.get(record) == bench.get(f"{record}_RBV") == 0
        assert bench.alarm(record) == (3, 2)
        assert bench.state()[3:] == [1, MESSAGE]
        assert bench.alarm("WriteStatus") == (2, 7)
        bench.put(**{record: 0})
        assert bench.alarm(record) == (0, 0)
    assert bench.files == []


def test_frames_go_by(make_bench: Any) -> None:
    bench = make_bench("Nexus1")
    bench.put(FileWriteMode=0, AutoSave=1)
    bench.acquire(3)
    assert bench.state()[3:] == [1, MESSAGE]
    assert bench.get("DroppedArrays_RBV") == 0
    assert bench.files == []


def test_template_records_keep_what_is_written(make_bench: Any) -> None:
    bench = make_bench("Nexus1")
    bench.put(TemplateFileName="layout.xml")
    assert bytes(bench.get("TemplateFileName_RBV")).rstrip(b"\0") == b"layout.xml"
    assert bench.get("FileTemplateValid") == 0
    bench.put(TemplateFileName="")
