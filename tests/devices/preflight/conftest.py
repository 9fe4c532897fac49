"""Healthy and sick detectors, and all that an IOC shows."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import epics
import pytest

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, CheckReport, Finding, ad_creator
from adsupport.launch import IOCProcess

PARTS = ("cam1:", "HDF1:")


@pytest.fixture
def findings() -> Callable[..., list[Finding]]:
    """Pick findings of a report by what their subject ends with."""

    def pick(report: CheckReport, severity: str, subject: str) -> list[Finding]:
        return [each for each in report.of(severity) if each.subject.endswith(subject)]

    return pick


@pytest.fixture
def one(findings: Callable[..., list[Finding]]) -> Callable[..., Finding]:
    """Pick the only finding of a report with that severity and subject."""

    def pick(report: CheckReport, severity: str, subject: str) -> Finding:
        found = findings(report, severity, subject)
        assert len(found) == 1, f"{severity} {subject}: {report}"
        return found[0]

    return pick


@pytest.fixture(scope="module")
def detector(adsim: IOCProcess) -> Any:
    """A detector for all tests of a module, with two region plugins."""
    plugins = ["cam", "image", "roi1", "roi2", {"hdf1": {"class": AD_EpicsFileNameHDF5Plugin}}]
    made = ad_creator(adsim.prefix, name="det", plugins=plugins)
    made.wait_for_connection(timeout=15)
    return made


@pytest.fixture
def det(detector: Any, disk: pathlib.Path, make_ready: Callable[..., None]) -> Iterator[Any]:
    """The detector, ready to write to a directory of the test's own; all is put back."""
    hdf1 = detector.hdf1
    hdf1.write_path_template = f"{disk}/ioc/%Y/%m/"
    hdf1.read_path_template = f"{disk}/local/%Y/%m/"
    staged = {part: part.stage_sigs.copy() for part in (hdf1, detector.roi1, detector.roi2)}
    make_ready(detector, hdf1, {}, {})
    hdf1.file_path.put(hdf1.expand_path(), wait=True)  # the directory is there
    yield detector
    detector.unstage()
    hdf1.if_exists = "refuse"
    for part, stage_sigs in staged.items():
        part.stage_sigs = stage_sigs


@pytest.fixture
def chained(det: Any) -> Iterator[Any]:
    """The detector, with a region plugin between the camera and the file writer."""
    det.hdf1.nd_array_port.put("ROI1")
    det.roi1.array_callbacks.put(1, wait=True)
    yield det
    det.hdf1.nd_array_port.put("SIM1")
    for roi in (det.roi1, det.roi2):
        roi.nd_array_port.put("SIM1")
        roi.enable.put(0)
        roi.array_callbacks.put(1)
        roi.blocking_callbacks.put("No", wait=True)


@pytest.fixture
def everything() -> Callable[[IOCProcess], dict[str, Any]]:
    """Read every record of the camera and of the file writer."""
    names: list[str] = []

    def read(ioc: IOCProcess) -> dict[str, Any]:
        if not names:
            listed = subprocess.run([*ioc.command, "--list-pvs"], capture_output=True, text=True)
            parts = tuple(ioc.prefix + part for part in PARTS)
            names.extend(pv for pv in listed.stdout.split() if pv.startswith(parts))
            assert len(names) > 500
        values = epics.caget_many(names, as_string=False, connection_timeout=20, timeout=20)
        return {
            name: value.tolist() if hasattr(value, "tolist") else value
            for name, value in zip(names, values, strict=True)
        }

    return read
