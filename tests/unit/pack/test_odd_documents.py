"""Documents that aren't as documents are: refused and named, or packed so that a pack opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adsupport.errors import PackError
from adsupport.pack import open_pack, pack, verify

from .made_packs import UID, run_of
from .source_runs import hdf5_run


def test_a_run_whose_start_comes_late_is_not_packed_without_the_rest(tmp_path: Path) -> None:
    start, descriptor, *rest = hdf5_run(tmp_path)
    documents = [descriptor, start, *rest]
    with pytest.raises(PackError, match="begin with a 'descriptor' document"):
        pack([documents + run_of(2)], tmp_path / "out")
    assert [run.uid for run in open_pack(tmp_path / "out")] == [UID.format(2)]
    result = pack([documents + run_of(3)], tmp_path / "out", strict=False)
    assert result.added == (UID.format(3),) and list(result.failed) == [UID.format(1)]


def test_a_run_behind_one_without_start_is_packed(tmp_path: Path) -> None:
    documents = run_of(1)[1:] + run_of(2) + run_of(3)[-1:] + run_of(4)
    result = pack([documents], tmp_path / "out", strict=False)
    assert result.added == (UID.format(2), UID.format(4))


@pytest.mark.parametrize("uid", [5, None, 1.5, ["x"]])
def test_a_datum_of_a_resource_without_name_leaves_a_pack_that_opens(
    tmp_path: Path, uid: Any
) -> None:
    documents = hdf5_run(tmp_path)
    documents[3][1]["resource"] = uid
    (missing,) = pack([documents], tmp_path / "out", strict=False).missing
    assert missing.documents == (str(uid),)
    assert verify(tmp_path / "out").ok


@pytest.mark.parametrize("more", [{"descriptor": ["x"]}, {"data": True}, {"data": "."}])
def test_an_event_that_cannot_be_filled_is_named(tmp_path: Path, more: Any) -> None:
    documents = hdf5_run(tmp_path)
    documents[4][1].update(more)
    result = pack([documents, run_of(2)], tmp_path / "out", external="fill", strict=False)
    assert result.added == (UID.format(2),)
    assert "event document isn't understood" in str(result.failed[UID.format(1)])


def test_documents_that_are_packed_as_they_are_need_not_be_understood(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path)
    documents[3][1]["datum_kwargs"] = "no mapping"
    pack([documents], tmp_path / "out", external="ignore")
    assert verify(tmp_path / "out").ok
