"""Camera and image plugin together over Channel Access, as recorded from an ADSimDetector."""

import pytest

ACQUIRE, BUSY, COUNTER = "cam1:Acquire", "cam1:AcquireBusy", "cam1:ArrayCounter_RBV"


def test_callbacks_off_counts_but_hands_out_nothing(det):
    det.image()
    before = det.get("image1:ArrayCounter_RBV")
    counter = int(det.get(COUNTER))
    assert det.severity("cam1:ArrayCallbacks") == 1
    det.acquire(ArrayCallbacks="Disable", NumImages=4)
    assert det.get(COUNTER) == counter + 4
    assert det.get("image1:ArrayCounter_RBV") == before


def test_plugin_that_is_off_counts_nothing(det):
    det.image()
    det.put("image1:EnableCallbacks", 0)
    before = det.get("image1:ArrayCounter_RBV")
    det.acquire(NumImages=4)
    assert det.get("image1:ArrayCounter_RBV") == before


def test_minimum_callback_time_skips_without_drops(det):
    det.put("image1:MinCallbackTime", 0.1)
    dropped = det.get("image1:DroppedArrays_RBV")
    before = int(det.get("image1:ArrayCounter_RBV"))
    elapsed = det.acquire(NumImages=20, AcquireTime=0.005, AcquirePeriod=0.01)
    det.wait_until("cam1:NumQueuedArrays", 0)
    # recorded: 2 in 0.2 s
    assert 1 <= int(det.get("image1:ArrayCounter_RBV")) - before <= elapsed / 0.1 + 1
    assert det.get("image1:DroppedArrays_RBV") == dropped


@pytest.mark.parametrize("wait_for_plugins", ["Yes", "No"])
def test_put_completion_waits_for_plugins_when_told_to(det, wait_for_plugins):
    number = 15
    queued = "cam1:NumQueuedArrays"
    det.put("cam1:WaitForPlugins", wait_for_plugins)
    # image1 takes longer to convert these than the camera to make them
    det.image(DataType="Float64", AcquireTime=0.0)
    before = int(det.get("image1:ArrayCounter_RBV"))
    with det.watch(queued, BUSY, ACQUIRE) as timeline:
        det.acquire(NumImages=number)
        at_return = int(det.get("image1:ArrayCounter_RBV"))
        det.wait_until("image1:ArrayCounter_RBV", before + number)
        det.wait_until(queued, 0)
        timeline.wait_for(BUSY, "Done")
        timeline.wait_for(queued, "0")
    last_done = len(timeline.events) - timeline.events[::-1].index((queued, "0")) - 1
    if wait_for_plugins == "Yes":
        assert at_return == before + number
        assert timeline.position(ACQUIRE, "Done") < last_done < timeline.position(BUSY, "Done")
    else:
        assert timeline.position(BUSY, "Done") < last_done


def test_blocking_plugin_processes_every_frame_before_the_put_returns(det):
    det.put("image1:BlockingCallbacks", "Yes")
    before = int(det.get("image1:ArrayCounter_RBV"))
    dropped = det.get("image1:DroppedArrays_RBV")
    det.acquire(NumImages=30, AcquireTime=0.0)
    assert int(det.get("image1:ArrayCounter_RBV")) == before + 30
    assert det.get("image1:DroppedArrays_RBV") == dropped


@pytest.mark.parametrize("port", ["cam1", "image1"])
def test_allocation_of_buffers_completes(det, port):
    det.put(f"{port}:PreAllocBuffers", 1)
    assert det.text(f"{port}:PreAllocBuffers") == "Done"


def test_attributes_file(det, tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(
        '<Attributes><Attribute name="Mode" type="EPICS_PV" source="$(P)cam1:ImageMode"'
        ' dbrtype="DBR_STRING"/></Attributes>'
    )
    for name, macros, status in [
        ("/no/such/file.xml", "", "File not found"),
        ("", "", "Attributes file OK"),
        (str(file), "Q=other:", "Macro substitution error"),
        (str(file), f"P={det.prefix}", "Attributes file OK"),
    ]:
        det.put("cam1:NDAttributesMacros", macros)
        det.put("cam1:NDAttributesFile", name)
        assert det.text("cam1:NDAttributesStatus") == status


def test_a_plugin_shows_a_port_that_does_not_exist_and_gets_nothing(det):
    det.image()
    before = det.get("image1:ArrayCounter_RBV")
    det.put("image1:NDArrayPort", "NOPE")
    assert (det.text("image1:NDArrayPort_RBV"), det.severity("image1:NDArrayPort")) == ("NOPE", 0)
    det.acquire()
    assert det.get("image1:ArrayCounter_RBV") == before
    det.put("image1:NDArrayPort", "SIM1")
    det.image()
    assert det.get("image1:ArrayCounter_RBV") == before + 1


def test_processing_again_while_callbacks_block(det):
    det.image(DataType="Float64")
    det.put("image1:BlockingCallbacks", "Yes")
    det.put("cam1:ImageMode", "Continuous")
    done = det.start_put(ACQUIRE, 1)
    for _ in range(20):
        det.put("image1:ProcessPlugin", 1)
    det.pv(ACQUIRE).put(0)
    det.wait(done)
