"""The plugin and camera classes against the records of ADCore 3.14."""

import json
import pathlib

import pytest
from ophyd import EpicsSignal, EpicsSignalRO
from ophyd.areadetector import plugins as ophyd_plugins
from ophyd.areadetector.base import ADComponent, EpicsSignalWithRBV
from ophyd.areadetector.cam import CamBase, SimDetectorCam
from ophyd.signal import EpicsSignalBase

from adsupport.devices import BadPixelPlugin, CamMixin_V3_1_1, CamMixin_V34, SimDetectorCam_V34
from adsupport.devices import plugins as ours
from adsupport.devices.plugin_defaults import PLUGIN_DEFAULTS

DATA = pathlib.Path(__file__).parents[1] / "data" / "adcore-3.14-plugins.json"
SERVED = json.loads(DATA.read_text())

# ROI2 is served like ROI1, and so on; NDFileMagick isn't part of that IOC.
INSTANCES = {"CC2:": "CC1:"} | {f"{k}{n}:": f"{k}1:" for k in ("ROI", "Stats") for n in range(2, 6)}
KEYS = [key for key in PLUGIN_DEFAULTS if key not in ("cam", "magick1")]


def records_of(suffix):
    plugin = SERVED["plugins"][INSTANCES.get(suffix, suffix)]
    return {*SERVED["common"], *plugin["records"]}


def declared(cls, suffix=""):
    """Yield dotted name and record of each signal that a class declares."""
    for attr, component in cls._sig_attrs.items():
        kind = component.cls
        if issubclass(kind, EpicsSignalBase):
            names = ["", "_RBV"] if issubclass(kind, EpicsSignalWithRBV) else [""]
            for end in names:
                yield attr, (suffix + component.suffix + end).partition(".")[0]
        elif hasattr(kind, "_sig_attrs"):
            for name, record in declared(kind, suffix + (component.suffix or "")):
                yield f"{attr}.{name}", record


@pytest.mark.parametrize("key", KEYS)
def test_every_record_of_a_default_plugin_is_served(key):
    entry = PLUGIN_DEFAULTS[key]
    served = records_of(entry["suffix"])
    missing = {name: record for name, record in declared(entry["class"]) if record not in served}
    assert missing == {}


def test_every_record_of_the_simulated_camera_is_served():
    served = set(SERVED["cam1:"])
    assert {n: r for n, r in declared(SimDetectorCam_V34) if r not in served} == {}


@pytest.mark.parametrize("key", KEYS)
def test_the_plugin_type_is_the_one_reported(key):
    # ophyd refuses to stage a plugin of another type; its own BadPixelPlugin never agrees.
    entry = PLUGIN_DEFAULTS[key]
    suffix = INSTANCES.get(entry["suffix"], entry["suffix"])
    assert SERVED["plugins"][suffix]["type"].startswith(entry["class"]._plugin_type)


@pytest.mark.parametrize(
    ("stock", "suffix", "attr"),
    [
        ("AttrPlotPlugin_V34", "Attr1:", "npts"),
        ("BadPixelPlugin", "BadPix1:", "pool_max_buffers"),
        ("ProcessPlugin_V34", "Proc1:", "high_clip"),
        ("ProcessPlugin_V34", "Proc1:", "low_clip"),
    ],
)
def test_the_table_knows_what_stock_classes_miss(stock, suffix, attr):
    names = dict(declared(getattr(ophyd_plugins, stock)))
    assert names[attr] not in records_of(suffix)


@pytest.mark.parametrize("key", [key for key in PLUGIN_DEFAULTS if key != "cam"])
def test_plugins_do_not_block_the_camera_by_default(key):
    plugin = PLUGIN_DEFAULTS[key]["class"]("none:", name="plugin")
    assert plugin.stage_sigs["blocking_callbacks"] == "No"
    assert list(plugin.stage_sigs)[0] == "enable"


def test_blocking_can_be_asked_for():
    plugin = ours.StatsPlugin("none:", name="plugin")
    plugin.ensure_blocking()
    assert plugin.stage_sigs["blocking_callbacks"] == "Yes"


def test_badpixel_file_name():
    assert issubclass(BadPixelPlugin, ophyd_plugins.PluginBase)
    assert BadPixelPlugin.file_name.suffix == "FileName"


def test_gather_plugin_needs_no_index():
    plugin = ours.GatherPlugin("none:", name="plugin")
    assert plugin.gather_array_port.component_names == tuple(f"port{n}" for n in range(1, 9))


@pytest.mark.parametrize("cls", [ours.MagickPlugin, ours.NetCDFPlugin])
def test_writers_without_documents_keep_their_templates(cls):
    plugin = cls("none:", name="p", write_path_template="/a", read_path_template="/b")
    assert (plugin.write_path_template, plugin.read_path_template) == ("/a", "/b")
    assert cls("none:", name="p").write_path_template is None


class TestCamera:
    def test_offset_belongs_to_the_simulation_only(self):
        assert SimDetectorCam_V34.offset.suffix == "Offset"
        assert not hasattr(CamMixin_V34, "offset")
        assert not hasattr(CamMixin_V3_1_1, "offset")

    @pytest.mark.parametrize("mixin", [CamMixin_V3_1_1, CamMixin_V34])
    def test_mixin(self, mixin):
        class Camera(mixin, SimDetectorCam):
            pass

        assert issubclass(mixin, CamBase)
        assert Camera.pool_max_buffers is None
        assert "pool_max_buffers" not in Camera.component_names
        assert Camera.acquire_busy.cls is EpicsSignalRO
        camera = Camera("none:", name="camera")
        assert camera.stage_sigs["wait_for_plugins"] == "Yes"

    def test_releases(self):
        assert CamMixin_V3_1_1._cam_release == "3.1.1"
        assert CamMixin_V34._cam_release == SimDetectorCam_V34._cam_release == "3.4"

    def test_attribute_status_is_text_and_omitted(self):
        status = SimDetectorCam_V34.nd_attr_status
        assert status.kwargs["string"]
        assert status.kind == 0

    def test_mixin_does_not_undo_what_the_cameras_class_changed(self):
        # ophyd would take gain from CamBase, by way of the mixin.
        class Changed(CamBase):
            gain = ADComponent(EpicsSignal, "OtherGain")

        class Camera(CamMixin_V34, Changed):
            pass

        assert Camera._sig_attrs["gain"].suffix == "OtherGain"

    def test_configuration_is_that_of_the_base(self):
        camera = SimDetectorCam_V34("none:", name="camera")
        assert set(CamBase._default_configuration_attrs) <= {
            attr for attr in camera.component_names if camera._get_kind(attr) & 2
        }


def test_showing_a_plugin_needs_no_ioc():
    assert "none:" in repr(ours.StatsPlugin("none:", name="plugin"))


def test_writes_end():
    plugin = ours.StatsPlugin("none:", name="plugin")
    plugin.lazy_wait_for_connection = False
    assert plugin.enable.write_timeout == 10
    assert plugin.array_counter.write_timeout == 10


def test_a_limit_that_was_declared_stays():
    class Slow(ours.StatsPlugin):
        slow = ADComponent(EpicsSignal, "Slow", write_timeout=1000)

    plugin = Slow("none:", name="plugin")
    plugin.lazy_wait_for_connection = False
    assert plugin.slow.write_timeout == 1000
