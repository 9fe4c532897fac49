"""Find the parts of IOCs over Channel Access, and build them again."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky import RunEngine
from bluesky.plans import count

from adsupport.adcore import Release
from adsupport.cli import main
from adsupport.devices import (
    CamMixin_V34,
    SimDetectorCam_V34,
    ad_creator,
    describe_ioc,
    load_detectors,
)
from adsupport.devices.ioc import introspection
from adsupport.devices.ioc.description import IOCDescription
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

pytestmark = pytest.mark.slow

# What ADCore's commonPlugins.cmd loads, with NDPluginPva and two cameras.
EXPECTED = (
    "cam cam2 attr1 badpix1 cc1 cc2 cb1 codec1 codec2 fft1 gather1 overlay1 process1 roi1 roi2 "
    "roi3 roi4 roistat1 scatter1 stats1 stats2 stats3 stats4 stats5 transform1 image image2 pva "
    "hdf1 tiff1 jpeg1 netcdf1 nexus1"
).split()


@pytest.fixture(scope="module")
def described(adsim: IOCProcess) -> IOCDescription:
    """The shared IOC, described once."""
    return describe_ioc(adsim.prefix, timeout=20)


@pytest.fixture
def built() -> Iterator[Callable[..., Any]]:
    """Build detectors that are taken down after the test."""
    made = []

    def build(*args: Any, **kwargs: Any) -> Any:
        made.append(ad_creator(*args, **kwargs))
        return made[-1]

    yield build
    for detector in made:
        detector.unstage()


class TestDescription:
    def test_all_that_the_ioc_has(self, described: IOCDescription):
        assert [part.key for part in described.parts] == EXPECTED
        assert described.adcore == Release(3, 14)
        assert [camera.port for camera in described.cameras] == ["SIM1", "SIM2"]
        assert all(camera.cls is SimDetectorCam_V34 for camera in described.cameras)
        assert described["hdf1"].plugin_type == "NDFileHDF5 ver1.10.8"
        assert described["cam2"].camera == "cam2"

    def test_round_trip(self, described: IOCDescription, built: Callable[..., Any]):
        """What is built by the description is what the IOC has, and describes it again."""
        # one of each kind: two hundred signals each, for every ROI and statistics
        twins = "cc2 codec2 roi2 roi3 roi4 stats2 stats3 stats4 stats5 image2".split()
        chosen = described.select(*(p.key for p in described.select().parts if p.key not in twins))
        detector = built(described.prefix, name="det", plugins=chosen.plugins)
        detector.wait_for_connection(timeout=60)
        rebuilt = {}
        for part in chosen.parts:
            device = getattr(detector, part.key)
            assert device.port_name.get() == part.port
            if not part.is_camera:
                assert device.plugin_type.get() == part.plugin_type
                assert device.nd_array_port.get() == part.source_port
            rebuilt[part.key] = (device.prefix, type(device))
        assert rebuilt == {
            part.key: (described.prefix + part.suffix, part.cls) for part in chosen.parts
        }
        assert describe_ioc(described.prefix, timeout=20) == described

    def test_the_code_builds_the_same(self, described: IOCDescription):
        here = dataclasses.replace(described, prefix="none:")  # so that nothing connects
        namespace: dict[str, Any] = {}
        exec(compile(here.code(), "the code", "exec"), namespace)
        detector = namespace["none"]
        for part in described.select().parts:
            device = getattr(detector, part.key)
            assert device.prefix == f"none:{part.suffix}"
            assert type(device).__name__.startswith(part.cls.__name__)
        assert namespace["none_cam2"].cam.prefix == "none:cam2:"

    def test_a_choice_takes_data(
        self, described: IOCDescription, built: Callable[..., Any], tmp_path: Any
    ):
        """The file plugins that don't record are in the detector, and don't write."""
        chosen = described.select("hdf1", "tiff1", "nexus1", "image")
        detector = built(described.prefix, name="det", plugins=chosen.plugins)
        detector.wait_for_connection(timeout=30)
        detector.hdf1.write_path_template = f"{tmp_path}/"
        tiff_before = detector.tiff1.enable.get()
        runner = RunEngine({})
        documents: list[tuple[str, dict[str, Any]]] = []
        runner.subscribe(lambda name, document: documents.append((name, document)))
        detector.hdf1.stage_sigs["lazy_open"] = 1
        runner(prepare_count(detector.hdf1, "scan", acquire_time=0.001, acquire_period=0.002))
        runner(count([detector]))
        resources = [document for name, document in documents if name == "resource"]
        assert len(resources) == 1
        assert [file.suffix for file in tmp_path.iterdir()] == [".h5"]
        assert detector.tiff1.enable.get() == tiff_before

    def test_yaml_is_loaded_again(self, described: IOCDescription):
        (detector,) = load_detectors(described.select(camera="cam2").to_yaml()).values()
        detector.wait_for_connection(timeout=20)
        assert detector.cam.port_name.get() == "SIM2"

    def test_another_ioc(self, adsupport_ioc_factory: Any, built: Callable[..., Any]):
        """Its camera isn't a simulated detector of EPICS, so gets what all cameras have."""
        with adsupport_ioc_factory("imaging_beamline") as ioc:
            found = describe_ioc(ioc.prefix, timeout=20)
            assert found["cam"].cls is CamMixin_V34
            assert [part.key for part in found.parts] == [k for k in EXPECTED if k != "cam2"]
            detector = built(ioc.prefix, name="beam", plugins=found.select("hdf1").plugins)
            detector.wait_for_connection(timeout=30)
            assert detector.cam.port_name.get() == found["cam"].port

    def test_places_of_the_users_own(self, adsim: IOCProcess):
        found = describe_ioc(adsim.prefix, timeout=20, suffixes=["Stats1:TS:", "Proc1:TIFF:", "Z:"])
        assert found["stats1_ts"].plugin_type == "NDPluginTimeSeries"
        assert found["stats1_ts"].source_port == "STATS1"
        assert found["proc1_tiff"].port == "PROC1TIFF"
        assert len(found.parts) == len(EXPECTED) + 2

    def test_a_chain_and_a_source_of_the_other_camera(
        self, adsim: IOCProcess, built: Callable[..., Any]
    ):
        detector = built(adsim.prefix, name="det", plugins=["cam", "roi4", "stats5", "roi3"])
        detector.wait_for_connection(timeout=20)
        try:
            detector.stats5.nd_array_port.set("ROI4").wait(10)
            detector.roi4.nd_array_port.set("SIM2").wait(10)
            detector.roi3.nd_array_port.set("NOWHERE").wait(10)
            found = describe_ioc(adsim.prefix, timeout=20)
        finally:
            for part in (detector.roi3, detector.roi4, detector.stats5):
                part.nd_array_port.set("SIM1").wait(10)
        assert (found["roi4"].camera, found["stats5"].camera) == ("cam2", "cam2")
        assert found["roi3"].camera is None
        second = found.select(camera="cam2")
        assert [part.key for part in second.parts] == ["cam", "roi4", "stats5"]
        assert [part.key for part in found.loose_ends()] == ["roi3"]

    def test_the_callers_own_channels_go_on(self, adsim: IOCProcess, built: Callable[..., Any]):
        detector = built(adsim.prefix, name="det", plugins=["cam"])
        detector.wait_for_connection(timeout=20)
        describe_ioc(adsim.prefix, timeout=20)
        assert detector.cam.port_name.connected
        assert detector.cam.port_name.get() == "SIM1"


class TestCommand:
    @pytest.fixture
    def scan(
        self, described: IOCDescription, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> Callable[..., tuple[int, str, str]]:
        """Run the command in this process, with the IOC that was described already."""

        def describe(prefix: str, timeout: float, **options: Any) -> IOCDescription:
            asked.append((prefix, timeout, options))
            return described

        def scan(*arguments: str) -> tuple[int, str, str]:
            monkeypatch.setattr(sys, "argv", ["adsupport", "ioc-scan", "ad:", *arguments])
            with pytest.raises(SystemExit) as end:
                main()
            return int(end.value.code or 0), *capsys.readouterr()

        asked: list[Any] = []
        scan.asked = asked  # type: ignore[attr-defined]
        monkeypatch.setattr(introspection, "describe_ioc", describe)
        return scan

    def test_as_a_user_types_it(self, adsim: IOCProcess):
        command = [sys.executable, "-m", "adsupport.cli", "ioc-scan", adsim.prefix, "--timeout=20"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stderr
        assert "ADCore R3-14" in result.stdout
        row = next(line for line in result.stdout.splitlines() if line.startswith("hdf1 "))
        assert row.split() == [
            "hdf1", "HDF1:", "NDFileHDF5", "AD_EpicsFileNameHDF5Plugin", "FileHDF1", "SIM1",
            *re.findall(r"\byes|no\b", row), "3.14.0",
        ]  # fmt: skip
        code = result.stdout[result.stdout.index("from adsupport") :]
        names = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
        assert {"ad_creator", "ad", "ad_cam2"} <= names

    def test_code_of_some_plugins(self, scan: Any, described: IOCDescription):
        code, out, _ = scan("--code", "--plugins=hdf1,image", "--plugins", "roi1")
        assert (code, out) == (0, described.select("hdf1", "image", "roi1").code())
        assert "roi1" in out
        assert "roi2" not in out

    def test_yaml(self, scan: Any, described: IOCDescription):
        assert scan("--yaml") == (0, described.to_yaml(), "")

    def test_json(self, scan: Any, described: IOCDescription):
        code, out, _ = scan("--json", "--writer=tiff1", "--timeout=7", "--cam=a:", "--suffix=b:")
        assert (code, json.loads(out)) == (0, described.as_dict())
        options = {"cams": ["a:"], "suffixes": ["b:"], "writers": ["tiff1"]}
        assert scan.asked == [("ad:", 7.0, options)]

    def test_a_source_that_was_not_found_is_told(
        self, scan: Any, described: IOCDescription, monkeypatch: pytest.MonkeyPatch
    ):
        lost = dataclasses.replace(described["image"], source_port="[b]GONE", camera=None)
        parts = tuple(lost if part.key == "image" else part for part in described.parts)
        odd = dataclasses.replace(described, parts=parts)
        monkeypatch.setattr(introspection, "describe_ioc", lambda *_, **__: odd)
        code, out, _ = scan()
        assert code == 0
        assert "image takes its arrays from port '[b]GONE'" in out
        assert "ad:image1:NDArrayPort" in out

    def test_an_ioc_without_a_camera_is_shown(
        self, scan: Any, described: IOCDescription, monkeypatch: pytest.MonkeyPatch
    ):
        none = dataclasses.replace(described, parts=(described["image"],))
        monkeypatch.setattr(introspection, "describe_ioc", lambda *_, **__: none)
        code, out, _ = scan()
        assert code == 0
        assert "image1:" in out
        assert "--cam" in out
        code, _, err = scan("--code")
        assert code == 1
        assert "no camera" in err

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["--code", "--json"], 2, "Give one of"),
            (["--timeout=-1"], 2, "timeout"),
            (["--plugins", "hdf7"], 2, "'hdf7'"),
        ],
    )
    def test_bad_arguments(self, scan: Any, arguments: list[str], code: int, message: str):
        found, _, err = scan(*arguments)
        assert found == code
        assert message in err
        assert "Traceback" not in err

    def test_an_ioc_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch, capsys: Any):
        monkeypatch.setattr(sys, "argv", ["adsupport", "ioc-scan", "nobody:", "--timeout=0.3"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        assert "Nothing under 'nobody:' answered within 0.3 s" in capsys.readouterr().err
