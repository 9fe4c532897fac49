"""The record tables of the simulated detector against the listing of a real IOC."""

import json
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim import table
from adsupport.sim.table import RecordRow, TableError, merge_tables

RECORDS = Path(__file__).parents[1] / "data" / "adsim-records.jsonl"

PORTS = {
    "cam1": (("NDArrayBase", "ADBase", "simDetector"), "SIM1"),
    "image1": (("NDArrayBase", "NDPluginBase", "NDStdArrays"), "Image1"),
    "HDF1": (("NDArrayBase", "NDPluginBase", "NDFile", "NDFileHDF5"), "FileHDF1"),
    "Pva1": (("NDArrayBase", "NDPluginBase", "NDPva"), "PVA1"),
}
COUNTS = {"cam1": 217, "image1": 137, "HDF1": 336, "Pva1": 137}

# output records that were seen to follow their parameter on the real IOC, and some seen not to
FOLLOWING = {"Acquire", "Capture", "WriteFile", "ReadFile", "FileNumber"}
NOT_FOLLOWING = {
    "ArrayCounter", "SizeX", "SizeY", "MinX", "MinY", "BinX", "FilePath", "FileName",
    "Compression", "NumRowChunks", "ImageMode", "AcquireTime",
}  # fmt: skip

# (record, state, severity) seen on the real IOC
SEEN_SEVERITIES = [
    ("cam1", "Acquire_RBV", 1, 1),
    ("cam1", "Acquire_RBV", 0, 0),
    ("cam1", "AcquireBusy", 1, 1),
    ("cam1", "DetectorState_RBV", 0, 0),
    ("cam1", "DetectorState_RBV", 1, 0),
    ("cam1", "DetectorState_RBV", 2, 0),
    ("cam1", "DetectorState_RBV", 7, 0),
    ("cam1", "DetectorState_RBV", 10, 1),
    ("cam1", "ArrayCallbacks", 1, 1),
    ("cam1", "ArrayCallbacks_RBV", 1, 1),
    ("image1", "ArrayCallbacks_RBV", 0, 0),
    ("cam1", "NDAttributesStatus", 1, 1),
    ("HDF1", "Capture_RBV", 1, 1),
    ("HDF1", "Capture", 1, 0),
    ("HDF1", "WriteFile_RBV", 1, 1),
    ("HDF1", "WriteStatus", 1, 2),
    ("HDF1", "WriteStatus", 0, 0),
    ("HDF1", "FilePathExists_RBV", 0, 2),
    ("HDF1", "FilePathExists_RBV", 1, 0),
]


def rows_of(port: str) -> dict[str, RecordRow]:
    names, asyn_port = PORTS[port]
    macros = {"P": "ad:", "R": f"{port}:", "PORT": asyn_port, "NDARRAY_PORT": "SIM1"}
    return {row.record: row for row in merge_tables(*names, macros=macros)}


def reference_of(port: str) -> dict[str, dict]:
    prefix = f"ad:{port}:"
    records = [json.loads(line) for line in RECORDS.read_text().splitlines()]
    return {r["pv"][len(prefix) :]: r for r in records if r["pv"].startswith(prefix)}


def expected_value(record: dict) -> object:
    if record.get("count", 1) > 1 and record.get("ftvl") != "CHAR":
        return list(record["value"])
    return record["value"]


def expected_cells(record: dict, prefix: str) -> dict[str, object]:
    return {
        "type": record["rtyp"],
        "dbr": record["dbr"],
        "count": record.get("count", 1),
        "ftvl": record.get("ftvl", ""),
        "param": record.get("param", ""),
        "scan": record.get("scan", "Passive"),
        "pini": record.get("pini", False),
        "flnk": record.get("flnk", "").removeprefix(prefix),
        "enum": tuple(record.get("enum", ())),
        "prec": record.get("prec", 0),
        "egu": record.get("egu", ""),
        "drvh": record.get("drvh", 0),
        "drvl": record.get("drvl", 0),
        "value": expected_value(record),
        "sevr": record.get("sevr", 0),
        "stat": record.get("stat", 0),
    }


def found_cells(row: RecordRow, expected: dict[str, object]) -> dict[str, object]:
    found = {cell: getattr(row, cell) for cell in expected}
    if isinstance(row.value, np.ndarray):
        found["value"] = row.value.tolist()
    return found


@pytest.mark.parametrize("port", PORTS)
def test_every_record_of_the_reference_and_no_other(port):
    rows, reference = rows_of(port), reference_of(port)
    assert len(reference) == COUNTS[port]
    assert set(rows) == set(reference)


@pytest.mark.parametrize("port", PORTS)
def test_every_cell_equals_the_reference(port):
    rows, differences = rows_of(port), {}
    for name, record in reference_of(port).items():
        expected = expected_cells(record, f"ad:{port}:")
        found = found_cells(rows[name], expected)
        if found != expected:
            differences[name] = {
                cell: (found[cell], expected[cell])
                for cell in expected
                if found[cell] != expected[cell]
            }
    assert differences == {}


@pytest.mark.parametrize("port", PORTS)
def test_every_setpoint_has_the_read_back_of_the_reference(port):
    rows = rows_of(port)
    for name, record in reference_of(port).items():
        if "rbv" in record:
            read_back = rows[record["rbv"].removeprefix(f"ad:{port}:")]
            assert read_back.param == rows[name].param
            assert read_back.value == pytest.approx(rows[name].value)


@pytest.mark.parametrize("port", PORTS)
def test_values_have_the_python_type_of_their_channel_access_type(port):
    kinds = {"STRING": str, "ENUM": int, "LONG": int, "DOUBLE": float}
    for row in rows_of(port).values():
        if row.is_long_string:
            assert isinstance(row.value, str)
        elif row.count > 1:
            assert isinstance(row.value, np.ndarray)
            assert not row.value.flags.writeable
        else:
            assert type(row.value) is kinds[row.dbr], row.record


@pytest.mark.parametrize("port", PORTS)
def test_forward_links_lead_to_records(port):
    rows = rows_of(port)
    assert {row.flnk.split(".")[0] for row in rows.values() if row.flnk} <= set(rows)


def test_output_records_that_follow_their_parameter():
    rows = rows_of("cam1") | rows_of("HDF1")
    assert all(rows[name].readback for name in FOLLOWING)
    assert not any(rows[name].readback for name in NOT_FOLLOWING)
    for row in rows.values():
        if row.type == "busy":
            assert row.readback == bool(row.param), row.record
        if row.readback:
            assert row.param and row.scan == "Passive"


@pytest.mark.parametrize(("port", "record", "state", "severity"), SEEN_SEVERITIES)
def test_severity_by_state(port, record, state, severity):
    assert rows_of(port)[record].states.get(state, 0) == severity


@pytest.mark.parametrize("port", PORTS)
def test_initial_alarm_agrees_with_the_severity_by_state(port):
    for row in rows_of(port).values():
        if row.stat == 7:  # STATE alarm
            assert row.sevr == row.states[row.value], row.record
        elif row.stat == 0:
            assert row.states.get(row.value if row.states else 0, 0) == row.sevr, row.record


def test_adbase_and_plugin_records_are_split_as_in_adcore():
    # records per template of ADCore R3-14, and of ADSimDetector R2-11
    sizes = {"NDArrayBase": 93, "ADBase": 153, "simDetector": 217}
    for depth, (name, size) in enumerate(sizes.items()):
        names = PORTS["cam1"][0][: depth + 1]
        assert names[-1] == name
        assert len(merge_tables(*names, macros={"PORT": "SIM1"})) == size
    plugin = merge_tables(
        "NDArrayBase", "NDPluginBase", macros={"PORT": "X", "NDARRAY_PORT": "SIM1"}
    )
    assert len(plugin) == 136


# reading tables


@pytest.fixture
def csv_table(tmp_path, monkeypatch):
    """Make tables out of text, in place of those of the package."""
    (tmp_path / "sim" / "records").mkdir(parents=True)
    monkeypatch.setattr(table, "resources", SimpleNamespace(files=lambda package: tmp_path))
    table._load.cache_clear()

    def write(name: str, *lines: str) -> None:
        (tmp_path / "sim" / "records" / f"{name}.csv").write_text("\n".join(lines) + "\n")

    yield write
    table._load.cache_clear()


def test_a_later_table_redefines_single_cells(csv_table):
    csv_table("general", "record,type,dbr,egu,value", "# temperatures", "T,ai,DOUBLE,C,25")
    csv_table("special", "record,type,dbr,egu,value", "T,,,K,", "N,longin,LONG,,$(N=3)")
    first, second = merge_tables("general", "special")
    assert (first.record, first.egu, first.value) == ("T", "K", 25.0)
    assert (second.record, second.value) == ("N", 3)
    assert merge_tables("general", "special", macros={"N": "7"})[1].value == 7
    assert merge_tables("general")[0].egu == "C"


def test_arrays_and_long_strings(csv_table):
    csv_table(
        "arrays",
        "record,type,dbr,count,ftvl,value",
        "Numbers,waveform,DOUBLE,4,DOUBLE,1 2.5",
        "Bytes,waveform,CHAR,3,UCHAR,0 255",
        "Text,waveform,CHAR,256,CHAR,/tmp/a b",
    )
    numbers, data, text = merge_tables("arrays")
    assert numbers.value.tolist() == [1.0, 2.5]
    assert numbers.value.dtype == np.float64
    assert data.value.dtype == np.uint8 and data.value.tolist() == [0, 255]
    assert text.value == "/tmp/a b" and text.is_long_string


HEADER = "record,type,dbr,count,ftvl,enum,value,sevr,readback,states"


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("A,ai,DUBLE,,,,,,,", "dbr", "DOUBLE"),
        ("A,ai,,,,,,,,", "dbr", "record A has no dbr"),
        ("A,,DOUBLE,,,,,,,", "type", "record A has no type"),
        ("A,ai,DOUBLE,x,,,,,,", "count", "an integer"),
        ("A,ai,DOUBLE,0,,,,,,", "count", "from 1"),
        ("A,ai,DOUBLE,,,,1.0.0,,,", "value", "a number"),
        ("A,longin,LONG,,,,1.5,,,", "value", "an integer"),
        ("A,longin,SHORT,,,,99999,,,", "value", "from -32768 to 65535"),
        ("A,bo,ENUM,,,No|Yes,2,,,", "value", "from 0 to 1"),
        ("A,bo,ENUM,,,No|Y" + "e" * 30 + "s,0,,,", "enum", "25 bytes"),
        ("A,ai,DOUBLE,,,,,4,,", "sevr", "from 0 to 3"),
        ("A,ai,DOUBLE,,,,,,yes,", "readback", "0 or 1"),
        ("A,bo,ENUM,,,No|Yes,0,,,1:SMALL", "states", "1:MINOR"),
        ("A,bo,ENUM,,,No|Yes,0,,,MINOR", "states", "1:MINOR"),
        ("A,waveform,LONG,2,LONG,,1 2 3,,,", "value", "at most 2 elements"),
        ("A,waveform,LONG,2,LONG,,1 b,,,", "value", "separated by blanks"),
        ("A,waveform,STRING,2,WORD,,,,,", "ftvl", "expected one of"),
        ("A,stringin,STRING,,,,$(PORT),,,", "value", r"macro \$\(PORT\) has no value"),
        (",ai,DOUBLE,,,,,,,", "record", "a record name"),
    ],
)
def test_an_error_names_file_line_and_column(csv_table, row, column, message):
    csv_table("bad", HEADER, "Good,ai,DOUBLE,,,,,,,", row)
    with pytest.raises(TableError, match=rf"bad\.csv line 3, column '{column}': .*{message}"):
        merge_tables("bad")


@pytest.mark.parametrize(("raws", "message"), [("0|x", "integers"), ("0|1|8", "as many numbers")])
def test_numbers_of_states_are_checked(csv_table, raws, message):
    csv_table("numbers", "record,type,dbr,enum,raws", f"A,mbbo,ENUM,No|Yes,{raws}")
    with pytest.raises(TableError, match=rf"numbers\.csv line 2, column 'raws': .*{message}"):
        merge_tables("numbers")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["record,type,dbr,valeu"], r"wrong\.csv line 1: .*valeu"),
        (["type,dbr"], r"wrong\.csv line 1: "),
        (["record,type,type"], r"wrong\.csv line 1: "),
        (["record,type,dbr", "A,ai"], r"wrong\.csv line 2: expected 3 columns, found 2"),
        (
            ["record,type,dbr", "A,ai,DOUBLE", "A,ai,LONG"],
            r"wrong\.csv line 3, column 'record': the table names this record twice, found 'A'",
        ),
    ],
)
def test_a_malformed_table_is_refused(csv_table, lines, message):
    csv_table("wrong", *lines)
    with pytest.raises(TableError, match=message):
        merge_tables("wrong")


def test_a_missing_table_is_named():
    with pytest.raises(TableError, match=r"no record table NDNothing\.csv"):
        merge_tables("NDNothing")


def test_an_error_in_a_table_is_a_value_error():
    assert issubclass(TableError, ValueError)


@given(value=st.integers(-(2**31), 2**31 - 1))
def test_any_long_value_survives(value):
    cell = table._Cell(str(value), "t", 2, "value")
    assert table._value(cell, "LONG", 1, "", 0) == value


@given(value=st.floats(allow_nan=False))
def test_any_double_value_survives(value):
    cell = table._Cell(repr(value), "t", 2, "value")
    assert table._value(cell, "DOUBLE", 1, "", 0) == value


def test_all_tables_are_packaged_with_the_simulator():
    folder = resources.files("adsupport") / "sim" / "records"
    found = {entry.name.removesuffix(".csv") for entry in folder.iterdir()}
    assert found >= {name for names, _ in PORTS.values() for name in names}
