"""Detectors from names: without any IOC."""

import copy
import pickle
import re
from collections import OrderedDict

import pytest
from ophyd import ADComponent, Component, Device, EpicsSignal, SimDetector, SingleTrigger
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.filestore_mixins import FileStoreHDF5IterativeWrite
from ophyd.areadetector.plugins import HDF5Plugin_V34, StatsPlugin_V34
from ophyd.ophydobj import Kind
from ophyd.signal import EpicsSignalBase

from adsupport.devices import (
    PLUGIN_DEFAULTS,
    AD_EpicsFileNameHDF5Plugin,
    SimDetectorCam_V34,
    SingleTrigger_V34,
    ad_class_factory,
    ad_creator,
)
from adsupport.errors import ConfigurationError, ConfigurationTypeError, UnknownPluginError

SEED_HDF1 = {
    "hdf1": {
        "class": AD_EpicsFileNameHDF5Plugin,
        "write_path_template": "/tmp/adsimdet/%Y/%m/%d/",
        "read_path_template": "/tmp/docker_ioc/iocad/tmp/adsimdet/%Y/%m/%d/",
    }
}
THIRTY = (
    "cam image pva attr1 badpix1 cb1 cc1 cc2 codec1 fft1 gather1 overlay1 process1 roi1 roi2 "
    "roi3 roi4 roistat1 scatter1 stats1 stats2 stats3 stats4 stats5 transform1 hdf1 jpeg1 tiff1 "
    "magick1 netcdf1"
).split()


def make(*plugins, **kwargs):
    return ad_creator("none:", name="det", plugins=list(plugins), **kwargs)


class TestDefaults:
    def test_the_thirty_names(self):
        assert sorted(PLUGIN_DEFAULTS) == sorted(THIRTY)

    @pytest.mark.parametrize("key", THIRTY)
    def test_each_default_is_made_without_ioc_and_without_arguments(self, key):
        entry = PLUGIN_DEFAULTS[key]
        detector = make(*dict.fromkeys(["cam", key]))
        part = getattr(detector, key)
        assert type(part) is entry["class"]
        assert part.prefix == "none:" + entry["suffix"]

    def test_all_of_them_in_one_detector(self):
        assert make(*THIRTY).component_names[-30:] == tuple(THIRTY)

    @pytest.mark.parametrize(
        "change",
        [
            lambda d: d.pop("cam"),
            lambda d: d["hdf1"].pop("class"),
            lambda d: d["hdf1"].update(suffix="x"),
            lambda d: d.update(mine={}),
            lambda d: d.clear(),
            lambda d: d.setdefault("mine", {}),
            lambda d: d["cam"].setdefault("mine", {}),
            lambda d: d.popitem(),
            lambda d: d.__setitem__("cam", {}),
            lambda d: d.__delitem__("cam"),
            lambda d: d.__ior__({}),
        ],
    )
    def test_a_caller_cannot_change_them(self, change):
        before = PLUGIN_DEFAULTS.copy()
        with pytest.raises(TypeError, match=r"PLUGIN_DEFAULTS\.copy\(\)"):
            change(PLUGIN_DEFAULTS)
        assert before == PLUGIN_DEFAULTS

    @pytest.mark.parametrize(
        "clone",
        [
            lambda d: d.copy(),
            copy.copy,
            copy.deepcopy,
            lambda d: d | {},
            lambda d: {} | d,
            lambda d: pickle.loads(pickle.dumps(d)),
        ],
    )
    def test_a_copy_is_the_callers_own_inside_too(self, clone):
        mine = clone(PLUGIN_DEFAULTS)
        assert mine == PLUGIN_DEFAULTS
        assert type(mine) is dict
        for key in ("hdf1", "jpeg1", "magick1", "netcdf1", "tiff1"):
            assert mine[key].pop("read_path_template") is None
        mine["cam"]["class"] = CamOfMine
        mine["mine"] = {"class": CamOfMine, "suffix": "m:"}
        assert "read_path_template" in PLUGIN_DEFAULTS["hdf1"]
        assert PLUGIN_DEFAULTS["cam"]["class"] is SimDetectorCam_V34
        assert "mine" not in PLUGIN_DEFAULTS

    def test_it_reads_like_a_dictionary(self):
        assert isinstance(PLUGIN_DEFAULTS, dict)
        assert {**PLUGIN_DEFAULTS}["cam"]["suffix"] == "cam1:"
        assert dict(PLUGIN_DEFAULTS).keys() == PLUGIN_DEFAULTS.keys()
        assert len(PLUGIN_DEFAULTS) == 30

    def test_building_detectors_leaves_them_as_they_are(self):
        before = copy.deepcopy(PLUGIN_DEFAULTS)
        make(*THIRTY)
        assert before == PLUGIN_DEFAULTS


class CamOfMine(SimDetectorCam_V34):
    pass


class TestSpecifications:
    def test_default_is_the_camera_alone(self):
        detector = ad_creator("none:", name="det")
        assert type(detector.cam) is SimDetectorCam_V34
        assert isinstance(detector, SingleTrigger_V34)
        assert isinstance(detector, DetectorBase)

    def test_the_seeds_way(self):
        detector = make({"cam": {"class": SimDetectorCam_V34}}, SEED_HDF1, "image")
        assert detector.hdf1.write_path_template == "/tmp/adsimdet/%Y/%m/%d/"
        assert detector.image.prefix == "none:image1:"

    def test_the_seeds_staging_after_the_seeds_steps(self):
        detector = make({"cam": {"class": SimDetectorCam_V34}}, SEED_HDF1, "image")
        detector.read_attrs.append("hdf1")
        detector.cam.stage_sigs["wait_for_plugins"] = "Yes"
        detector.hdf1.stage_sigs["blocking_callbacks"] = "No"
        detector.hdf1.stage_sigs.move_to_end("capture", last=True)
        detector.image.stage_sigs["blocking_callbacks"] = "No"
        expected = OrderedDict(
            [
                ("enable", 1),
                ("file_write_mode", "Stream"),
                ("blocking_callbacks", "No"),
                ("parent.cam.array_callbacks", 1),
                ("capture", 1),
            ]
        )
        assert list(detector.hdf1.stage_sigs.items()) == list(expected.items())
        assert repr(detector.hdf1.stage_sigs) == repr(expected)

    @pytest.mark.parametrize("key", ["hdf1", "jpeg1", "tiff1"])
    def test_images_are_read_without_asking(self, key):
        assert make("cam", key).read_attrs == [key]

    def test_appending_the_writer_once_more_does_not_double_it(self):
        detector = make("cam", SEED_HDF1)
        detector.read_attrs.append("hdf1")
        assert detector.read_attrs == ["hdf1"]

    def test_a_writer_can_be_left_out(self):
        assert make("cam", {"hdf1": {"kind": "omitted"}}).read_attrs == []

    @pytest.mark.parametrize("kind", ["hinted", "normal"])
    def test_a_kind_that_is_given_holds(self, kind):
        detector = make("cam", {"stats1": {"kind": kind}}, "stats2")
        assert detector.read_attrs == ["stats1"]
        assert detector.stats1.kind & Kind[kind] == Kind[kind]

    def test_config_kind_is_configuration(self):
        detector = make("cam", {"stats1": {"kind": "config"}})
        assert detector.read_attrs == []
        assert {"cam", "stats1"} <= {n for n in detector.component_names if detector._get_kind(n)}

    def test_the_camera_is_configuration(self):
        detector = make("cam", "hdf1")
        assert detector.cam.kind.name == "config"

    def test_dotted_class(self):
        detector = make("cam", {"stats1": {"class": "ophyd.areadetector.plugins.StatsPlugin_V34"}})
        assert type(detector.stats1) is StatsPlugin_V34

    def test_new_name_with_class_and_suffix(self):
        detector = make("cam", {"mine": {"class": StatsPlugin_V34, "suffix": "Mine1:"}})
        assert detector.mine.prefix == "none:Mine1:"

    def test_two_names_in_one_dictionary_are_both_honoured(self):
        detector = make("cam", {"image": {}, "stats1": {"suffix": "S:"}})
        assert detector.image.prefix == "none:image1:"
        assert detector.stats1.prefix == "none:S:"

    @pytest.mark.parametrize("plugins", [("cam", "image"), iter(["cam", "image"])])
    def test_any_iterable_will_do(self, plugins):
        assert ad_creator("none:", name="det", plugins=plugins).image is not None

    def test_a_dictionary_of_all(self):
        assert ad_creator("none:", name="d", plugins={"cam": None, "image": {}}).image is not None

    def test_plugin_defaults_of_the_callers_own(self):
        mine = {"cam": {"class": CamOfMine, "suffix": "det1:"}}
        detector = ad_creator("none:", name="det", plugins=["cam"], plugin_defaults=mine)
        assert type(detector.cam) is CamOfMine
        assert detector.cam.prefix == "none:det1:"
        with pytest.raises(UnknownPluginError):
            ad_creator("none:", name="det", plugins=["cam", "image"], plugin_defaults=mine)

    def test_a_plain_file_plugin_has_nothing_to_read(self):
        assert make("cam", "netcdf1").read_attrs == []


class TestRefusals:
    def test_unknown_name_suggests_the_nearest(self):
        with pytest.raises(KeyError) as caught:
            make("cam", "hfd1")
        assert "Did you mean 'hdf1'?" in str(caught.value)
        assert isinstance(caught.value, UnknownPluginError)

    def test_class_without_suffix(self):
        with pytest.raises(KeyError, match="'suffix'"):
            make("cam", {"mine": {"class": StatsPlugin_V34}})

    @pytest.mark.parametrize("plugins", ["cam", b"cam", 5])
    def test_plugins_of_another_type(self, plugins):
        with pytest.raises(TypeError, match="plugins must be a list"):
            ad_creator("none:", name="det", plugins=plugins)

    @pytest.mark.parametrize(
        "spec", [5, None, ["cam"], {}, {"cam": "x"}, {5: {}}, {"not a name": {}}, "class"]
    )
    def test_specification_of_another_kind(self, spec):
        with pytest.raises(ValueError, match="expected the name of a plugin"):
            make(spec)

    def test_defaults_of_another_type(self):
        with pytest.raises(ConfigurationTypeError, match="plugin_defaults"):
            ad_creator("none:", name="det", plugin_defaults=["cam"])

    def test_the_same_name_twice(self):
        with pytest.raises(ConfigurationError, match="twice"):
            make("cam", "image", "image")

    @pytest.mark.parametrize(
        "cls", ["nowhere.Plugin", "ophyd.areadetector.plugins.Nothing", "", "os.path.join", 5, int]
    )
    def test_class_that_cannot_be_used(self, cls):
        with pytest.raises(ConfigurationError, match="'stats1'.*dotted"):
            make("cam", {"stats1": {"class": cls}})

    def test_kind_that_is_unknown(self):
        with pytest.raises(ConfigurationError, match="hinted"):
            make("cam", {"stats1": {"kind": "hintd"}})

    def test_detector_without_camera(self):
        with pytest.raises(ConfigurationError, match="no 'cam'"):
            make("image")

    def test_reserved_name(self):
        with pytest.raises(TypeError, match="reserved|bluesky"):
            make("cam", {"trigger": {"class": StatsPlugin_V34, "suffix": "T:"}})

    def test_suffix_of_another_type(self):
        with pytest.raises(ConfigurationTypeError, match="suffix"):
            make("cam", {"image": {"suffix": 1}})

    def test_prefix_of_another_type(self):
        with pytest.raises(ConfigurationTypeError, match="prefix"):
            ad_creator(None, name="det")


class TestBases:
    @pytest.mark.parametrize(
        "bases",
        [
            (SingleTrigger, SimDetector),
            [SingleTrigger, SimDetector],
            iter([SingleTrigger, SimDetector]),
        ],
    )
    def test_any_iterable_will_do(self, bases):
        detector = ad_creator("none:", name="det", bases=bases, plugins=["image"])
        assert isinstance(detector, SimDetector)
        assert isinstance(detector, SingleTrigger)
        assert detector.configuration_attrs is not None

    def test_one_class_will_do(self):
        assert isinstance(
            ad_creator("none:", name="det", bases=SimDetector, plugins=[]), SimDetector
        )

    def test_base_that_is_no_class(self):
        with pytest.raises(ConfigurationTypeError, match="classes"):
            ad_creator("none:", name="det", bases=["SimDetector"])

    def test_no_device_among_the_bases(self):
        with pytest.raises(ConfigurationError, match="DetectorBase"):
            ad_creator("none:", name="det", bases=[dict])

    def test_what_a_base_reads_is_still_read(self):
        class Base(DetectorBase):
            _default_read_attrs = ("extra",)
            extra = Component(EpicsSignal, "Extra")

        detector = ad_creator(
            "none:", name="det", bases=[SingleTrigger_V34, Base], plugins=["cam", "hdf1"]
        )
        kinds = {name for name in detector.component_names if detector._get_kind(name) & 1}
        assert kinds == {"extra", "hdf1"}


@pytest.fixture
def no_waiting(monkeypatch):
    """Make every wait for a process variable a failure."""

    def refuse(signal, *_, **__):
        raise AssertionError(f"waited for {signal.pvname}")

    monkeypatch.setattr(EpicsSignalBase, "wait_for_connection", refuse)
    monkeypatch.setattr(EpicsSignal, "wait_for_connection", refuse)


class StockWriter(HDF5Plugin_V34, FileStoreHDF5IterativeWrite):
    """ophyd's own file store touches a signal when it is constructed."""


class TestConstruction:
    @pytest.mark.parametrize("bases", [None, (SingleTrigger, DetectorBase)])
    @pytest.mark.parametrize("validate_ports", [True, False])
    def test_waits_for_no_ioc(self, no_waiting, bases, validate_ports):
        stock = {"hdf2": {"class": StockWriter, "suffix": "H2:", "write_path_template": "/tmp"}}
        detector = make(
            "cam", "image", SEED_HDF1, stock, bases=bases, validate_ports=validate_ports
        )
        assert detector.validate_ports is validate_ports
        assert detector.read_attrs == ["hdf1", "hdf2"]

    def test_later_a_signal_is_waited_for_at_its_first_use(self):
        detector = make("cam", "image")
        assert Device.lazy_wait_for_connection
        assert detector.cam.lazy_wait_for_connection
        assert detector.image.lazy_wait_for_connection

    def test_showing_it_waits_for_no_ioc(self, no_waiting):
        text = repr(make("cam", "image", SEED_HDF1))
        assert "read_attrs=['hdf1']" in text

    def test_ad_setup_is_called_last_with_the_detector(self):
        seen = []

        def setup(detector):
            seen.append((detector, detector.validate_ports))
            return "ignored"

        detector = make("cam", "image", ad_setup=setup, validate_ports=False)
        assert seen == [(detector, False)]

    def test_error_of_ad_setup_is_raised(self):
        def setup(detector):
            raise OSError("no camera")

        with pytest.raises(OSError, match="no camera"):
            make("cam", ad_setup=setup)

    def test_ad_setup_must_be_callable(self):
        with pytest.raises(ConfigurationTypeError, match="ad_setup"):
            make("cam", ad_setup="setup")

    def test_names(self):
        detector = ad_creator("dp:ad:", class_name="MyDetector")
        assert type(detector).__name__ == "MyDetector"
        assert detector.name == "dp_ad"
        assert type(ad_creator("ad:")).__name__.startswith("ADclass_")
        assert type(ad_creator("ad:")).__name__ != type(ad_creator("ad:")).__name__

    def test_keyword_arguments_go_to_the_detector(self):
        assert make("cam", image_name="picture", labels={"detectors"})._ophyd_labels_ == {
            "detectors"
        }

    @pytest.mark.parametrize(
        ("plugin", "arguments", "told"),
        [
            (
                {"hdf1": {"class": AD_EpicsFileNameHDF5Plugin, "write_path": "/data/"}},
                {},
                "det: plugin 'hdf1': write_path: unknown. Did you mean 'write_path_template'? "
                "Known here: add_prefix, child_name_separator, class, ",
            ),
            (
                {"image": {"write_path_template": "/data/"}},
                {},
                "det: plugin 'image': write_path_template: unknown. Known here: ",
            ),
            ("image", {"image_nme": "x"}, "det: image_nme: unknown. Did you mean 'image_name'?"),
        ],
    )
    def test_keyword_that_nothing_takes(self, plugin, arguments, told):
        with pytest.raises(ConfigurationTypeError, match=f"^{re.escape(told)}"):
            ad_creator("ad:", name="det", plugins=["cam", plugin], **arguments)

    def test_another_error_of_a_plugin_is_raised_as_it_is(self):
        class Strange(AD_EpicsFileNameHDF5Plugin):
            def __init__(self, *args, own=None, **kwargs):
                super().__init__(*args, **kwargs)
                raise TypeError("g() got an unexpected keyword argument 'own'")

        plugin = {"hdf1": {"class": Strange, "own": 1}}
        with pytest.raises(TypeError, match=r"^g\(\) got an unexpected"):
            ad_creator("strange:", name="det", plugins=["cam", plugin])

    def test_class_factory(self):
        cls = ad_class_factory("Mine", plugins=["cam", "stats1"])
        assert (cls.__name__, cls.stats1.suffix) == ("Mine", "Stats1:")
        assert "stats1" in cls.__doc__
        first, second = cls("a:", name="a"), cls("b:", name="b")
        assert (first.stats1.prefix, second.stats1.prefix) == ("a:Stats1:", "b:Stats1:")

    def test_the_class_can_be_extended(self):
        class More(ad_class_factory("Mine", plugins=["cam", "hdf1"])):
            stats1 = ADComponent(StatsPlugin_V34, "Stats1:")

        assert isinstance(More("a:", name="a"), Device)
