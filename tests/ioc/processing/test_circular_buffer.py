"""NDPluginCircularBuff over Channel Access: counts, texts and what comes out, frame by frame."""

from __future__ import annotations

import numpy as np
import pytest

OFF = {
    "PreCount": 4,
    "PostCount": 3,
    "PresetTriggerCount": 1,
    "FlushOnSoftTrg": "OnNewImage",
    "TriggerA": "",
    "TriggerB": "",
    "TriggerCalc": "0",
}

NUMBER = (
    '<Attributes><Attribute name="Number" type="PARAM" source="ARRAY_COUNTER" datatype="INT"/>'
    "</Attributes>"
)


@pytest.fixture
def buffer(chain):
    """A plugin that is switched on and not capturing, and frames that know their number."""
    chain.command("CB1:Capture", 0)
    chain.listen("CB1", "SIM1", **OFF)
    yield chain
    chain.command("CB1:Capture", 0)


def start(chain) -> None:
    chain.pv("CB1:Capture").put(1)
    chain.wait_until("CB1:Capture_RBV", 1)


def trigger(chain) -> None:
    chain.pv("CB1:Trigger").put(1)
    chain.wait_until("CB1:Trigger_RBV", 1)


def state(chain) -> tuple[str, int, int, int]:
    return (
        chain.text("CB1:StatusMessage"),
        *chain.counts("CB1:CurrentQty_RBV", "CB1:PostTriggerQty_RBV", "CB1:ActualTriggerCount_RBV"),
    )


def last_id(chain) -> int:
    return int(chain.get("cam1:ArrayCounter_RBV"))


def test_frames_before_and_after_a_soft_trigger(buffer):
    start(buffer)
    assert state(buffer) == ("Buffer filling", 0, 0, 0)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(3)
        assert state(buffer) == ("Buffer filling", 3, 0, 0)
        buffer.acquire(3)
        assert state(buffer) == ("Buffer Wrapping", 4, 0, 0)
        before = last_id(buffer)
        trigger(buffer)
        buffer.acquire(2)
        assert state(buffer) == ("Flushing", 4, 2, 0)
        buffer.acquire(1)
        assert state(buffer) == ("Acquisition Completed", 4, 3, 1)
        assert buffer.get("CB1:Capture_RBV") == buffer.get("CB1:Capture") == 0
        assert buffer.get("CB1:Trigger_RBV") == 0
        buffer.acquire(5)
    assert recording.ids == list(range(before - 3, before + 4))


def test_pixels_stay_as_they_were(buffer, camera_ramp):
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(4)
        trigger(buffer)
        buffer.acquire(3)
    np.testing.assert_array_equal(recording.frames, [camera_ramp(n) for n in range(7)])


def test_put_completion_of_capture_is_its_end(buffer):
    done = []
    buffer.pv("CB1:Capture").put(1, callback=lambda **_: done.append(True))
    buffer.wait_until("CB1:Capture_RBV", 1)
    buffer.acquire(2)
    trigger(buffer)
    buffer.acquire(2)
    assert not done
    buffer.acquire(1)
    buffer.wait_until("CB1:Capture", 0)
    assert buffer.get("CB1:CurrentQty_RBV") == 2
    assert done


def test_a_calculation_on_attributes_triggers(buffer):
    buffer.put("cam1:NDAttributesFile", NUMBER)
    buffer.acquire(1)
    first = last_id(buffer)
    buffer.set("CB1", TriggerA="Number", TriggerB="NoSuch", TriggerCalc=f"A>={first + 6}")
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(20)
    # four before, and three from the one that triggers on
    assert recording.ids == list(range(first + 2, first + 9))
    assert buffer.get("CB1:TriggerAVal") == first + 6
    assert np.isnan(buffer.get("CB1:TriggerBVal"))
    assert buffer.get("CB1:TriggerCalcVal") == 1
    assert state(buffer) == ("Acquisition Completed", 4, 3, 1)


def test_the_calculation_knows_the_counts(buffer):
    # C: PreCount, D: PostCount, E: frames kept
    buffer.put("CB1:TriggerCalc", "E=C-1 && D=3")
    start(buffer)
    before = last_id(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(10)
    assert recording.ids == list(range(before + 1, before + 7))


def test_several_triggers(buffer):
    buffer.set("CB1", PresetTriggerCount=2, PreCount=2, PostCount=1)
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(3)
        first = last_id(buffer)
        trigger(buffer)
        buffer.acquire(1)
        assert state(buffer) == ("Buffer filling", 2, 0, 1)
        assert buffer.get("CB1:Capture_RBV") == 1
        assert buffer.get("CB1:Trigger") == 0
        buffer.acquire(1)
        trigger(buffer)
        buffer.acquire(4)
    assert recording.ids == [first - 1, first, first + 1, first + 2, first + 3]
    assert state(buffer) == ("Acquisition Completed", 1, 1, 2)


def test_without_limit_of_triggers(buffer):
    buffer.set("CB1", PresetTriggerCount=0, PreCount=0, PostCount=1)
    start(buffer)
    assert state(buffer)[0] == "Dropping frames"
    with buffer.recorded("CB1") as recording:
        for _ in range(5):
            buffer.acquire(2)
            trigger(buffer)
            buffer.acquire(1)
    assert len(recording.ids) == 5
    assert buffer.get("CB1:Capture_RBV") == 1
    assert buffer.get("CB1:ActualTriggerCount_RBV") == 5


def test_a_soft_trigger_can_flush_at_once(buffer):
    buffer.put("CB1:FlushOnSoftTrg", "Immediately")
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(3)
        before = buffer.get("HDF1:ArrayCounter_RBV")
        trigger(buffer)
        buffer.wait_until("HDF1:ArrayCounter_RBV", before + 3)
        buffer.acquire(3)
    assert np.diff(recording.ids).tolist() == [1] * 5
    assert state(buffer)[0] == "Acquisition Completed"


def test_stopping(buffer):
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(3)
        buffer.command("CB1:Capture", 0)
        assert state(buffer) == ("Acquisition Stopped", 0, 0, 0)
        buffer.acquire(3)
    assert recording.ids == []


def test_not_capturing_only_counts(buffer):
    before = buffer.get("CB1:ArrayCounter_RBV")
    with buffer.recorded("CB1") as recording:
        buffer.acquire(3)
    assert buffer.get("CB1:ArrayCounter_RBV") == before + 3
    assert recording.ids == []


@pytest.mark.parametrize(
    ("count", "message"), [(500, "Pre-count too high"), (-1, "Invalid pre-count value")]
)
def test_a_pre_count_that_cannot_be_is_refused_in_words(buffer, count, message):
    buffer.put("CB1:PreCount", count)
    assert buffer.text("CB1:StatusMessage") == message
    assert (buffer.get("CB1:PreCount"), buffer.get("CB1:PreCount_RBV")) == (count, 4)
    assert buffer.alarm("CB1:PreCount") == (0, 0)
    buffer.put("CB1:PreCount", 499)
    assert buffer.get("CB1:PreCount_RBV") == 499


def test_the_pre_count_cannot_change_while_capturing(buffer):
    start(buffer)
    buffer.put("CB1:PreCount", 2)
    assert buffer.text("CB1:StatusMessage") == "Stop acquisition to set pre-count"
    assert buffer.get("CB1:PreCount_RBV") == 4
    buffer.command("CB1:Capture", 0)


@pytest.mark.parametrize("wrong", ["A>", "NOSUCH(A)", "1+(2"])
def test_an_invalid_calculation_never_triggers(buffer, wrong):
    buffer.put("CB1:TriggerCalc", wrong)
    assert buffer.alarm("CB1:TriggerCalc") == (3, 2)
    assert buffer.text("CB1:TriggerCalc_RBV") == wrong
    start(buffer)
    with buffer.recorded("CB1") as recording:
        buffer.acquire(8)
    assert state(buffer) == ("Buffer Wrapping", 4, 0, 0)
    assert recording.ids == []
    buffer.put("CB1:TriggerCalc", "1")
    assert buffer.alarm("CB1:TriggerCalc") == (0, 0)
    buffer.acquire(3)
    assert state(buffer) == ("Acquisition Completed", 4, 3, 1)


def test_no_calculation_is_zero(buffer):
    buffer.put("CB1:TriggerCalc", "1")
    buffer.put("CB1:TriggerCalc", "")
    assert buffer.text("CB1:TriggerCalc_RBV") == "0"
