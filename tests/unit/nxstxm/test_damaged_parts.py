"""Parts of an STXM file that are damaged, or aren't parts: told by name, and exported again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport import nxstxm
from adsupport.errors import AdsupportError, StxmDataError, StxmMetadataError

from .stxm_checks import check_file
from .stxm_runs import runs
from .stxm_scan import StxmScan

IMAGE = StxmScan(6)


def flipped(raw: bytes) -> bytes:
    middle = raw.index(b"scan_type")
    return raw[:middle] + bytes([raw[middle] ^ 0x80]) + raw[middle + 1 :]


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "half": lambda raw: raw[: len(raw) // 2],
    "no HDF5": lambda raw: b"x" * len(raw),
    "start document": flipped,
    "all but the head": lambda raw: raw[:2048] + bytes(len(raw) - 2048),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_parts(how: str, tmp_path: Path) -> None:
    documents = runs(IMAGE)[0]
    (part,) = nxstxm.export(documents, tmp_path, "C1")["nxstxm"]
    part.write_bytes(DAMAGED[how](part.read_bytes()))
    with pytest.raises(StxmDataError, match=r"stxm-0000.h5 isn't a whole part.*export its run"):
        nxstxm.finish_export(tmp_path, "C1")
    assert not (tmp_path / "C1.hdf5").exists()
    nxstxm.export(documents, tmp_path, "C1")
    check_file(nxstxm.finish_export(tmp_path, "C1").path, IMAGE, {0: documents})


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_bytes_that_fall_over(count: int, tmp_path: Path) -> None:
    """Whatever is damaged, it's an error of ours, or the file is made."""
    documents = runs(IMAGE)[0]
    (part,) = nxstxm.export(documents, tmp_path, "C1")["nxstxm"]
    raw, random = part.read_bytes(), np.random.default_rng(5)
    for at in random.integers(0, len(raw), count):
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :])
        try:
            nxstxm.finish_export(tmp_path, "C1").path.unlink()
        except AdsupportError as error:
            assert isinstance(error, (StxmDataError, StxmMetadataError)), error
            assert not (tmp_path / "C1.hdf5").exists()


def test_another_file_among_the_parts(tmp_path: Path) -> None:
    (part,) = nxstxm.export(runs(IMAGE)[0], tmp_path, "C1")["nxstxm"]
    with h5py.File(part.with_name("other.h5"), "w") as file:
        file["data"] = np.arange(3)
    with pytest.raises(StxmDataError, match=r"other.h5 isn't a whole part"):
        nxstxm.finish_export(tmp_path, "C1")
    part.with_name("other.h5").unlink()
    part.with_name("dir.h5").mkdir()
    with pytest.raises(StxmDataError, match=r"dir.h5 isn't a whole part"):
        nxstxm.finish_export(tmp_path, "C1")
    part.with_name("dir.h5").rmdir()
    nxstxm.finish_export(tmp_path, "C1")


def test_links_among_the_parts_lead_nowhere_else(tmp_path: Path) -> None:
    (part,) = nxstxm.export(runs(IMAGE)[0], tmp_path, "C1")["nxstxm"]
    mine = tmp_path / "mine.h5"
    part.rename(mine)
    part.symlink_to(mine)
    nxstxm.finish_export(tmp_path, "C1")  # reads it, and removes the link alone
    assert mine.exists() and not part.parent.exists()
    (part,) = nxstxm.export(runs(replace(IMAGE, uids="b"))[0], tmp_path, "C2")["nxstxm"]
    part.unlink()
    part.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StxmDataError, match="isn't a whole part"):
        nxstxm.finish_export(tmp_path, "C2")
    nxstxm.export(runs(replace(IMAGE, uids="b"))[0], tmp_path, "C2")
    nxstxm.finish_export(tmp_path, "C2")
    assert not (tmp_path / "nowhere").exists()
