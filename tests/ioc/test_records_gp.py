"""Every field of a motor and a user calculation, and the records beside them, against a real IOC.

Read with pyepics (libca) from an IOC that nobody has used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from epics import ca

from adsupport.launch import IOCProcess, boot_file

from .two_clients import TYPES, decoded, readings

pytestmark = pytest.mark.conformance

DATA = Path(__file__).parents[1] / "data" / "gp-records.jsonl"

# Records of the real IOC that compute what the simulated one does not.
NOT_SIMULATED = ("acalcout", "fanout", "scalcout", "seq", "sscan", "sseq", "sub", "transform")
NOT_SIMULATED_CALCOUTS = ("ScanDim", "calcScanActive", "userCalcOut", "_doneCalc")


def reference(prefix: str) -> dict[str, dict]:
    """Return what the real IOC served of what is simulated, under another prefix."""
    records = {}
    for line in DATA.read_text().splitlines():
        record = json.loads(line.replace("gp:", prefix))
        name = record["pv"]
        if record["rtyp"] in NOT_SIMULATED or "dbr" not in record:
            continue
        if record["rtyp"] == "calcout" and any(part in name for part in NOT_SIMULATED_CALCOUTS):
            continue
        records[name] = record
    return records


@pytest.fixture(scope="module")
def pristine(fresh_port) -> Iterator[IOCProcess]:
    """An IOC of this module's own, which no test may write to."""
    with IOCProcess("gp", "pristine:", fresh_port) as ioc:
        yield ioc


def _read(names: list[str]) -> dict[str, dict]:
    found = {}
    for name, chid, reading in readings(names):
        value = reading["value"]
        if ca.element_count(chid) > 1:
            value = np.asarray(value).tolist()
        found[name] = {
            "dbr": TYPES[ca.field_type(chid)],
            "count": ca.element_count(chid),
            "write_access": bool(ca.write_access(chid)),
            "value": decoded(value),
            "severity": int(reading["severity"]),
            "status": int(reading["status"]),
            "enum_strs": [decoded(item) for item in reading.get("enum_strs", ())],
            "units": decoded(reading.get("units", "")),
            "precision": int(reading.get("precision", 0)),
            "upper_ctrl_limit": _limit(reading, "upper_ctrl_limit"),
            "lower_ctrl_limit": _limit(reading, "lower_ctrl_limit"),
        }
    return found


def _limit(reading: dict, name: str) -> float:
    value = reading.get(name, 0)
    return value[0] if isinstance(value, bytes) else value


def _same(found: object, expected: object) -> bool:
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-6)
    if expected == -1:  # the real one's CHAR limit of 255, read as a signed number
        return found in (-1, 255)
    return found == expected


def _differences(found: dict[str, dict], expected: dict[str, dict]) -> dict[str, str]:
    wrong = {}
    for name, record in expected.items():
        for key, was in found[name].items():
            want = record.get(key, {"enum_strs": [], "units": ""}.get(key, 0))
            if not _same(was, want):
                wrong[f"{name} {key}"] = f"found {was!r}, expected {want!r}"
    return wrong


@pytest.mark.parametrize(("record", "number"), [("m1", 162), ("userCalc1", 122)])
def test_every_field_equals_the_real_one(pristine, record, number):
    fields = {
        name: facts
        for name, facts in reference(pristine.prefix).items()
        if name.startswith(f"{pristine.prefix}{record}.")
    }
    assert len(fields) == number
    assert _differences(_read(list(fields)), fields) == {}


def test_every_record_equals_the_real_one(pristine):
    records = {name: facts for name, facts in reference(pristine.prefix).items() if "." not in name}
    assert len(records) > 300
    assert _differences(_read(list(records)), records) == {}


@pytest.mark.parametrize(("record", "other"), [("m1", "m16"), ("userCalc1", "userCalc10")])
def test_the_others_have_their_own_names(pristine, record, other):
    names = [f"{pristine.prefix}{other}.{field}" for field in ("NAME", "DESC", "RTYP", "SDIS")]
    found = {name: facts["value"] for name, facts in _read(names).items()}
    for name, value in found.items():
        first = reference(pristine.prefix)[name.replace(other, record)]["value"]
        number, last = record.strip("muserCalc"), other.strip("muserCalc")
        expected = first.replace(record, other)
        if name.endswith(".DESC"):
            expected = first.replace(number, last)
        assert value == expected


def test_list_pvs_names_every_record_and_no_other():
    command = [sys.executable, str(boot_file("gp")), "--prefix", "gp:", "--list-pvs"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    listing = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    names = listing.stdout.splitlines()
    assert len(names) == len(set(names))
    assert set(names) == {name.partition(".")[0] for name in reference("gp:")}


def test_a_field_that_the_record_type_has_not_stays_unanswered(pristine):
    chids = [
        ca.create_channel(pristine.prefix + name, auto_cb=True)
        for name in ("m1.NOPE", "m1.MLOK", "userCalc1.RPCL", "m17", "userCalc11")
    ]
    assert not any(ca.connect_channel(chid, timeout=0.3) for chid in chids)
    for chid in chids:
        ca.clear_channel(chid)
