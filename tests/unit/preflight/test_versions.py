"""Releases and types against the classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.preflight.state import PartState
from adsupport.devices.preflight.versions import check_types, check_versions


def camera(version: str, made_for: str | None = "3.4") -> PartState:
    values = {"ad_core_version": version, "manufacturer": "Maker", "model": "Model"}
    device = SimpleNamespace(_cam_release=made_for)
    return PartState("cam", "ad:cam1:", values, device=device)


@pytest.mark.parametrize(
    ("version", "complete", "severity"),
    [
        ("3.14.0", True, "ok"),
        ("3.4.0", False, "ok"),  # what is missing isn't because of the release
        ("2.6.0", False, "error"),
        ("2.6.0", True, "ok"),
        ("3.99.0", True, "info"),
        ("1.9.1", True, "info"),
        ("", True, "info"),
        ("unknown", True, "info"),
    ],
)
def test_release(version: str, complete: bool, severity: str):
    (finding,) = check_versions(camera(version), complete)
    assert finding.severity == severity
    assert "Maker Model" in finding.what
    assert bool(finding.remedy) == (severity != "ok")


def test_cameras_of_ophyd_carry_no_release():
    (finding,) = check_versions(camera("2.6.0", None), complete=False)
    assert finding.severity == "ok"


def plugin(found: Any, expected: str | None) -> PartState:
    values = {} if found is None else {"plugin_type": found}
    pvs = {"plugin_type": "ad:HDF1:PluginType_RBV"}
    return PartState("hdf1", "ad:HDF1:", values, {}, pvs, SimpleNamespace(_plugin_type=expected))


@pytest.mark.parametrize(
    ("found", "expected"),
    [("NDFileHDF5 ver1.10.8", "NDFileHDF5"), (None, "NDFileHDF5"), ("NDFileTIFF", None)],
)
def test_types_that_fit(found: Any, expected: str | None):
    assert list(check_types([plugin(found, expected)])) == []


def test_a_plugin_of_another_type():
    (finding,) = check_types([plugin("NDFileTIFF", "NDFileHDF5")])
    assert finding.severity == "error"
    assert finding.subject == "ad:HDF1:PluginType_RBV"
    assert "the class for NDFileTIFF" in finding.remedy
