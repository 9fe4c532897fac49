"""Tables of fields: what a wrong one says."""

import pytest

from adsupport.sim import field_table
from adsupport.sim.field_table import read_fields, substitute
from adsupport.sim.table import TableError

ROW = ["A", "DOUBLE", "rw", "", "3", "mm", "10", "-10", "1.5"]


def changed(column: str, text: str) -> list[str]:
    cells = list(ROW)
    cells[field_table._COLUMNS.index(column)] = text
    return cells


def test_a_row_is_typed():
    row = field_table._row(ROW, "here")
    assert (row.field, row.writable, row.high, row.low) == ("A", True, 10.0, -10.0)
    assert row.initial({}) == 1.5


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("dbr", "INT64", "a type out of .*found 'INT64'"),
        ("access", "w", "access r or rw, found 'w'"),
        ("high", "much", "numbers as limits, found 'much'"),
    ],
)
def test_a_wrong_cell_is_named(column, text, message):
    with pytest.raises(TableError, match=f"here: expected {message}"):
        field_table._row(changed(column, text), "here")


def test_a_row_of_another_length_is_refused():
    with pytest.raises(TableError, match="expected 9 columns, found 2"):
        field_table._row(ROW[:2], "here")


def test_a_value_of_another_type_is_refused():
    with pytest.raises(TableError, match="expected a DOUBLE value, found 'x'"):
        field_table._row(changed("value", "x"), "here").initial({})


def test_macros():
    assert substitute("$(P)m$(N)", {"P": "gp:", "N": "3"}) == "gp:m3"
    with pytest.raises(TableError, match=r"macro \$\(Q\)"):
        substitute("$(Q)", {})


def test_a_missing_table_is_named():
    with pytest.raises(TableError, match=r"no table nothing\.csv"):
        read_fields("nothing")


@pytest.mark.parametrize("name", ["motor", "swait"])
def test_the_tables_are_whole(name):
    rows = read_fields(name)
    macros = {"P": "x:", "R": "r", "N": "1", "ADDR": "0"}
    for row in rows.values():
        value = row.initial(macros)
        if row.enum:
            assert 0 <= value < 22
    assert {"NAME", "VAL", "STAT", "SEVR", "DISP", "RTYP"} <= set(rows)
