"""What is said of a probe that was cut off, and of one that failed."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace
from typing import Any

from adsupport.devices.preflight.leftovers import check_cut_off
from adsupport.devices.preflight.state import PartState
from adsupport.devices.preflight.writer import check_free

PROBE = "adsupport-probe-0123"
LEFT = {
    "file_name": PROBE,
    "file_template": "%s%s.h5",
    "auto_save": "No",
    "auto_increment": "No",
    "file_write_mode": "Single",
}
USUAL = {"file_template": "%s%s_%4.4d.h5", "auto_increment": "Yes", "file_write_mode": "Stream"}


def writer(**values: Any) -> PartState:
    here = {"write_path_template": "/", "read_path_template": "/"}
    plugin: Any = SimpleNamespace(**here)
    pvs = {"file_name": "X:FileName", "write_status": "X:WriteStatus"}
    return PartState("hdf1", "X:", values, {}, pvs, plugin)


def test_a_probe_that_was_cut_off_is_told_with_its_settings_and_file(tmp_path: pathlib.Path):
    file = tmp_path / f"{PROBE}.h5"
    file.touch()
    (finding,) = check_cut_off(writer(**LEFT, full_file_name=str(file)))
    assert (finding.severity, finding.subject) == ("warning", "X:FileName")
    assert "was cut off" in finding.what
    for record in ("AutoSave", "AutoIncrement", "FileWriteMode", "FileTemplate", "FileName"):
        assert record in finding.what
        assert record in finding.remedy
    assert f"Remove {file}." in finding.remedy


def test_settings_stay_left_when_the_name_is_changed():
    other = {**LEFT, "file_name": "sample", "full_file_name": rf"C:\d\{PROBE}.h5"}
    (finding,) = check_cut_off(writer(**other))
    assert "FileTemplate" in finding.what
    assert "FileName" not in finding.what


def test_a_probe_that_ended_well_leaves_nothing_to_say():
    done = {**LEFT, **USUAL, "file_name": "sample", "full_file_name": f"/d/{PROBE}.h5"}
    assert list(check_cut_off(writer(**done))) == []
    assert list(check_cut_off(writer(**{**done, "full_file_name": None}))) == []


def test_the_failed_write_of_a_probe_is_no_ones_but_the_probes():
    failed = {"write_status": "Write error", "write_message": "no"}
    (finding,) = check_free(writer(**failed, full_file_name=f"/d/{PROBE}.h5"))
    assert "the probe of a check" in finding.what
    assert "the IOC's permissions" not in finding.remedy
    (finding,) = check_free(writer(**failed, full_file_name="/d/sample_0001.h5"))
    assert "probe" not in finding.what
