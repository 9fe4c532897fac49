"""The parameter library: what is posted, in which order, and what a refused write leaves."""

from __future__ import annotations

import numpy as np
import pytest

from adsupport.sim.port import Port, PortError, on_write


class Lamp(Port):
    """A driver with a rule or two."""

    @on_write("LEVEL")
    def _set_level(self, value: int) -> None:
        if value > 100:
            raise PortError("the lamp goes to 100")
        if value < 0:
            raise PortError("the lamp does not take light", value=0)
        self.set("ON", value > 0)
        self.set("TEXT", f"level {value}")


@pytest.fixture
def lamp():
    lamp = Lamp("LAMP")
    for param, kind, value in [
        ("ON", int, 0),
        ("LEVEL", int, 0),
        ("TEXT", str, ""),
        ("HEAT", float, 0.0),
        ("IMAGE", np.ndarray, np.zeros(3)),
    ]:
        lamp.define(param, kind, value)
    lamp.posted = []
    lamp.sink = lambda port, changes: lamp.posted.append(
        [(change.param, change.value, change.severity) for change in changes]
    )
    return lamp


def test_a_write_posts_all_that_it_changed_in_order(lamp):
    lamp.write("LEVEL", 7)
    assert lamp.posted == [[("LEVEL", 7, 0), ("ON", 1, 0), ("TEXT", "level 7", 0)]]
    lamp.write("LEVEL", 8)
    assert lamp.posted[1:] == [[("LEVEL", 8, 0), ("TEXT", "level 8", 0)]]


def test_what_does_not_change_is_not_posted(lamp):
    lamp.write("LEVEL", 0)
    assert lamp.posted == [[("TEXT", "level 0", 0)]]
    lamp.set("HEAT", 0)
    lamp.call_callbacks()
    assert len(lamp.posted) == 1


def test_changes_wait_for_the_callbacks_and_are_posted_once(lamp):
    lamp.set("HEAT", 1)
    lamp.set("ON", 1)
    lamp.set("HEAT", 2)
    assert lamp.posted == []
    lamp.call_callbacks()
    lamp.call_callbacks()
    assert lamp.posted == [[("HEAT", 2.0, 0), ("ON", 1, 0)]]


def test_an_alarm_alone_is_a_change(lamp):
    lamp.set("HEAT", 0.0, severity=2, status=3)
    lamp.call_callbacks()
    assert lamp.posted == [[("HEAT", 0.0, 2)]]


def test_a_new_array_is_posted_even_when_it_is_equal(lamp):
    lamp.set("IMAGE", np.zeros(3))
    lamp.call_callbacks()
    assert len(lamp.posted) == 1


def test_a_refused_write_restores_the_value(lamp):
    lamp.write("LEVEL", 7)
    lamp.posted.clear()
    with pytest.raises(PortError, match="goes to 100"):
        lamp.write("LEVEL", 101)
    assert (lamp.get("LEVEL"), lamp.get("TEXT")) == (7, "level 7")
    assert lamp.posted == [[("LEVEL", 7, 0)]]


def test_a_refused_write_may_leave_the_nearest_value(lamp):
    lamp.write("LEVEL", 7)
    lamp.posted.clear()
    with pytest.raises(PortError, match="does not take light"):
        lamp.write("LEVEL", -1)
    assert lamp.get("LEVEL") == 0
    assert lamp.posted == [[("LEVEL", 0, 0)]]


def test_a_parameter_that_no_table_defines(lamp):
    with pytest.raises(KeyError, match="port LAMP has no parameter COLOUR"):
        lamp.set("COLOUR", 1)


def test_only_a_port_that_can_block_has_a_thread(lamp):
    with pytest.raises(RuntimeError, match="LAMP"):
        lamp.submit(print)
    port = Port("FILE", can_block=True)
    assert port.submit(lambda: 5).result(timeout=20) == 5
    port.stop()
    port.stop()
