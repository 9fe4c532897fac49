"""Stokes vectors of polarizations."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.nxstxm.asked.polarization import NAMES, PYSTXM_CODES, stokes_of, stokes_vector
from adsupport.nxstxm.asked.request import Polarization


@pytest.mark.parametrize(
    ("name", "vector"),
    [
        ("linear horizontal", (1, 1, 0, 0)),
        ("linear vertical", (1, -1, 0, 0)),
        ("circular right", (1, 0, 0, 1)),
        ("circular left", (1, 0, 0, -1)),
    ],
)
def test_the_vectors_are_those_of_nxbeam(name: str, vector: tuple[float, ...]) -> None:
    assert stokes_vector(name) == vector


@pytest.mark.parametrize(
    ("angle", "like"),
    [(0, (1, 1, 0, 0)), (90, (1, -1, 0, 0)), (-90, (1, -1, 0, 0)), (45, (1, 0, 1, 0)),
     (-45, (1, 0, -1, 0)), (180, (1, 1, 0, 0)), (30, (1, 0.5, math.sqrt(3) / 2, 0))],
)  # fmt: skip
def test_inclined_light_turns_by_twice_the_angle(angle: float, like: tuple[float, ...]) -> None:
    assert stokes_vector("linear inclined", angle) == pytest.approx(like, abs=1e-12)


@given(st.sampled_from(NAMES), st.floats(-1e9, 1e9))
def test_light_is_fully_polarized(name: str, angle: float) -> None:
    vector = stokes_vector(name, angle)
    assert vector is not None
    intensity, *others = vector
    assert intensity == 1
    assert math.hypot(*others) == pytest.approx(1)


@given(st.floats(-1e6, 1e6))
def test_half_a_turn_is_no_turn(angle: float) -> None:
    turned = stokes_vector("linear inclined", angle + 180)
    assert stokes_vector("linear inclined", angle) == pytest.approx(turned, abs=1e-6)


@pytest.mark.parametrize("name", ["", "circular", "CircLeft", "Linear Horizontal", "unpolarized"])
def test_an_unknown_name_has_no_vector(name: str) -> None:
    assert stokes_vector(name) is None


@pytest.mark.parametrize("angle", [math.nan, math.inf, -math.inf])
def test_an_unknown_angle_has_no_vector(angle: float) -> None:
    assert stokes_vector("linear inclined", angle) is None
    assert stokes_vector("circular left", angle) == (1, 0, 0, -1)


def test_numbers_are_those_of_pystxm_unless_told() -> None:
    assert stokes_of(Polarization(0)) == stokes_vector("circular left")
    assert stokes_of(Polarization(1)) == stokes_vector("circular right")
    assert stokes_of(Polarization(2)) == stokes_vector("linear horizontal")
    assert stokes_of(Polarization(3)) == stokes_of(Polarization(4, 77)) == (1, -1, 0, 0)
    assert stokes_of(Polarization(5, 30)) == stokes_vector("linear inclined", 30)
    assert stokes_of(Polarization(0), {0: "linear horizontal"}) == (1, 1, 0, 0)


@given(st.floats().filter(lambda code: code not in PYSTXM_CODES))
def test_an_unknown_number_has_no_vector(code: float) -> None:
    assert stokes_of(Polarization(code, 45)) is None


def test_no_number_is_known_where_none_is_told() -> None:
    assert stokes_of(Polarization(2), {}) is None
