"""In what order, and how many of, a plugin's outputs leave it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.gather import Gather
from adsupport.sim.plugins.sorting import OutputOrder
from adsupport.sim.plugins.throttle import Throttle
from adsupport.sim.plugins.workers import Workers


@given(st.lists(st.integers(0, 6)))
def test_what_is_out_of_order(ids):
    order = OutputOrder()
    found = [order.note(number) for number in ids]
    wanted = [False] * min(len(ids), 1) + [
        new not in (old, old + 1) for old, new in zip(ids, ids[1:], strict=False)
    ]
    assert found == wanted


@given(
    st.floats(1, 1000),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 400)), max_size=30),
)
def test_a_byte_rate_is_never_exceeded_for_longer_than_a_second(rate, arrays):
    throttle = Throttle()
    throttle.reset(rate, 0.0)
    now, passed = 0.0, 0
    for pause, size in arrays:
        now += pause
        if throttle.takes(size, now):
            passed += size
    assert passed <= rate * (now + 1) * (1 + 1e-9)


@pytest.mark.parametrize("rate", [0.0, -5.0])
def test_no_rate_is_no_limit(rate):
    throttle = Throttle()
    throttle.reset(rate, 0.0)
    assert all(throttle.takes(10**9, 0.0) for _ in range(3))


def test_a_byte_rate_is_used_to_the_full():
    throttle = Throttle()
    throttle.reset(100.0, 0.0)
    assert [throttle.takes(50, now) for now in (0, 0, 0, 0.4, 0.5, 0.6)] == [
        True, True, False, False, True, False,
    ]  # fmt: skip


def test_sorted_arrays_leave_in_order(chain, wait_until):
    plugin = chain.add(Plugin, "P1", SORT_TIME=0.05, SORT_MODE=1, BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    chain.emit(3, 1, 2, 0, 5, 4)
    wait_until(lambda: len(taken) == 6)
    assert taken == [0, 1, 2, 3, 4, 5]
    assert plugin.get("DISORDERED_ARRAYS") == 0
    wait_until(lambda: plugin.get("SORT_FREE") == plugin.get("SORT_SIZE"))


def test_unsorted_arrays_leave_at_once_and_are_counted(chain):
    plugin = chain.add(Plugin, "P1", BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    chain.emit(3, 1, 2, 0, 5, 4)
    chain.settle()
    assert taken == [3, 1, 2, 0, 5, 4]
    assert plugin.get("DISORDERED_ARRAYS") == 4


def test_what_is_missing_is_not_waited_for_longer_than_the_sorting_time(chain, wait_until):
    plugin = chain.add(Plugin, "P1", SORT_TIME=0.05, BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    chain.emit(0)
    plugin.write("SORT_MODE", 1)
    chain.emit(4, 2)
    wait_until(lambda: len(taken) == 3)
    assert taken == [0, 2, 4]
    assert plugin.get("DISORDERED_ARRAYS") == 2


def test_what_follows_the_last_one_goes_at_the_next_look(chain, wait_until):
    plugin = chain.add(Plugin, "P1", SORT_TIME=0.01, BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    chain.emit(0)
    plugin.write("SORT_MODE", 1)
    chain.emit(1, 2, 3)
    wait_until(lambda: len(taken) == 4)
    assert taken == [0, 1, 2, 3]


@pytest.mark.parametrize("useless", [math.nan, math.inf, -1.0, 1e300])
def test_a_sorting_time_that_nobody_can_wait_for(chain, wait_until, useless):
    plugin = chain.add(Plugin, "P1", SORT_TIME=useless, SORT_MODE=1, BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    chain.emit(0)
    plugin.write("SORT_TIME", 0.01)
    chain.emit(1)
    wait_until(lambda: taken == [0, 1])


@pytest.mark.parametrize("useless", [math.nan, math.inf])
def test_a_byte_rate_that_is_none(useless):
    throttle = Throttle()
    throttle.reset(useless, 0.0)
    assert all(throttle.takes(10**9, now) for now in (0.0, 0.0, 1.0))


def test_too_many_to_sort_are_dropped(chain):
    plugin = chain.add(Plugin, "P1", SORT_TIME=30.0, SORT_SIZE=2, BLOCKING_CALLBACKS=1)
    taken = chain.sink("P2", "P1")
    plugin.write("SORT_MODE", 1)
    chain.emit(0, 1, 2, 3)
    assert plugin.get("DROPPED_OUTPUT_ARRAYS") == 2
    assert plugin.get("SORT_FREE") == 0
    # what waits leaves when the IOC ends
    chain.settle()
    assert taken == [0, 1]


def test_gathered_arrays_are_counted_on_the_drivers_they_came_from(chain):
    gather = chain.add(Gather, "G1")
    other = type(chain.source)("SIM2")
    chain.ioc.ports["SIM2"] = other
    chain.ioc.load(["NDArrayBase", "ADBase"], "cam2:", other)
    for address in range(8):
        gather.write("NDARRAY_PORT" if not address else f"NDARRAY_PORT@{address}", "")
    gather.write("NDARRAY_PORT", "SIM1")
    gather.write("NDARRAY_PORT@4", "SIM2")
    assert gather.sources == (chain.source, other)
    held = chain.held("P1", "G1")
    chain.emit(1)
    assert held.has_begun()
    assert chain.source.queued == 1
    chain.settle()
    assert (chain.source.queued, other.queued) == (0, 0)


def test_threads_take_jobs_in_order_and_end_with_the_last():
    done = []
    workers = Workers("W")
    for number in range(20):
        workers.put(lambda number=number: done.append(number))
    assert workers.waiting == 20
    workers.resize(1)
    workers.stop()
    assert done == list(range(20))
    workers.stop()


def test_a_job_that_fails_does_not_end_its_thread(caplog):
    done = []
    workers = Workers("W")
    workers.put(lambda: 1 / 0)
    workers.put(lambda: done.append(1))
    workers.resize(1)
    workers.stop()
    assert done == [1]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("numbers", [(1, 4), (4, 1), (3, 0, 2)])
def test_the_number_of_threads_may_change(numbers):
    done = []
    workers = Workers("W")
    for number in numbers:
        workers.resize(number)
        for job in range(10):
            workers.put(lambda job=job: done.append(job))
    workers.stop()
    assert sorted(done) == sorted([*range(10)] * len(numbers))
