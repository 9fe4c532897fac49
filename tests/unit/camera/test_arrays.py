"""What the simulated camera hands to plugins, and when it is done."""

import threading
import time

import pytest

from adsupport.sim.camera.detector import State
from adsupport.sim.ndarray import EPICS_EPOCH, ColorMode
from adsupport.sim.port import PortError

LONG = 20.0
"""Seconds that no test takes."""

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
    assert bench.get("STATUS") == State.ABORTED
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
    assert bench.get("STATUS") == State.IDLE


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

XML = '<Attributes><Attribute name="Counter" type="PARAM" source="ARRAY_COUNTER"/></Attributes>'


def test_attributes_travel_with_the_arrays(bench):
    bench.acquire(IMAGE_MODE=1, NIMAGES=2, ND_ATTRIBUTES_FILE=XML)
    # the counter that an array carries is its own number
    assert [array.attribute("Counter").value for array in bench.arrays] == [1, 2]


def test_status_of_the_attributes_file(bench):
    for file, status in [(XML, 0), ("/no/such/file.xml", 1), (XML[:-1], 2), ("", 0)]:
        bench.put(ND_ATTRIBUTES_FILE=file)
        assert bench.get("ND_ATTRIBUTES_STATUS") == status
    bench.acquire(IMAGE_MODE=0)
    assert [item.name for item in bench.arrays[0].attributes] == ["ColorMode"]
    bench.put(ND_ATTRIBUTES_FILE=XML.replace("Counter", "$(NAME)"))
    for macros, status in [("OTHER=N", 3), ("NAME=N", 0), ("", 0)]:
        bench.put(ND_ATTRIBUTES_MACROS=macros)
        assert bench.get("ND_ATTRIBUTES_STATUS") == status
