"""What all plugins do with queues, threads and outputs, over Channel Access."""

from __future__ import annotations

import pytest

BASE = {
    "BlockingCallbacks": "No",
    "MinCallbackTime": 0.0,
    "QueueSize": 20,
    "NumThreads": 1,
    "MaxByteRate": 0.0,
    "SortMode": "Unsorted",
    "SortSize": 20,
    "SortTime": 0.1,
    "DroppedOutputArrays": 0,
    "DisorderedArrays": 0,
}


@pytest.fixture
def plugin(chain):
    chain.listen("Trans1", "SIM1", **BASE)
    return chain


def test_threads_above_the_maximum_are_refused(plugin):
    most = plugin.get("Trans1:MaxThreads_RBV")
    assert most == 8
    plugin.put("Trans1:NumThreads", most + 1)
    assert plugin.alarm("Trans1:NumThreads") == (3, 2)
    assert plugin.get("Trans1:NumThreads_RBV") == most
    plugin.put("Trans1:NumThreads", 0)
    assert plugin.alarm("Trans1:NumThreads") == (3, 2)
    assert plugin.get("Trans1:NumThreads_RBV") == 1


@pytest.mark.parametrize("number", [1, 3, 8])
def test_each_array_is_processed_once_by_any_number_of_threads(plugin, number):
    plugin.put("Trans1:NumThreads", number)
    assert plugin.alarm("Trans1:NumThreads") == (0, 0)
    plugin.put("Trans1:QueueSize", 100)
    with plugin.recorded("TRANS1") as recording:
        plugin.acquire(30)
    last = int(plugin.get("cam1:ArrayCounter_RBV"))
    assert sorted(recording.ids) == list(range(last - 29, last + 1))


def test_a_queue_has_room_for_one_at_least(plugin):
    plugin.put("Trans1:QueueSize", 0)
    assert plugin.alarm("Trans1:QueueSize") == (3, 2)
    assert plugin.get("Trans1:QueueSize_RBV") == 1
    plugin.put("Trans1:QueueSize", 7)
    assert (plugin.get("Trans1:QueueSize_RBV"), plugin.get("Trans1:QueueFree")) == (7, 7)


def test_a_byte_rate_lets_one_second_s_worth_through(plugin):
    size = 48
    plugin.put("Trans1:MaxByteRate", 3.0 * size)
    before = plugin.get("Trans1:ArrayCounter_RBV")
    with plugin.recorded("TRANS1") as recording:
        plugin.acquire(12)
    # all are processed; at least three go out, and as many more as the seconds that it took
    assert plugin.get("Trans1:ArrayCounter_RBV") == before + 12
    dropped = plugin.get("Trans1:DroppedOutputArrays_RBV")
    assert len(recording.ids) + dropped == 12
    assert 3 <= len(recording.ids) < 12
    plugin.put("Trans1:MaxByteRate", 0.0)
    plugin.acquire(5)
    assert plugin.get("Trans1:DroppedOutputArrays_RBV") == dropped


def test_an_array_that_is_too_large_for_the_byte_rate_never_goes_out(plugin):
    plugin.put("Trans1:MaxByteRate", 47.0)
    with plugin.recorded("TRANS1") as recording:
        plugin.acquire(3)
    assert recording.ids == []
    assert plugin.get("Trans1:DroppedOutputArrays_RBV") == 3


def test_a_rate_sets_the_minimum_callback_time(plugin):
    plugin.put("Trans1:MaxArrayRate", 20.0)
    assert plugin.get("Trans1:MinCallbackTime_RBV") == 0.05
    plugin.put("Trans1:MinCallbackTime", 0.5)
    assert plugin.get("Trans1:MaxArrayRate_RBV") == 2.0
    plugin.put("Trans1:MaxArrayRate", 0.0)
    assert plugin.get("Trans1:MinCallbackTime_RBV") == 0.0


def test_gaps_in_the_numbers_are_counted_as_disorder(plugin):
    plugin.acquire(1)
    plugin.put("Trans1:DisorderedArrays", 0)
    plugin.command("Trans1:EnableCallbacks", 0)
    plugin.acquire(2)
    plugin.command("Trans1:EnableCallbacks", 1)
    plugin.acquire(2)
    assert plugin.get("Trans1:DisorderedArrays_RBV") == 1
    # the same number again is no disorder
    plugin.command("Trans1:ProcessPlugin")
    plugin.wait_until("cam1:NumQueuedArrays", 0)
    assert plugin.get("Trans1:DisorderedArrays_RBV") == 1


def test_sorted_outputs_wait_for_the_sorting_time(plugin):
    plugin.acquire(1)
    plugin.set("Trans1", SortTime=0.3, SortMode="Sorted")
    with plugin.recorded("TRANS1") as recording:
        before = int(plugin.get("HDF1:ArrayCounter_RBV"))
        plugin.acquire(5)
        plugin.wait_until("HDF1:ArrayCounter_RBV", before + 5)
    assert len(recording.ids) == 5
    assert plugin.get("Trans1:DisorderedArrays_RBV") == 0
    plugin.wait_until("Trans1:SortFree", 20)


def test_more_than_the_sorting_size_are_dropped(plugin):
    plugin.acquire(1)
    # a gap, so that nothing follows what went out last
    plugin.command("Trans1:EnableCallbacks", 0)
    plugin.acquire(2)
    plugin.command("Trans1:EnableCallbacks", 1)
    plugin.set("Trans1", SortSize=4, SortTime=1.0, DroppedOutputArrays=0, DisorderedArrays=0)
    plugin.put("Trans1:SortMode", "Sorted")
    with plugin.recorded("TRANS1") as recording:
        before = int(plugin.get("HDF1:ArrayCounter_RBV"))
        first = int(plugin.get("cam1:ArrayCounter_RBV")) + 1
        plugin.acquire(10)
        assert plugin.get("Trans1:DroppedOutputArrays_RBV") == 6
        plugin.wait_until("HDF1:ArrayCounter_RBV", before + 4)
    assert recording.ids == [first, first + 1, first + 2, first + 3]
    assert plugin.get("Trans1:DisorderedArrays_RBV") == 1


@pytest.mark.parametrize("wait", ["Yes", "No"])
def test_a_chain_is_waited_for_to_its_end(chain, wait):
    quick = {**BASE, "QueueSize": 100}
    chain.listen("Proc1", "SIM1", **quick)
    chain.listen("Trans1", "PROC1", **quick)
    chain.listen("FFT1", "TRANS1", **quick)
    chain.set("cam1", SizeX=1024, SizeY=1024, WaitForPlugins=wait)
    before = chain.get("FFT1:ArrayCounter_RBV")
    with chain.watch(chain.prefix, "cam1:AcquireBusy", "cam1:NumQueuedArrays") as seen:
        chain.acquire(10)
        at_return = chain.get("FFT1:ArrayCounter_RBV")
        chain.wait_until("FFT1:ArrayCounter_RBV", before + 10)
        chain.wait_until("cam1:NumQueuedArrays", 0)
        seen.wait_for("cam1:AcquireBusy", 0)
        seen.wait_for("cam1:NumQueuedArrays", 0)
    last_done = max(e.time for e in seen.events if (e.field, e.value) == (QUEUED, 0))
    if wait == "Yes":
        assert at_return == before + 10
        assert last_done <= seen.time_of("cam1:AcquireBusy", 0)
    else:
        assert seen.time_of("cam1:AcquireBusy", 0) < last_done


QUEUED = "cam1:NumQueuedArrays"


@pytest.mark.parametrize("plugin_name", ["Proc1", "FFT1", "CB1", "Scatter1"])
def test_a_loop_leaves_the_plugin_without_arrays_and_alive(chain, plugin_name):
    chain.listen("Trans1", "SIM1", **BASE)
    port = chain.text(f"{plugin_name}:PortName_RBV")
    chain.listen(plugin_name, "TRANS1", **BASE)
    chain.put("Trans1:NDArrayPort", port)
    assert chain.text("Trans1:NDArrayPort_RBV") == port
    before = chain.counts("Trans1:ArrayCounter_RBV", f"{plugin_name}:ArrayCounter_RBV")
    chain.acquire(2)
    assert chain.counts("Trans1:ArrayCounter_RBV", f"{plugin_name}:ArrayCounter_RBV") == before
    chain.put("Trans1:NDArrayPort", "SIM1")
    chain.acquire(2)
    assert chain.get("Trans1:ArrayCounter_RBV") == before[0] + 2
    assert chain.get(f"{plugin_name}:ArrayCounter_RBV") == before[1] + 2
