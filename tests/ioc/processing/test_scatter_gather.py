"""NDPluginScatter and NDPluginGather over Channel Access: who gets which frame, in what order."""

from __future__ import annotations

import pytest

NAMES = [f"NDArrayPort_{n}" for n in range(1, 9)]

PASS = {"BlockingCallbacks": "No", "MinCallbackTime": 0.0, "QueueSize": 20, "SortMode": "Unsorted"}


@pytest.fixture
def scatter(chain):
    chain.listen("Scatter1", "SIM1", **PASS)
    return chain


@pytest.fixture
def gather(chain):
    """A plugin that gathers nothing yet."""
    chain.set("Gather1", **PASS, **dict.fromkeys(NAMES, ""), EnableCallbacks="Enable")
    return chain


def taken(chain, *plugins: str) -> list[int]:
    return chain.counts(*(f"{plugin}:ArrayCounter_RBV" for plugin in plugins))


def test_round_robin(scatter):
    three = ("Proc1", "CC1", "Trans1")
    for plugin in three:
        scatter.listen(plugin, "SCATTER1", **PASS)
    before = taken(scatter, *three)
    first = int(scatter.get("cam1:ArrayCounter_RBV"))
    seen = []
    for _ in range(6):
        scatter.acquire(1)
        seen.append([int(scatter.get(f"{plugin}:UniqueId_RBV")) for plugin in three])
    after = taken(scatter, *three)
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 2, 2]
    # each frame goes to one of them, the next time to the next
    order = [ids.index(first + 1 + number) for number, ids in enumerate(seen)]
    assert sorted(order[:3]) == [0, 1, 2]
    assert order[3:] == order[:3]


def test_a_plugin_in_its_minimum_callback_time_is_passed_over(scatter):
    scatter.listen("Proc1", "SCATTER1", **PASS)
    scatter.listen("CC1", "SCATTER1", **PASS)
    scatter.put("Proc1:MinCallbackTime", 1000.0)
    scatter.put("CC1:DroppedArrays", 0)
    scatter.acquire(2)  # one of these it may take
    proc, other = taken(scatter, "Proc1", "CC1")
    scatter.acquire(6)
    assert taken(scatter, "Proc1", "CC1") == [proc, other + 6]
    assert scatter.get("CC1:DroppedArrays_RBV") == 0


def test_a_full_queue_is_passed_over_and_nothing_is_dropped(scatter):
    slow = {**PASS, "QueueSize": 1}
    scatter.listen("FFT1", "SCATTER1", **slow)
    scatter.listen("image1", "SCATTER1", **{**PASS, "QueueSize": 200})
    scatter.set("cam1", SizeX=1024, SizeY=1024)
    scatter.set("Scatter1", QueueSize=200)
    before = taken(scatter, "FFT1", "image1")
    drops = scatter.counts("FFT1:DroppedArrays_RBV", "image1:DroppedArrays_RBV")
    scatter.acquire(40)
    after = taken(scatter, "FFT1", "image1")
    assert sum(after) - sum(before) == 40
    assert after[1] - before[1] > 20  # the quick one takes over
    assert scatter.counts("FFT1:DroppedArrays_RBV", "image1:DroppedArrays_RBV") == drops


def test_the_last_one_drops_when_all_are_full(scatter):
    plugins = ("FFT1", "Proc1")
    scatter.set("Proc1", EnableFilter="Enable")
    for plugin in plugins:
        scatter.listen(plugin, "SCATTER1", **{**PASS, "QueueSize": 1})
    scatter.put("Scatter1:QueueSize", 200)
    scatter.set("cam1", SizeX=1024, SizeY=1024)
    before = taken(scatter, *plugins)
    lost = scatter.counts(*(f"{plugin}:DroppedArrays_RBV" for plugin in plugins))
    scatter.acquire(50)
    processed = sum(taken(scatter, *plugins)) - sum(before)
    dropped = sum(scatter.counts(*(f"{p}:DroppedArrays_RBV" for p in plugins))) - sum(lost)
    assert processed + dropped == 50
    assert dropped


def test_callbacks_off_hand_out_nothing(scatter):
    scatter.listen("Proc1", "SCATTER1", **PASS)
    scatter.put("Scatter1:ArrayCallbacks", "Disable")
    before = taken(scatter, "Scatter1", "Proc1")
    scatter.acquire(3)
    assert taken(scatter, "Scatter1", "Proc1") == [before[0] + 3, before[1]]


def test_gathering_several_ports(gather):
    gather.listen("Proc1", "SIM1", **PASS)
    gather.listen("CC1", "SIM1", **PASS)
    gather.set("Gather1", NDArrayPort_1="PROC1", NDArrayPort_2="CC1", NDArrayPort_8="SIM1")
    with gather.recorded("GATHER1") as recording:
        gather.acquire(4)
    last = int(gather.get("cam1:ArrayCounter_RBV"))
    assert sorted(recording.ids) == sorted([*range(last - 3, last + 1)] * 3)


def test_a_port_named_twice_is_heard_twice(gather):
    gather.set("Gather1", **dict.fromkeys(NAMES, "SIM1"))
    (before,) = taken(gather, "Gather1")
    gather.acquire(2)
    assert taken(gather, "Gather1") == [before + 16]


def test_the_first_port_has_two_names(gather):
    gather.put("Gather1:NDArrayPort", "SIM1")
    assert gather.text("Gather1:NDArrayPort_1_RBV") == "SIM1"
    gather.put("Gather1:NDArrayPort_2", "PROC1")
    assert gather.text("Gather1:NDArrayPort_RBV") == "SIM1"


def test_one_unknown_port_silences_all_until_it_is_gone(gather):
    gather.set("Gather1", NDArrayPort_1="SIM1", NDArrayPort_5="NOPE")
    assert gather.text("Gather1:NDArrayPort_5_RBV") == "NOPE"
    assert gather.alarm("Gather1:NDArrayPort_5") == (0, 0)
    (before,) = taken(gather, "Gather1")
    gather.acquire(2)
    assert taken(gather, "Gather1") == [before]
    gather.put("Gather1:NDArrayPort_5", "")
    gather.acquire(2)
    assert taken(gather, "Gather1") == [before + 2]


@pytest.mark.parametrize("port", ["GATHER1", "PROC1"])
def test_a_plugin_does_not_gather_what_comes_from_itself(gather, port):
    gather.set("Gather1", NDArrayPort_1="SIM1")
    gather.listen("Proc1", "GATHER1", **PASS)
    gather.put("Gather1:NDArrayPort_3", port)
    gather.acquire(3)
    gather.put("Gather1:NDArrayPort_3", "")
    before = taken(gather, "Gather1", "Proc1")
    gather.acquire(3)
    assert taken(gather, "Gather1", "Proc1") == [count + 3 for count in before]


def test_scattered_arrays_are_gathered_in_order(gather):
    number = 24
    gather.listen("Scatter1", "SIM1", **PASS)
    gather.put("Scatter1:QueueSize", 100)
    ways = {"PROC1": "Proc1", "CC1": "CC1", "TRANS1": "Trans1"}
    for plugin in ways.values():
        gather.listen(plugin, "SCATTER1", **{**PASS, "QueueSize": 100})
    gather.set("Gather1", QueueSize=100, SortMode="Sorted", SortSize=100, SortTime=0.3)
    gather.set("Gather1", DisorderedArrays=0, DroppedOutputArrays=0)
    gather.set("Gather1", **dict(zip(NAMES, ways, strict=False)))
    with gather.recorded("GATHER1") as recording:
        before = int(gather.get("HDF1:ArrayCounter_RBV"))
        gather.acquire(number)
        gather.wait_until("HDF1:ArrayCounter_RBV", before + number)
    last = int(gather.get("cam1:ArrayCounter_RBV"))
    assert recording.ids == list(range(last - number + 1, last + 1))
    # what was gathered before has another number
    assert gather.get("Gather1:DisorderedArrays_RBV") <= 1
    assert gather.get("Gather1:DroppedOutputArrays_RBV") == 0
    assert gather.get("Gather1:SortFree") == 100
