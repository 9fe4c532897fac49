"""Detectors on IOCs of other releases of ADCore: all connected, all frames in the file.

Which records a release serves comes from ADCore's templates (adsupport.adcore), the choices of
compression and their spellings from its NDFileHDF5.template.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import epics
import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.adcore import Release, compression_readbacks, compressions, records
from adsupport.devices import (
    PLUGIN_DEFAULTS,
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.devices.releases.templates import template_of
from adsupport.errors import ConfigurationError, FrameLossError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count
from adsupport.testing import IOCFactory

RELEASES = ("R2-6", "R3-1", "R3-3", "R3-4", "R3-5", "R3-7", "R3-9", "R3-11", "R3-13", "R3-14")
EACH_TIME = ("R3-4",)
NOT_LOADED = {"magick1"}  # the IOC is like ADSimDetector's without GraphicsMagick


def marked(release: str) -> Any:
    return pytest.param(release, marks=[] if release in EACH_TIME else pytest.mark.slow)


@pytest.fixture(scope="module", params=[marked(release) for release in RELEASES])
def ioc(request: pytest.FixtureRequest, adsupport_ioc_factory: IOCFactory) -> Iterator[IOCProcess]:
    """An IOC of each release."""
    with adsupport_ioc_factory("adsim", adcore=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where the IOC writes."""
    return tmp_path_factory.mktemp("releases")


def writer(directory: pathlib.Path) -> dict[str, Any]:
    return {
        "class": AD_EpicsFileNameHDF5Plugin,
        "write_path_template": f"{directory}/",
        "read_path_template": f"{directory}/",
    }


def plugins_of(release: str, every_key: bool) -> list[str]:
    """Name the plugins that a release has; one of each class unless all are wanted."""
    keys: dict[Any, str] = {}
    for key, entry in PLUGIN_DEFAULTS.items():
        if key not in NOT_LOADED and records(str(template_of(entry["class"])), release):
            keys.setdefault(key if every_key else entry["class"], key)
    return list(keys.values())


@pytest.fixture(scope="module")
def whole(ioc: IOCProcess, directory: pathlib.Path) -> Any:
    """A detector with the plugins that the release has, of the classes that fit it."""
    release = str(ioc.adcore)
    keys = plugins_of(release, every_key=release not in EACH_TIME)
    detector = ad_creator(
        ioc.prefix,
        name="det",
        plugins=[{"hdf1": writer(directory)} if key == "hdf1" else key for key in keys],
        adcore="auto",
        connection_timeout=30,
    )
    for key in keys:
        if key not in ("cam", "hdf1", "image"):
            getattr(detector, key).disable_on_stage()
    return detector


def test_no_signal_is_left_disconnected(ioc: IOCProcess, whole: Any) -> None:
    whole.wait_for_connection(all_signals=True)
    lost = [
        walk.item.name
        for walk in whole.walk_signals(include_lazy=True)
        if hasattr(walk.item, "pvname") and not walk.item.connected
    ]
    assert lost == []
    assert whole.adcore == ioc.adcore
    assert Release.parse(whole.cam.ad_core_version.get()) == ioc.adcore
    # the classes aren't just bare
    assert len(list(whole.hdf1.walk_signals(include_lazy=True))) > 130
    assert (type(whole.cam).wait_for_plugins is None) == (str(ioc.adcore) in ("R2-6", "R3-1"))


def test_classes_given_by_name_fit_too(ioc: IOCProcess) -> None:
    library = "ophyd.areadetector"
    detector = ad_creator(
        ioc.prefix,
        name="given",
        plugins=[
            {"cam": {"class": f"{library}.cam.SimDetectorCam"}},
            {"hdf2": {"class": f"{library}.plugins.HDF5Plugin_V34", "suffix": "HDF1:"}},
            {"process1": {"class": f"{library}.plugins.ProcessPlugin_V34"}},
        ],
        adcore=ioc.adcore,
    )
    detector.wait_for_connection(all_signals=True, timeout=30)
    waits = detector.stage_sigs.get("cam.wait_for_plugins")
    assert waits == (None if str(ioc.adcore) in ("R2-6", "R3-1") else "Yes")


def test_frames_of_every_point_are_in_the_file(
    engine: Any, documents: Any, directory: pathlib.Path, ioc: IOCProcess, whole: Any
) -> None:
    ensure_AD_plugin_primed(whole.hdf1, True)
    engine(prepare_count(whole.hdf1, f"run{ioc.adcore}", 0.001, 0.002, 3, compression="zlib"))
    engine(bp.count([whole], num=4))
    assert documents.of("stop")[0]["exit_status"] == "success"
    assert [report.problems for report in whole.frame_reports] == [()] * 4
    path = AD_full_file_name_local(whole.hdf1)
    assert path == directory / f"run{ioc.adcore}_0000.h5"
    with h5py.File(path) as file:
        data = file["entry/data/data"]
        assert data.shape == (12, 1024, 1024)
        assert data.compression == "gzip"
        assert list(file["entry/instrument/NDAttributes/NDArrayUniqueId"][:]) == sorted(
            file["entry/instrument/NDAttributes/NDArrayUniqueId"][:]
        )


def test_every_compression_by_any_spelling(engine: Any, ioc: IOCProcess, whole: Any) -> None:
    signal = whole.hdf1.compression
    release = ioc.adcore
    assert release is not None
    choices, readbacks = compressions(release), compression_readbacks(release)
    before = signal.get()
    for number, (choice, readback) in enumerate(zip(choices, readbacks, strict=True)):
        if choice == "JPEG":  # listed, but this IOC has no filter for it
            continue
        for spelling in (choice, readback, choice.upper()):
            signal.set("None").wait(10)
            signal.set(spelling).wait(10)
            assert epics.caget(signal.setpoint_pvname) == number
            assert epics.caget(signal.pvname, as_string=True) == readback
            assert (signal.get(), signal.enum_strs) == (choice, choices)
            engine(bps.abs_set(signal, spelling, wait=True, timeout=10))
        engine(prepare_count(whole.hdf1, "spelling", 0.001, 0.002, compression=choice.lower()))
        assert signal.get() == choice
    signal.set(before).wait(10)


def test_a_compression_among_the_stage_settings(ioc: IOCProcess, whole: Any) -> None:
    hdf1 = whole.hdf1
    hdf1.compression.set("zlib").wait(10)
    hdf1.stage_sigs["compression"] = "nbit"
    hdf1.stage_sigs.move_to_end("compression", last=False)
    hdf1.file_name.set(f"staged{ioc.adcore}").wait(10)
    try:
        whole.stage()
        assert hdf1.compression.get() == "N-bit"
    finally:
        whole.unstage()
        del hdf1.stage_sigs["compression"]
    assert hdf1.compression.get() == "zlib"


@pytest.mark.parametrize(("name", "since"), [("Blosc", "R3-2"), ("BSLZ4", "R3-5"), ("LZ4", "R3-5")])
def test_a_compression_that_the_release_lacks(
    engine: Any, ioc: IOCProcess, whole: Any, name: str, since: str
) -> None:
    if ioc.adcore is None or ioc.adcore >= Release.parse(since):
        engine(prepare_count(whole.hdf1, "x", 0.001, 0.002, compression=name))
        return
    said = f"knows {', '.join(compressions(ioc.adcore))}. {name} came with ADCore {since}"
    with pytest.raises(ConfigurationError) as caught:
        engine(prepare_count(whole.hdf1, "x", 0.001, 0.002, compression=name))
    assert said in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        whole.hdf1.compression.put(name)
    assert said in str(caught.value)


@pytest.fixture(scope="module")
def old(ioc: IOCProcess, directory: pathlib.Path) -> Any:
    """Camera and HDF5 plugin of a release whose camera doesn't wait for its plugins."""
    detector = ad_creator(
        ioc.prefix, name="old", plugins=["cam", {"hdf1": writer(directory)}], adcore="2.6"
    )
    detector.wait_for_connection(all_signals=True, timeout=30)
    ensure_AD_plugin_primed(detector.hdf1, True)
    return detector


@pytest.mark.parametrize("ioc", ["R2-6"], indirect=True)
class TestOldCamera:
    """R2-6: the camera is done while the writer still writes."""

    def test_a_point_ends_when_the_writer_has_its_frames(
        self, engine: Any, ioc: IOCProcess, old: Any
    ) -> None:
        engine(prepare_count(old.hdf1, "slow", 0.001, 0.001, 3, compression="None"))
        # longer for a frame than records may lag behind
        with ioc.fault("slow-disk", "HDF1", seconds=1.2):
            engine(bp.count([old], num=1))
        (report,) = old.frame_reports
        assert (report.written["old_hdf1"], report.problems) == (3, ())
        with h5py.File(AD_full_file_name_local(old.hdf1)) as file:
            assert file["entry/data/data"].shape[0] == 3

    def test_a_writer_that_stands_still_ends_the_run(
        self,
        engine: Any,
        documents: Any,
        ioc: IOCProcess,
        old: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(old, "acquire_allowance", 0.3)
        engine(prepare_count(old.hdf1, "stuck", 0.001, 0.001, 2, compression="None"))
        with ioc.fault("slow-disk", "HDF1", seconds=1), pytest.raises(FailedStatus) as caught:
            engine(bp.count([old]))
        assert isinstance(caught.value.__cause__, FrameLossError)
        assert "HDF1:NumCaptured_RBV" in str(caught.value.__cause__)
        assert documents.of("stop")[0]["exit_status"] == "fail"
        assert not documents.of("event")

    def test_is_busy_is_that_of_the_camera(self, old: Any) -> None:
        assert type(old.cam).acquire_busy is None
        assert old.cam.is_busy is False


@pytest.mark.parametrize("ioc", ["R3-4"], indirect=True)
class TestClassesAsTheyAre:
    """Without a release the classes are for R3-4 and later."""

    def test_what_is_missing_is_not_needed(
        self, engine: Any, ioc: IOCProcess, directory: pathlib.Path
    ) -> None:
        detector = ad_creator(
            ioc.prefix, name="plain", plugins=["cam", "image", {"hdf1": writer(directory)}]
        )
        detector.wait_for_connection(timeout=30)
        assert detector.adcore is None
        ensure_AD_plugin_primed(detector.hdf1, True)
        engine(prepare_count(detector.hdf1, "plain", 0.001, 0.002, 2, compression="nbit"))
        engine(bp.count([detector]))
        with h5py.File(AD_full_file_name_local(detector.hdf1)) as file:
            assert file["entry/data/data"].shape == (2, 1024, 1024)

        with pytest.raises(ConfigurationError, match="'badpix1'.*R3-11 on.*R3-4"):
            ad_creator(ioc.prefix, name="d", plugins=["cam", "badpix1"], adcore="auto")
