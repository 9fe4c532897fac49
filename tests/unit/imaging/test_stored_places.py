"""A run in which frames were taken again, or lost, and is played: each frame is where it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.errors import FrameCountError
from adsupport.imaging.addons import (
    Accumulator,
    Addon,
    FrameGapCheck,
    GratingProcessing,
    OnlineReconstruction,
)
from adsupport.imaging.frames import Frame, StoredAcquisition, play, run_acquisitions

Documents = list[tuple[str, dict[str, Any]]]


class Places(Addon):
    """Notes which frames came, and where they were in the acquisition."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int | None, int | None, int]] = []

    def frame(self, frame: Frame) -> None:
        self.found.append((frame.unique_id, frame.place, int(frame.data[0, 0])))


def stored(
    path: Path,
    in_file: list[int],
    events: list[tuple[int, int]],
    *,
    per_event: int = 1,
    ids: list[int] | None = None,
    unknown: tuple[int, ...] = (),
) -> list[StoredAcquisition]:
    """Make the acquisition of a file with frames whose pixels tell their ids.

    Events are (unique id of the first frame, number of the datum); ``unknown`` have no datum.
    """
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = np.array([np.full((4, 5), each, np.uint16) for each in in_file])
        file["entry/instrument/NDAttributes/NDArrayUniqueId"] = ids or in_file
    image = {"source": "", "dtype": "array", "shape": [per_event, 4, 5], "external": "FILESTORE:"}
    first = {"source": "", "dtype": "integer", "shape": []}

    def documents() -> Iterator[tuple[str, dict[str, Any]]]:
        yield "start", {"uid": "run", "time": 1.0}
        yield "descriptor", {
            "uid": "of primary", "run_start": "run", "time": 2.0, "name": "primary",
            "data_keys": {"det_image": image, "det_first_unique_id": first},
            "object_keys": {}, "configuration": {}, "hints": {},
        }  # fmt: skip
        yield "resource", {
            "uid": "file", "run_start": "run", "spec": "AD_HDF5", "root": "/",
            "resource_path": str(path)[1:], "path_semantics": "posix",
            "resource_kwargs": {"frame_per_point": per_event},
        }  # fmt: skip
        for number, (first_id, point) in enumerate(events):
            datum = f"file/{point}"
            kwargs = {"point_number": point}
            if number not in unknown:
                yield "datum", {"datum_id": datum, "resource": "file", "datum_kwargs": kwargs}
            data = {"det_image": datum, "det_first_unique_id": first_id}
            if number in unknown:
                del data["det_image"]
            yield "event", {
                "uid": str(number), "descriptor": "of primary", "time": 3.0 + number,
                "seq_num": number + 1, "data": data, "filled": dict.fromkeys(data, False),
                "timestamps": dict.fromkeys(data, 3.0),
            }  # fmt: skip
        yield "stop", {"uid": "stop", "run_start": "run", "time": 99.0, "exit_status": "success"}

    return run_acquisitions(list(documents()))


def test_a_trigger_that_was_repeated_shifts_no_frame(tmp_path):
    saved = [1, 2, 3, 5, 6, 7, 8, 9]  # 4 was taken before a pause, and again as 5
    run = stored(tmp_path / "a.h5", list(range(1, 10)), [(each, each - 1) for each in saved])
    frames, places, grating = Accumulator(), Places(), GratingProcessing(1, 8)
    angles = np.arange(8) * 22.5
    slices = OnlineReconstruction(
        centre=2.0, normalise=False, angles=angles, backend="numpy", circle=False
    )
    play(run, [frames, places, grating, slices, FrameGapCheck(found="raise")])
    assert frames.ids() == saved
    assert places.found == [(each, place, each) for place, each in enumerate(saved)]
    assert grating.sample is not None
    assert slices.result.angles.tolist() == angles.tolist()
    assert (slices.result.missing, slices.left_out) == ((), {})


@pytest.mark.parametrize("behind", [[], [11, 12]])
def test_a_frame_that_was_lost_shifts_none_of_those_behind(tmp_path, behind):
    # 3 is lost; 5 and 6 were taken again as 7 and 8; others came behind the last event
    in_file = [1, 2, 4, 5, 6, 7, 8, 9, 10, *behind]
    events = [(1, 0), (3, 1), (7, 3), (9, 4)]
    run = stored(tmp_path / "a.h5", in_file, events, per_event=2)
    places, gaps = Places(), FrameGapCheck()
    play(run, [places, gaps], missing="log")
    assert places.found == [
        (1, 0, 1), (2, 1, 2), (4, 3, 4), (7, 4, 7), (8, 5, 8), (9, 6, 9), (10, 7, 10),
    ]  # fmt: skip
    assert gaps.gaps == {"primary": [3]}
    assert gaps.short == {"primary": 1}


def test_ids_that_are_not_those_of_the_camera_do_no_harm(tmp_path):
    run = stored(tmp_path / "a.h5", [1, 2, 3], [(1, 0), (2, 1), (3, 2)], ids=[0, 1, 2])
    places = Places()
    play(run, [places])
    assert places.found == [(0, 0, 1), (1, 1, 2), (2, 2, 3)]


@pytest.mark.parametrize("unknown", [(1,), (0, 1, 2)])
def test_an_event_whose_images_never_were_announced_has_lost_them(tmp_path, unknown):
    run = stored(
        tmp_path / "a.h5", list(range(1, 7)), [(1, 0), (3, 1), (5, 2)], per_event=2, unknown=unknown
    )
    places = Places()
    play(run, [places], missing="log")
    assert run[0].about.expected == 6
    known = [] if len(unknown) > 1 else [(1, 0, 1), (2, 1, 2), (5, 4, 5), (6, 5, 6)]
    assert places.found == known
    with pytest.raises(FrameCountError, match=f"has {len(known)} frames; expected 6"):
        play(run, [Places()])
