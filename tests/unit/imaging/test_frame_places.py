"""Which frame a frame is when its source doesn't tell, and what is said when nobody can know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging import equal_angles
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.addons.frame_places import FramePlaces
from adsupport.imaging.frames.arrival import Arrival
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.frames.replay import StoredAcquisition, play

from .made_tomography import CENTRE, MadeTomography

ANGLES = equal_angles(60, 180)


@pytest.fixture(scope="module")
def made() -> MadeTomography:
    return MadeTomography(ANGLES)


def lossy(made: MadeTomography, lost: list[int], *, ids: bool) -> list[StoredAcquisition]:
    """Return its acquisitions as of a source that tells no places, and loses some projections."""
    found = []
    for each in made.acquisitions(planned=False):

        def frames(each: StoredAcquisition = each) -> Iterator[Arrival]:
            for number, arrival in enumerate(each.frames()):
                if each.about.stream != "primary" or number not in lost:
                    arrival.angle = arrival.place = None
                    arrival.unique_id = arrival.unique_id if ids else None
                    yield arrival

        found.append(StoredAcquisition(each.about, frames))
    return found


@pytest.mark.parametrize(
    "lost, ids, missing",
    [
        ([5], False, None),
        ([0], True, None),  # ids tell no first one
        ([59], True, None),
        ([5], True, (5,)),
        ([], False, ()),
    ],
)
def test_frames_lost_where_nobody_knows_are_said(made, caplog, lost, ids, missing):
    addon = OnlineReconstruction(2, centre=CENTRE, angles=ANGLES)
    play(lossy(made, lost, ids=ids), [addon], missing="log")
    certain = missing is not None
    assert addon.result.missing == (missing if certain else ())
    assert ("angles_shifted" in addon.result.facts) is not certain
    said = "'primary': 59 frames of 60 came, and nobody knows which. Angles go by counting here"
    assert (said in caplog.text) is not certain
    if certain:
        assert addon.result.angles.tolist() == np.delete(ANGLES, lost).tolist()


def ended(places: FramePlaces, frames: list[tuple[int, int | None]], expected: int) -> bool:
    """Hand it frames, as (sequence, unique id), of an acquisition; return what the end tells."""
    about = StreamAbout("run", "primary", expected)
    places.begin(about)
    for sequence, unique_id in frames:
        frame = Frame(np.zeros(()), "primary", sequence, unique_id)
        places.of(frame)
        places.note(frame)
    return places.end(StreamEnd(about, expected, len(frames)))


def test_what_counting_gives_is_certain_when_all_came_and_no_more():
    places = FramePlaces()
    assert ended(places, [(0, None), (1, None)], 2)
    assert not ended(places, [(2, None), (3, None), (4, None)], 2)  # one was taken again
    assert ended(places, [(5, 11), (6, 13)], 3)
    assert not ended(places, [(7, 11), (8, 13)], 2)  # their ids are of more


def test_a_stream_that_the_addon_was_not_given_is_not_said_to_come_later(made):
    projections = made.acquisitions()[2:]
    with pytest.raises(ConfigurationError, match=r"wasn't given stream 'darks', which .* before"):
        play(projections, [OnlineReconstruction(2, centre=CENTRE)])
    between = made.acquisitions(("primary", "darks", "flats", "primary"))
    with pytest.raises(ConfigurationError, match="'darks' only after the projections"):
        play(between, [OnlineReconstruction(2, centre=CENTRE)])
