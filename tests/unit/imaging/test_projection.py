"""Line integrals of the sample: against numerical integration, and what must hold for any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.sim.beamline.phantom import (
    BEADS,
    HEAD,
    Ellipsoid,
    Phantom,
    head_with_beads,
    turn_about_y,
)
from adsupport.sim.beamline.projection import Pose, Screen, path_lengths

lengths = st.floats(0.2, 1.5)
places = st.floats(-0.8, 0.8)
angles = st.floats(-400, 400)
bodies = st.builds(
    Ellipsoid,
    density=st.floats(-2, 2),
    axes=st.tuples(lengths, lengths, lengths),
    centre=st.tuples(places, places, places),
    turn=angles,
)
poses = st.builds(Pose, angle=angles, x=places, y=places, z=places, across=places)


def integrated(phantom: Phantom, pose: Pose, u: float, v: float) -> float:
    """Sum the density along a ray: from the laboratory back into the sample, step by step."""
    along = np.linspace(-6, 6, 24_001)
    ray = np.stack([np.full_like(along, u - pose.across), np.full_like(along, v), along], axis=1)
    # the rotation stage turns the sample, with its offset, by the angle
    in_sample = ray @ turn_about_y(pose.angle) - np.array([pose.x, pose.y, pose.z])
    return float(phantom.density(in_sample).sum() * (along[1] - along[0]))


@settings(max_examples=30)
@given(body=bodies, pose=poses, column=st.integers(0, 6), row=st.integers(0, 4))
def test_ray_through_an_ellipsoid(body, pose, column, row):
    phantom, screen = Phantom((body,)), Screen(5, 7, 0.3)
    computed = path_lengths(phantom, pose, screen)[row, column]
    u, v = (column - 3) * 0.3, (2 - row) * 0.3
    # two ends of the chord, each off by less than a step
    assert computed == pytest.approx(
        integrated(phantom, pose, u, v), abs=2 * 5e-4 * abs(body.density) + 1e-4
    )


@pytest.mark.parametrize("angle", [0.0, 37.0, 200.0])
def test_rays_through_the_head(angle):
    phantom, screen = head_with_beads(), Screen(31, 31, 0.15)
    pose = Pose(angle, x=0.1, y=-0.2, z=0.3, across=0.05)
    computed = path_lengths(phantom, pose, screen)
    for row, column in [(15, 15), (10, 12), (20, 18), (4, 15), (15, 3), (0, 0)]:
        u, v = (column - 15) * 0.15, (15 - row) * 0.15
        expected = integrated(phantom, pose, u, v)
        assert computed[row, column] == pytest.approx(expected, abs=0.01)


@given(angle=st.floats(-180, 180))
@settings(max_examples=20)
def test_from_behind_the_image_is_mirrored(angle):
    phantom, screen = head_with_beads(), Screen(40, 64, 0.08)
    front = path_lengths(phantom, Pose(angle), screen)
    back = path_lengths(phantom, Pose(angle + 180), screen)
    assert np.allclose(front, back[:, ::-1], atol=2e-3)


@given(pose=poses)
@settings(max_examples=20)
def test_centre_of_mass_runs_on_a_sine(pose):
    centre = np.array([0.3, -0.2, 0.5])
    phantom = Phantom((Ellipsoid(1.0, (0.3, 0.4, 0.2), tuple(centre), 20.0),))
    screen = Screen(301, 401, 0.02)
    shadow = path_lengths(phantom, pose, screen).astype(float)
    u = float((shadow.sum(0) * screen.u).sum() / shadow.sum())
    v = float((shadow.sum(1) * screen.v).sum() / shadow.sum())
    x, y, z = centre + [pose.x, pose.y, pose.z]
    cos, sin = np.cos(np.radians(pose.angle)), np.sin(np.radians(pose.angle))
    assert u == pytest.approx(x * cos + z * sin + pose.across, abs=2e-3)
    assert v == pytest.approx(y, abs=2e-3)


@pytest.mark.parametrize("angle", [0.0, 55.0, 130.0])
def test_the_whole_shadow_holds_the_whole_mass(angle):
    phantom, screen = head_with_beads(), Screen(600, 600, 0.01)
    mass = sum(
        body.density * 4 / 3 * np.pi * np.prod(body.axes)  # of an ellipsoid
        for body in phantom.bodies
    )
    shadow = path_lengths(phantom, Pose(angle), screen).astype(float)
    assert shadow.sum() * 0.01**2 == pytest.approx(mass, rel=2e-3)


def test_filtered_backprojection_gives_the_density_back():
    phantom, size, pixel = Phantom(tuple(body.scaled(2.0) for body in HEAD)), 257, 0.02
    turns = np.arange(0, 180, 0.75)
    screen = Screen(1, size, pixel)
    sinogram = np.array([path_lengths(phantom, Pose(turn), screen)[0] for turn in turns])
    # the ramp filter for sampled rows: Kak and Slaney (1988), chapter 3, equation 61
    steps = np.arange(1 - size, size)
    kernel = np.zeros(steps.size)
    kernel[steps % 2 == 1] = -1 / (np.pi * pixel * steps[steps % 2 == 1]) ** 2
    kernel[steps == 0] = 1 / (2 * pixel) ** 2
    filtered = [pixel * np.convolve(kernel, row, "valid") for row in sinogram]

    def value(x: float, z: float) -> float:
        where = x * np.cos(np.radians(turns)) + z * np.sin(np.radians(turns))
        rays = [np.interp(u, screen.u, row) for u, row in zip(where, filtered, strict=True)]
        return float(np.pi / turns.size * np.sum(rays))

    def mean_around(x: float, z: float) -> float:
        near = np.linspace(-0.1, 0.1, 5)
        return float(np.mean([value(x + dx, z + dz) for dx in near for dz in near]))

    # brain, the two dark ventricles, the bright body in front of them (in mm; y is 0)
    assert mean_around(0.4, -1.0) == pytest.approx(0.2, abs=0.02)
    assert mean_around(0.44, 0.0) == pytest.approx(0.0, abs=0.02)
    assert mean_around(-0.44, 0.0) == pytest.approx(0.0, abs=0.02)
    assert mean_around(0.0, 0.7) == pytest.approx(0.3, abs=0.02)
    assert mean_around(2.2, 1.5) == pytest.approx(0.0, abs=0.02)


def test_beads_tell_the_angle():
    orbit, screen = 1.0, Screen(512, 512, 0.01)
    phantom = Phantom(tuple(body.scaled(2.0) for body in BEADS))
    for angle in (0.0, 70.0, 251.0):
        shadow = path_lengths(phantom, Pose(angle), screen)
        for height, turn in ((1.76, 0.0), (1.94, 120.0), (2.12, 240.0)):
            rows = np.abs(screen.v - height) < 0.08
            band = shadow[rows].astype(float)
            centre = (band.sum(0) * screen.u).sum() / band.sum()
            expected = orbit * np.cos(np.radians(angle - turn))
            assert centre == pytest.approx(expected, abs=1e-3)
