"""Detectors that are not ready: what is wrong is found, and the remedy cures it."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    PlannedRun,
    ad_creator,
    check,
    ensure_AD_plugin_primed,
)
from adsupport.devices.preflight import probe
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import ConfigurationTypeError
from adsupport.launch import IOCProcess

pytestmark = pytest.mark.slow

Pick = Callable[..., Any]


def test_a_healthy_detector_has_nothing_to_complain_about(det: Any) -> None:
    report = check(det)
    assert report.ok
    assert report.warnings == []
    assert report.verdict == "det (ad:) is ready: nothing to complain about."
    topics = {finding.topic for finding in report.of("ok")}
    assert topics >= {
        "connection",
        "versions",
        "ports",
        "camera",
        "writer",
        "paths",
        "directory",
        "space",
        "file",
        "rate",
    }


def test_no_ioc(one: Pick) -> None:
    nobody = ad_creator("nobody:", name="nobody", plugins=["cam", "image"])
    report = check(nobody, timeout=1.0)
    assert not report.ok
    assert len(report.findings) == 1
    finding = one(report, "error", "nobody:")
    assert "no process variable under 'nobody:' answers" in finding.what
    assert "Start the IOC, or correct the prefix" in finding.remedy
    assert "EPICS_CA_ADDR_LIST" in finding.remedy


def test_a_plugin_is_missing_and_the_rest_is_checked_all_the_same(
    adsim: IOCProcess, det: Any, one: Pick
) -> None:
    stats9 = {"class": "adsupport.devices.plugins.StatsPlugin", "suffix": "Stats9:"}
    other = ad_creator(adsim.prefix, name="other", plugins=["cam", {"stats9": stats9}])
    report = check(other, timeout=4.0)
    finding = one(report, "error", "ad:Stats9:")
    assert "stats9 is missing" in finding.what
    assert "commonPlugins.cmd" in finding.remedy
    assert one(report, "ok", "cam1:Acquire")


def test_something_else_than_a_detector() -> None:
    with pytest.raises(ConfigurationTypeError, match=r"ad_creator\(\)"):
        check("ad:")


def test_a_port_that_no_part_has(chained: Any, one: Pick) -> None:
    chained.hdf1.nd_array_port.put("STATS1", wait=True)
    finding = one(check(chained), "error", "HDF1:NDArrayPort")
    assert "'STATS1'" in finding.what
    assert "'SIM1'" in finding.remedy
    chained.hdf1.nd_array_port.put("SIM1", wait=True)
    assert check(chained).ok


def test_plugins_that_feed_each_other(chained: Any, findings: Pick) -> None:
    chained.roi1.nd_array_port.put("ROI2", wait=True)
    chained.roi2.nd_array_port.put("ROI1", wait=True)
    report = check(chained)
    found = findings(report, "error", ":NDArrayPort")
    assert [each.subject for each in found] == ["ad:ROI1:NDArrayPort", "ad:ROI2:NDArrayPort"]
    assert "in a circle" in found[0].what
    assert "'SIM1'" in found[0].remedy


def test_a_link_of_the_chain_that_keeps_its_arrays(chained: Any, one: Pick) -> None:
    chained.roi1.array_callbacks.put(0, wait=True)
    finding = one(check(chained), "error", "ROI1:ArrayCallbacks")
    assert "no plugin gets its arrays" in finding.what
    chained.roi1.array_callbacks.put(1, wait=True)
    assert check(chained).ok


def test_what_staging_switches_on_is_worth_a_word_only(det: Any, one: Pick) -> None:
    det.cam.array_callbacks.put(0, wait=True)
    det.hdf1.enable.put(0, wait=True)
    report = check(det)
    assert report.ok, report
    for subject in ("cam1:ArrayCallbacks", "HDF1:EnableCallbacks"):
        assert "staging switches it on" in one(report, "info", subject).what


def test_a_link_that_staging_leaves_disabled(chained: Any, one: Pick) -> None:
    del chained.roi1.stage_sigs["enable"]
    chained.roi1.enable.put(0, wait=True)
    finding = one(check(chained), "error", "ROI1:EnableCallbacks")
    assert "gets no arrays" in finding.what
    assert "'enable'" in finding.remedy
    chained.roi1.enable.put(1, wait=True)
    assert check(chained).ok


def test_a_writer_that_staging_disables(det: Any, one: Pick) -> None:
    det.hdf1.disable_on_stage()
    report = check(det)
    assert report.ok
    assert "won't write" in one(report, "info", "HDF1:EnableCallbacks").what
    assert "would be lost" in one(report, "warning", "ad:").what
    assert [each for each in report.findings if each.topic == "file"] == []


def test_a_plugin_that_blocks_the_camera(det: Any, one: Pick) -> None:
    det.hdf1.ensure_blocking()
    finding = one(check(det), "warning", "HDF1:BlockingCallbacks")
    assert "ensure_nonblocking" in finding.remedy


def test_a_directory_that_the_ioc_may_not_make(det: Any, disk: pathlib.Path, one: Pick) -> None:
    det.hdf1.create_directory.put(-1, wait=True)
    det.hdf1.file_path.put(f"{disk}/ioc/a/b/c/", wait=True)
    finding = one(check(det), "error", "HDF1:CreateDirectory")
    assert f"{disk}/ioc/a/b/c/" in finding.what
    assert "-3" in finding.remedy
    det.hdf1.create_directory.put(-3, wait=True)
    report = check(det)
    assert report.ok, report
    assert "lets the IOC make" in one(report, "info", "HDF1:CreateDirectory").what
    assert not (disk / "ioc" / "a").exists()
    # and the IOC does as the report says
    report = check(det, write=True)
    assert report.ok, report
    assert (disk / "ioc" / "a" / "b" / "c").is_dir()


def test_a_directory_that_is_not_mounted_here(det: Any, disk: pathlib.Path) -> None:
    det.hdf1.read_path_template = f"{disk}/nowhere/%Y/%m/"
    finding = next(each for each in check(det).errors if each.topic == "directory")
    assert finding.subject.startswith(f"{disk}/nowhere")
    assert "Mount" in finding.remedy
    assert "read_path_template" in finding.remedy


def test_an_ioc_that_may_not_write(det: Any, adsim: IOCProcess, findings: Pick) -> None:
    directory = det.hdf1.expand_path()
    with adsim.fault("permission-lost", "HDF1"):
        assert check(det).ok  # which nobody can tell without a write
        report = check(det, write=True)
        finding = next(each for each in report.errors if each.topic == "probe")
        assert finding.subject == directory
        assert "Error opening file" in finding.what
        assert "Let the IOC's user write there" in finding.remedy
    assert det.hdf1.file_write_mode.get(as_string=True) == "Single"
    assert det.hdf1.file_name.get() == "image"
    later = check(det)
    assert "the last write failed" in findings(later, "warning", "HDF1:WriteStatus")[0].what
    assert check(det, write=True).ok
    assert check(det).warnings == []


def test_a_file_that_exists(det: Any, disk: pathlib.Path, one: Pick) -> None:
    standing = pathlib.Path(det.hdf1.expand_path()) / "image_0000.h5"
    standing.write_text("mine")
    finding = one(check(det), "error", "HDF1:FileName")
    assert "image_0000.h5 exists already" in finding.what
    assert "set det.hdf1.if_exists to" in finding.remedy
    det.hdf1.if_exists = "bump"
    det.hdf1.file_template.put("%s%s_0000.h5", wait=True)
    assert "Use one with '%d'" in one(check(det), "error", "HDF1:FileName").remedy
    det.hdf1.file_template.put("%s%s_%4.4d.h5", wait=True)
    assert "image_0001.h5" in one(check(det), "info", "HDF1:FileName").what
    det.hdf1.if_exists = "allow"
    assert "overwritten" in one(check(det), "warning", "image_0000.h5").what
    assert standing.read_text() == "mine"


@pytest.mark.parametrize(
    ("signal", "value", "subject", "remedy"),
    [
        ("file_name", "", "HDF1:FileName", "Put FileName"),
        ("file_name", "a/b", "HDF1:FileName", "file path"),
        ("file_template", "", "HDF1:FileTemplate", "%s%s_%4.4d.h5"),
        ("file_template", "%s%d", "HDF1:FileTemplate", "%s%s_%4.4d.h5"),
        ("file_path", "relative/", "HDF1:FilePath", ""),
    ],
)
def test_a_name_that_can_not_be(
    det: Any, one: Pick, signal: str, value: str, subject: str, remedy: str
) -> None:
    getattr(det.hdf1, signal).put(value, wait=True)
    finding = one(check(det), "error", subject)
    assert finding.what
    assert remedy in finding.remedy


def test_unprimed_and_lazy(
    fresh_adsim: IOCProcess, disk: pathlib.Path, one: Pick, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = {"class": AD_EpicsFileNameHDF5Plugin, "write_path_template": f"{disk}/ioc/"}
    fresh = ad_creator(fresh_adsim.prefix, name="fresh", plugins=["cam", "image", {"hdf1": writer}])
    fresh.wait_for_connection(timeout=15)
    fresh.hdf1.file_template.put("%s%s.h5", wait=True)
    fresh.hdf1.file_name.put("first", wait=True)
    report = check(fresh)
    finding = one(report, "error", "HDF1:")
    assert "isn't primed" in finding.what
    assert "ensure_AD_plugin_primed" in finding.remedy
    assert "LazyOpen" in finding.remedy
    fresh.hdf1.lazy_open.put("Yes", wait=True)
    assert check(fresh).ok
    fresh.hdf1.lazy_open.put("No", wait=True)
    ensure_AD_plugin_primed(fresh.hdf1, True)
    assert check(fresh).ok

    # and now the IOC dies in the middle of a probe
    def die(plugin: Any, path: str) -> None:
        fresh_adsim.kill()
        assert wait_for(lambda: not plugin.write_file.connected, 30)

    monkeypatch.setattr(probe, "put_file_path", die)
    begun = time.monotonic()
    report = check(fresh, write=True)
    assert time.monotonic() - begun < 60
    found = " ".join(each.what for each in report.errors)
    assert "not all settings could be put back" in found
    assert "the IOC was lost" in found


def test_primed_for_other_frames(det: Any, one: Pick) -> None:
    det.cam.size.size_x.put(512, wait=True)
    finding = one(check(det), "error", "HDF1:")
    assert "primed for other frames: size 1024 x 1024, the next array will have 512" in finding.what


def test_a_disk_that_is_too_small(det: Any) -> None:
    report = check(det, run=PlannedRun(points=10**9, frames_per_point=100))
    (finding,) = report.errors
    assert finding.topic == "space"
    assert "the disk will be full after" in finding.what
    assert "another disk" in finding.remedy


def test_a_camera_that_is_too_fast_for_the_compression(det: Any, one: Pick) -> None:
    run = PlannedRun(frames_per_point=1000, acquire_time=0.0, acquire_period=0.001)
    assert check(det, run=run).of("warning")
    finding = one(
        check(det, run=PlannedRun(1, 1000, 0.0, 0.01, "zlib")), "warning", "HDF1:QueueSize"
    )
    assert "105 MB/s" in finding.what
    assert "holds 20 and drops" in finding.what
    assert "faster compression" in finding.remedy
    assert check(det, run=PlannedRun(1, 1000, 0.0, 0.01, "LZ4")).warnings == []


def test_a_camera_that_is_busy(det: Any, one: Pick) -> None:
    det.cam.acquire_time.put(30.0, wait=True)
    det.cam.acquire.put(1)
    try:
        report = check(det, write=True)
        finding = one(report, "error", "cam1:Acquire")
        assert "another client acquires" in finding.what
        assert "Acquire to 0" in finding.remedy
        refused = next(each for each in report.errors if each.topic == "probe")
        assert "cam1:Acquire" in refused.what
        det.cam.acquire.put(0)
        det.cam.acquire_time.put(0.001, wait=True)
        assert check(det).ok
    finally:
        det.cam.acquire.put(0)


def test_a_live_view(det: Any, one: Pick) -> None:
    det.cam.image_mode.put("Continuous", wait=True)
    det.cam.acquire.put(1)
    try:
        finding = one(check(det), "warning", "cam1:Acquire")
        assert "staging stops it" in finding.what
    finally:
        det.cam.acquire.put(0)


def test_another_client_that_captures(det: Any, one: Pick) -> None:
    det.hdf1.file_write_mode.put("Stream", wait=True)
    det.hdf1.num_capture.put(5, wait=True)
    det.hdf1.capture.put(1)
    try:
        report = check(det, write=True)
        finding = one(report, "error", "HDF1:Capture")
        assert "another client captures" in finding.what
        assert "image_0000.h5" in finding.what
        assert any("no probe was written" in each.what for each in report.errors)
    finally:
        det.hdf1.capture.put(0)


def test_a_detector_in_its_own_run(det: Any, one: Pick) -> None:
    det.stage()
    try:
        report = check(det)
        assert "this detector captures" in one(report, "info", "HDF1:Capture").what
        assert one(report, "ok", "cam1:Acquire")
    finally:
        det.unstage()


def test_an_old_adcore(adsupport_ioc_factory: Any, one: Pick) -> None:
    with adsupport_ioc_factory("adsim", args=["--adcore", "R2-6"]) as old:
        report = check(ad_creator(old.prefix, name="wrong"), timeout=4.0)
        finding = one(report, "error", "cam1:ADCoreVersion_RBV")
        assert "ADCore R2-6" in finding.what
        assert "adcore='auto'" in finding.remedy
        missing = one(report, "error", "cam1:")
        assert "AcquireBusy" in missing.what
        assert "not in ADCore R2-6: added in R3-3" in missing.what
        assert check(ad_creator(old.prefix, name="right", adcore="auto"), timeout=15.0).ok


def test_jpeg_files_of_wide_frames(adsim: IOCProcess, det: Any, disk: pathlib.Path, one: Pick):
    writer = {"write_path_template": f"{disk}/ioc/"}
    jpeg = ad_creator(adsim.prefix, name="jpeg", plugins=["cam", {"jpeg1": writer}])
    det.cam.data_type.put("UInt16", wait=True)
    finding = next(each for each in check(jpeg).errors if "8 bits" in each.what)
    assert finding.subject == "ad:JPEG1:"
    assert "TIFF or HDF5" in finding.remedy


def test_a_compression_that_is_none(det: Any, one: Pick) -> None:
    finding = one(check(det, run=PlannedRun(compression="zip")), "error", "HDF1:Compression")
    assert "'zip'" in finding.what
    assert "zlib" in finding.remedy


def test_a_template_without_a_number(det: Any, one: Pick) -> None:
    det.hdf1.file_template.put("%s%s.h5", wait=True)
    finding = one(check(det), "warning", "HDF1:FileTemplate")
    assert "second run" in finding.what
