"""Whatever the sizes, the order of the runs and the point where they ended: values are in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport import nxstxm
from adsupport.errors import IncompleteScanError

from ...judges.nxstxm_rules import violations
from .stxm_checks import check_file, opened, text
from .stxm_runs import RUN_TIME, Documents, cut, paged, runs
from .stxm_scan import StxmScan

FIRST = "stxm-0000"
ENERGIES = (700.0, 701.5, 705.0)
POLARIZATIONS = ((0, 0.0, 0.0), (1, 0.0, 0.5))
ANGLES = (-30.0, 0.0, 45.0)
SINGLE = [kind for kind in range(14) if kind not in (7, 11)]  # a run each


@st.composite
def scans(draw: st.DrawFn, kinds: Iterable[int]) -> StxmScan:
    """Any scan of these kinds."""
    kind = draw(st.sampled_from(list(kinds)))
    several = kind in (4, 5, 7, 11)
    few = st.integers(1, 4)
    return StxmScan(
        kind,
        nx=draw(few),
        ny=draw(few),
        nz=draw(few),
        energies=ENERGIES[: draw(st.integers(1, 3)) if several else 1],
        regions=(7, 3)[: draw(st.integers(1, 2)) if kind in (4, 7) else 1],
        polarizations=POLARIZATIONS[: draw(st.integers(1, 2)) if kind in (7, 11) else 1],
        angles=ANGLES[: draw(st.integers(1, 2)) if kind == 11 else 1],
        per_line=None if kind in (4, 8, 13) else draw(st.booleans()),
        positions=draw(st.sampled_from(["both", "slow", "none"])),
        jitter=draw(st.sampled_from([0.0, 0.05])),
        energy=draw(st.sampled_from(["primary", "baseline", None])),
        ring=draw(st.sampled_from(["primary", "baseline", None])),
        snaking=(snaking := draw(st.booleans())),
        tells_snaking=snaking,
        baseline=draw(st.sampled_from([1, 2])),
        sequence=draw(st.booleans()),
        frame=(2, 3) if kind == 13 else (),
    )


def export(directory: str, sent: Iterable[Documents]) -> None:
    for documents in sent:
        nxstxm.export(documents, directory, "C1", FIRST)


@settings(max_examples=4)
@given(data=st.data())
def test_a_scan_that_ended_anywhere(data: st.DataObject) -> None:
    scan = data.draw(scans(SINGLE))
    (documents,) = runs(scan)
    most = scan.rows if scan.lines else scan.rows * scan.columns
    ended = cut(
        documents,
        data.draw(st.integers(1, most), label="events"),
        data.draw(st.sampled_from(["abort", "fail", None])),
    )
    with TemporaryDirectory() as directory:
        export(directory, [paged(ended, data.draw(st.integers(1, 9), label="page"))])
        path = Path(nxstxm.finish_export(directory, "C1", FIRST))
        check_file(path, scan, {0: ended})
        assert violations(path) == []


@settings(max_examples=2)
@given(data=st.data())
def test_runs_in_any_order_and_again(data: st.DataObject) -> None:
    scan = data.draw(scans([7, 11]))
    sent = dict(enumerate(runs(scan)))
    order = data.draw(st.permutations(sorted(sent)), label="order")
    order = order[: data.draw(st.integers(1, len(order)), label="came")]
    again = data.draw(st.lists(st.sampled_from(order), max_size=2), label="again")
    sent = {number: sent[number] for number in order}
    last = order[-1]
    if data.draw(st.booleans(), label="aborted"):
        most = scan.ny if scan.lines else scan.ny * scan.nx
        sent[last] = cut(sent[last], data.draw(st.integers(1, most), label="events"))
    every = len(list(scan.indexes()))
    with TemporaryDirectory() as directory:
        export(directory, [sent[number] for number in [*order, *again]])
        if len(order) < every:
            with pytest.raises(IncompleteScanError) as told:
                nxstxm.finish_export(directory, "C1", FIRST)
            assert told.value.missing
        done = nxstxm.finish_export(directory, "C1", FIRST, allow_partial=len(order) < every)
        assert bool(done.missing) == (len(order) < every)
        check_file(done.path, scan, sent)
        assert violations(done.path) == []


def contents(path: Path) -> dict[str, Any]:
    """All values and attributes of a file."""
    found: dict[str, Any] = {}

    def take(name: str, item: Any) -> None:
        found[name] = {key: np.asarray(value).tolist() for key, value in item.attrs.items()}
        if isinstance(item, h5py.Dataset):
            found[f"{name}="] = (str(item.dtype), item.shape, repr(item[()]))

    with opened(path) as file:
        file.visititems(take)
    return found


@settings(max_examples=2)
@given(scan=scans(range(14)), size=st.integers(2, 12))
def test_pages_make_the_file_that_events_make(scan: StxmScan, size: int) -> None:
    with TemporaryDirectory() as directory:
        export(directory, runs(scan))
        events = nxstxm.finish_export(directory, "C1", FIRST)
        first = contents(events.path)
        events.path.unlink()
        export(directory, [paged(each, size) for each in runs(scan)])
        assert contents(nxstxm.finish_export(directory, "C1", FIRST).path) == first


@pytest.mark.parametrize("kind", [6, 7])
def test_a_run_of_which_the_rest_comes_later(kind: int, tmp_path: Path) -> None:
    scan = StxmScan(kind)
    (documents,) = runs(scan)
    export(str(tmp_path), [cut(documents, 1, None), documents])
    check_file(nxstxm.finish_export(tmp_path, "C1", FIRST).path, scan, {0: documents})


@pytest.mark.parametrize("first_again", [True, False])
def test_an_image_that_was_scanned_anew(first_again: bool, tmp_path: Path) -> None:
    scan = StxmScan(7, energies=ENERGIES)
    sent = dict(enumerate(runs(scan)))
    anew = [_later(document, RUN_TIME * 7) for document in runs(replace(scan, uids="anew"))[1]]
    order = [sent[0], cut(sent[1], 2), anew, sent[2]]
    export(str(tmp_path), reversed(order) if first_again else order)
    done = nxstxm.finish_export(tmp_path, "C1", FIRST)
    assert any("anew-0001" in remark for remark in done.remarks)
    with opened(done.path) as file:
        uids = [text(each) for each in file["entry0/collection/runs/uid"][()]]
        assert uids == [FIRST, "stxm-0002", "anew-0001"]
        data = file["entry0/counter0/data"][()]
        expected = scan.value(0, *np.ogrid[:3, :5], e=np.arange(3)[:, None, None])
        np.testing.assert_array_equal(data, expected)
        # in the order of time, not of energies
        flat = file["entry0/instrument/counter0/data"][()]
        np.testing.assert_array_equal(flat, expected[[0, 2, 1]].ravel())


def _later(document: tuple[str, dict[str, Any]], seconds: float) -> tuple[str, dict[str, Any]]:
    name, doc = document
    return name, {**doc, "time": doc["time"] + seconds}
