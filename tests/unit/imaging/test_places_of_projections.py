"""Which of the planned angles a projection has when frames don't all tell it; what is refused."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

from adsupport.errors import ConfigurationError, OutputError
from adsupport.imaging import DirectoryWalker, equal_angles
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.addons.detector_rows import DetectorRows
from adsupport.imaging.frames.frame import Frame, StreamAbout, StreamEnd
from adsupport.imaging.frames.replay import play

from .made_tomography import CENTRE, HEIGHT, WIDTH, MadeTomography

ANGLES = equal_angles(90, 180)
ORDER = ("darks", "flats", "primary")


@pytest.fixture(scope="module")
def made() -> MadeTomography:
    return MadeTomography(ANGLES)


def given(addon, images, stream="primary", got=None, angles=(), **known) -> OnlineReconstruction:
    """Hand an addon some of the frames of an acquisition, as (sequence, unique id, place)."""
    about = StreamAbout("run", stream, len(images), {"acquisitions": ORDER}, angles)
    addon.begin(about)
    for place, told in enumerate(got or [(n, n + 1, None) for n in range(len(images))]):
        sequence, unique_id, known_place = told
        index = place if unique_id is None else unique_id - 1
        turned = {key: value[index] for key, value in known.items()}
        addon.frame(Frame(images[index], stream, sequence, unique_id, place=known_place, **turned))
    addon.end(StreamEnd(about, len(images), len(images)))
    return addon


def tomogram(made, got, angles=ANGLES, **options):
    addon = OnlineReconstruction([2], centre=CENTRE, angles=angles, **options)
    given(addon, made.dark, "darks")
    given(addon, made.flat, "flats")
    return given(addon, made.projections, got=got).result


def test_repeated_and_lost_frames_shift_no_angle(made):
    whole = [(n, n + 1, None) for n in range(90)]
    want = tomogram(made, whole)
    repeated = [
        *whole[:31],
        *((n + 1, n, None) for n in range(31, 91)),
    ]  # the source's count goes on
    found = tomogram(made, repeated)
    np.testing.assert_array_equal(found.slices, want.slices)
    dropped = tomogram(made, whole[:30] + whole[33:])  # by the addon
    lost = tomogram(made, whole[:30] + [(n, n + 4, None) for n in range(30, 87)])  # by the source
    for each in (dropped, lost):
        assert each.missing == (30, 31, 32)
        assert each.angles.tolist() == np.delete(ANGLES, [30, 31, 32]).tolist()


def test_the_count_does_without_unique_ids(made):
    addon = OnlineReconstruction([2], centre=CENTRE, angles=ANGLES, normalise=False)
    got = [(n, None, None) for n in range(90)]
    given(addon, made.projections, got=got)  # no other stream counts
    assert addon.result.angles.tolist() == ANGLES.tolist()


@pytest.mark.parametrize("centre", [CENTRE, "auto"])
def test_no_frame_is_refused_because_another_one_tells_no_place(made, centre):
    measured = ANGLES + np.random.default_rng(1).normal(0.0, 1.2, 90)
    addon = OnlineReconstruction([2], centre=centre, normalise=False)
    got = [(n, n + 1, n if n % 3 == 2 else None) for n in range(90)]
    given(addon, made.projections, got=got, angles=tuple(ANGLES), angle=measured.tolist())
    assert addon.left_out == {}
    assert addon.result.missing == ()
    assert len(addon.result.angles) == 90


def test_a_sample_that_stands_still_counts_once_in_a_window(made):
    turned = np.concatenate([np.full(50, 5.0), 5.0 + ANGLES[1:41]])
    addon = OnlineReconstruction([2], centre=CENTRE, window=180, normalise=False)
    given(addon, made.projections, angle=turned.tolist())
    assert addon.left_out == {"the sample has hardly turned since the one before": 49}
    assert len(addon.result.angles) == 41


def test_starved_pixels_are_said(made, caplog):
    dense = MadeTomography(ANGLES)
    dense.projections[:, :, 30:32] = 0
    play(dense.acquisitions(), [OnlineReconstruction(range(HEIGHT), centre=CENTRE)])
    assert "900 pixels (3.1 %) had no more light than the darks" in caplog.text
    caplog.clear()
    play(made.acquisitions(), [OnlineReconstruction(range(HEIGHT), centre=CENTRE)])
    assert "no more light" not in caplog.text


def test_transmission_without_flats_is_refused(made):
    addon = OnlineReconstruction([2], centre=CENTRE, absorption=False)
    with pytest.raises(ConfigurationError, match="absorption=False needs flats.*normalise=False"):
        play(made.acquisitions(("darks", "primary")), [addon])


def test_no_room_for_the_search_is_said_with_the_first_frame(made, monkeypatch):
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**6, 10**6, 1000))
    addon = OnlineReconstruction(range(HEIGHT))
    with pytest.raises(OutputError, match="are kept in .* Give centre="):
        play(made.acquisitions(), [addon])
    assert addon.projections == 0


@pytest.mark.parametrize(
    "options, said",
    [
        ({"threads": 0}, "threads must be a whole number"),
        ({"region": ((0, 10),)}, "region=.*first row"),
        ({"region": ((10, 10), (0, 5))}, "region=.*first row"),
        ({"region": ((0.0, 10.0), (0, 5))}, "whole numbers"),
        ({"rows": slice(0, 5, 0)}, "step cannot be zero"),
        ({"rows": 2.5}, "rows must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused_at_once(options, said):
    with pytest.raises(ConfigurationError, match=said):
        OnlineReconstruction(**options)


def test_rows_of_other_kinds_of_whole_numbers_will_do():
    rows = DetectorRows(np.array([1, 3]))
    assert rows.of(np.zeros((5, 4))).shape == (2, 4)
    assert rows.numbers == (1, 3)


def test_slices_that_memory_cannot_hold_are_refused_with_the_first_frame():
    addon = OnlineReconstruction(slice(None), region=((-8000, 8000), (-8000, 8000)))
    about = StreamAbout("run", "darks", 1)
    addon.begin(about)
    with pytest.raises(ConfigurationError, match="GiB of memory"):
        addon.frame(Frame(np.zeros((4000, 2000), np.uint8), "darks", 0))


def test_a_file_that_is_there_is_known_when_the_next_one_fails(made, tmp_path, monkeypatch):
    walker = DirectoryWalker(tmp_path)
    addon = OnlineReconstruction([2], centre=CENTRE, walker=walker)

    def full(path, size):
        raise OutputError(f"{path} can't be written: no room")

    monkeypatch.setattr("adsupport.imaging.storage.named_images.TIFFImageFile", full)
    with walker.scan(), pytest.raises(OutputError, match="no room"):
        play(made.acquisitions(), [addon])
    assert [path.name for path in addon.written] == ["tomogram.h5"]
    assert addon.result.slices.shape == (1, WIDTH, WIDTH)


def test_each_acquisition_that_was_cut_short_is_told(made):
    addon = OnlineReconstruction([2], centre=CENTRE, angles=ANGLES)
    about = {name: StreamAbout("run", name, 90, {"acquisitions": ORDER}) for name in ORDER}
    for name, frames in zip(ORDER, (made.dark, made.flat, made.projections[:40]), strict=True):
        addon.begin(about[name])
        for place, each in enumerate(frames):
            addon.frame(Frame(each, name, place, place + 1))
        reason = "" if name == "darks" else f"no more {name}"
        addon.end(StreamEnd(about[name], len(frames), len(frames), reason=reason))
    assert "no more flats" in addon.result.reason
    assert "no more primary" in addon.result.reason
