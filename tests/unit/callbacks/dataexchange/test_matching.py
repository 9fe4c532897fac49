"""Angles of the frames that came, whatever is missing: each its own, or none at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adsupport.callbacks.dataexchange.acquired import AcquiredFrames
from adsupport.callbacks.dataexchange.matching import angles_of, matched
from adsupport.errors import ConfigurationError

from .ioc_file import DATA, WHITE


def frames_of(scan: list[tuple[str, int]]) -> AcquiredFrames:
    places = np.array([place for place, _ in scan])
    rows = {path: np.flatnonzero(places == path) for path in (DATA, WHITE)}
    counts = {path: len(found) for path, found in rows.items()}
    return AcquiredFrames(counts, rows=rows, ids=np.array([number for _, number in scan]))


Case = tuple[list[tuple[str, int]], dict[int, float], int]


@st.composite
def scans(draw: st.DrawFn) -> Case:
    """Flats, projections, flats; any of them lost, and maybe frames that went to no file."""
    number = draw(st.integers(0, 1000))
    scan: list[tuple[str, int]] = []
    angles: dict[int, float] = {}
    for place, least in ((WHITE, 0), (DATA, 1), (WHITE, 0)):
        number += draw(st.integers(0, 2))
        for _ in range(draw(st.integers(least, 8))):
            number += 1
            scan.append((place, number))
            if place == DATA:
                angles[number] = draw(st.floats(-360, 360))
    first = min(angles)
    lost = draw(st.sets(st.sampled_from([number for _, number in scan])))
    kept = [each for each in scan if each[1] not in lost]
    assume(any(place == DATA for place, _ in kept))
    return kept, angles, first


@given(scans())
def test_no_angle_is_ever_shifted(
    case: Case,
) -> None:
    scan, angles, first = case
    came = [number for place, number in scan if place == DATA]
    truth = [angles[number] for number in came]
    theta = np.array(list(angles.values()))
    lost = tuple(number for number in angles if number not in came)
    try:
        found = matched(frames_of(scan), theta)
    except ConfigurationError as error:
        assert "may have been any from" in str(error)
        assert len(came) < len(theta)
    else:
        assert found.theta.tolist() == truth
        assert found.missed_ids == lost
    for known in (
        matched(frames_of(scan), theta, first_id=first),
        matched(frames_of(scan), angles),
    ):
        assert known.theta.tolist() == truth
        assert known.missed_ids == lost
        assert known.missed_theta.tolist() == [angles[number] for number in lost]


@given(scans(), st.integers(-3, 3))
def test_a_wrong_first_id_never_reaches_beyond_the_angles(case: Case, shift: int) -> None:
    scan, angles, first = case
    theta = np.array(list(angles.values()))
    ids = np.array([number for place, number in scan if place == DATA])
    index = ids - first - shift
    if index.min() >= 0 and index.max() < len(theta):
        assert (
            matched(frames_of(scan), theta, first + shift).theta.tolist() == theta[index].tolist()
        )
    else:
        with pytest.raises(ConfigurationError, match="aren't among"):
            matched(frames_of(scan), theta, first + shift)


def test_a_hundred_thousand_projections() -> None:
    scan = [(DATA, number) for number in range(100_000) if number % 7]
    theta = np.linspace(0, 180, 100_000)
    found = matched(frames_of(scan), angles_of(theta), first_id=0)
    assert (found.theta == np.delete(theta, np.arange(0, 100_000, 7))).all()
    assert len(found.missed_ids) == len(range(0, 100_000, 7))
