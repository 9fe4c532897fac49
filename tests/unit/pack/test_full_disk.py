"""Packing to a disk that is full, or fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from adsupport.errors import OutputError
from adsupport.pack import pack
from adsupport.pack.making import copying

from .made_packs import resource, run_of
from .source_runs import (
    hdf5_run,
    packed,
    tree,
    write_bytes,
)


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_named_and_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    runs = [hdf5_run(tmp_path / "data", number) for number in (1, 2)]
    whole = tree(pack(runs, tmp_path / "whole").directory)
    real = getattr(os, call)
    for allowed in range(1, 60, 3):
        left = [allowed]

        def full(*arguments: Any, left: list[int] = left) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            if left[0] == 0 and call == "write":
                return real(arguments[0], arguments[1][:7])
            return real(*arguments)

        out = tmp_path / f"out{allowed}"
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            try:
                pack(runs, out)
            except OutputError as error:
                assert "no room for a file of" in str(error) or "No space left" in str(error)
            else:
                break
        found = tree(out)
        assert not [name for name in found if name.endswith(".tmp")]
        for name in found.keys() - {".adsupport-pack.journal"}:
            assert found[name] == whole[name]
        pack(runs, out)
        assert tree(out) == whole
    else:
        pytest.fail("it never had enough")


def test_a_disk_that_fails_in_the_middle_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bytes(tmp_path / "data/a.bin", bytes(9 * 2**20))
    asset = resource(1, spec="OTHER", root=str(tmp_path), resource_path="data/a.bin")

    def failing(file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(copying, "_FLUSH", 2**22)
    pack(run_of(1, asset), tmp_path / "whole")
    monkeypatch.setattr(copying.os, "fdatasync", failing)
    with pytest.raises(OutputError, match="can't be written: Input/output error"):
        pack(run_of(1, asset), tmp_path / "out")
    assert not (tmp_path / "out" / packed(path)).exists()


def test_a_file_that_is_too_large_for_the_disk_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = hdf5_run(tmp_path / "data")
    size = (tmp_path / "data/scan_1.h5").stat().st_size
    found = list(os.statvfs(tmp_path))
    found[4] = 0  # blocks that users may have
    monkeypatch.setattr(copying.os, "statvfs", lambda path: os.statvfs_result(found))
    with pytest.raises(OutputError, match=f"no room for a file of {size} bytes: 0 are free"):
        pack(documents, tmp_path / "out")
    assert not tree(tmp_path / "out")
