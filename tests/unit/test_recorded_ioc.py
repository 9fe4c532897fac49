"""From what a real IOC answered, as recorded, to classes, rows and code."""

import json
from pathlib import Path

import pytest

from adsupport.adcore import Release
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameTIFFPlugin,
    SimDetectorCam_V34,
    ad_class_factory,
    ad_creator,
)
from adsupport.devices import plugins as plugin_classes
from adsupport.devices.ioc import classes as classes
from adsupport.devices.ioc.introspection import describe_answers
from adsupport.errors import ConfigurationError

RECORDS = Path(__file__).parents[1] / "data" / "adsim-records.jsonl"

FIELDS = (
    "PortName_RBV PluginType_RBV NDArrayPort_RBV EnableCallbacks_RBV DetectorState_RBV "
    "ADCoreVersion_RBV DriverVersion_RBV Manufacturer_RBV Model_RBV SimMode_RBV"
).split()


@pytest.fixture(scope="module")
def recorded():
    """What the recorded IOC answered, by suffix; one of each family of plugins."""
    found = {}
    for line in RECORDS.read_text().splitlines():
        record = json.loads(line)
        _, *middle, name = record["pv"].split(":")
        if name in FIELDS and len(middle) == 1 and "value" in record:
            found.setdefault(f"{middle[0]}:", {})[name] = record["value"]
    return found


@pytest.fixture(scope="module")
def recorded_names():
    """Every name that the recorded IOC served."""
    return {json.loads(line)["pv"] for line in RECORDS.read_text().splitlines()}


class TestRecordedIOC:
    def test_every_part_is_there_with_its_class(self, recorded):
        ioc = describe_answers("ad:", recorded)
        assert ioc.adcore == Release(3, 14)
        assert {part.key: part.cls for part in ioc.parts} == {
            "cam": SimDetectorCam_V34,
            "image": plugin_classes.ImagePlugin,
            "pva": plugin_classes.PvaPlugin,
            "attr1": plugin_classes.AttributePlugin,
            "badpix1": plugin_classes.BadPixelPlugin,
            "cb1": plugin_classes.CircularBuffPlugin,
            "cc1": plugin_classes.ColorConvPlugin,
            "codec1": plugin_classes.CodecPlugin,
            "fft1": plugin_classes.FFTPlugin,
            "gather1": plugin_classes.GatherPlugin,
            "hdf1": AD_EpicsFileNameHDF5Plugin,
            "jpeg1": classes.IdleJPEGPlugin,
            "netcdf1": classes.IdleNetCDFPlugin,
            "nexus1": classes.IdleNexusPlugin,
            "overlay1": plugin_classes.OverlayPlugin,
            "process1": plugin_classes.ProcessPlugin,
            "roi1": plugin_classes.ROIPlugin,
            "roistat1": plugin_classes.ROIStatPlugin,
            "scatter1": plugin_classes.ScatterPlugin,
            "stats1": plugin_classes.StatsPlugin,
            "tiff1": classes.IdleTIFFPlugin,
            "transform1": plugin_classes.TransformPlugin,
        }

    def test_ports_types_and_versions_are_those_recorded(self, recorded):
        ioc = describe_answers("ad:", recorded)
        hdf1 = ioc["hdf1"]
        assert (hdf1.suffix, hdf1.port, hdf1.source_port) == ("HDF1:", "FileHDF1", "SIM1")
        assert (hdf1.plugin_type, hdf1.type_name) == ("NDFileHDF5 ver1.10.8", "NDFileHDF5")
        assert (hdf1.driver_version, hdf1.enabled, hdf1.camera) == ("3.14.0", False, "cam")
        assert ioc["cam"].driver_version == "2.11.0"
        assert ioc["cam"].enabled is None
        assert set(ioc.graph().values()) == {"SIM1"}
        assert len(ioc.graph()) == len(ioc.parts) - 1
        assert ioc.loose_ends() == ()

    def test_cameras_come_first_and_files_last(self, recorded):
        keys = [part.key for part in describe_answers("ad:", recorded).parts]
        assert keys[0] == "cam"
        assert keys.index("roi1") < keys.index("image") < keys.index("hdf1")

    def test_ophyd_will_stage_every_class(self, recorded):
        """At stage it compares PluginType_RBV with what the class expects."""
        for part in describe_answers("ad:", recorded).parts:
            expected = getattr(part.cls, "_plugin_type", None)
            assert expected is None or part.plugin_type.startswith(expected), part.key

    @pytest.mark.parametrize("suffix", ["Nexus1:", "TIFF1:", "JPEG1:", "netCDF1:", "HDF1:"])
    def test_what_an_idle_plugin_needs_was_served(self, suffix, recorded, recorded_names):
        from adsupport.devices.connection.connect import epics_signals

        kind = recorded[suffix]["PluginType_RBV"]
        cls = ad_class_factory(
            "D", plugins=["cam", {"part": {"class": classes.plugin_class(kind), "suffix": suffix}}]
        )
        signals = epics_signals(cls("recorded:", name="det").part)
        needed = {
            pv.replace("recorded:", "ad:", 1)
            for each in signals
            if each.required
            for pv in (each.signal.pvname, getattr(each.signal, "setpoint_pvname", None))
            if pv
        }
        assert len(needed) > 5
        assert needed <= recorded_names

    def test_the_table_has_a_row_for_each_part(self, recorded):
        ioc = describe_answers("ad:", recorded)
        rows = {row["key"]: row for row in ioc.table()}
        assert len(rows) == len(ioc.parts)
        assert rows["hdf1"] == {
            "key": "hdf1",
            "suffix": "HDF1:",
            "type": "NDFileHDF5",
            "class": "AD_EpicsFileNameHDF5Plugin",
            "port": "FileHDF1",
            "source": "SIM1",
            "enabled": "no",
            "version": "3.14.0",
        }

    def test_it_goes_into_json(self, recorded):
        told = json.loads(json.dumps(describe_answers("ad:", recorded).as_dict()))
        assert told["adcore"] == "R3-14"
        assert told["parts"][0]["class"] == "adsupport.devices.SimDetectorCam_V34"

    def test_plugins_build_the_same_parts(self, recorded):
        ioc = describe_answers("none:", recorded)
        detector = ad_creator("none:", name="det", plugins=ioc.plugins)
        assert {
            (key, type(getattr(detector, key)), getattr(detector, key).prefix)
            for key in detector.component_names
            if key in {part.key for part in ioc.parts}
        } == {(part.key, part.cls, f"none:{part.suffix}") for part in ioc.parts}

    def test_one_file_plugin_records_and_staging_leaves_the_others_alone(self, recorded):
        detector = ad_creator(
            "none:", name="det", plugins=describe_answers("none:", recorded).plugins
        )
        assert detector.read_attrs == ["hdf1"]
        for key in ("tiff1", "jpeg1", "netcdf1", "nexus1"):
            assert not getattr(detector, key).stage_sigs, key

    def test_other_writers_by_choice(self, recorded):
        ioc = describe_answers("ad:", recorded, writers=["tiff1"])
        assert ioc["tiff1"].cls is AD_EpicsFileNameTIFFPlugin
        assert ioc["hdf1"].cls is classes.IdleHDF5Plugin
        assert [part.key for part in ioc.parts if part.records] == ["tiff1"]
        none = describe_answers("ad:", recorded, writers=[])
        assert not any(part.records for part in none.parts)

    @pytest.mark.parametrize("writer", ["netcdf1", "stats1", "hdf2", "cam"])
    def test_a_writer_that_can_not_record_is_refused(self, recorded, writer):
        with pytest.raises(ConfigurationError, match=f"'{writer}'.*hdf1, tiff1, jpeg1"):
            describe_answers("ad:", recorded, writers=[writer])
