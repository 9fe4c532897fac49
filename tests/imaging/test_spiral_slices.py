"""Slices of a spiral: of what goes by, and never of all heights at once."""

from __future__ import annotations

import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging import SpiralConfig, spiral_tomography
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames import HDF5FileSource, play, run_acquisitions

from .station import Station


def test_slices_of_all_heights_are_refused_before_a_frame_is_taken(station: Station) -> None:
    config = SpiralConfig(
        exposure=0.02, darks=1, flats=1, projections=2, vertical_shift=-0.1, sample_height=0.1,
        start_vertical=0.1,
    )  # fmt: skip
    going_by = OnlineReconstruction(rows=[256], centre=255.5, window=180, backend="numpy")
    of_all = OnlineReconstruction(rows=[256], centre=255.5, backend="numpy")

    def run(addon: OnlineReconstruction):
        return station.run(
            spiral_tomography(
                station.camera, station.rotation, station.vertical, config,
                frames=HDF5FileSource(station.det.hdf1), addons=[addon], **station.places,
            )
        )  # fmt: skip

    run(going_by)
    assert going_by.result is not None
    assert going_by.result.facts["projections"] == config.total
    with pytest.raises(ConfigurationError, match="each projection shows another height"):
        play(run_acquisitions(station.documents), [of_all])
    with pytest.raises(ConfigurationError, match="each projection shows another height"):
        run(of_all)
    assert station.events("darks") == station.events("primary") == []
