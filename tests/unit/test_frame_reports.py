"""The accounts that a detector keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.devices.frames.history import FrameReports
from adsupport.devices.frames.report import FrameReport

PLACES = st.none() | st.integers(-12, 12)


def made(number: int, most: int = 1000) -> FrameReports:
    reports = FrameReports(most)
    for taken in range(number):
        reports.append(FrameReport(1, taken))
    return reports


@given(st.integers(0, 9), PLACES, PLACES, st.none() | st.integers(-3, 3).filter(bool))
def test_reports_are_sliced_like_a_list(
    number: int, start: int | None, stop: int | None, step: int | None
) -> None:
    found = made(number)[start:stop:step]
    assert [report.taken for report in found] == list(range(number))[start:stop:step]


def test_the_oldest_go_when_there_are_too_many() -> None:
    reports = made(7, most=3)
    assert [report.taken for report in reports] == [4, 5, 6]
    assert (len(reports), reports[-1].taken, reports[0].taken) == (3, 6, 4)
    with pytest.raises(IndexError):
        reports[3]
    assert FrameReport(1, 5) in reports


def test_none_is_false() -> None:
    reports = made(2)
    assert reports
    reports.clear()
    assert not reports
    assert repr(reports) == "FrameReports([])"
