"""The account of one acquisition, from counters before and after."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from ophyd import Kind

from adsupport.devices.frames import account as frames
from adsupport.devices.frames.account import FrameAccount
from adsupport.devices.frames.report import id_list
from adsupport.errors import DroppedFramesError, FileWriteError, FrameCountError

WRITER, VIEWER = "det_hdf1", "det_image"
BEFORE = {
    ("cam", "array_counter"): 100,
    ("cam", "num_images_counter"): 1,
    (WRITER, "array_counter"): 50,
    (WRITER, "dropped_arrays"): 7,
    (WRITER, "num_captured"): 50,
    (WRITER, "write_status"): 0,
    (WRITER, "capture"): 1,
    (VIEWER, "array_counter"): 50,
    (VIEWER, "dropped_arrays"): 3,
}
AFTER = BEFORE | {
    ("cam", "array_counter"): 105,
    ("cam", "num_images_counter"): 5,
    (WRITER, "array_counter"): 55,
    (WRITER, "num_captured"): 55,
    (VIEWER, "array_counter"): 55,
}


def signal(name: str, value: Any = 0) -> Any:
    return SimpleNamespace(name=name, pvname=name, get=lambda: value, timestamp=0.0)


@pytest.fixture
def account() -> FrameAccount:
    """An account of a camera, a writer and a viewer, without an IOC behind it."""

    def plugin(name: str, **more: Any) -> Any:
        signals = {
            attr: signal(f"{name}:{attr}")
            for attr in (
                "array_counter",
                "dropped_arrays",
                "num_captured",
                "write_status",
                "capture",
            )
        }
        signals["write_message"] = signal(f"{name}:write_message", "Error writing file, status=3")
        return SimpleNamespace(name=name, dotted_name=name, **signals, **more)

    made = FrameAccount.__new__(FrameAccount)
    made.detector = SimpleNamespace(
        cam=SimpleNamespace(
            num_images_counter=signal("ad:cam1:NumImagesCounter_RBV"),
            array_counter=signal("ad:cam1:ArrayCounter_RBV"),
        )
    )
    made._plugins = {
        WRITER: plugin(WRITER, counts_captured=True, kind=Kind.normal),
        VIEWER: plugin(VIEWER, kind=Kind.omitted),
    }
    made.writers = {WRITER: made._plugins[WRITER]}
    made._essential = {WRITER}
    made._skipping, made._exact = set(), set()
    made._counter_follows = True
    made._kinds = {}
    return made


def check(account: FrameAccount, **after: Any) -> Any:
    """Compare the counters with the expected five frames, once."""
    changes = {tuple(key.split("__")): value for key, value in after.items()}
    return account._report(BEFORE, AFTER | changes, 5)


def test_nothing_is_wrong_when_every_frame_is_there(account: FrameAccount) -> None:
    report = check(account)
    assert report.problems == ()
    assert report.error() is None
    assert (report.taken, report.written) == (5, {WRITER: 5})
    assert report.dropped == {WRITER: 0, VIEWER: 0}


def test_frames_that_the_camera_did_not_take(account: FrameAccount) -> None:
    report = check(account, cam__num_images_counter=3, det_hdf1__num_captured=53)
    error = report.error()
    assert type(error) is FrameCountError
    assert "took 3 frames, expected 5" in str(error)
    assert "wrote 3 frames, expected 5" in str(error)


def test_frames_dropped_on_the_way_to_the_file(account: FrameAccount) -> None:
    report = check(account, det_hdf1__dropped_arrays=9, det_hdf1__num_captured=53)
    assert type(report.error()) is DroppedFramesError
    assert report.dropped[WRITER] == 2
    assert "2 of 5 frames were dropped" in str(report.error())
    assert "wrote" not in str(report.error())  # the same once more


def test_one_frame_is_told_in_the_singular(account: FrameAccount) -> None:
    report = account._report(BEFORE, AFTER | {(WRITER, "dropped_arrays"): 8}, 6)
    assert "1 of 6 frames was dropped" in str(report.error())
    error = check(account, cam__num_images_counter=1, det_hdf1__num_captured=51).error()
    assert "the camera took 1 frame, expected 5" in str(error)
    assert "wrote 1 frame, expected 5. 4 frames reached it and were refused" in str(error)


def test_frames_dropped_before_the_writer_are_told_as_the_reason(account: FrameAccount) -> None:
    account._essential = {WRITER, VIEWER}  # as a plugin that feeds the writer
    error = check(
        account,
        det_image__dropped_arrays=5,
        det_hdf1__num_captured=53,
        det_hdf1__array_counter=53,
    ).error()
    assert "wrote 3 frames, expected 5. The others were dropped on the way to it." in str(error)


def test_missing_ids_are_told_once(account: FrameAccount) -> None:
    account._essential = {WRITER, VIEWER}
    file = SimpleNamespace(missing=(104, 105), note="")
    account.writers[WRITER].end_file = lambda: file
    report = check(
        account,
        det_image__dropped_arrays=5,
        det_hdf1__num_captured=53,
        det_hdf1__array_counter=53,
    )
    text = str(account.name_missing(report).error())
    assert text.count("Missing unique ids: 104-105.") == 1
    assert "can't be told" not in text


def test_frames_dropped_by_a_viewer_are_counted_only(account: FrameAccount) -> None:
    report = check(account, det_image__dropped_arrays=6)
    assert report.error() is None
    assert report.dropped[VIEWER] == 3


@pytest.mark.parametrize("status", [1, "Write error"])
def test_a_write_error_is_the_gravest(account: FrameAccount, status: Any) -> None:
    report = check(
        account,
        det_hdf1__write_status=status,
        det_hdf1__num_captured=52,
        det_hdf1__dropped_arrays=8,
    )
    assert type(report.error()) is FileWriteError
    assert "status=3" in str(report.error())
    assert "2 of 5" in str(report.error())


def test_a_capture_that_ended_is_told(account: FrameAccount) -> None:
    # a file plugin that isn't capturing doesn't count arrays
    report = check(
        account, det_hdf1__num_captured=53, det_hdf1__array_counter=53, det_hdf1__capture=0
    )
    assert "Capture has ended" in str(report.error())


@pytest.mark.parametrize("capture", [0, 1])
def test_more_frames_than_asked_for_were_not_lost(account: FrameAccount, capture: int) -> None:
    report = check(account, det_hdf1__num_captured=60, det_hdf1__capture=capture)
    assert type(report.error()) is FrameCountError
    assert "wrote 10 frames, expected 5. Somebody else took frames" in str(report.error())


@pytest.mark.parametrize(("captured", "excess"), [(54, 0), (55, 0), (57, 2)])
def test_a_writer_is_told_how_many_frames_it_has_beyond_those_asked_for(
    account: FrameAccount, captured: int, excess: int
) -> None:
    told: list[Any] = []
    account.writers[WRITER].note_ids = told.append
    account.writers[WRITER].note_excess = told.append
    account.note(check(account, det_hdf1__num_captured=captured))
    assert told == [range(101, 106), excess]


def test_a_camera_without_counter_of_images_is_counted_by_its_arrays(
    account: FrameAccount,
) -> None:
    assert check(account, cam__num_images_counter=0).taken == 5


def test_a_reset_of_the_counter_is_no_negative_loss(account: FrameAccount) -> None:
    report = check(account, det_hdf1__dropped_arrays=0)
    assert report.error() is None
    assert report.dropped[WRITER] == 0


def test_a_reset_of_the_cameras_counter_is_named(account: FrameAccount) -> None:
    report = check(account, cam__num_images_counter=0, cam__array_counter=3)
    error = report.error()
    assert type(error) is FrameCountError
    assert "ad:cam1:ArrayCounter_RBV went back from 100 to 3" in str(error)
    assert "reset it between runs only" in str(error)
    assert (report.taken, error.got) == (0, None)


def test_a_camera_that_counts_its_images_may_have_its_counter_reset(account: FrameAccount) -> None:
    report = check(account, cam__array_counter=3)
    assert (report.error(), report.taken, report.unique_ids) == (None, 5, None)


def test_the_counter_that_was_read_is_named(account: FrameAccount) -> None:
    text = str(check(account, cam__num_images_counter=0, cam__array_counter=103).error())
    assert "ad:cam1:ArrayCounter_RBV: the camera took 3 frames" in text
    assert "the counter set by somebody" in text


def test_a_reset_of_the_counter_of_a_plugin_in_the_events_is_named(account: FrameAccount) -> None:
    account._exact = {VIEWER}
    error = check(account, det_image__array_counter=2).error()
    assert type(error) is FrameCountError
    assert "det_image:array_counter went back from 50 to 2" in str(error)
    assert (error.plugin, error.got) == (VIEWER, None)


def test_a_reset_of_the_counter_of_a_writer_in_single_mode_is_named(account: FrameAccount) -> None:
    account.writers[WRITER].counts_captured = False
    error = check(account, det_hdf1__array_counter=2).error()
    assert "det_hdf1:array_counter went back from 50 to 2" in str(error)
    account.writers[WRITER].counts_captured = True
    assert check(account, det_hdf1__array_counter=2).error() is None  # NumCaptured proves them


def test_a_capture_that_somebody_began_anew_is_told(account: FrameAccount) -> None:
    error = check(account, det_hdf1__num_captured=2).error()
    assert type(error) is FrameCountError
    assert "det_hdf1:num_captured went back by 48 to 2" in str(error)
    assert "began another" in str(error)


def test_a_difference_that_goes_away_is_no_difference(account: FrameAccount) -> None:
    late = iter([BEFORE, BEFORE | {("cam", "num_images_counter"): 5}, AFTER])
    account.read = lambda: next(late)  # type: ignore[method-assign]
    assert account.compare(BEFORE, 5).error() is None


def test_frames_that_reached_the_writer_and_are_not_in_the_file_were_refused(
    account: FrameAccount,
) -> None:
    # WriteStatus is OK again after the next frame of the right size
    error = check(account, det_hdf1__num_captured=53).error()
    assert type(error) is FrameCountError
    assert "wrote 3 frames, expected 5. 2 frames reached it and were refused" in str(error)
    assert "'Invalid frame. Ignoring.'" in str(error)
    assert "region" in str(error)


def test_frames_that_min_callback_time_skips_are_not_called_dropped(account: FrameAccount) -> None:
    account._skipping = {WRITER}
    report = check(account, det_hdf1__num_captured=53, det_hdf1__array_counter=53)
    assert type(report.error()) is FrameCountError
    assert "MinCallbackTime of det_hdf1" in str(report.error())
    assert report.dropped[WRITER] == 0


@pytest.mark.parametrize("received", [0, 4])
def test_a_plugin_in_the_events_that_had_no_frame_has_old_values(
    account: FrameAccount, received: int
) -> None:
    account._exact = {VIEWER}
    report = check(account, det_image__array_counter=50 + received)
    error = report.error()
    assert type(error) is FrameCountError
    assert f"had {received} of 5 frames" in str(error)
    assert (error.plugin, error.expected, error.got) == (VIEWER, 5, received)


def test_the_report_tells_received_frames_and_their_ids(account: FrameAccount) -> None:
    report = check(account)
    assert report.received == {WRITER: 5, VIEWER: 5}
    assert list(report.unique_ids) == [101, 102, 103, 104, 105]


def test_ids_of_a_camera_that_counts_otherwise_are_not_told(account: FrameAccount) -> None:
    report = check(account, cam__array_counter=104)
    assert report.error() is None
    assert report.unique_ids is None


def test_a_camera_that_counts_otherwise_is_waited_for_once(account: FrameAccount) -> None:
    reads = []
    odd = AFTER | {("cam", "array_counter"): 104}
    account.read = lambda: reads.append(1) or odd  # type: ignore[method-assign,func-returns-value]
    assert account.compare(BEFORE, 5).error() is None
    assert len(reads) > 2
    reads.clear()
    assert account.compare(BEFORE, 5).error() is None
    assert len(reads) == 1


def test_the_error_tells_plugin_and_numbers(account: FrameAccount) -> None:
    error = check(account, det_hdf1__dropped_arrays=9, det_hdf1__num_captured=53).error()
    assert (error.plugin, error.expected, error.got, error.missing) == (WRITER, 5, 3, ())


def test_plugins_that_still_move_are_waited_for(
    account: FrameAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a camera of ADCore before R3-3 can't wait for its plugins: the writer comes behind
    monkeypatch.setattr(frames, "_SETTLE_TIME", 0.2)
    begun = time.monotonic()

    def read() -> dict[Any, Any]:
        written = min(5, int((time.monotonic() - begun) / 0.1))
        late = {(WRITER, n): 50 + written for n in ("num_captured", "array_counter")}
        return AFTER | late

    account.read = read  # type: ignore[method-assign]
    report = account.compare(BEFORE, 5)
    assert report.error() is None
    assert report.written[WRITER] == 5


def test_plugins_that_still_move_are_not_waited_for_when_nobody_wants_the_account(
    account: FrameAccount,
) -> None:
    reads: list[int] = []

    def read() -> dict[Any, Any]:  # it moves for ever
        reads.append(1)
        return AFTER | {(WRITER, "num_captured"): 50, (VIEWER, "array_counter"): len(reads)}

    account.read = read  # type: ignore[method-assign]
    report = account.compare(BEFORE, 5, lambda: len(reads) >= 3)
    assert len(reads) == 3
    assert report.problems


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ((), ""),
        ((4,), "4"),
        ((4, 5, 6, 9), "4-6, 9"),
        (tuple(range(0, 40, 2)), "0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_ids_are_told_in_spans(ids: tuple[int, ...], text: str) -> None:
    assert id_list(ids) == text
