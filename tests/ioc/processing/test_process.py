"""NDPluginProcess over Channel Access: expectations are computed here, with numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tifffile

OFF = {
    "EnableBackground": "Disable",
    "EnableFlatField": "Disable",
    "ScaleFlatField": 255.0,
    "EnableOffsetScale": "Disable",
    "Offset": 0.0,
    "Scale": 1.0,
    "EnableLowClip": "Disable",
    "EnableHighClip": "Disable",
    "LowClipThresh": 0.0,
    "LowClipValue": 0.0,
    "HighClipThresh": 100.0,
    "HighClipValue": 100.0,
    "EnableFilter": "Disable",
    "NumFilter": 1,
    "FilterType": "RecursiveAve",
    "FilterCallbacks": "Every array",
    "AutoResetFilter": "No",
    "DataTypeOut": "Automatic",
    "OOffset": 0.0,
    "OScale": 1.0,
    "FOffset": 0.0,
    "FScale": 1.0,
    "ROffset": 0.0,
}

PRESETS = {
    "RecursiveAve": [1, -1, 0, 1, 1, -1, 0, 1, 0, 1],
    "Average": [1, 0, 0.25, 0, 1, 0, 0.25, 0, 0, 0],
    "Sum": [1, 0, 1, 0, 1, 0, 1, 0, 0, 0],
    "Difference": [-1, 0, 1, 0, 0, 0, 1, 0, 0, 1],
    "RecursiveAveDiff": [-1, 0, 1, 0, 1, -1, 0, 1, 0, 1],
    "CopyToFilter": [0, 0, 1, 0, 0, 0, 1, 0, 0, 1],
}
"""OC1 to OC4, FC1 to FC4, RC1 and RC2 with NumFilter 4, from ADCore's documentation."""

NAMES = ["OC1", "OC2", "OC3", "OC4", "FC1", "FC2", "FC3", "FC4", "RC1", "RC2"]


@pytest.fixture
def proc(chain):
    """The chain with a processing plugin that does nothing yet, and no saved images."""
    chain.listen("Proc1", "SIM1", **OFF)
    yield chain
    # restored settings must not meet a filter in the middle of its series
    chain.command("Proc1:ResetFilter")


def save(proc, what: str, number: int, dtype: str = "UInt8") -> None:
    """Save the ramp of a number as background or flat field."""
    proc.set("Proc1", EnableBackground="Disable", EnableFlatField="Disable")
    proc.put("cam1:DataType", dtype)
    proc.reset_camera()
    proc.acquire(number + 1)
    proc.command(f"Proc1:Save{what}")
    assert proc.text(f"Proc1:Valid{what}_RBV") == "Valid"
    proc.reset_camera()


def test_nothing_to_do_passes_arrays_on(proc, camera_ramp):
    with proc.recorded("PROC1") as recording:
        proc.acquire(3)
    assert recording.frames.dtype == np.uint8
    np.testing.assert_array_equal(recording.frames, [camera_ramp(n) for n in range(3)])
    assert len(set(recording.ids)) == 3


@pytest.mark.parametrize("dtype", ["UInt8", "Int16", "UInt32", "Int64", "Float32", "Float64"])
def test_background_and_flat_field(proc, camera_ramp, dtype):
    save(proc, "Background", 0, dtype)
    save(proc, "FlatField", 3, dtype)
    proc.set("Proc1", EnableBackground="Enable", EnableFlatField="Enable", ScaleFlatField=40.0)
    with proc.recorded("PROC1") as recording:
        proc.acquire(2)
    background, flat = camera_ramp(0, "float64"), camera_ramp(3, "float64")
    for number, frame in enumerate(recording.frames):
        wanted = (camera_ramp(number, "float64") - background) * (40.0 / flat)
        np.testing.assert_array_equal(frame, wanted.astype(dtype.lower()))
    assert recording.frames.dtype == dtype.lower()


def test_flat_field_pixels_of_zero_become_the_scale(proc, camera_ramp):
    save(proc, "FlatField", 0)
    proc.set("Proc1", EnableFlatField="Enable", ScaleFlatField=77.0, DataTypeOut="Float64")
    with proc.recorded("PROC1") as recording:
        proc.acquire(2)
    image, flat = camera_ramp(1, "float64"), camera_ramp(0, "float64")
    flat[0, 0] = 1.0
    wanted = image * (77.0 / flat)
    wanted[0, 0] = 77.0
    np.testing.assert_array_equal(recording.frames[1], wanted)


def test_a_negative_difference_wraps_as_a_c_cast(proc):
    save(proc, "Background", 2)
    proc.set("Proc1", EnableBackground="Enable")
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert np.unique(recording.frames).tolist() == [254]


def test_another_size_makes_the_saved_images_invalid(proc, camera_ramp):
    save(proc, "Background", 5)
    save(proc, "FlatField", 5)
    proc.set("Proc1", EnableBackground="Enable", EnableFlatField="Enable")
    proc.put("cam1:SizeX", 4)
    proc.reset_camera()
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert proc.text("Proc1:ValidBackground_RBV") == "Invalid"
    assert proc.text("Proc1:ValidFlatField_RBV") == "Invalid"
    np.testing.assert_array_equal(recording.frames, [camera_ramp(0, shape=(6, 4))])
    proc.put("cam1:SizeX", 8)
    proc.acquire(1)
    assert proc.text("Proc1:ValidBackground_RBV") == "Valid"


@pytest.mark.parametrize("color_mode", ["RGB1", "RGB3"])
def test_colour_images(proc, color_mode):
    proc.put("cam1:ColorMode", color_mode)
    save(proc, "Background", 1)
    proc.set("Proc1", EnableBackground="Enable", DataTypeOut="Float32")
    with proc.recorded("PROC1") as recording:
        proc.acquire(5)
    assert recording.frames.ndim == 4
    assert [np.unique(frame).tolist() for frame in recording.frames] == [[-1], [0], [1], [2], [3]]


def test_what_is_saved_is_the_output(proc, camera_ramp):
    proc.set("Proc1", EnableOffsetScale="Enable", Offset=1.0, Scale=2.0)
    proc.acquire(1)
    proc.command("Proc1:SaveBackground")
    proc.set("Proc1", EnableOffsetScale="Disable", EnableBackground="Enable", DataTypeOut="Int16")
    proc.reset_camera()
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    image = camera_ramp(0, "int16")
    np.testing.assert_array_equal(recording.frames[0], image - (image + 1) * 2)


def test_saving_commands_end_at_no(proc):
    proc.acquire(1)
    for what in ("Background", "FlatField"):
        proc.command(f"Proc1:Save{what}")
        assert proc.text(f"Proc1:Save{what}_RBV") == "No"


def test_nothing_can_be_saved_before_the_first_array(start_fresh, caput, caget):
    ioc = start_fresh()
    caput(ioc.prefix + "Proc1:SaveBackground", 1)
    assert caget(ioc.prefix + "Proc1:ValidBackground_RBV", as_string=True) == "Invalid"


@pytest.mark.parametrize(
    ("output", "scale"), [("UInt8", 3.0), ("Int8", -2.0), ("UInt16", 500.0), ("Float32", 0.1)]
)
def test_offset_scale_and_output_type(proc, camera_ramp, output, scale):
    proc.set("Proc1", EnableOffsetScale="Enable", Offset=-4.0, Scale=scale, DataTypeOut=output)
    with proc.recorded("PROC1") as recording:
        proc.acquire(2)
    assert recording.frames.dtype == output.lower()
    wanted = (camera_ramp(1, "float64") - 4.0) * scale
    if output != "Float32":
        wanted = np.trunc(wanted).astype(np.int64)
    np.testing.assert_array_equal(recording.frames[1], wanted.astype(output.lower()))


def test_clipping_replaces_what_is_beyond_a_threshold(proc, camera_ramp):
    proc.set(
        "Proc1", EnableLowClip="Enable", LowClipThresh=3.0, LowClipValue=90.0,
        EnableHighClip="Enable", HighClipThresh=8.0, HighClipValue=200.0,
    )  # fmt: skip
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    image = camera_ramp(0)
    wanted = np.where(image > 8, 200, np.where(image < 3, 90, image))
    np.testing.assert_array_equal(recording.frames[0], wanted)


def test_auto_offset_scale_fills_the_output_type_from_the_next_array_on(proc, camera_ramp):
    proc.set("Proc1", DataTypeOut="UInt16")
    for record in ("EnableLowClip", "EnableHighClip", "EnableOffsetScale"):
        assert proc.text(f"Proc1:{record}_RBV") == "Disable"
    done = []
    proc.pv("Proc1:AutoOffsetScale").put(1, callback=lambda **_: done.append(True))
    proc.wait_until("Proc1:AutoOffsetScale", 1)
    assert not done
    with proc.recorded("PROC1") as recording:
        proc.acquire(2)
    proc.wait_until("Proc1:AutoOffsetScale", 0)
    image = camera_ramp(0, "float64")
    scale = 65535 / (image.max() - image.min())
    assert proc.get("Proc1:Scale_RBV") == pytest.approx(scale)
    assert proc.get("Proc1:Offset_RBV") == 0.0
    assert proc.get("Proc1:HighClipThresh_RBV") == proc.get("Proc1:HighClipValue_RBV") == 65535
    assert proc.get("Proc1:LowClipThresh_RBV") == proc.get("Proc1:LowClipValue_RBV") == 0
    for record in ("EnableLowClip", "EnableHighClip", "EnableOffsetScale"):
        assert proc.text(f"Proc1:{record}_RBV") == "Enable"
    np.testing.assert_array_equal(recording.frames[0], image)
    wanted = np.minimum((image + 1) * scale, 65535).astype(np.uint16)
    np.testing.assert_array_equal(recording.frames[1], wanted)


@pytest.mark.parametrize("filter_type", PRESETS)
def test_a_filter_type_sets_the_coefficients(proc, filter_type):
    proc.set("Proc1", NumFilter=4, FilterType=filter_type)
    assert [proc.get(f"Proc1:{name}_RBV") for name in NAMES] == PRESETS[filter_type]
    assert [proc.get(f"Proc1:{name}") for name in NAMES] == PRESETS[filter_type]


def test_a_filter_can_be_chosen_by_its_own_record(proc):
    proc.command("Proc1:SumSeq.PROC")
    assert [proc.get(f"Proc1:{name}") for name in NAMES] == PRESETS["Sum"]


def test_a_filter_type_without_a_name_sets_nothing(proc):
    proc.set("Proc1", NumFilter=4, FilterType="Sum")
    proc.pv("Proc1:FilterType").put(9)
    proc.command("Proc1:NumFilter", 4)
    assert [proc.get(f"Proc1:{name}") for name in NAMES] == PRESETS["Sum"]


def test_another_number_sets_the_coefficients_anew(proc):
    proc.set("Proc1", FilterType="Average", NumFilter=8)
    assert proc.get("Proc1:NumFilterRecip") == 0.125
    assert proc.get("Proc1:OC3_RBV") == 0.125


def filtered(proc, filter_type: str, number: int, count: int, **settings: object):
    proc.set("Proc1", NumFilter=number, FilterType=filter_type, DataTypeOut="Float64", **settings)
    proc.set("Proc1", EnableFilter="Enable")
    proc.command("Proc1:ResetFilter")
    with proc.recorded("PROC1") as recording:
        proc.acquire(count)
    return recording


def test_recursive_average(proc, camera_ramp):
    recording = filtered(proc, "RecursiveAve", 3, 5)
    average = camera_ramp(0, "float64")
    for number, frame in enumerate(recording.frames):
        n = min(number + 1, 3)
        average = (1 - 1 / n) * average + camera_ramp(number, "float64") / n
        np.testing.assert_allclose(frame, average)
    assert proc.get("Proc1:NumFiltered_RBV") == 3


def test_array_n_only_emits_each_sum_once(proc, camera_ramp):
    recording = filtered(proc, "Sum", 4, 9, FilterCallbacks="Array N only", AutoResetFilter="Yes")
    wanted = [sum(camera_ramp(n, "float64") for n in range(a, a + 4)) for a in (0, 4)]
    np.testing.assert_array_equal(recording.frames, wanted)
    assert proc.get("Proc1:NumFiltered_RBV") == 1


def test_array_n_only_without_reset_goes_on_emitting(proc):
    recording = filtered(proc, "Average", 2, 5, FilterCallbacks="Array N only")
    assert len(recording.ids) == 4
    assert proc.get("Proc1:NumFiltered_RBV") == 2


def test_difference_with_output_offset(proc):
    recording = filtered(proc, "Difference", 1, 3, OOffset=128.0, OScale=10.0)
    assert [np.unique(frame).tolist() for frame in recording.frames] == [[128], [138], [138]]


def test_reset_is_for_the_next_array(proc, camera_ramp):
    filtered(proc, "Sum", 100, 3)
    assert proc.get("Proc1:NumFiltered_RBV") == 3
    proc.command("Proc1:ResetFilter")
    assert proc.text("Proc1:ResetFilter_RBV") == "Yes"
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert proc.text("Proc1:ResetFilter_RBV") == "No"
    assert proc.get("Proc1:NumFiltered_RBV") == 1
    np.testing.assert_array_equal(recording.frames[0], camera_ramp(3))


def test_a_filter_over_no_arrays_harms_nobody(proc, camera_ramp):
    recording = filtered(proc, "RecursiveAve", 0, 3)
    assert math.isinf(proc.get("Proc1:NumFilterRecip"))
    assert proc.get("Proc1:NumFiltered_RBV") == 0
    assert len(recording.ids) == 3
    proc.set("Proc1", NumFilter=1, EnableFilter="Disable")
    proc.reset_camera()
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    np.testing.assert_array_equal(recording.frames[0], camera_ramp(0))


def test_a_size_that_changes_restarts_the_filter(proc):
    filtered(proc, "Sum", 100, 3)
    proc.put("cam1:SizeY", 3)
    proc.acquire(2)
    assert proc.get("Proc1:NumFiltered_RBV") == 2


def test_offsets_of_the_detector_stay_when_the_type_changes(proc):
    proc.set("Proc1", EnableOffsetScale="Enable", DataTypeOut="Int32")
    proc.set("cam1", MinX=16, MinY=4)
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert recording.offsets == [16, 4]
    # where ADCore copies without converting, the copy forgets them
    proc.set("Proc1", EnableOffsetScale="Disable", DataTypeOut="Automatic")
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert recording.offsets == [0, 0]


def test_background_from_a_tiff_file(proc, camera_ramp):
    tifffile.imwrite(proc.folder / "background.tif", camera_ramp(2))
    proc.set(
        "Proc1:TIFF",
        FilePath=str(proc.folder),
        FileName="background.tif",
        FileTemplate="%s%s",
    )
    proc.acquire(1)
    proc.command("Proc1:ReadBackgroundTIFFSeq.PROC")
    assert proc.text("Proc1:NDArrayPort_RBV") == "SIM1"
    assert proc.text("Proc1:ValidBackground_RBV") == "Valid"
    proc.set("Proc1", EnableBackground="Enable", DataTypeOut="Int16")
    proc.reset_camera()
    with proc.recorded("PROC1") as recording:
        proc.acquire(1)
    assert np.unique(recording.frames).tolist() == [-2]
