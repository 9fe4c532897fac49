"""An IOC behaves as the recorded one did, rule by rule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .rule import Rule
from .steps import Run
from .table import PROPERTY, row_of


@pytest.mark.conformance
@pytest.mark.timeout(60)
def test_rule(run: Run, rule: Rule, record_property: Callable[[str, object], None]) -> None:
    try:
        run.carry_out()
    except (AssertionError, OSError) as error:
        run.found.append((str(error).splitlines()[0], "an answer", False))
    row = row_of(rule.id, rule.says, run.found)
    record_property(PROPERTY, row)
    assert row["agree"], f"{rule.says}: observed {row['observed']}, expected {row['expected']}"
