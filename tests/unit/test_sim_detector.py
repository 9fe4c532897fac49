"""The simulated camera, driven at its port; sequences are those recorded from an ADSimDetector."""

import threading
import time

import numpy as np
import pytest

from adsupport.sim.attributes import channel_reader
from adsupport.sim.detector import SimDetector, State
from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import EPICS_EPOCH, ColorMode
from adsupport.sim.port import PortError

IDLE, ACQUIRE, READOUT, WAITING, ABORTED = (
    State.IDLE,
    State.ACQUIRE,
    State.READOUT,
    State.WAITING,
    State.ABORTED,
)
LONG = 20.0
"""Seconds after which a test gives up; nothing should take nearly as long."""


class Bench:
    """A camera with a recorder of everything it posts and of every array it emits."""

    def __init__(self, **params):
        self.camera = SimDetector("SIM1", seed=5)
        IOC("test", "t:").load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", self.camera)
        self.posted = []
        self.arrays = []
        self._news = threading.Condition()
        self.camera.sink = self._record
        self.camera.connect(self.arrays.append)
        self.camera.set("MAX_SIZE_X", 8)
        self.camera.set("MAX_SIZE_Y", 6)
        self.camera.start()
        self.put(ACQ_TIME=0.001, ACQ_PERIOD=0.0, **params)
        self.posted.clear()

    def _record(self, port, changes):
        with self._news:
            self.posted += [(change.param, change.value) for change in changes]
            self._news.notify_all()

    def put(self, **params):
        for param, value in params.items():
            self.camera.write(param, value)

    def wait_for(self, param, value, times=1):
        with self._news:
            assert self._news.wait_for(
                lambda: self.posted.count((param, value)) >= times, timeout=LONG
            ), f"{param}={value} was not posted {times} times: {self.posted}"

    def acquire(self, **params):
        """Acquire to the end and return what was posted."""
        self.put(**params)
        self.posted.clear()
        self.put(ACQUIRE=1)
        self.wait_for("ACQUIRE_BUSY", 0)
        return self.posted

    def values(self, param):
        return [value for name, value in self.posted if name == param]

    def get(self, param):
        return self.camera.get(param)


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.camera.stop()


START = [
    ("STATUS_MESSAGE", "Acquiring data"),
    ("ACQUIRE", 1),
    ("ACQUIRE_BUSY", 1),
]
END = [
    ("STATUS_MESSAGE", "Waiting for acquisition"),
    ("STATUS", IDLE),
    ("ACQUIRE", 0),
    ("ACQUIRE_BUSY", 0),
]


def of(posted, *params):
    return [(name, value) for name, value in posted if name in params]


SEEN = ("STATUS_MESSAGE", "ACQUIRE", "ACQUIRE_BUSY", "STATUS", "ARRAY_COUNTER", "NIMAGES_COUNTER")

# --- one acquisition --------------------------------------------------------------------------


def test_single_posts_what_was_recorded_in_that_order(bench):
    posted = of(bench.acquire(IMAGE_MODE=0, ACQ_TIME=0.02, ACQ_PERIOD=1.0), *SEEN)
    assert posted == [
        *START,
        ("STATUS", ACQUIRE),
        ("STATUS", READOUT),
        ("ARRAY_COUNTER", 1),
        ("NIMAGES_COUNTER", 1),
        *END,
    ]


def test_multiple_waits_between_frames_but_not_after_the_last(bench):
    bench.acquire(IMAGE_MODE=0)
    posted = bench.acquire(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=0.01, ACQ_PERIOD=0.05)
    frames = [
        step
        for number in (1, 2, 3)
        for step in (
            ("STATUS", ACQUIRE),
            ("STATUS", READOUT),
            ("ARRAY_COUNTER", number + 1),
            ("NIMAGES_COUNTER", number),
            ("STATUS", WAITING),
        )
    ]
    assert of(posted, *SEEN) == [*START, ("NIMAGES_COUNTER", 0), *frames[:-1], *END]


def test_no_waiting_state_when_the_period_is_shorter_than_the_exposure(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=0.01, ACQ_PERIOD=0.005)
    assert bench.values("STATUS") == [ACQUIRE, READOUT, ACQUIRE, READOUT, ACQUIRE, READOUT, IDLE]
    assert bench.get("ACQ_PERIOD") == 0.005


@pytest.mark.parametrize(
    ("number", "exposure", "period", "expected"),
    [(3, 0.03, 0.1, 0.23), (3, 0.06, 0.02, 0.18), (1, 0.05, 5.0, 0.05), (2, -1.0, 0.1, 0.1)],
)
def test_durations(bench, number, exposure, period, expected):
    bench.put(IMAGE_MODE=1, NIMAGES=number, ACQ_TIME=exposure, ACQ_PERIOD=period)
    began = time.monotonic()
    bench.acquire()
    elapsed = time.monotonic() - began
    assert elapsed >= expected
    assert elapsed < expected + 2.0
    assert bench.get("ACQ_TIME") == exposure


def test_periods_do_not_drift(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=11, ACQ_TIME=0.0, ACQ_PERIOD=0.02)
    stamps = np.array([array.time_stamp for array in bench.arrays])
    # a late frame is made up for by the next one, so that the mean keeps to the period
    assert stamps[-1] - stamps[0] == pytest.approx(0.2, abs=0.1)
    assert (np.diff(stamps) > 0).all()


def test_zero_images_is_one_image_and_single_ignores_the_number(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=0)
    assert bench.get("NIMAGES_COUNTER") == 1
    bench.acquire(IMAGE_MODE=0, NIMAGES=7)
    assert bench.get("NIMAGES_COUNTER") == 1


def test_counters(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=2)
    bench.acquire()
    assert bench.get("ARRAY_COUNTER") == 4
    assert bench.get("NIMAGES_COUNTER") == 2
    assert [array.unique_id for array in bench.arrays] == [1, 2, 3, 4]
    bench.acquire(ARRAY_COUNTER=100)
    assert [array.unique_id for array in bench.arrays][4:] == [101, 102]


# --- stop -------------------------------------------------------------------------------------

STOP = ("STATUS_MESSAGE", "Acquisition stopped")


def test_stop_during_exposure(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=50, ACQ_TIME=LONG)
    bench.posted.clear()
    bench.put(ACQUIRE=1)
    bench.wait_for("STATUS", ACQUIRE)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert of(bench.posted, *SEEN) == [
        STOP,
        ("ACQUIRE", 0),
        ("STATUS", ABORTED),
        ("ACQUIRE_BUSY", 0),
    ]
    assert not bench.arrays
    assert bench.get("NIMAGES_COUNTER") == 0
    bench.acquire(ACQ_TIME=0.0, NIMAGES=1)
    assert bench.get("STATUS") == IDLE


def test_stop_during_the_wait_keeps_the_count(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=50, ACQ_TIME=0.0, ACQ_PERIOD=LONG)
    bench.put(ACQUIRE=1)
    bench.wait_for("STATUS", WAITING)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert of(bench.posted, *SEEN) == [
        STOP,
        ("STATUS", ACQUIRE),
        ("ACQUIRE", 0),
        ("STATUS", ABORTED),
        ("ACQUIRE_BUSY", 0),
    ]
    assert bench.get("NIMAGES_COUNTER") == 1
    assert bench.get("STATUS_MESSAGE") == "Acquisition stopped"


@pytest.mark.parametrize(("mode", "state"), [(0, ABORTED), (1, ABORTED), (2, IDLE)])
def test_state_after_a_stop(bench, mode, state):
    bench.put(IMAGE_MODE=mode, ACQ_TIME=LONG)
    bench.put(ACQUIRE=1)
    bench.put(ACQUIRE=0)
    assert bench.get("STATUS") == state
    assert bench.get("ACQUIRE_BUSY") == 0


def test_continuous_runs_until_stopped(bench):
    bench.put(IMAGE_MODE=2, NIMAGES=1, ACQ_TIME=0.0, ACQ_PERIOD=0.001)
    bench.put(ACQUIRE=1)
    bench.wait_for("NIMAGES_COUNTER", 5)
    bench.put(ACQUIRE=0)
    assert bench.get("STATUS") == IDLE


def test_stop_when_idle_changes_nothing(bench):
    bench.acquire(IMAGE_MODE=0)
    bench.posted.clear()
    bench.put(ACQUIRE=0)
    assert bench.posted == []


def test_start_while_acquiring_is_ignored(bench):
    bench.put(IMAGE_MODE=1, NIMAGES=5, ACQ_TIME=0.01)
    bench.posted.clear()
    bench.put(ACQUIRE=1)
    bench.wait_for("NIMAGES_COUNTER", 2)
    bench.put(ACQUIRE=1)
    bench.wait_for("ACQUIRE_BUSY", 0)
    assert bench.values("NIMAGES_COUNTER") == [0, 1, 2, 3, 4, 5] or bench.values(
        "NIMAGES_COUNTER"
    ) == [1, 2, 3, 4, 5]
    assert bench.values("ACQUIRE") == [1, 0]


def test_restart_right_after_a_stop_is_a_whole_acquisition(bench):
    for _ in range(20):
        bench.put(IMAGE_MODE=1, NIMAGES=3, ACQ_TIME=LONG)
        bench.put(ACQUIRE=1)
        bench.put(ACQUIRE=0)
        bench.arrays.clear()
        bench.acquire(ACQ_TIME=0.0)
        assert len(bench.arrays) == 3
        assert bench.get("STATUS") == IDLE


def test_stop_at_the_very_end_leaves_the_next_acquisition_alone(bench):
    bench.put(IMAGE_MODE=0, ACQ_TIME=0.0)
    for _ in range(50):
        bench.put(ACQUIRE=1)
        bench.put(ACQUIRE=0)
    bench.arrays.clear()
    bench.acquire()
    assert len(bench.arrays) == 1
    assert bench.get("STATUS_MESSAGE") == "Waiting for acquisition"


def test_stop_ends_the_port_during_an_exposure(bench):
    bench.put(IMAGE_MODE=2, ACQ_TIME=LONG)
    bench.put(ACQUIRE=1)
    began = time.monotonic()
    bench.camera.stop()
    assert time.monotonic() - began < LONG / 2
    assert bench.get("ACQUIRE_BUSY") == 0


# --- plugins ----------------------------------------------------------------------------------


def test_no_arrays_when_callbacks_are_off_but_counters_count(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=3, ARRAY_CALLBACKS=0)
    assert bench.arrays == []
    assert bench.get("ARRAY_COUNTER") == 3


@pytest.mark.parametrize(("wait", "busy"), [(0, 0), (1, 1)])
def test_busy_waits_for_plugins_only_when_told_to(bench, wait, busy):
    bench.camera.connect(lambda array: bench.camera.count_queued(+1))
    bench.put(IMAGE_MODE=1, NIMAGES=2, WAIT_FOR_PLUGINS=wait)
    bench.put(ACQUIRE=1)
    bench.wait_for("ACQUIRE", 0)
    assert bench.get("NUM_QUEUED_ARRAYS") == 2
    assert bench.get("ACQUIRE_BUSY") == busy
    bench.camera.count_queued(-1)
    assert bench.get("ACQUIRE_BUSY") == busy
    bench.camera.count_queued(-1)
    assert bench.get("ACQUIRE_BUSY") == 0


def test_stopped_camera_is_busy_until_the_frame_in_hand_is_delivered(bench):
    entered, leave = threading.Event(), threading.Event()

    def slow(array):
        entered.set()
        assert leave.wait(LONG)

    bench.camera.connect(slow)
    bench.put(IMAGE_MODE=1, NIMAGES=9, ACQ_TIME=0.0)
    bench.put(ACQUIRE=1)
    assert entered.wait(LONG)
    bench.put(ACQUIRE=0)  # at once: a slow plugin does not hold the port
    assert bench.get("ACQUIRE") == 0
    assert bench.get("ACQUIRE_BUSY") == 1
    leave.set()
    bench.wait_for("ACQUIRE_BUSY", 0)
    assert bench.get("STATUS") == ABORTED
    assert bench.get("NIMAGES_COUNTER") == 1
    assert len(bench.arrays) == 1


def test_a_plugin_that_fails_is_reported_and_the_camera_lives(bench, caplog):
    def broken(array):
        raise RuntimeError("no more disk")

    bench.camera.connect(broken)
    bench.acquire(IMAGE_MODE=0)
    assert bench.get("STATUS_MESSAGE") == "RuntimeError: no more disk"
    assert bench.get("STATUS") == State.ERROR
    assert "no more disk" in caplog.text
    bench.camera.disconnect(broken)
    bench.acquire()
    assert bench.get("STATUS") == IDLE


# --- arrays -----------------------------------------------------------------------------------


def test_array_carries_id_stamps_and_colour_mode(bench):
    before = time.time() - EPICS_EPOCH
    bench.acquire(IMAGE_MODE=0, COLOR_MODE=2, ACQ_TIME=0.02)
    (array,) = bench.arrays
    assert array.unique_id == 1
    assert before <= array.time_stamp <= time.time() - EPICS_EPOCH
    # the EPICS time stamp is taken at the read-out
    assert array.ts_sec + array.ts_nsec * 1e-9 >= array.time_stamp + 0.019
    assert array.color_mode is ColorMode.RGB2
    color = array.attribute("ColorMode")
    assert (color.value, color.description, color.source) == (3, "Color mode", "Driver")
    assert color.source_type == "NDAttrSourceDriver"
    assert array.data.shape == (6, 3, 8)


def test_sizes_follow_the_image(bench):
    assert bench.get("ARRAY_SIZE") == 0
    bench.acquire(IMAGE_MODE=0, DATA_TYPE=3, BIN_X=3, COLOR_MODE=1)
    assert bench.get("ARRAY_SIZE_X") == 2
    assert bench.get("ARRAY_SIZE_Y") == 6
    assert bench.get("ARRAY_SIZE_Z") == 0
    assert bench.get("ARRAY_SIZE") == 2 * 6 * 3 * 2
    assert bench.get("ARRAY_NDIMENSIONS") == 0


def test_region_is_corrected_when_an_image_is_computed(bench):
    bench.put(MIN_X=-5, SIZE_X=99, BIN_Y=0, MIN_Y=70, IMAGE_MODE=0)
    assert (bench.get("MIN_X"), bench.get("SIZE_X")) == (-5, 99)
    bench.acquire()
    assert (bench.get("MIN_X"), bench.get("SIZE_X")) == (0, 8)
    assert (bench.get("MIN_Y"), bench.get("SIZE_Y"), bench.get("BIN_Y")) == (5, 1, 1)
    assert bench.arrays[0].data.shape == (1, 8)


def first_pixels(bench):
    return [int(array.data.flat[0]) for array in bench.arrays]


def test_ramp_goes_on_from_one_acquisition_to_the_next(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=2)
    bench.acquire(ACQ_TIME=0.002, MIN_X=0, SIM_XSINE_OPERATION=1)
    assert first_pixels(bench) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("DATA_TYPE", 1),
        ("COLOR_MODE", 0),
        ("SIM_MODE", 0),
        ("GAIN", 1.0),
        ("SIM_GAIN_X", 2.0),
        ("SIM_OFFSET", 0.0),
        ("SIM_NOISE", 0.0),
        ("SIM_PEAK_START_X", 3),
        ("SIM_PEAK_STEP_Y", 3),
        ("SIM_PEAK_HEIGHT_VARIATION", 1.0),
        ("SIM_XSINE1_AMPLITUDE", 4.0),
        ("SIM_YSINE2_PHASE", 4.0),
        ("RESET_IMAGE", 1),
    ],
)
def test_writes_that_start_the_ramp_anew(bench, param, value):
    bench.acquire(IMAGE_MODE=1, NIMAGES=3)
    bench.acquire(**{param: value})
    assert first_pixels(bench) == [0, 1, 2, 0, 1, 2]
    assert bench.get("RESET_IMAGE") == 0


@pytest.mark.parametrize(
    ("param", "value"), [("DATA_TYPE", 10), ("COLOR_MODE", 5), ("SIM_MODE", 4), ("IMAGE_MODE", 3)]
)
def test_states_that_do_not_exist_are_refused(bench, param, value):
    before = bench.get(param)
    with pytest.raises(PortError, match=param):
        bench.put(**{param: value})
    assert bench.get(param) == before


def test_frames_belong_to_who_takes_them(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=3)
    with pytest.raises(ValueError, match="read-only"):
        bench.arrays[0].data[0, 0] = 7
    assert first_pixels(bench) == [0, 1, 2]


# --- shutter ----------------------------------------------------------------------------------


def test_detector_shutter_opens_for_the_exposure(bench):
    bench.acquire(IMAGE_MODE=0, SHUTTER_MODE=2)
    assert bench.values("SHUTTER_STATUS") == [1, 0]
    bench.put(SHUTTER_CONTROL=1)
    assert bench.get("SHUTTER_STATUS") == 1


def test_no_shutter_does_nothing(bench):
    bench.acquire(IMAGE_MODE=0)
    assert bench.values("SHUTTER_STATUS") == []


# --- attributes file --------------------------------------------------------------------------

XML = """<?xml version="1.0"?>
<Attributes>
  <Attribute name="Maker" type="PARAM" source="MANUFACTURER" datatype="STRING"
             description="who made it"/>
  <Attribute name="Counter" type="PARAM" source="ARRAY_COUNTER" datatype="INT" description=""/>
  <Attribute name="Gain" type="PARAM" source="GAIN" datatype="DOUBLE" description="gain"/>
  <Attribute name="Nothing" type="PARAM" source="NO_SUCH" datatype="INT" description=""/>
  <Attribute name="Fixed" type="CONST" source="$(WHAT=7)" datatype="INT" description=""/>
  <Attribute name="Mode" type="EPICS_PV" source="t:mode" dbrtype="DBR_STRING" description=""/>
</Attributes>
"""


def test_attributes_travel_with_the_arrays(bench, tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(XML)
    bench.camera.read_pv = lambda name, text: "Multiple" if (name, text) == ("t:mode", True) else 0
    bench.put(ND_ATTRIBUTES_FILE=str(file), IMAGE_MODE=0)
    assert bench.get("ND_ATTRIBUTES_STATUS") == 0
    bench.acquire()
    found = {item.name: item.value for item in bench.arrays[0].attributes}
    assert found == {
        "ColorMode": 0,
        "Maker": "Simulated detector",
        "Counter": 1,
        "Gain": 1.0,
        "Fixed": 7,
        "Mode": "Multiple",
    }
    maker = bench.arrays[0].attribute("Maker")
    assert (maker.description, maker.source) == ("who made it", "MANUFACTURER")
    assert maker.source_type == "NDAttrSourceParam"
    assert bench.arrays[0].attribute("Mode").source_type == "NDAttrSourceEPICSPV"


def test_pvs_of_the_ioc_itself_as_attributes():
    ioc = IOC("test", "t:")
    ioc.load(("NDArrayBase", "ADBase", "simDetector"), "cam1:", SimDetector("SIM1"))
    read = channel_reader(ioc.database)
    assert read("t:cam1:ImageMode", True) == "Continuous"
    assert read("t:cam1:ImageMode", False) == 2
    assert read("t:cam1:AcquireTime", False) == 0.001
    assert read("t:cam1:Manufacturer_RBV", True) == "Simulated detector"
    assert read("t:cam1:StatusMessage_RBV", True) == ""
    assert read("t:cam1:NoSuch", True) is None


@pytest.mark.parametrize(
    ("file", "macros", "status"),
    [
        ("", "", 0),
        ("/no/such/file.xml", "", 1),
        ("/dev/zero", "", 1),
        ("<Attributes><Attribute></Attributes>", "", 2),
        ('<Attributes><Attribute name="$(A)" type="CONST"/></Attributes>', "", 3),
        ('<Attributes><Attribute name="$(A)" type="CONST"/></Attributes>', "B=1, A=x", 0),
        (XML, "", 0),
    ],
)
def test_status_of_the_attributes_file(bench, file, macros, status):
    bench.put(ND_ATTRIBUTES_MACROS=macros, ND_ATTRIBUTES_FILE=file)
    assert bench.get("ND_ATTRIBUTES_STATUS") == status


def test_an_empty_name_clears_the_status_and_the_attributes(bench):
    bench.put(ND_ATTRIBUTES_FILE=XML)
    bench.put(ND_ATTRIBUTES_FILE="/no/such/file.xml")
    bench.put(ND_ATTRIBUTES_FILE="")
    assert bench.get("ND_ATTRIBUTES_STATUS") == 0
    bench.acquire(IMAGE_MODE=0)
    assert [item.name for item in bench.arrays[0].attributes] == ["ColorMode"]
