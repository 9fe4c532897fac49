"""To whom the arrays go that are scattered, when queues are full."""

from __future__ import annotations

import pytest

from adsupport.sim.plugins.scatter import Scatter


@pytest.fixture
def scatter(chain):
    plugin = chain.add(Scatter, "SCATTER1")
    # in the thread that emits, so that a test knows when it is done
    plugin.write("BLOCKING_CALLBACKS", 1)
    return plugin


def test_one_after_the_other(chain, scatter):
    sinks = [chain.sink(f"P{n}", "SCATTER1") for n in range(3)]
    chain.emit(*range(7))
    chain.settle()
    assert sinks == [[0, 3, 6], [1, 4], [2, 5]]


def test_full_queues_are_passed_over(chain, scatter):
    held = chain.held("P0", "SCATTER1", QUEUE_SIZE=2)
    others = [chain.sink(f"P{n}", "SCATTER1", QUEUE_SIZE=100) for n in (1, 2)]
    chain.emit(0)
    assert held.has_begun()
    chain.emit(*range(1, 20))
    chain.settle()
    # it works on 0, and 3 and 6 wait; from then on the others share
    assert held.taken == [0, 3, 6]
    assert sorted(others[0] + others[1] + held.taken) == list(range(20))
    assert held.plugin.get("DROPPED_ARRAYS") == 0


def test_when_all_are_full_the_last_one_asked_drops(chain, scatter):
    held = [chain.held(f"P{n}", "SCATTER1", QUEUE_SIZE=1) for n in range(3)]
    chain.emit(0, 1, 2)
    assert all(each.has_begun() for each in held)
    chain.emit(3, 4, 5)
    chain.emit(*range(6, 16))
    dropped = [each.plugin.get("DROPPED_ARRAYS") for each in held]
    assert sum(dropped) == 10
    chain.settle()
    assert [each.taken for each in held] == [[0, 3], [1, 4], [2, 5]]


def test_nobody_listens(chain, scatter):
    chain.emit(0, 1)
    chain.settle()
    assert scatter.get("ARRAY_COUNTER") == 2


def test_one_goes(chain, scatter):
    sinks = [chain.sink(f"P{n}", "SCATTER1") for n in range(3)]
    chain.emit(0, 1, 2)
    chain.ioc.ports["P2"].write("ENABLE_CALLBACKS", 0)
    chain.emit(3, 4, 5, 6)
    chain.settle()
    assert sinks == [[0, 3, 5], [1, 4, 6], [2]]


def test_an_array_in_no_hands_is_given_back(chain, scatter):
    chain.held("P0", "SCATTER1", QUEUE_SIZE=1)
    chain.emit(*range(5))
    chain.settle()
    assert chain.source.queued == 0
