"""Slices while frames come: the same as all at once, whatever comes when."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import ConfigurationError, FrameCountError, OutputError, OutputExistsError
from adsupport.imaging import DirectoryWalker, equal_angles
from adsupport.imaging.addons import OnlineReconstruction
from adsupport.imaging.frames.bus import FrameBus
from adsupport.imaging.frames.replay import ReplaySource, play
from adsupport.imaging.frames.stored_images import dx_acquisitions
from adsupport.imaging.reconstruction import reconstruct
from adsupport.imaging.view import LiveView

from ..reconstruction.discs import picture, rms
from .made_frames import MadeSource
from .made_tomography import CENTRE, DENSITY, HEIGHT, WIDTH, MadeTomography

ANGLES = equal_angles(90, 180)


@pytest.fixture(scope="module")
def made() -> MadeTomography:
    return MadeTomography(ANGLES)


@pytest.fixture(scope="module")
def wanted(made) -> np.ndarray:
    """All slices, of all at once."""
    return reconstruct(made.projections, ANGLES, darks=made.dark, flats=made.flat, centre=CENTRE)


def slices_of(acquisitions, **options) -> OnlineReconstruction:
    addon = OnlineReconstruction(**{"rows": range(HEIGHT), "centre": CENTRE, **options})
    play(acquisitions, [addon])
    return addon


def test_the_sample_comes_out(made, wanted):
    found = slices_of(made.acquisitions(), rows=slice(0, HEIGHT, 2), filter="hann")
    assert found.result.rows == (0, 2, 4)
    sample = picture(made.discs, WIDTH) * DENSITY
    for row in found.result.rows:
        # discs of some pixels, whose edges a slice of 64 pixels doesn't show sharply
        assert rms(found.result.slice_of(row), sample * made.strength[row]) < 0.3
    assert found.result.units == "1/pixel"
    assert found.result.angles.tolist() == ANGLES.tolist()
    assert found.result.source_frames == ((1, 90),)
    assert found.result.facts["darks"] == found.result.facts["flats"] == 4


def test_online_is_offline_to_the_bit(made, wanted):
    np.testing.assert_array_equal(slices_of(made.acquisitions()).result.slices, wanted)
    without = slices_of(made.acquisitions(announce=False))  # which ends when it's closed
    np.testing.assert_array_equal(without.result.slices, wanted)


@pytest.mark.parametrize(
    "order",
    [("darks", "primary", "flats"), ("darks", "flats", "primary", "flats")],
)
def test_flats_may_come_last_and_twice(made, wanted, order):
    found = slices_of(made.acquisitions(order))
    assert rms(found.result.slices, wanted) < 1e-4
    assert found.result.facts["flats"] == 4


def test_the_order_of_angles_does_not_matter(made, wanted):
    order = np.random.default_rng(3).permutation(90)
    found = slices_of(made.acquisitions(taken=order))
    assert rms(found.result.slices, wanted) < 1e-5
    in_blocks = ("darks", "flats", "primary", "flats", "primary")
    assert rms(slices_of(made.acquisitions(in_blocks)).result.slices, wanted) < 1e-5


def test_lost_frames_are_named_and_their_neighbours_stand_in(made, wanted, caplog):
    taken = [place for place in range(90) if place not in (7, 40, 41)]
    found = slices_of(made.acquisitions(taken=taken))
    assert found.result.missing == (7, 40, 41)
    assert found.result.source_frames == ((1, 7), (9, 40), (43, 90))
    assert rms(found.result.slices, wanted) < 0.1
    assert found.result.facts["projections"] == 87


def test_pictures_come_at_any_time(made, wanted):
    found = OnlineReconstruction(rows=[2], centre=CENTRE)
    shown = []

    class Viewer:
        def show_image(self, channel, image, facts):
            shown.append((channel, image.shape, facts["projections"]))

    found = OnlineReconstruction(centre=CENTRE, viewer=Viewer(), interval=0.0)
    stored = {each.about.stream: each for each in made.acquisitions()}
    assert found.picture() is None
    with FrameBus(ReplaySource(stored.values()), [found]) as bus:
        for stream in ("darks", "flats"):
            bus.begin(stored[stream].about)
            bus.end(4)
            bus.drain()
            assert found.picture() is None
        bus.begin(stored["primary"].about)
        bus.end(90)
        bus.drain()
        np.testing.assert_array_equal(found.picture(), wanted[2:3])
    assert shown[0] == ("slice z", (WIDTH, WIDTH), 1)
    assert shown[-1] == ("slice z", (WIDTH, WIDTH), 90)
    assert 2 <= len(shown) <= 91


def test_a_viewer_that_fails_harms_nothing(made, wanted, caplog):
    class Viewer:
        def show_image(self, channel, image, facts):
            raise RuntimeError("no screen")

    found = slices_of(made.acquisitions(), viewer=Viewer(), interval=0.0)
    np.testing.assert_array_equal(found.result.slices, wanted)
    assert caplog.text.count("The viewer of slices failed") == 1


@pytest.mark.parametrize("span, how", [(180.0, "slices"), (360.0, "pair")])
def test_the_axis_is_found(span, how):
    made = MadeTomography(equal_angles(120, span))
    found = slices_of(made.acquisitions(), centre="auto")
    assert found.result.facts["centre_from"] == how
    assert found.result.centres == pytest.approx([CENTRE] * HEIGHT, abs=0.25)
    again = slices_of(made.acquisitions(), centre=found.centre)
    np.testing.assert_array_equal(found.result.slices, again.result.slices)
    # flats that come last are no worse
    late = slices_of(made.acquisitions(("darks", "primary", "flats")), centre="auto")
    assert late.result.centres == pytest.approx(found.result.centres, abs=0.25)


def test_an_axis_that_is_not_found_is_said(made, caplog):
    empty = replace(made, discs=made.discs[:0])
    found = slices_of(empty.acquisitions(taken=[0, 1]), centre="auto")
    assert found.result.facts["centre_from"] == "middle"
    assert found.centre == (WIDTH - 1) / 2
    assert "The rotation axis wasn't found" in caplog.text
    assert "Give centre=" in caplog.text


def test_bad_pixels_do_no_harm(made, wanted):
    broken = replace(made)
    broken.flat[:, :, 10] = 0
    broken.projections[::7, 3, 20:23] = 0
    found = slices_of(broken.acquisitions())
    assert np.isfinite(found.result.slices).all()
    assert found.result.facts["replaced_pixels"] == 90 * HEIGHT + 13 * 3
    assert rms(found.result.slices, wanted) < 0.5


def test_what_cannot_be_used_is_counted_and_named(made, wanted, caplog):
    caplog.set_level(logging.WARNING)
    source, found = MadeSource(), OnlineReconstruction(rows=range(HEIGHT), centre=CENTRE)
    stored = {each.about.stream: each for each in made.acquisitions()}
    with FrameBus(source, [found]) as bus:
        for stream, each in stored.items():
            bus.begin(each.about)
            for arrival in each.frames():
                bus._take(each.about, None, arrival)
                if stream == "primary" and arrival.unique_id in (5, 6):
                    bus._take(each.about, None, next(iter(each.frames())))  # the first again
            if stream == "primary":
                source.give(1000, angle=3.0)  # of 2 x 3 pixels
            bus.end(each.about.expected)
    assert found.left_out == {
        "it came before, by its unique id": 2,
        f"a frame has shape (2, 3); expected {(HEIGHT, WIDTH)}, as those before": 1,
    }
    np.testing.assert_array_equal(found.result.slices, wanted)
    assert "2 frames weren't used: it came before" in caplog.text


def test_frames_without_an_angle_are_left_out(made):
    stored = made.acquisitions(planned=False, angle=None)
    with pytest.raises(FrameCountError, match="none of 90 projections .*: nobody knows its angle"):
        slices_of(stored)
    told = slices_of(stored, angles=ANGLES)
    known = slices_of(made.acquisitions())
    np.testing.assert_array_equal(told.result.slices, known.result.slices)


def test_the_run_tells_the_angles_of_a_fly_scan_and_of_blocks(made, wanted):
    told = {"experiment": "tomography", "projections": 90, "angular_range": 180.0,
            "start_angle": 0.0}  # fmt: skip
    order = ("darks", "flats", "primary", "flats", "primary")
    stored = made.acquisitions(order, angle=None, imaging=told)
    found = slices_of(stored)
    assert rms(found.result.slices, wanted) < 1e-4
    assert found.result.missing == ()
    stored = made.acquisitions(order, imaging={**told, "projections": 45})  # twice the same
    assert slices_of(stored).result.facts["projections"] == 90


def test_orders_that_cannot_be_are_refused(made):
    with pytest.raises(ConfigurationError, match="'darks' only after the projections"):
        slices_of(made.acquisitions(("flats", "primary", "darks")))
    with pytest.raises(ConfigurationError, match="'flats' only after the projections"):
        slices_of(made.acquisitions(("darks", "primary", "flats")), absorption=False)
    late = slices_of(made.acquisitions(("darks", "flats", "primary", "darks")))
    assert late.left_out == {"darks after the projections are of no use": 2}


def test_only_what_is_asked_for_is_done(made):
    first = slices_of(made.acquisitions(), average=False).result
    assert (first.facts["darks"], first.facts["flats"]) == (1, 1)
    light = slices_of(made.acquisitions(), absorption=False).result
    assert light.units == ""
    lines = (made.projections - made.dark.mean(0)) / (made.flat.mean(0) - made.dark.mean(0))
    direct = reconstruct(lines, ANGLES, centre=CENTRE, input="absorption")
    assert rms(light.slices, direct) < 1e-5
    scaled = slices_of(made.acquisitions(), pixel_size=20.0).result
    plain = slices_of(made.acquisitions()).result
    np.testing.assert_allclose(scaled.slices, plain.slices * 50.0, rtol=1e-6)
    assert scaled.units == "1/mm"


def test_lacking_flats_are_said(made, caplog):
    assert slices_of(made.acquisitions(("darks", "primary"))).result.facts["flats"] == 0
    assert "No flats came" in caplog.text
    caplog.clear()
    plain = slices_of(made.acquisitions(("darks", "primary")), normalise=False)
    assert np.isfinite(plain.result.slices).all()
    assert plain.result.facts["darks"] == 0
    assert "No flats came" not in caplog.text


def test_a_window_shows_the_last_half_turn(made, wanted):
    turning = MadeTomography(equal_angles(270, 540))
    found = slices_of(turning.acquisitions(), window=180)
    assert rms(found.result.slices, wanted) < 1e-4
    with pytest.raises(ConfigurationError, match="'auto' needs all projections"):
        OnlineReconstruction(window=180)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"rows": [3, 1]}, "ascending order"),
        ({"rows": -1}, "at least 0"),
        ({"centre": "left"}, "'auto'"),
        ({"centre": float("nan")}, "finite"),
        ({"filter": "fine"}, "ramp, shepp-logan"),
        ({"backend": "abacus"}, "numba, numpy"),
        ({"window": 400, "centre": 3}, "up to 360"),
        ({"window": 180, "centre": 3, "angles": [1.0]}, "Both angles and window"),
        ({"absorption": False}, "needs absorption"),
        ({"pixel_size": 0}, "above 0"),
        ({"viewer": 3}, "show_image"),
        ({"darks": "flats"}, "three streams"),
        ({"angles": []}, "at least one"),
        ({"output_directory": "../slices"}, "one directory"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        OnlineReconstruction(**options)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"rows": [HEIGHT]}, "0 to 4"),
        ({"centre": 300.0}, "0 to 63"),
        ({"centre": [1, 2]}, "2 cent"),
    ],
)
def test_what_is_not_on_the_detector_is_refused_at_once(made, options, said):
    with pytest.raises(ConfigurationError, match=said):
        slices_of(made.acquisitions(), **options)


def test_the_files_have_all(made, tmp_path):
    walker = DirectoryWalker(tmp_path)
    stored = made.acquisitions(taken=[place for place in range(90) if place != 7])
    with walker.scan() as scan:
        found = slices_of(
            stored, rows=[1, 3], walker=walker, pixel_size=10.0, region=((2, 50), (4, 60))
        )
        again = OnlineReconstruction(rows=[1, 3], centre=CENTRE, walker=walker)
        with pytest.raises(OutputExistsError, match=r"tomogram.h5 exists already"):
            play(made.acquisitions(), [again])
    where = scan / "online-slices"
    assert [path.name for path in found.written] == [
        "tomogram.h5", "slice_000001.tif", "slice_000003.tif"
    ]  # fmt: skip
    assert sorted(path.name for path in where.iterdir()) == sorted(p.name for p in found.written)
    with h5py.File(where / "tomogram.h5") as file:
        volume = file["entry/data/data"]
        assert volume.shape == (56, 48, 2)  # X, Y, slices
        assert volume.attrs["units"] == "1/mm"
        np.testing.assert_array_equal(volume[..., 1].T, found.result.slices[1])
        np.testing.assert_allclose(file["entry/data/x"], (np.arange(4, 60) - 32) * 0.01)
        np.testing.assert_allclose(file["entry/data/y"], (np.arange(2, 50) - 32) * 0.01)
        np.testing.assert_allclose(file["entry/data/z"], [0.01, 0.03])
        settings = file["entry/reconstruction/parameters"]
        assert settings["run_uid"].asstr()[()] == "run"
        assert settings["filter"].asstr()[()] == "ramp"
        assert settings["missing"][()].tolist() == [7]
        assert settings["source_frames"][()].tolist() == [[1, 7], [9, 90]]
        assert settings["centre"][()].tolist() == [CENTRE, CENTRE]
        assert settings["darks"][()] == 4
        assert len(settings["angles"]) == 89
    with tifffile.TiffFile(where / "slice_000003.tif") as file:
        np.testing.assert_array_equal(file.pages.first.asarray(), found.result.slices[1])
        said = json.loads(file.pages.first.description)
    assert (said["row"], said["units"], said["run_uid"]) == (3, "1/mm", "run")


def test_nexus_knows_the_definition(made, tmp_path):
    nexusformat = pytest.importorskip("nexusformat")
    del nexusformat
    from ...judges.nxvalidate_judge import judge_application

    walker = DirectoryWalker(tmp_path)
    found = slices_of(made.acquisitions(), rows=[1, 3], walker=walker, files="hdf5")
    verdict = judge_application(found.written[0])
    assert verdict.all == []


def test_a_dx_file_gives_the_same(made, wanted, tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = made.projections
        file["exchange/data_white"] = made.flat
        file["exchange/data_dark"] = made.dark
        file["exchange/theta"] = ANGLES
    found = slices_of(dx_acquisitions(path))
    np.testing.assert_array_equal(found.result.slices, wanted)
    assert found.result.facts["raw_file"] == str(path)


def test_memory_does_not_grow_with_the_projections():
    def most(number: int) -> int:
        source = MadeSource()
        addon = OnlineReconstruction(rows=[2], centre=CENTRE)
        few = MadeTomography(equal_angles(10, 180))
        stored = {each.about.stream: each for each in few.acquisitions()}
        image = few.projections[0]
        with FrameBus(source, [addon]) as bus:
            tracemalloc.start()
            for stream in ("darks", "flats"):
                bus.begin(stored[stream].about)
                for arrival in stored[stream].frames():
                    bus._take(stored[stream].about, None, arrival)
                bus.end(4)
            about = replace(stored["primary"].about, angles=(), expected=number)
            bus.begin(about)
            for index in range(number):
                source._load = lambda _: image
                source.give(index, angle=index * 180 / number)
            bus.end(number)
            bus.drain()
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    most(20)
    # an image is 640 bytes, 1800 more are 1.2 MB; some wait in the queue, where all is slow
    assert most(2000) < most(200) + 400_000


def test_no_room_for_what_is_kept_is_said(made, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            if self.tell() > 10_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    with pytest.raises(OutputError, match="No space left on device.*Give centre="):
        slices_of(made.acquisitions(), centre="auto")


def test_a_live_view_shows_the_slices(made):
    view = LiveView()
    slices_of(made.acquisitions(), viewer=view, interval=0.0)
    shown = {channel: view.model.picture(channel) for channel in view.model.channels}
    assert {channel: picture.pixels.shape for channel, picture in shown.items()} == {
        "slice z": (WIDTH, WIDTH), "slice y": (HEIGHT, WIDTH), "slice x": (HEIGHT, WIDTH),
    }  # fmt: skip
    assert {each.facts["unit"] for each in shown.values()} == {"1/pixel"}
    assert shown["slice z"].facts["detector_row"] == HEIGHT // 2
    assert shown["slice y"].facts["row_of_slices"] == WIDTH // 2


def test_a_run_that_is_cut_short_leaves_what_it_has(made, tmp_path):
    walker, stored = DirectoryWalker(tmp_path), made.acquisitions()
    found = OnlineReconstruction(rows=[2], centre=CENTRE, walker=walker, files="hdf5")
    source = ReplaySource([stored[0], stored[1], made.acquisitions(taken=range(30))[2]])
    with walker.scan(), FrameBus(source, [found], missing="log") as bus:
        for each, expected in zip(stored, (4, 4, None), strict=True):
            bus.begin(each.about)
            if expected is None:
                source._thread.join()  # all 30 have been handed on
            bus.end(expected, cut_short="" if expected else "cut short: abort")
    assert "cut short" in found.result.reason
    assert found.result.facts["projections"] == 30
    assert found.result.missing == tuple(range(30, 90))
    with h5py.File(found.written[0]) as file:
        assert "cut short" in file["entry/reconstruction/parameters/ended"].asstr()[()]


def test_each_run_begins_anew(made, wanted):
    found = slices_of(made.acquisitions())
    other = MadeTomography(equal_angles(45, 180))
    play(other.acquisitions(), [found])
    assert len(found.result.angles) == 45
    play(made.acquisitions(), [found])
    np.testing.assert_array_equal(found.result.slices, wanted)
