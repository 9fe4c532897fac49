"""The graph of the ports, without an IOC."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ophyd.areadetector.cam import CamBase
from ophyd.areadetector.plugins import FilePlugin

from adsupport.devices.preflight.ports import chain_to, check_links, check_ports
from adsupport.devices.preflight.state import PartState, is_on


def part(key: str, source: str | None, kind: str = "plugin", **values: Any) -> PartState:
    """A part whose port is its key in capitals."""
    device: Any = SimpleNamespace()
    if kind == "camera":
        device = CamBase.__new__(CamBase)
    elif kind == "writer":
        device = FilePlugin.__new__(FilePlugin)
    found = {"port_name": key.upper(), "array_callbacks": "Enable", **values}
    if source is not None:
        found |= {"nd_array_port": source.upper(), "enable": "Enable", "blocking_callbacks": "No"}
        found |= values
    pvs = {name: f"ad:{key}:{name}" for name in found}
    staged = {"capture": 1} if kind == "writer" else {}
    return PartState(key, f"ad:{key}:", found, staged, pvs, device)


CAM = part("cam", None, "camera")


@given(st.lists(st.integers(0, 9), min_size=10, max_size=10))
def test_every_plugin_is_found_fed_or_lost(sources: list[int]):
    """Ten plugins that are fed by each other in any way; number 0 stands for the camera."""
    parts = [CAM] + [
        part(f"p{n}", "cam" if source == 0 else f"p{source}")
        for n, source in enumerate(sources[1:], 1)
    ]

    def reaches(n: int) -> bool:
        for _ in range(20):
            if n == 0:
                return True
            n = sources[n]
        return False

    findings = list(check_ports(parts))
    lost = [n for n in range(1, 10) if not reaches(n)]
    assert (findings[0].severity == "ok") == (not lost)
    for n in range(1, 10):
        assert (chain_to(parts[n], parts)[0] is CAM) == reaches(n)


def test_an_unknown_port_is_named_once():
    parts = [CAM, part("a", "nowhere"), part("b", "a")]
    (finding,) = check_ports(parts)
    assert finding.subject == "ad:a:nd_array_port"
    assert "'NOWHERE'" in finding.what
    assert "'CAM'" in finding.remedy


def test_a_circle_names_those_in_it():
    parts = [CAM, part("a", "b"), part("b", "a"), part("c", "b")]
    findings = list(check_ports(parts))
    assert [each.subject for each in findings] == ["ad:a:nd_array_port", "ad:b:nd_array_port"]
    assert "'A' from 'B' from 'A'" in findings[0].what


def test_links_of_a_writer_only():
    idle = part("stats", "cam", enable="Disable")
    parts = [CAM, idle, part("hdf", "cam", "writer")]
    assert [each.severity for each in check_links(parts)] == ["ok"]


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ({"enable": "Disable"}, "error"),
        ({"array_callbacks": "Disable"}, "error"),
        ({"blocking_callbacks": "Yes"}, "warning"),
        ({"min_callback_time": 0.1}, "warning"),
        ({"dropped_arrays": 39}, "info"),
    ],
)
def test_a_link_between(values: dict[str, Any], severity: str):
    parts = [CAM, part("roi", "cam", **values), part("hdf", "roi", "writer")]
    found = list(check_links(parts))
    assert [each.severity for each in found] == [severity]
    assert found[0].subject.startswith("ad:roi:")
    assert found[0].remedy


def test_a_writer_that_skips_frames_loses_them():
    (finding,) = check_links([CAM, part("hdf", "cam", "writer", min_callback_time=0.1)])
    assert finding.severity == "error"


@pytest.mark.parametrize("value", [1, 1.0, "1", "Yes", "Enable", True])
def test_on(value: Any):
    assert is_on(value)


@pytest.mark.parametrize("value", [0, "0", "No", "Disable", "", None, False])
def test_off(value: Any):
    assert not is_on(value)


@pytest.mark.parametrize("parts", [[], [part("image", "cam")]])
def test_a_camera_that_sends_nothing_is_told_without_a_writer(parts: list[PartState]):
    camera = part("cam", None, "camera", array_callbacks="Disable")
    (finding,) = check_links([camera, *parts])
    assert (finding.severity, finding.subject) == ("warning", "ad:cam:array_callbacks")
    assert "viewer" in finding.what
    assert list(check_links([CAM, *parts])) == []


def test_a_camera_that_sends_nothing_is_told_once():
    camera = part("cam", None, "camera", array_callbacks="Disable")
    found = [each for each in check_links([camera, part("w", "cam", "writer")]) if each.remedy]
    assert [each.severity for each in found] == ["error"]
