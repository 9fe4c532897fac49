"""The simulator's record tables by release of ADCore: who is left out, who comes back, as what."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport import adcore
from adsupport.adcore import KNOWN_RELEASES, Release
from adsupport.sim import table
from adsupport.sim.area_detector import CAMERA_TABLES, AreaDetectorIOC
from adsupport.sim.common_plugins import COMMON_PLUGINS, add_common_plugins
from adsupport.sim.plugins.codec import CodecPlugin
from adsupport.sim.release_tables import ReleaseTables
from adsupport.sim.source import ArraySource
from adsupport.sim.table import RecordRow, merge_tables

MACROS = {"P": "t:", "R": "x:", "PORT": "X", "NDARRAY_PORT": "SIM1", "N": "1"}
TABLES = {plugin.tables[-1]: plugin.tables for _, plugin, _ in COMMON_PLUGINS} | {
    "ADBase": CAMERA_TABLES[:2]
}
SERIES_CONTROL = {"TSAcquiring", "TSControl", "TSCurrentPoint", "TSNumPoints", "TSRead"}
WITH_SERIES = ("NDStats", "NDAttribute")
BEFORE = Path(table.__file__).parent / "records" / "before"

releases = st.sampled_from(KNOWN_RELEASES)
templates = st.sampled_from(sorted(TABLES))


def read(template: str, release: Release | str) -> tuple[dict[str, RecordRow], set[str]]:
    served, absent = ReleaseTables(release).read(TABLES[template], MACROS)
    return {row.record: row for row in served}, {row.record for row in absent}


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=str)
@pytest.mark.parametrize("template", sorted(TABLES))
def test_records_are_those_of_the_release(template: str, release: Release) -> None:
    served, absent = read(template, release)
    expected = adcore.records(template, release)
    if template in WITH_SERIES:
        # loaded with the port that keeps the series
        expected = {record for record in expected if not record.startswith("TS")}
    assert set(served) == expected
    assert not absent & set(served)


@given(templates, releases)
def test_nothing_is_lost_for_the_port(template: str, release: Release) -> None:
    served, absent = ReleaseTables(release).read(TABLES[template], MACROS)
    newest = merge_tables(*TABLES[template], macros=MACROS)
    wanted = {row.param for row in newest if row.param}
    assert wanted <= {row.param for row in (*served, *absent)}


@given(templates, releases)
def test_no_record_links_to_one_that_is_not_there(template: str, release: Release) -> None:
    served, absent = read(template, release)
    assert not {row.flnk.partition(".")[0] for row in served.values()} & absent


def test_forward_links_stay_where_their_target_is() -> None:
    assert read("ADBase", "R3-3")[0]["Acquire"].flnk == "SetAcquireBusy"
    assert read("ADBase", "R3-1")[0]["Acquire"].flnk == ""


@pytest.mark.parametrize("template", sorted(TABLES))
def test_the_newest_release_is_read_as_it_stands(template: str) -> None:
    served, absent = ReleaseTables().read(TABLES[template], MACROS)
    plain = merge_tables(*TABLES[template], macros=MACROS)
    assert absent == ()
    assert [row.record for row in served] == [row.record for row in plain]


def test_older_releases_have_more_special_records_of_drivers_all_the_same() -> None:
    served, _ = ReleaseTables("R2-6").read(CAMERA_TABLES, MACROS)
    names = {row.record for row in served}
    assert {"GainX", "SimMode_RBV", "PoolMaxBuffers"} <= names
    assert "AcquireBusy" not in names


def test_tables_that_are_in_no_list_follow_what_they_are_made_of() -> None:
    names = ("NDArrayBase", "NDPluginBase", "NDTimeSeries")
    macros = MACROS | {"POOL_USED_MEM": "1"}
    served = {row.record for row in ReleaseTables("R3-3").read(names, macros)[0]}
    assert {"TSAcquire", "NumQueuedArrays"} <= served
    assert not {"MaxArrayRate", "AcquireBusy", "Codec_RBV"} & served


def test_tables_without_adcore_are_the_same_in_every_release() -> None:
    served, absent = ReleaseTables("R2-6").read(("imagingScene",), MACROS)
    assert len(served) == len(merge_tables("imagingScene", macros=MACROS))
    assert absent == ()


# what was different, from ADCore's templates and release notes


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=str)
def test_compression_choices(release: Release) -> None:
    served, _ = read("NDFileHDF5", release)
    assert served["Compression"].enum == adcore.compressions(release)
    assert served["Compression_RBV"].enum == adcore.compression_readbacks(release)


@pytest.mark.parametrize(
    ("template", "release", "record", "cells"),
    [
        ("ADBase", "R3-1", "PoolMaxBuffers", ("longin", "LONG", "Passive")),
        ("NDPva", "R2-6", "PoolMaxBuffers", ("longin", "LONG", "Passive")),
        ("NDProcess", "R3-11", "LowClip", ("ao", "DOUBLE", "Passive")),
        ("NDProcess", "R3-11", "HighClip_RBV", ("ai", "DOUBLE", "I/O Intr")),
        ("ADBase", "R3-1", "Acquire", ("busy", "ENUM", "Passive")),
        ("ADBase", "R3-3", "Acquire", ("bo", "ENUM", "Passive")),
    ],
)
def test_records_as_they_were(
    template: str, release: str, record: str, cells: tuple[str, str, str]
) -> None:
    row = read(template, release)[0][record]
    assert (row.type, row.dbr, row.scan) == cells


def test_data_types_have_the_numbers_that_the_port_knows() -> None:
    old, new = (read("ADBase", r)[0]["DataType"] for r in ("R3-7", "R3-9"))
    numbers = dict(zip(new.enum, range(len(new.enum)), strict=True))
    assert dict(zip(old.enum, old.raws, strict=True)) == {
        name: number for name, number in numbers.items() if "Int64" not in name
    }


def test_chunks_are_chosen_by_hand_where_there_is_no_automatic() -> None:
    _, absent = ReleaseTables("R3-5").read(TABLES["NDFileHDF5"], MACROS)
    assert {row.record: row.value for row in absent}["ChunkSizeAuto"] == 0
    assert read("NDFileHDF5", "R3-7")[0]["ChunkSizeAuto"].value == 1


def test_tables_of_changes_have_what_a_release_took_away_and_nothing_else_that_is_new() -> None:
    found = set()
    for path in BEFORE.glob("*/*.csv"):
        before, name = path.parent.name, path.stem
        present = {record for base in {"NDArrayBase", name} for record, _ in table._load(base)}
        for record, _ in table._load(f"before/{before}/{name}"):
            if record not in present:
                template = "ADBase" if name == "NDArrayBase" else name
                assert str(adcore.history(template, record)[1]) == before, path
                found.add(record)
    assert {record for record, _ in table._load("NDTimeSeriesControl")} == SERIES_CONTROL
    removed = {
        record
        for template in TABLES
        for release in KNOWN_RELEASES
        for record in adcore.records(template, release) - adcore.records(template, "R3-14")
    }
    assert found | SERIES_CONTROL == removed


# releases


@pytest.mark.parametrize("release", ["R2-5", "1.9.1", "R3-15", "4.0"])
def test_unknown_releases_are_refused(release: str) -> None:
    with pytest.raises(ValueError, match="R2-6 to R3-14"):
        ReleaseTables(release)


def test_a_release_in_between_has_the_records_of_the_one_before() -> None:
    names = set(read("NDFileHDF5", "R3-12-1")[0])
    assert names == adcore.records("NDFileHDF5", "R3-11")
    assert ReleaseTables("R3-12-1").release.version == "3.12.1"


# IOCs


def camera() -> ArraySource:
    return ArraySource("SIM1")


@pytest.mark.parametrize(
    ("release", "missing"),
    [
        ("R2-6", {"Codec1:", "Codec2:", "BadPix1:", "Scatter1:", "Gather1:"}),
        ("R3-1", {"Codec1:", "Codec2:", "BadPix1:"}),
        ("R3-4", {"BadPix1:"}),
        ("R3-11", set()),
    ],
)
def test_plugins_that_came_later_are_not_loaded(release: str, missing: set[str]) -> None:
    ioc = AreaDetectorIOC("bench", "t:", release)
    source = camera()
    ioc.ports["SIM1"] = source
    add_common_plugins(ioc, source)
    rooms = {name.rpartition(":")[0] + ":" for name in ioc.records}
    assert {r for r, _, _ in COMMON_PLUGINS} - rooms == missing


def test_a_boot_file_that_asks_for_one_of_them_is_told() -> None:
    ioc = AreaDetectorIOC("bench", "t:", "R3-3")
    with pytest.raises(ValueError, match="R3-3 has no NDCodec"):
        ioc.add_plugin("Codec1:", CodecPlugin, "CODEC1", camera())


def test_versions_that_an_ioc_tells() -> None:
    ioc = AreaDetectorIOC("bench", "t:", "R2-6")
    ioc.load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", camera())
    assert ioc.records["cam1:ADCoreVersion_RBV"].row.value == "2.6.0"
    assert ioc.records["cam1:DriverVersion_RBV"].row.value == "2.11.0"


def test_states_of_an_old_data_type_are_those_of_the_port() -> None:
    ioc, port = AreaDetectorIOC("bench", "t:", "R3-7"), camera()
    ioc.load(("NDArrayBase", "ADBase"), "cam1:", port)
    said = ioc.records["cam1:DataType_RBV"].channel
    ioc.records["cam1:DataType"].put(6)
    assert port.get("DATA_TYPE") == 8
    assert (said.value, said.meta.enums[said.value]) == (6, "Float32")
    port.set("DATA_TYPE", 7)  # a 64-bit array, which that release could not have
    port.call_callbacks()
    assert said.value == 65535
