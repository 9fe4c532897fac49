"""Detectors whose classes are made for a release of ADCore."""

import numpy as np
import pytest
from ophyd import Device
from ophyd.areadetector import DetectorBase, SimDetector
from ophyd.areadetector import plugins as stock

from adsupport.adcore import Release
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    SimDetectorCam_V34,
    ad_class_factory,
    ad_creator,
    class_for,
)
from adsupport.devices import plugins as ours
from adsupport.errors import ConfigurationError, ConfigurationTypeError, ConnectionTimeoutError


class TestFactory:
    def test_every_class_fits(self):
        detector = ad_creator("none:", name="d", plugins=["cam", "hdf1", "stats1"], adcore="3.4")
        names = [type(getattr(detector, part)).__name__ for part in ("cam", "hdf1", "stats1")]
        assert names == ["SimDetectorCam_V34_R3_4", "HDF5FileWriterPlugin_R3_4", "StatsPlugin_R3_4"]
        assert detector.adcore == Release(3, 4)
        assert detector.read_attrs == ["hdf1"]

    def test_classes_are_taken_as_they_are_by_default(self):
        detector = ad_creator("none:", name="d", plugins=["cam", "stats1"])
        assert type(detector.stats1) is ours.StatsPlugin
        assert detector.adcore is None

    def test_users_classes_and_settings_too(self):
        spec = {"class": AD_EpicsFileNameHDF5Plugin, "write_path_template": "/a/", "suffix": "H:"}
        detector = ad_creator("none:", name="d", plugins=["cam", {"hdf1": spec}], adcore="R2-6")
        assert type(detector.hdf1).__name__ == "AD_EpicsFileNameHDF5Plugin_R2_6"
        assert (detector.hdf1.write_path_template, detector.hdf1.prefix) == ("/a/", "none:H:")

    def test_parts_of_the_bases_too(self):
        detector = ad_creator(
            "none:", name="d", bases=iter([SimDetector]), plugins=[], adcore="R3-14"
        )
        assert type(detector.cam).pool_max_buffers is None
        assert type(detector.cam).__name__ == "SimDetectorCam_R3_14"

    def test_a_plugin_that_the_release_lacks(self):
        with pytest.raises(ConfigurationError, match="'codec1'.*NDCodec.*R3-4 on.*R3-3.*Leave"):
            ad_creator("none:", name="d", plugins=["cam", "codec1"], adcore="R3-3")

    def test_no_stage_setting_for_what_is_not_there(self):
        detector = ad_creator("none:", name="d", plugins=["cam"], adcore="R2-6")
        assert "wait_for_plugins" not in detector.cam.stage_sigs
        assert "cam.wait_for_plugins" not in detector.stage_sigs
        newer = ad_creator("none:", name="d", plugins=["cam"], adcore="R3-3")
        assert newer.cam.stage_sigs["wait_for_plugins"] == "Yes"

    def test_class_factory(self):
        cls = ad_class_factory("Mine", plugins=["cam"], adcore="R3-4")
        assert cls.adcore == Release(3, 4)
        assert cls.cam.cls is class_for(SimDetectorCam_V34, "R3-4")

    def test_class_factory_has_nobody_to_ask(self):
        with pytest.raises(ConfigurationError, match="no prefix.*ad_creator"):
            ad_class_factory("Mine", plugins=["cam"], adcore="auto")

    @pytest.mark.parametrize("make", [ad_class_factory, ad_creator])
    def test_what_is_no_release(self, make):
        with pytest.raises(ConfigurationError, match="adcore: .*'newest'"):
            make("none", plugins=["cam"], adcore="newest")

    @pytest.mark.parametrize("make", [ad_class_factory, ad_creator])
    @pytest.mark.parametrize("absurd", ["", "3", "-1", "3.x", "AUTO", "3.14.0.1", "x" * 100_000])
    def test_absurd_texts(self, make, absurd):
        with pytest.raises(ConfigurationError, match=r"adcore: .*'R3-14'.*'auto'") as caught:
            make("none", plugins=["cam"], adcore=absurd)
        assert len(str(caught.value)) < 200

    @pytest.mark.parametrize("make", [ad_class_factory, ad_creator])
    @pytest.mark.parametrize("absurd", [3.14, 3, True, b"R3-14", ["R3-4"], np.array([3, 14])])
    def test_what_is_no_text(self, make, absurd):
        with pytest.raises(ConfigurationTypeError, match="adcore must be a str"):
            make("none", plugins=["cam"], adcore=absurd)

    @pytest.mark.parametrize(("far", "nearest"), [("R99-99", "R3-14"), ("0.0", "R2-6")])
    def test_a_release_far_off_is_taken_for_the_nearest_known(self, far, nearest):
        detector = ad_creator("none:", name="d", plugins=["cam"], adcore=far)
        assert detector.adcore == Release.parse(far)
        assert type(detector).cam.cls is class_for(SimDetectorCam_V34, nearest)

    def test_no_ioc_to_ask(self):
        spec = {"cam": {"suffix": "Camera:"}}
        with pytest.raises(ConnectionTimeoutError, match="none:Camera:ADCoreVersion_RBV") as caught:
            ad_creator(
                "none:", name="d", plugins=iter([spec]), adcore="auto", connection_timeout=0.2
            )
        assert "or give adcore='R3-14' to build without the IOC" in str(caught.value)
        assert caught.value.missing == ("none:Camera:ADCoreVersion_RBV",)

    def test_no_camera_to_ask(self):
        with pytest.raises(ConfigurationError, match="'cam'"):
            ad_creator("none:", name="d", bases=Device, plugins=["stats1"], adcore="auto")

    def test_stock_classes(self):
        spec = {"hdf2": {"class": stock.HDF5Plugin_V34, "suffix": "HDF1:"}}
        detector = ad_creator(
            "none:", name="d", bases=DetectorBase, plugins=["cam", spec], adcore="R3-1"
        )
        assert type(detector.hdf2).max_array_rate is None
        assert type(detector.hdf2).pool_max_buffers is not None
