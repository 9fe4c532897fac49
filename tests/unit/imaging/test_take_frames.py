"""Producers of one's own."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine

from adsupport.errors import ConfigurationError
from adsupport.imaging import Acquisition, Experiment, PreparedCamera, take_frames

from .beamline import Beamline


def test_frames_of_several_exposures_in_one_stream() -> None:
    beamline, documents = Beamline(), []
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)

    def exposures() -> Any:
        for exposure in (0.1, 0.2):
            yield from take_frames(camera, "primary", 3, exposure, devices=[beamline.stage])

    made = Experiment([Acquisition("primary", exposures, frames=6)])
    RunEngine({})(made, lambda name, document: documents.append((name, document)))
    found = list(beamline.frames_of(documents, "primary"))
    assert [frame["exposure"] for frame, _ in found] == [0.1] * 3 + [0.2] * 3
    assert all("stage" in data for _, data in found)
    assert beamline.is_safe()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"camera": None}, r"camera: None has no device.*Give ADCamera"),
        ({"stream": ""}, "stream must be a text"),
        ({"frames": 0}, "frames must be a whole number, at least 1"),
        ({"exposure": 0}, "exposure must be above 0"),
        ({"period": -1}, "period must be at least 0"),
        ({"devices": ["m1"]}, r"devices\[0\]: 'm1' has no name"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_staged(changed: Any, said: str) -> None:
    beamline = Beamline()
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    given: Any = {"camera": camera, "stream": "flats", "frames": 2, "exposure": 0.1, **changed}
    with pytest.raises(ConfigurationError, match=f"(?s){said}"):
        list(take_frames(**given))
    assert not beamline.camera.staged
