"""The table at the end: each rule, what was observed, what was expected, and the verdict."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

PROPERTY = "conformance"
WIDTH = 110
LONGEST = 90


def row_of(rule_id: str, says: str, found: list[tuple[str, str, bool]]) -> dict[str, Any]:
    """Return a rule's row: what differs, or in short what was compared.

    Parameters
    ----------
    rule_id, says : str
        The rule.
    found : list of tuple
        (observed, expected, agree) of each comparison.
    """
    agree = bool(found) and all(same for *_, same in found)
    shown = found if agree else [entry for entry in found if not entry[2]]
    return {
        "rule": rule_id,
        "says": says,
        "observed": _short(observed for observed, *_ in shown),
        "expected": _short(expected for _, expected, _ in shown),
        "agree": agree,
    }


def _short(texts: Iterable[str]) -> str:
    joined = "; ".join(texts)
    return joined if len(joined) <= LONGEST else joined[: LONGEST - 3] + "..."


def table_of(
    rows: list[dict[str, Any]], width: int = WIDTH, *, only_differing: bool = False
) -> str:
    """Return the table as text.

    Parameters
    ----------
    rows : list of dict
        As :func:`row_of` makes them.
    only_differing : bool
        Leave out the rules that agree: a long table would hide what other tests failed of.
    width : int
        Columns of the terminal.
    """
    agreeing = sum(row["agree"] for row in rows)
    table = Table(title="Conformance with the recorded IOC", title_justify="left")
    for heading in ("rule", "observed", "expected", "verdict"):
        table.add_column(heading, overflow="fold")
    shown = [row for row in rows if not (only_differing and row["agree"])]
    for row in shown:
        verdict = "ok" if row["agree"] else "DIFFERS"
        table.add_row(f"{row['rule']}: {row['says']}", row["observed"], row["expected"], verdict)
    text = io.StringIO()
    if shown:
        Console(file=text, width=max(width, WIDTH), markup=False).print(table)
    percent = 100 * agreeing / len(rows)
    return f"{text.getvalue()}{agreeing} of {len(rows)} rules agree: {percent:.0f} %"
