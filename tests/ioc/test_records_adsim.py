"""Every record of the simulated detector over Channel Access, against a real IOC's listing.

Two clients read them, libca (by pyepics) and caproto's, from an IOC that nobody has used.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from caproto.threading.client import Context
from epics import ca

from adsupport.launch import IOCProcess, boot_file

from .two_clients import READERS, TIMEOUT, Facts, read_with_pyepics

pytestmark = pytest.mark.conformance

DATA = Path(__file__).parents[1] / "data"


# ports that equal another but for their names: records and asyn ports of one, of the others
FURTHER = {
    ("cam1:", "SIM1"): [("cam2:", "SIM2")],
    ("image1:", "Image1"): [("image2:", "Image2")],
    ("ROI1:", "ROI1"): [(f"ROI{n}:", f"ROI{n}") for n in (2, 3, 4)],
    ("Stats1:", "STATS1"): [(f"Stats{n}:", f"STATS{n}") for n in (2, 3, 4, 5)],
    ("CC1:", "CC1"): [("CC2:", "CC2")],
    ("Codec1:", "CODEC1"): [("Codec2:", "CODEC2")],
}


@cache
def reference(prefix: str) -> dict[str, dict]:
    """Return the real IOC's records, under another prefix."""
    lines = (DATA / "adsim-records.jsonl").read_text().splitlines()
    for (r, port), others in FURTHER.items():
        own = [line for line in lines if line.startswith(f'{{"pv":"ad:{r}')]
        for other_r, other_port in others:
            ports = re.compile(rf'"{port}(_TS)?"')
            renamed = (line.replace(f'"ad:{r}', f'"ad:{other_r}') for line in own)
            lines += [ports.sub(rf'"{other_port}\1"', line) for line in renamed]
    records = [json.loads(line.replace('"ad:', f'"{prefix}')) for line in lines]
    return {record["pv"]: record for record in records}


def expected_of(record: dict) -> Facts:
    return Facts(
        record["dbr"],
        record.get("count", 1),
        record["value"],
        record.get("sevr", 0),
        record.get("stat", 0),
        tuple(record.get("enum", ())),
        record.get("egu", ""),
        record.get("prec", 0),
    )


def differences(found: dict[str, Facts], expected: dict[str, Facts]) -> dict[str, dict]:
    result = {}
    for name, facts in expected.items():
        pairs = {key: (asdict(found[name])[key], value) for key, value in asdict(facts).items()}
        wrong = {key: f"{was!r}, not {want!r}" for key, (was, want) in pairs.items() if was != want}
        if wrong:
            result[name] = wrong
    return result


@pytest.fixture(scope="module")
def pristine(fresh_port) -> Iterator[IOCProcess]:
    """An IOC of this module's own, which no test may write to."""
    with IOCProcess("adsim", "pristine:", fresh_port) as ioc:
        yield ioc


@pytest.fixture(scope="module", params=["pyepics", pytest.param("caproto", marks=pytest.mark.slow)])
def found(request, pristine) -> dict[str, Facts]:
    return READERS[request.param](list(reference(pristine.prefix)))


def ports() -> list[str]:
    """Return the first parts of all record names: cam1, image1 ..."""
    return sorted({name.split(":")[1] for name in reference("ad:")})


@pytest.mark.parametrize("port", ports())
def test_every_record_equals_the_real_one(found, pristine, port):
    prefix = f"{pristine.prefix}{port}:"
    expected = {
        name: expected_of(record)
        for name, record in reference(pristine.prefix).items()
        if name.startswith(prefix)
    }
    assert len(expected) > 100
    assert differences(found, expected) == {}


def test_list_pvs_names_every_record_and_no_other():
    command = [sys.executable, str(boot_file("adsim")), "--prefix", "ad:", "--list-pvs"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    listing = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    names = listing.stdout.splitlines()
    assert len(names) == len(set(names)) == 7741
    assert set(names) == set(reference("ad:"))


def test_the_ready_line_counts_the_records(pristine):
    assert pristine.ready_line.endswith("(7741 records)")


def test_a_name_that_the_real_ioc_has_not_stays_unanswered(pristine):
    chids = [
        ca.create_channel(pristine.prefix + name, auto_cb=True)
        for name in ("cam1:PoolMaxBuffers", "HDF1:FilePath_RBV.VAL$", "cam1:Acquire.NOPE")
    ]
    assert not any(ca.connect_channel(chid, timeout=0.3) for chid in chids)
    for chid in chids:
        ca.clear_channel(chid)


# arrays: what is sent depends on the count that the client asks for


def read_chars(name: str, count: int) -> bytes:
    context = Context()
    try:
        (pv,) = context.get_pvs(name)
        pv.wait_for_connection(timeout=TIMEOUT)
        return np.asarray(pv.read(data_count=count, timeout=TIMEOUT).data, np.uint8).tobytes()
    finally:
        context.disconnect()


@pytest.mark.parametrize(
    ("record", "data"),
    [
        ("HDF1:FilePath", b""),
        ("HDF1:FileTemplate", b""),
        ("HDF1:FilePath_RBV", b"\0"),
        ("HDF1:FullFileName_RBV", b"\0"),
        ("cam1:StatusMessage_RBV", b"\0"),
        ("HDF1:XMLErrorMsg_RBV", b"Default layout selected\0"),
        ("image1:ArrayData", b""),
    ],
)
def test_a_read_of_count_zero_gets_what_there_is(pristine, record, data):
    assert read_chars(pristine.prefix + record, 0) == data


@pytest.mark.parametrize("record", ["HDF1:FilePath", "HDF1:FilePath_RBV", "HDF1:XMLErrorMsg_RBV"])
def test_a_read_of_the_full_count_is_padded_with_nul(pristine, record):
    data = read_chars(pristine.prefix + record, 256)
    assert len(data) == 256
    assert data.rstrip(b"\0") == read_chars(pristine.prefix + record, 0).rstrip(b"\0")


def test_drive_limits(pristine):
    chid = ca.create_channel(pristine.prefix + "HDF1:JPEGQuality", auto_cb=True)
    assert ca.connect_channel(chid, timeout=TIMEOUT)
    limits = ca.get_ctrlvars(chid)
    assert (limits["lower_ctrl_limit"], limits["upper_ctrl_limit"]) == (1, 100)
    ca.clear_channel(chid)


# fields


def common_fields() -> dict[str, dict]:
    """Return the fields that every record type has: those that motor and swait share.

    Only what does not depend on the record: CA type, state strings and write access.
    """
    lines = (DATA / "gp-records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    fields: dict[str, dict[str, dict]] = {"gp:m1": {}, "gp:userCalc1": {}}
    for record in records:
        name, _, field = record["pv"].partition(".")
        if name in fields and field and "dbr" in record:
            fields[name][field] = record
    motor, swait = fields.values()
    return {name: facts for name, facts in motor.items() if name in COMMON and name in swait}


# fields of EPICS base's dbCommon, beside TIME, which Channel Access does not carry
COMMON = {
    "NAME", "DESC", "ASG", "SCAN", "PINI", "PHAS", "EVNT", "TSE", "TSEL", "DTYP", "DISV", "DISA",
    "SDIS", "DISP", "PROC", "STAT", "SEVR", "NSTA", "NSEV", "ACKS", "ACKT", "DISS", "LCNT", "PACT",
    "PUTF", "RPRO", "PRIO", "TPRO", "UDF", "UDFS", "FLNK", "RTYP",
}  # fmt: skip

SAMPLE = ("cam1:AcquireTime", "cam1:Acquire_RBV", "HDF1:FilePath", "image1:ArrayData", "cam1:BinX")
UNEQUAL_STRINGS = {"DTYP"}  # its choices are those of the record type


def test_the_reference_has_the_common_fields():
    assert set(common_fields()) >= COMMON - {"NSTA"}


@pytest.mark.parametrize("record", SAMPLE)
def test_common_fields_have_the_type_strings_and_alarm_of_the_real_ones(pristine, record):
    real, name = common_fields(), pristine.prefix + record
    alarm = expected_of(reference(pristine.prefix)[name])
    found = read_with_pyepics([f"{name}.{field}" for field in real])
    expected = {}
    for field, facts in real.items():
        was = found[f"{name}.{field}"]
        strings = was.enum if field in UNEQUAL_STRINGS else tuple(facts.get("enum_strs", ()))
        expected[f"{name}.{field}"] = replace(
            was, dbr=facts["dbr"], count=1, enum=strings, sevr=alarm.sevr, stat=alarm.stat
        )
    assert differences(found, expected) == {}


@pytest.mark.parametrize("record", SAMPLE)
def test_fields_are_writable_as_the_real_ones(pristine, record):
    wrong = {}
    for field, facts in common_fields().items():
        chid = ca.create_channel(f"{pristine.prefix}{record}.{field}", auto_cb=True)
        assert ca.connect_channel(chid, timeout=TIMEOUT), field
        if ca.write_access(chid) != facts["write_access"]:
            wrong[field] = ca.write_access(chid)
        ca.clear_channel(chid)
    assert wrong == {}


def sample_of_each_type(prefix: str) -> dict[str, dict]:
    """Return at most three records of each type, scan and alarm."""
    groups: dict[tuple, list[str]] = {}
    records = reference(prefix)
    for name, record in records.items():
        kind = (record["rtyp"], record.get("scan"), record.get("stat", 0))
        groups.setdefault(kind, []).append(name)
    return {name: records[name] for names in groups.values() for name in names[:3]}


def test_fields_hold_what_the_reference_implies(pristine):
    expected: dict[str, object] = {}
    states = (
        "ZRST ONST TWST THST FRST FVST SXST SVST EIST NIST TEST ELST TVST TTST FTST FFST".split()
    )
    scans = common_fields()["SCAN"]["enum_strs"]
    for name, record in sample_of_each_type(pristine.prefix).items():
        fields: dict[str, object] = {
            "NAME": name,
            "RTYP": record["rtyp"],
            "SCAN": scans.index(record.get("scan", "Passive")),
            "PINI": int(record.get("pini", False)),
            "SEVR": record.get("sevr", 0),
            "STAT": record.get("stat", 0),
            "FLNK": record.get("flnk", ""),
            "UDF": int(record.get("stat", 0) == 17 and record.get("sevr", 0) == 3),
            "DISP": 0,
            "PACT": 0,
        }
        if "prec" in record:
            fields["PREC"] = record["prec"]
        if record["rtyp"] in ("ai", "ao", "longin", "longout", "calc", "calcout"):
            fields["EGU"] = record.get("egu", "")
        if record["rtyp"] in ("bi", "bo", "busy"):
            fields |= dict(zip(("ZNAM", "ONAM"), record["enum"], strict=True))
        if record["rtyp"] in ("mbbi", "mbbo"):
            fields |= dict.fromkeys(states, "") | dict(zip(states, record["enum"], strict=False))
        if record["rtyp"] == "waveform":
            fields["NELM"] = record["count"]
        expected |= {f"{name}.{field}": value for field, value in fields.items()}
    found = read_with_pyepics(list(expected))
    wrong = {
        name: f"{found[name].value!r}, not {value!r}"
        for name, value in expected.items()
        if found[name].value != value
    }
    assert len(expected) > 1000
    assert wrong == {}


def test_val_is_the_record(pristine):
    name = pristine.prefix + "cam1:ImageMode"
    facts = read_with_pyepics([name, name + ".VAL"])
    assert facts[name] == facts[name + ".VAL"]
    assert facts[name].enum[facts[name].value] == "Continuous"
