"""From what an IOC answers to classes, names, code and declarations: without any IOC."""

import keyword

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.cam import PilatusDetectorCam
from ophyd.areadetector.plugins import PluginBase

from adsupport.adcore import Release
from adsupport.devices import (
    PLUGIN_DEFAULTS,
    CamMixin_V34,
    ad_creator,
    load_detectors,
)
from adsupport.devices import plugins as plugin_classes
from adsupport.devices.ioc import classes as classes
from adsupport.devices.ioc.introspection import describe_answers
from adsupport.devices.ioc.names import PLUGIN_SUFFIXES, part_key
from adsupport.errors import ConfigurationError


def camera(port="SIM1", **more):
    return {
        "PortName_RBV": port,
        "DetectorState_RBV": 0,
        "Manufacturer_RBV": "Somebody",
        "Model_RBV": "Something",
        "DriverVersion_RBV": "1.2.3",
        "ADCoreVersion_RBV": "3.14.0",
        **more,
    }


def plugin(port, source, kind="NDPluginStats", **more):
    return {
        "PortName_RBV": port,
        "PluginType_RBV": kind,
        "NDArrayPort_RBV": source,
        "EnableCallbacks_RBV": 0,
        "DriverVersion_RBV": "3.14.0",
        "ADCoreVersion_RBV": "3.14.0",
        **more,
    }


class TestCameras:
    @pytest.mark.parametrize(
        ("answers", "cls"),
        [
            ({"Manufacturer_RBV": "Dectris", "Model_RBV": "Pilatus"}, CamMixin_V34),
            (
                {
                    "Manufacturer_RBV": "Dectris",
                    "Model_RBV": "Pilatus",
                    "ThresholdEnergy_RBV": 4.0,
                },
                classes.PilatusCam,
            ),
            # a copy of the simulated detector's driver that kept its names
            (
                {"Manufacturer_RBV": "Simulated detector", "Model_RBV": "Basic simulator"},
                CamMixin_V34,
            ),
            ({"Manufacturer_RBV": "Dectris", "Model_RBV": "Mythen"}, CamMixin_V34),
            ({"Manufacturer_RBV": "", "Model_RBV": ""}, CamMixin_V34),
            (
                {"Manufacturer_RBV": "MAR", "Model_RBV": "345", "EraseMode_RBV": 0},
                classes.Mar345Cam,
            ),
        ],
    )
    def test_a_driver_must_prove_itself(self, answers, cls):
        assert describe_answers("x:", {"cam1:": camera(**answers)})["cam"].cls is cls

    def test_a_known_camera_is_ophyds_with_what_adcore_added(self):
        assert issubclass(classes.PilatusCam, PilatusDetectorCam)
        assert issubclass(classes.PilatusCam, CamMixin_V34)
        assert classes.PilatusCam.threshold_energy.suffix == "ThresholdEnergy"
        assert classes.PilatusCam.pool_max_buffers is None

    def test_each_proof_is_a_record_of_its_class_alone(self):
        for one in classes.CAMERAS:
            owners = [
                other.cls
                for other in classes.CAMERAS
                if one.proof.removesuffix("_RBV")
                in {c.suffix.removesuffix("_RBV") for c in components(other.cls)}
            ]
            assert owners == [one.cls], one.proof

    def test_a_driver_without_detector_state_is_a_camera_too(self):
        answers = camera()
        del answers["DetectorState_RBV"]
        assert describe_answers("x:", {"cam1:": answers})["cam"].is_camera

    def test_the_first_camera_is_cam_wherever_it_is(self):
        ioc = describe_answers("x:", {"eiger:": camera(), "Stats1:": plugin("S", "SIM1")})
        assert ioc["cam"].suffix == "eiger:"
        detector = ad_creator("x:", name="det", plugins=ioc.plugins)
        assert detector.cam.prefix == "x:eiger:"

    def test_no_camera_makes_no_detector(self):
        ioc = describe_answers("x:", {"Stats1:": plugin("S", "SIM1")})
        assert [part.key for part in ioc.parts] == ["stats1"]
        assert ioc.parts[0].camera is None
        for use in (lambda: ioc.plugins, ioc.code, ioc.to_yaml):
            with pytest.raises(ConfigurationError, match=r"no camera.*cams="):
                use()


def components(cls):
    return [c for c in cls._sig_attrs.values() if isinstance(c.suffix, str)]


class TestTwoCameras:
    @pytest.fixture
    def ioc(self):
        return describe_answers(
            "x:",
            {
                "cam1:": camera("C1"),
                "cam2:": camera("C2"),
                "ROI1:": plugin("R1", "C1", "NDPluginROI"),
                "ROI2:": plugin("R2", "C2", "NDPluginROI"),
                "Stats1:": plugin("S1", "R1"),
                "Stats2:": plugin("S2", "R2"),
                "image1:": plugin("I1", "GONE", "NDPluginStdArrays"),
            },
        )

    def test_each_plugin_knows_its_camera(self, ioc):
        assert {part.key: part.camera for part in ioc.parts} == {
            "cam": "cam",
            "cam2": "cam2",
            "roi1": "cam",
            "roi2": "cam2",
            "stats1": "cam",
            "stats2": "cam2",
            "image": None,
        }

    def test_a_detector_has_one_camera_and_what_it_feeds(self, ioc):
        assert keys(ioc.select()) == ["cam", "roi1", "stats1", "image"]
        second = ioc.select(camera="cam2")
        assert keys(second) == ["cam", "roi2", "stats2"]
        assert second["cam"].suffix == "cam2:"
        assert {part.camera for part in second.parts} == {"cam"}
        detector = ad_creator("x:", name="det", plugins=second.plugins)
        assert detector.cam.prefix == "x:cam2:"

    def test_a_choice_brings_its_sources(self, ioc):
        assert keys(ioc.select("stats1")) == ["cam", "roi1", "stats1"]
        assert keys(ioc.select("stats2", camera="cam2")) == ["cam", "roi2", "stats2"]
        assert ioc.select("stats1").select("stats1") == ioc.select("stats1")

    @pytest.mark.parametrize(
        ("choice", "message"),
        [
            ({"keys": ["stats2"]}, "'stats2' takes its arrays from 'cam2', not from 'cam'"),
            ({"keys": ["stats9"]}, "no part 'stats9'; it has cam, cam2"),
            ({"keys": [], "camera": "roi1"}, "'roi1' of 'x:' isn't a camera"),
        ],
    )
    def test_a_choice_that_can_not_be(self, ioc, choice, message):
        with pytest.raises(ConfigurationError, match=message):
            ioc.select(*choice.pop("keys"), **choice)

    def test_a_source_that_was_not_found_is_told(self, ioc):
        assert [part.key for part in ioc.loose_ends()] == ["image"]
        assert [r["source"] for r in ioc.table() if r["key"] == "image"] == ["GONE (not found)"]
        assert "'GONE'" in ioc.code()

    def test_code_and_yaml_have_a_detector_for_each(self, ioc):
        namespace = run(ioc.code())
        assert namespace["x"].cam.prefix == "x:cam1:"
        assert namespace["x_cam2"].cam.prefix == "x:cam2:"
        loaded = load_detectors(ioc.to_yaml())
        assert list(loaded) == ["x", "x_cam2"]
        assert loaded["x_cam2"].roi2.prefix == "x:ROI2:"


def keys(ioc):
    return [part.key for part in ioc.parts]


def run(code):
    namespace = {}
    exec(compile(code, "the code", "exec"), namespace)
    return namespace


class TestOddIOCs:
    def test_plugins_that_feed_each_other_end_somewhere(self):
        found = {
            "cam1:": camera(),
            "ROI1:": plugin("A", "B", "NDPluginROI"),
            "ROI2:": plugin("B", "A", "NDPluginROI"),
            "ROI3:": plugin("C", "C", "NDPluginROI"),
        }
        ioc = describe_answers("x:", found)
        assert [part.camera for part in ioc.parts] == ["cam", None, None, None]
        assert keys(ioc.select("roi1")) == ["cam", "roi1", "roi2"]

    def test_a_type_that_is_not_known_gets_what_all_plugins_have(self):
        found = {"cam1:": camera(), "Mine1:": plugin("M", "SIM1", "NDPluginOfMine")}
        part = describe_answers("x:", found)["mine1"]
        assert part.cls is classes.GenericPlugin
        assert part.type_name == "NDPluginOfMine"
        assert issubclass(part.cls, PluginBase)

    def test_a_type_at_another_familys_place(self):
        """The type tells the class, not the place."""
        found = {"cam1:": camera(), "ROI1:": plugin("M", "SIM1", "NDPluginStats")}
        ioc = describe_answers("x:", found)
        assert ioc["roi1"].cls is plugin_classes.StatsPlugin
        assert ioc.plugins[1] == {"roi1": {"class": plugin_classes.StatsPlugin}}

    def test_a_plugin_without_a_type_is_a_plugin(self):
        answers = plugin("M", "SIM1")
        del answers["PluginType_RBV"]
        part = describe_answers("x:", {"cam1:": camera(), "ROI1:": answers})["roi1"]
        assert not part.is_camera
        assert part.cls is classes.GenericPlugin

    @pytest.mark.parametrize(("version", "expected"), [("3.4.0", Release(3, 4)), ("beta", None)])
    def test_adcore(self, version, expected):
        ioc = describe_answers("x:", {"cam1:": camera(ADCoreVersion_RBV=version)})
        assert ioc.adcore == expected
        assert ("adcore=" in ioc.code()) is (expected is not None)

    def test_an_ioc_that_says_nothing_but_its_port(self):
        ioc = describe_answers("x:", {"cam1:": {"PortName_RBV": "P"}})
        assert ioc["cam"].cls is CamMixin_V34
        assert ioc.adcore is None
        assert run(ioc.code())["x"].cam.prefix == "x:cam1:"

    @pytest.mark.parametrize("prefix", ["XF:31{Det:1}", "class:", "1:", "ad_creator:", "", "ä:"])
    def test_code_runs_whatever_the_prefix(self, prefix):
        ioc = describe_answers(
            prefix, {"cam1:": camera(), "HDF1:": plugin("H", "SIM1", "NDFileHDF5")}
        )
        made = [v for v in run(ioc.code()).values() if isinstance(v, DetectorBase)]
        assert [each.prefix for each in made] == [prefix]
        assert made[0].hdf1.prefix == f"{prefix}HDF1:"

    @given(st.text(max_size=60))
    def test_what_an_ioc_says_never_becomes_code(self, text):
        text += "\nraise SystemExit #\"'\\"
        ioc = describe_answers(
            "x:",
            {
                "cam1:": camera("C", Model_RBV=text, DriverVersion_RBV=text),
                "ROI1:": plugin(text, "nowhere" + text, text),
            },
        )
        compile(ioc.code(), "the code", "exec")
        assert not any(line.startswith("raise") for line in ioc.code().splitlines())
        parts = yaml.safe_load(ioc.to_yaml())["detectors"][0]["plugins"]
        assert [p if isinstance(p, str) else next(iter(p)) for p in parts] == ["cam", "roi1"]


class TestKeys:
    def test_the_defaults_keep_their_names(self):
        for key, entry in PLUGIN_DEFAULTS.items():
            assert part_key(entry["suffix"]) == key

    @pytest.mark.parametrize(
        ("suffix", "key"),
        [
            ("Over2:", "overlay2"),
            ("image2:", "image2"),
            ("Pva3:", "pva3"),
            ("HDF2:", "hdf2"),
            ("netCDF2:", "netcdf2"),
            ("Proc1:TIFF:", "proc1_tiff"),
            ("Stats1:TS:", "stats1_ts"),
            ("read:", "read_part"),
            ("class:", "class_part"),
            ("1X:", "part_1x"),
            (":", "part"),
        ],
    )
    def test_others_follow(self, suffix, key):
        assert part_key(suffix) == key

    @given(st.lists(st.text(max_size=8), max_size=6))
    def test_each_is_a_name_of_its_own_that_a_detector_can_have(self, suffixes):
        taken = []
        for suffix in suffixes:
            taken.append(part_key(suffix, taken))
        assert len(set(taken)) == len(taken)
        for key in taken:
            assert key.isidentifier()
            assert not keyword.iskeyword(key)
            assert not hasattr(DetectorBase, key)

    def test_all_usual_places_have_different_names(self):
        assert len({part_key(suffix) for suffix in PLUGIN_SUFFIXES}) == len(PLUGIN_SUFFIXES)


class TestReleases:
    @pytest.mark.parametrize("release", ["R2-6", "R3-1", "R3-4", "R3-9", "R3-14"])
    def test_the_code_fits_the_release_that_was_found(self, release):
        """Also where ophyd has no class of that release, or the type isn't known."""
        version = Release.parse(release).version
        found = {"cam1:": camera(ADCoreVersion_RBV=version)}
        kinds = "NDFileHDF5 NDFileNexus NDFileTIFF NDPluginStats NDPluginTimeSeries NDPluginX"
        for n, kind in enumerate(kinds.split()):
            found[f"P{n}:"] = plugin(f"PORT{n}", "SIM1", kind)
        ioc = describe_answers("none:", found)
        detector = run(ioc.code())["none"]
        assert detector.adcore == Release.parse(release)
        assert {part.key for part in ioc.parts} <= set(detector.component_names)
