"""Classes that fit a release of ADCore, against the table of its records."""

import copy
import pickle

import pytest
from ophyd import ADComponent, Component, Device, EpicsSignal, EpicsSignalRO, Kind
from ophyd.areadetector import plugins as stock
from ophyd.areadetector.base import DDC_SignalWithRBV, EpicsSignalWithRBV
from ophyd.areadetector.cam import CamBase, PilatusDetectorCam, SimDetectorCam

from adsupport.adcore import KNOWN_RELEASES, Release, history, records, templates
from adsupport.devices import (
    CamMixin_V34,
    SimDetectorCam_V34,
    ad_creator,
    class_for,
)
from adsupport.devices import plugins as ours
from adsupport.devices.plugin_defaults import PLUGIN_DEFAULTS
from adsupport.devices.releases.component_records import records_of
from adsupport.devices.releases.templates import template_of
from adsupport.errors import ConfigurationError

NEWEST = KNOWN_RELEASES[-1]

CLASSES = sorted({entry["class"] for entry in PLUGIN_DEFAULTS.values()}, key=lambda c: c.__name__)

# Records without a component, and why.
CHAIN = dict.fromkeys(
    ("SetAcquireBusy", "ClearAcquireBusy", "AcquireBusyCB"),
    "forwards the end of an acquisition inside the IOC",
)

AXES = {
    f"{stem}{end}": "ten axes: a camera fills X, Y and Z only, see array_size"
    for stem in (
        "Dimensions",
        *(f"ArraySize{n}" for n in range(10)),
        *(f"Dim{n}SA" for n in range(10)),
    )
    for end in ("", "_RBV")
}

LEFT_OUT = {"ADBase": CHAIN | AXES | {"NDimensions": "the camera decides on it"}}


def signals(cls):
    return {record for _, record in records_of(cls)}


def ever(template):
    return set().union(*(records(template, release) for release in KNOWN_RELEASES))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_record_of_the_newest_release_can_be_reached(cls):
    template = template_of(cls)
    missing = records(template, NEWEST) - signals(cls)
    assert missing == set(LEFT_OUT.get(template, CHAIN))


def test_the_default_classes_know_every_template_but_that_of_nexus_files():
    # NeXus files are written by the HDF5 plugin since ADCore R2-0: ophyd's class will do.
    found = {template_of(cls) for cls in CLASSES}
    assert found | {"NDFileNexus"} == set(templates())


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=str)
def test_a_class_has_what_the_release_has(release):
    for cls in CLASSES:
        template = template_of(cls)
        if not records(template, release):
            with pytest.raises(ConfigurationError, match=f"{template} is known from ADCore R3-"):
                class_for(cls, release)
            continue
        fitting = class_for(cls, release)
        found = signals(fitting) & ever(template)
        assert found <= records(template, release), cls
        assert records(template, release) - found <= set(LEFT_OUT.get(template, CHAIN)), cls
        part = fitting("none:", name="part")
        assert isinstance(part, cls)


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=str)
@pytest.mark.parametrize("version", [20, 22, 26, 31, 33, 34, 35])
def test_ophyds_own_versions_lose_what_the_release_lacks(release, version):
    for family in ("HDF5Plugin", "StatsPlugin", "ImagePlugin", "ProcessPlugin", "ROIPlugin"):
        cls = getattr(stock, f"{family}_V{version}")
        template = template_of(cls)
        assert (signals(class_for(cls, release)) & ever(template)) <= records(template, release)


@pytest.mark.parametrize(
    ("cls", "release", "present", "absent"),
    [
        (ours.HDF5Plugin, "R3-4", "blosc_level max_array_rate", "flush_now pool_max_buffers codec"),
        (ours.HDF5Plugin, "R3-5", "flush_now codec", "chunk_size_auto chunk_size jpeg_quality"),
        (ours.HDF5Plugin, "R3-7", "chunk_size_auto chunk_size", "wait_for_plugins free_capture"),
        (ours.HDF5Plugin, "R3-9", "wait_for_plugins acquire_busy acquire", "free_capture"),
        (ours.HDF5Plugin, "R3-13", "free_capture", "pre_alloc_buffers pool_poll_stats"),
        (ours.HDF5Plugin, "R2-6", "pool_max_buffers compression", "blosc_level sort_mode"),
        (ours.ProcessPlugin, "R3-11", "high_clip low_clip", "high_clip_threshold low_clip_value"),
        (ours.ProcessPlugin, "R3-13", "high_clip_threshold", "high_clip low_clip"),
        (ours.StatsPlugin, "R3-1", "ts_control ts_read pool_max_buffers", "histogram_x"),
        (ours.StatsPlugin, "R3-3", "histogram_x", "ts_control cursor_val pool_max_buffers"),
        (ours.StatsPlugin, "R3-11", "cursor_val", "ts_control"),
        (ours.AttributePlugin, "R3-4", "ts_control ts_num_points", "codec"),
        (ours.AttributePlugin, "R3-5", "codec", "ts_control ts_num_points"),
        (SimDetectorCam_V34, "R2-6", "pool_max_buffers acquire", "wait_for_plugins acquire_busy"),
        (SimDetectorCam_V34, "R3-3", "wait_for_plugins empty_free_list", "pool_max_buffers codec"),
        (SimDetectorCam, "R3-14", "acquire", "pool_max_buffers"),
        (SimDetectorCam, "R2-6", "acquire pool_max_buffers", ""),
        (PilatusDetectorCam, "R3-4", "threshold_energy", "pool_max_buffers"),
    ],
)
def test_some_that_users_know(cls, release, present, absent):
    fitting = class_for(cls, release)
    assert {name for name in present.split() if name not in fitting.component_names} == set()
    assert {name for name in absent.split() if name in fitting.component_names} == set()
    assert all(getattr(fitting, name, None) is None for name in absent.split())


@pytest.mark.parametrize(
    ("spelling", "known"),
    [("R3-4", "R3_4"), ("3.4", "R3_4"), ("3.4.0", "R3_4"), ("3.6", "R3_5"), ("R2-4", "R2_6")],
)
def test_any_spelling_of_any_release(spelling, known):
    assert class_for(ours.HDF5Plugin, spelling).__name__ == f"HDF5Plugin_{known}"
    assert class_for(ours.HDF5Plugin, Release.parse(spelling)).__name__.endswith(known)


@pytest.mark.parametrize("release", ["", "newest", "R3"])
def test_what_is_no_release(release):
    with pytest.raises(ConfigurationError, match="not a release of ADCore.*R3-14"):
        class_for(ours.HDF5Plugin, release)


def test_a_class_that_fits_is_left_as_it_is():
    assert class_for(ours.HDF5Plugin, "R3-14") is ours.HDF5Plugin
    assert class_for(ours.HDF5Plugin, "R3-15") is ours.HDF5Plugin


def test_a_plugin_that_came_between_two_known_releases_is_allowed():
    # whether R3-10 had NDBadPixel the table doesn't tell; R3-9 had not, R3-11 has
    assert class_for(ours.BadPixelPlugin, "R3-10").__name__ == "BadPixelPlugin_R3_11"
    with pytest.raises(ConfigurationError, match="R3-9"):
        class_for(ours.BadPixelPlugin, "R3-9")


def test_the_same_class_each_time_whatever_it_is_made_from():
    old = class_for(ours.HDF5Plugin, "R3-4")
    assert class_for(ours.HDF5Plugin, "3.4.0") is old
    assert class_for(old, "R3-4") is old
    assert class_for(class_for(old, "R2-6"), "R3-14") is ours.HDF5Plugin


def test_names_pickle_and_copy():
    old = class_for(ours.HDF5Plugin, "R3-4")
    assert (old.__name__, old.__module__) == ("HDF5Plugin_R3_4", "adsupport.devices.plugins")
    assert "R3-4" in old.__doc__
    assert pickle.loads(pickle.dumps(old)) is old
    assert copy.copy(old) is copy.deepcopy(old) is old
    assert repr(old("none:", name="p")).startswith("HDF5Plugin_R3_4(prefix='none:'")
    assert pickle.loads(pickle.dumps(Derived)) is Derived


class Derived(class_for(ours.HDF5Plugin, "R3-4")):
    """A user's class on top of one that was made."""


class TestStockClasses:
    """ophyd's classes end before R3-14, its cameras have no versions: what is missing comes in."""

    @pytest.mark.parametrize(
        ("cls", "release", "present", "absent"),
        [
            (stock.HDF5Plugin_V34, "R3-14", "flush_now chunk_size free_capture codec", ""),
            (stock.HDF5Plugin_V34, "R3-5", "flush_now codec", "chunk_size free_capture"),
            (stock.ProcessPlugin_V34, "R3-13", "low_clip_threshold high_clip_value", "low_clip"),
            (PilatusDetectorCam, "R3-14", "wait_for_plugins acquire_busy driver_version", ""),
            (PilatusDetectorCam, "R3-1", "driver_version pool_max_buffers", "wait_for_plugins"),
        ],
    )
    def test_what_comes_in(self, cls, release, present, absent):
        fitting = class_for(cls, release)
        assert {name for name in present.split() if name not in fitting.component_names} == set()
        assert {name for name in absent.split() if name in fitting.component_names} == set()
        fitting("none:", name="part")

    def test_any_camera_waits_for_its_plugins_then(self):
        spec = {"cam": {"class": PilatusDetectorCam}}
        newer = ad_creator("none:", name="d", plugins=[spec], adcore="R3-9")
        assert newer.stage_sigs["cam.wait_for_plugins"] == "Yes"
        assert "cam.wait_for_plugins" not in ad_creator("n:", name="d", plugins=[spec]).stage_sigs

    def test_what_comes_in_is_not_read(self):
        before = PilatusDetectorCam._component_kinds
        after = class_for(PilatusDetectorCam, "R3-9")._component_kinds
        added = after.keys() - before.keys()
        assert "acquire_busy" in added
        assert {after[attr] for attr in added} == {Kind.omitted}

    def test_nothing_comes_in_twice(self):
        for version in (20, 22, 26, 31, 34, 35):
            cls = class_for(getattr(stock, f"StatsPlugin_V{version}"), "R3-14")
            found = [record for _, record in records_of(cls)]
            before = [record for _, record in records_of(getattr(stock, f"StatsPlugin_V{version}"))]
            assert {r for r in found if found.count(r) > before.count(r) > 0} == set()


class TestUsersClasses:
    def test_what_the_user_left_out_stays_out(self):
        class Mine(ours.HDF5Plugin):
            codec = None

            def flush_now(self):
                return "mine"

        assert class_for(Mine, "R3-14") is Mine
        assert class_for(Mine, "R3-9").codec is None

    def test_a_class_on_top_of_one_that_was_made_follows_a_newer_release(self):
        assert Derived.flush_now is None
        assert class_for(Derived, "R3-14").flush_now.suffix == "FlushNow"

    def test_own_records_are_left_alone(self):
        class Mine(ours.StatsPlugin):
            spot = ADComponent(EpicsSignal, "Spot")
            busy = ADComponent(EpicsSignalRO, "AcquireBusy")

        old = class_for(Mine, "R3-5")
        assert old.__name__ == "Mine_R3_5"
        assert old.spot is Mine.spot
        assert old.busy is None

    def test_what_is_not_of_adcore_is_left_alone(self):
        class Motor(Device):
            codec = Component(EpicsSignalRO, "Codec_RBV")

        assert class_for(Motor, "R2-6") is Motor

    def test_a_plugin_of_another_kind_loses_what_all_plugins_lose(self):
        class Position(stock.PluginBase_V35):
            _plugin_type = "NDPosPlugin"
            running = ADComponent(EpicsSignalWithRBV, "Running")

        old = class_for(Position, "R3-4")
        assert (old.codec, old.running) == (None, Position.running)
        assert class_for(Position, "R2-6").pool_max_buffers.suffix == "PoolMaxBuffers"

    def test_the_template_can_be_stated(self):
        class Odd(Device):
            _template = "NDFFT"
            codec = Component(EpicsSignalRO, "Codec_RBV")

        assert class_for(Odd, "R3-4").codec is None

    def test_a_group_keeps_what_is_left(self):
        class Mine(ours.HDF5Plugin):
            mixed = DDC_SignalWithRBV(("new", "ChunkSizeAuto"), ("old", "NumColChunks"))

        old = class_for(Mine, "R3-4")
        assert old.mixed.attrs == ["old"]
        part = old("none:", name="part")
        part.lazy_wait_for_connection = False
        assert part.mixed.old.setpoint_pvname == "none:NumColChunks"
        assert Mine.mixed.attrs == ["new", "old"]

    def test_a_pair_of_which_one_is_left(self, monkeypatch):
        # no release took away one of a pair so far
        class Mine(CamMixin_V34):
            both = ADComponent(EpicsSignalWithRBV, "Gain", kind="config", string=True)
            other = ADComponent(EpicsSignalWithRBV, "BinX")

        from adsupport.devices.releases import fitting as releases

        def lacking(template, release):
            return (
                records(template, release) - {"Gain", "BinX_RBV"}
                if release == Release(3, 7)
                else records(template, release)
            )

        monkeypatch.setattr(releases, "records", lacking)
        old = class_for(Mine, "R3-7")
        assert (old.both.cls, old.both.suffix) == (EpicsSignalRO, "Gain_RBV")
        assert old.both.kwargs["string"]
        assert old.both.kind == Mine.both.kind
        assert (old.other.cls, old.other.suffix) == (EpicsSignal, "BinX")


class TestDriver:
    """Offset came with ADSimDetector R2-9 (its release notes)."""

    @pytest.mark.parametrize("driver", ["2.9", "2.11.0", None])
    def test_offset_is_there_unless_known_to_be_missing(self, driver):
        assert class_for(SimDetectorCam_V34, "R3-4", driver).offset is not None

    def test_offset_of_an_older_driver(self):
        old = class_for(SimDetectorCam_V34, "R3-4", "2.8.0")
        assert old.offset is None
        assert class_for(SimDetectorCam_V34, "R3-4").offset is not None
        assert pickle.loads(pickle.dumps(old)) is old

    def test_drivers_of_other_cameras_do_not_matter(self):
        assert class_for(PilatusDetectorCam, "R3-4", "2.8") is class_for(PilatusDetectorCam, "R3-4")

    def test_offset_is_not_needed_to_connect(self):
        camera = SimDetectorCam_V34("none:", name="camera")
        assert camera._get_kind("offset") == 0


def test_the_cameras_mixin_says_when_its_records_came():
    # users know it as V3_1_1, the records came with R3-3
    for record in ("AcquireBusy", "WaitForPlugins", "NumQueuedArrays"):
        assert history("ADBase", record) == (Release(3, 3), None)
    assert issubclass(class_for(SimDetectorCam_V34, "R3-4"), CamBase)
