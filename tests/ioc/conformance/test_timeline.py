"""The comparison of events with a recorded time line can find everything that may differ."""

from __future__ import annotations

import pytest

from .client import Event
from .table import row_of, table_of
from .timeline import complete, differences, parse, without_repetition

TEXT = """
      0.7  cam1:Acquire = Acquire
      0.8  cam1:AcquireBusy = Acquiring [1]
    201.0  cam1:ArrayCounter_RBV = 1
    201.3  cam1:AcquireBusy = Done
    201.4  -- acquire
"""
SEEN = [
    Event("cam1:Acquire", "Acquire", 0, 0.001),
    Event("cam1:AcquireBusy", "Acquiring", 1, 0.001),
    Event("cam1:ArrayCounter_RBV", 1, 0, 0.21),
    Event("cam1:AcquireBusy", "Done", 0, 0.211),
    Event("-- acquire", "", 0, 0.212),
]


def changed(index: int, **facts: object) -> list[Event]:
    event = SEEN[index]
    values = {
        "name": event.name,
        "value": event.value,
        "severity": event.severity,
        "time": event.time,
    }
    return [*SEEN[:index], Event(**(values | facts)), *SEEN[index + 1 :]]  # type: ignore[arg-type]


def test_equal_events_agree():
    assert differences(SEEN, parse(TEXT)) == []


def test_the_order_within_a_burst_is_free():
    swapped = [*SEEN[:2], SEEN[3], SEEN[2], SEEN[4]]
    assert differences(swapped, parse(TEXT)) == []


@pytest.mark.parametrize(
    "events",
    [
        changed(1, value="Done"),
        changed(1, severity=0),
        changed(2, value=2),
        changed(2, time=0.05),
        changed(2, time=5.0),
        changed(4, name="-- other"),
        SEEN[:-1],
        [*SEEN, Event("cam1:ArrayCounter_RBV", 2, 0, 0.3)],
    ],
    ids=["value", "severity", "number", "early", "late", "no callback", "missing", "one more"],
)
def test_a_difference_is_found(events):
    assert differences(events, parse(TEXT))


def test_events_of_the_wrong_burst_are_found_where_times_do_not_count():
    early_end = [changed(3, time=0.0005)[3], *changed(3, time=0.0005)]
    del early_end[4]
    assert differences(early_end, parse(TEXT), any_time=True)
    assert not differences(changed(2, time=0.1), parse(TEXT), any_time=True)


def test_a_value_that_was_there_already_is_no_event():
    repeated = [Event("cam1:ArrayCounter_RBV", 0, 0, 0.0), *SEEN]
    assert without_repetition(repeated, {"cam1:ArrayCounter_RBV": 0}) == SEEN
    assert without_repetition(SEEN, {"cam1:ArrayCounter_RBV": 0}) == SEEN


def test_completeness_counts_the_events_of_each_pv():
    assert complete(SEEN, parse(TEXT))
    assert not complete(SEEN[:3], parse(TEXT))


def test_a_line_that_is_none_is_named():
    with pytest.raises(ValueError, match="0.7 cam1:Acquire Acquire"):
        parse("0.7 cam1:Acquire Acquire")


def test_the_table_names_what_differs_and_the_percentage():
    rows = [
        row_of("A1", "says one", [("1", "1", True)]),
        row_of("A2", "says two", [("1", "1", True), ("3", "4", False)]),
        row_of("A3", "compares nothing", []),
    ]
    assert [row["agree"] for row in rows] == [True, False, False]
    assert (rows[1]["observed"], rows[1]["expected"]) == ("3", "4")
    text = table_of(rows)
    assert text.endswith("1 of 3 rules agree: 33 %")
    assert "DIFFERS" in text
