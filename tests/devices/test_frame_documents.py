"""The account of the frames in the documents of a run."""

from __future__ import annotations

from typing import Any

import bluesky.plans as bp
import h5py
import pytest

from adsupport.devices import AD_full_file_name_local
from adsupport.errors import FileWriteError
from adsupport.plans import accounted, prepare_count

COUNTS = {
    "det_frames_expected",
    "det_frames_taken",
    "det_frames_dropped",
    "det_first_unique_id",
    "det_last_unique_id",
    "det_hdf1_frames_written",
}


def test_each_event_has_the_account_of_its_frames(engine: Any, documents: Any, det: Any) -> None:
    engine(prepare_count(det.hdf1, "account", 0.001, 0.002, 3))
    engine(bp.count([det], num=2))
    first, second = (event["data"] for event in documents.of("event"))
    (descriptor,) = documents.of("descriptor")
    assert set(first) >= COUNTS
    for name in COUNTS:
        key = descriptor["data_keys"][name]
        assert (key["dtype"], key["dtype_numpy"], key["shape"]) == ("integer", "<i8", [])
    assert not COUNTS & set(descriptor["hints"]["det"]["fields"])
    for data in (first, second):
        assert data["det_frames_expected"] == data["det_frames_taken"] == 3
        assert data["det_hdf1_frames_written"] == 3
        assert data["det_frames_dropped"] == 0
        assert data["det_last_unique_id"] - data["det_first_unique_id"] == 2
    with h5py.File(AD_full_file_name_local(det.hdf1)) as file:
        ids = list(file["entry/instrument/NDAttributes/NDArrayUniqueId"])
    assert ids[::3] == [first["det_first_unique_id"], second["det_first_unique_id"]]
    assert ids[2::3] == [first["det_last_unique_id"], second["det_last_unique_id"]]


def test_recorded_losses_are_in_the_events_and_no_image_stands_for_another(
    adsim: Any, engine: Any, documents: Any, det: Any
) -> None:
    det.frame_policy = "record"
    engine(prepare_count(det.hdf1, "lossy", 0.001, 0.002, 1))
    with adsim.fault("queue-overflow", "HDF1", after=1, count=1):
        engine(bp.count([det], num=3))
    lost = [event["data"]["det_frames_dropped"] for event in documents.of("event")]
    assert lost == [0, 1, 0]
    written = [event["data"]["det_hdf1_frames_written"] for event in documents.of("event")]
    assert written == [1, 0, 1]
    torn, whole = det.hdf1.file_reports
    assert (torn.expected, torn.got) == (2, 1)
    assert torn.missing == (documents.of("event")[1]["data"]["det_first_unique_id"],)
    assert (whole.expected, whole.got, whole.problems) == (1, 1, ())
    assert len(documents.of("resource")) == 2


def test_a_run_with_its_files_accounted_says_so(engine: Any, documents: Any, det: Any) -> None:
    engine(prepare_count(det.hdf1, "closed", 0.001, 0.002, 2))
    engine(accounted(bp.count([det], num=2)))
    (event,) = [e for e in documents.of("event") if "det_hdf1_file" in e["data"]]
    data = event["data"]
    assert data["det_hdf1_file"] == str(AD_full_file_name_local(det.hdf1))
    assert data["det_hdf1_file_frames_expected"] == data["det_hdf1_file_frames_found"] == 4
    assert data["det_hdf1_file_verified"] == 1
    assert (data["det_hdf1_file_missing_ids"], data["det_hdf1_file_problem"]) == ("", "")
    names = [descriptor["name"] for descriptor in documents.of("descriptor")]
    assert names == ["primary", "accounting"]
    assert documents.of("stop")[0]["exit_status"] == "success"
    assert len(det.hdf1.file_reports) == 1


def test_a_file_that_is_lost_fails_an_accounted_run(
    engine: Any, documents: Any, det: Any, unchanged: Any
) -> None:
    def lose(name: str, _: dict[str, Any]) -> None:
        if name == "event" and len(documents.of("event")) == 2:
            AD_full_file_name_local(det.hdf1).unlink()

    det.hdf1.file_timeout = 0.2
    engine(prepare_count(det.hdf1, "lost", 0.001, 0.002, 2))
    engine.subscribe(lose)
    with unchanged(det), pytest.raises(FileWriteError, match=r"lost_0000\.h5 doesn't exist here"):
        engine(accounted(bp.count([det], num=2)))
    assert documents.of("stop")[0]["exit_status"] == "fail"
    assert "doesn't exist" in documents.of("event")[-1]["data"]["det_hdf1_file_problem"]


def test_the_account_speaks_of_all_files_of_the_run(
    adsim: Any, engine: Any, documents: Any, det: Any
) -> None:
    det.frame_policy = "record"
    engine(prepare_count(det.hdf1, "several", 0.001, 0.002, 1))
    engine(accounted(bp.count([det])))
    with adsim.fault("queue-overflow", "HDF1", after=1, count=1):
        engine(accounted(bp.count([det], num=3)))
    first, data = (e["data"] for e in documents.of("event") if "det_hdf1_file" in e["data"])
    assert (first["det_hdf1_file_frames_expected"], first["det_hdf1_file_problem"]) == (1, "")
    assert (data["det_hdf1_file_frames_expected"], data["det_hdf1_file_frames_found"]) == (3, 2)
    torn = documents.of("event")[3]["data"]
    assert torn["det_frames_dropped"] == 1
    assert data["det_hdf1_file_missing_ids"] == str(torn["det_first_unique_id"])
    assert "has 1 frame, expected 2" in data["det_hdf1_file_problem"]
    assert data["det_hdf1_file"].count(".h5") == 2


def test_a_file_before_the_last_that_is_lost_fails_an_accounted_run(
    engine: Any, documents: Any, det: Any
) -> None:
    def tear(name: str, _: dict[str, Any]) -> None:
        if name == "event" and len(documents.of("event")) == 1:
            AD_full_file_name_local(det.hdf1).unlink()
            det.hdf1.end_file()  # as where a point that was torn makes the run go on in another

    det.hdf1.file_timeout = 0.2
    engine(prepare_count(det.hdf1, "torn", 0.001, 0.002, 2))
    engine.subscribe(tear)
    with pytest.raises(FileWriteError, match=r"torn_0000\.h5 doesn't exist here"):
        engine(accounted(bp.count([det], num=3)))
    assert [stop["exit_status"] for stop in documents.of("stop")] == ["fail"]
    assert len(det.hdf1.file_reports) == 2


@pytest.mark.parametrize("policy", ["warn", pytest.param("record", marks=pytest.mark.slow)])
def test_a_run_goes_on_in_another_file_behind_one_that_could_not_be_written(
    adsim: Any, engine: Any, documents: Any, det: Any, policy: str
) -> None:
    det.frame_policy = policy
    engine(prepare_count(det.hdf1, "full", 0.001, 0.002, 1))

    def mend(name: str, _: dict[str, Any]) -> None:
        if name == "event" and len(documents.of("event")) == 3:
            fault.end()

    engine.subscribe(mend)
    fault = adsim.fault("disk-full", "HDF1", after=1)
    with fault:
        engine(accounted(bp.count([det], num=5)))
    written = [e["data"].get("det_hdf1_frames_written") for e in documents.of("event")][:5]
    assert written[0] == 1 and written[-2:] == [1, 1] and 0 in written
    assert documents.of("stop")[0]["exit_status"] == "success"
    assert "Error writing file" in documents.of("event")[-1]["data"]["det_hdf1_file_problem"]
