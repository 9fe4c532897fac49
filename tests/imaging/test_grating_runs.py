"""Grating stepping: the stepping motor's place in the pixels, for reference and sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging import GratingConfig, SampleStage, grating_interferometry_stepping

from .pixels import BEADS, bead_place, lit, mean
from .station import Station


def test_every_step_is_taken_with_and_without_the_sample(station: Station) -> None:
    """At 90 degrees the beads show how far along the beam's own axis the sample was stepped."""
    station.put("m1", 90.0)
    config = GratingConfig(
        exposure=0.02, darks=2, flats=1, grating_period=0.3, periods=2, steps_per_period=3,
        start_position=-0.3,
    )  # fmt: skip
    experiment = grating_interferometry_stepping(
        station.camera, station.grating, config, **station.places
    )
    streams = station.run(experiment)
    assert {name: len(frames) for name, frames in streams.items()} == {
        "darks": 2, "flats": 6, "primary": 6,
    }  # fmt: skip
    wanted = [-0.3 + 0.1 * index for index in range(6)]
    for name in ("flats", "primary"):
        told = [frame.data["grating"] for frame in streams[name]]
        assert told == pytest.approx(wanted, abs=1e-9)
    assert [[lit(frame) for frame in streams[name]] for name in streams] == [
        [False] * 2, [True] * 6, [True] * 6,
    ]  # fmt: skip
    dark, flat = mean(streams["darks"]), mean(streams["flats"])
    for frame, position in zip(streams["primary"], wanted, strict=True):
        light = (frame.pixels - dark) / np.maximum(flat - dark, 1)
        shadow = -np.log(np.clip(light, 1e-3, None))
        for height, azimuth in BEADS[1:]:
            across, _ = bead_place(shadow, height)
            assert across == pytest.approx(np.sin(np.radians(azimuth)) + position, abs=0.005)


def test_steps_beyond_the_limits_move_nothing(station: Station) -> None:
    config = GratingConfig(
        exposure=0.02, grating_period=2.0, periods=3, steps_per_period=4, start_position=0.0
    )
    sample: Any = SampleStage({station.stage: (0.0, 6.0)})
    experiment = grating_interferometry_stepping(
        station.camera, station.grating, config, source=station.source, sample=sample
    )
    with pytest.raises(ConfigurationError, match="grating can't go where the last step is at 5.5"):
        station.engine(experiment.run())
    assert station.get("m4") == station.get("m5") == 0
