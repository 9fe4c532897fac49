"""The session "Area Detector with custom HDF5 File Name", step by step.

The lines of the session stand as a user types them; the checks around them ask the IOC and the
file with other means (pyepics, h5py).
"""

from __future__ import annotations

import datetime
import pathlib
from collections import OrderedDict
from types import SimpleNamespace

import bluesky
import bluesky.plan_stubs as bps
import bluesky.plans as bp
import databroker
import epics
import h5py
import hdf5plugin
import numpy as np
import pytest

import adsupport
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    AD_plugin_primed,
    SimDetectorCam_V34,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count
from adsupport.simulated import simulated_mounts

NUM_FRAMES = 5
IMAGE_DIR = "adsimdet/%Y/%m/%d"
METADATA = {
    "title": "Area Detector with custom HDF5 File Name",
    "purpose": "image",
    "image_file_name_style": "EPICS(AD PVs)",
}


def make_detector(
    ioc: str,
    mounts: tuple[pathlib.Path, pathlib.Path],
    if_exists: str = "refuse",
    timeout: float = 15,
):
    ad_ioc_mount_path, bluesky_mount_path = mounts
    plugins = []
    plugins.append({"cam": {"class": SimDetectorCam_V34}})
    plugins.append(
        {
            "hdf1": {
                "class": AD_EpicsFileNameHDF5Plugin,
                "write_path_template": f"{ad_ioc_mount_path / IMAGE_DIR}/",
                "read_path_template": f"{bluesky_mount_path / IMAGE_DIR}/",
                "if_exists": if_exists,
            }
        }
    )
    plugins.append("image")

    adsimdet = ad_creator(ioc, name="adsimdet", plugins=plugins)
    adsimdet.wait_for_connection(timeout=timeout)
    adsimdet.wait_for_connection(timeout=timeout)
    adsimdet.read_attrs.append("hdf1")
    adsimdet.hdf1.create_directory.put(-5)

    # override default setting from ophyd
    adsimdet.cam.stage_sigs["wait_for_plugins"] = "Yes"
    adsimdet.hdf1.stage_sigs["blocking_callbacks"] = "No"
    adsimdet.hdf1.stage_sigs.move_to_end("capture", last=True)
    adsimdet.image.stage_sigs["blocking_callbacks"] = "No"

    # Needed if IOC has just been started
    adsimdet.hdf1.auto_increment.put("Yes")
    adsimdet.hdf1.auto_save.put("Yes")
    adsimdet.hdf1.create_directory.put(-5)

    ensure_AD_plugin_primed(adsimdet.hdf1, True)
    return adsimdet


def session_prepare_count(
    plugin,
    file_name,
    acquire_time,
    acquire_period,
    n_images=1,
    auto_increment="Yes",
    auto_save="Yes",
    compression=None,
    create_directory=-5,
    file_path=None,
    file_template=None,
):
    """The plan that the session defines itself, as it stands there."""
    cam = plugin.parent.cam
    compression = compression or "zlib"
    file_path = file_path or plugin.write_path_template
    file_template = file_template or "%s%s_%4.4d.h5"
    n_images = max(n_images, 1)
    image_mode = "Multiple" if n_images > 1 else "Single"
    yield from bps.mv(
        cam.num_images,
        n_images,
        cam.acquire_time,
        acquire_time,
        cam.acquire_period,
        acquire_period,
        cam.image_mode,
        image_mode,
        plugin.auto_increment,
        auto_increment,
        plugin.auto_save,
        auto_save,
        plugin.create_directory,
        create_directory,
        plugin.file_name,
        file_name,
        plugin.file_path,
        file_path,
        plugin.num_capture,
        n_images,
        plugin.compression,
        compression,
        plugin.file_template,
        file_template,
    )


def run_engine():
    RE = bluesky.RunEngine({})
    cat = databroker.temp().v2
    RE.subscribe(cat.v1.insert)
    RE.md["versions"]["adsupport"] = adsupport.__version__
    RE.md["versions"]["hdf5plugin"] = hdf5plugin.version
    return RE, cat


@pytest.fixture(scope="module", params=[prepare_count, session_prepare_count])
def session(request, adsim: IOCProcess, tmp_path_factory) -> SimpleNamespace:
    """Run the whole session once; with our plan stub, and with the session's own."""
    prepare = request.param
    mounts = simulated_mounts(tmp_path_factory.mktemp("seed"))
    adsimdet = make_detector(adsim.prefix, mounts)
    stage_sigs = OrderedDict(adsimdet.hdf1.stage_sigs)
    RE, cat = run_engine()
    today = datetime.date.today()
    RE(prepare(adsimdet.hdf1, f"test_{prepare.__name__}", 0.001, 0.002, NUM_FRAMES))
    uids = RE(bp.count([adsimdet], md=METADATA))
    num_captured = adsimdet.hdf1.num_captured.get()
    local_file_name = AD_full_file_name_local(adsimdet.hdf1)
    run = cat.v2[uids[0]]
    return SimpleNamespace(
        prepare=prepare,
        mounts=mounts,
        adsimdet=adsimdet,
        stage_sigs=stage_sigs,
        num_captured=num_captured,
        local_file_name=local_file_name,
        run=run,
        dataset=run.primary.read(),
        days={today, datetime.date.today()},
        name=f"test_{prepare.__name__}",
    )


def test_plugin_staging_prints_as_in_the_session(session):
    assert session.stage_sigs == OrderedDict(
        [
            ("enable", 1),
            ("file_write_mode", "Stream"),
            ("blocking_callbacks", "No"),
            ("parent.cam.array_callbacks", 1),
            ("capture", 1),
        ]
    )
    assert list(session.stage_sigs) == list(session.adsimdet.hdf1.stage_sigs)


def test_the_plugin_captured_the_expected_number_of_frames(session):
    assert session.num_captured == NUM_FRAMES


def test_the_local_file_is_where_the_ioc_wrote_it(session, adsim):
    ioc_mount, local_mount = session.mounts
    local = session.local_file_name
    assert local.exists()
    day, days = local.parent, session.days
    assert day in {local_mount / date.strftime(IMAGE_DIR) for date in days}
    assert local.name.startswith(session.name)
    # the IOC, asked without our classes
    full_name = epics.caget(f"{adsim.prefix}HDF1:FullFileName_RBV", as_string=True)
    assert full_name == str(ioc_mount / local.relative_to(local_mount))
    # Our plan leaves no directory named after a date code; the session's own puts them as they are.
    literal = {path.name for path in ioc_mount.rglob("*%*")}
    assert literal == (set() if session.prepare is prepare_count else {"%Y", "%m", "%d"})


def test_the_run_names_the_same_file(session):
    _r = session.run.primary._resources[0]
    fname = pathlib.Path(f"{_r['root']}{_r['resource_path']}")
    assert fname.exists()
    assert session.local_file_name == fname


def test_the_image_has_the_expected_shape(session):
    assert session.run.primary.read()["adsimdet_image"].shape == (1, NUM_FRAMES, 1024, 1024)


def test_the_catalog_gives_what_is_in_the_file(session):
    image = session.dataset["adsimdet_image"]
    with h5py.File(session.local_file_name) as file:
        stored = file["/entry/data/data"][:]
    assert image.dtype == stored.dtype == np.uint8
    np.testing.assert_array_equal(image[0].values, stored)
    assert np.ptp(stored[0]) > 0
    assert not np.array_equal(stored[0], stored[1])  # a ramp that moves on with each frame


def test_metadata_of_the_run(session):
    start = session.run.metadata["start"]
    assert {key: start[key] for key in METADATA} == METADATA
    assert start["versions"]["hdf5plugin"] == hdf5plugin.version


def test_the_image_can_be_plotted(session, tmp_path):
    from matplotlib import pyplot as plt

    mesh = session.dataset["adsimdet_image"][0][0].plot.pcolormesh()
    plt.savefig(tmp_path / "image.png")
    plt.close()
    assert mesh.get_array().size == 1024 * 1024
    assert (tmp_path / "image.png").stat().st_size > 5_000


def test_tree_of_the_file(session):
    """What the session prints with punx, read with h5py."""
    found = {}
    with h5py.File(session.local_file_name) as file:
        file.visititems(lambda name, item: found.update({name: _describe(item)}))
        assert file["/entry/data/data"] == file["/entry/instrument/detector/data"]  # a hard link
        data = file["/entry/data/data"]
        # h5py visits an object that has two names once, under either
        assert data.shape == (NUM_FRAMES, 1024, 1024)
        assert data.compression == "gzip"
        assert {name: np.asarray(value).tolist() for name, value in data.attrs.items()} == {
            "NDArrayDimBinning": [1, 1],
            "NDArrayDimOffset": [0, 0],
            "NDArrayDimReverse": [0, 0],
            "NDArrayNumDims": 2,
            "signal": 1,
        }
        ids = file["/entry/instrument/NDAttributes/NDArrayUniqueId"][:]
        attributes = file["/entry/instrument/NDAttributes/NDArrayUniqueId"].attrs
        assert _text(attributes["NDAttrDescription"]) == "The unique ID of the NDArray"
        assert _text(attributes["NDAttrSourceType"]) == "NDAttrSourceDriver"
    np.testing.assert_array_equal(np.diff(ids), 1)
    found.pop("entry/data/data", None)
    found.pop("entry/instrument/detector/data", None)
    assert found == {
        "entry": "NXentry",
        "entry/data": "NXdata",
        "entry/instrument": "NXinstrument",
        "entry/instrument/NDAttributes": "NXcollection",
        "entry/instrument/NDAttributes/NDArrayEpicsTSSec": "uint32 (5,)",
        "entry/instrument/NDAttributes/NDArrayEpicsTSnSec": "uint32 (5,)",
        "entry/instrument/NDAttributes/NDArrayTimeStamp": "float64 (5,)",
        "entry/instrument/NDAttributes/NDArrayUniqueId": "int32 (5,)",
        "entry/instrument/detector": "NXdetector",
        "entry/instrument/detector/NDAttributes": "NXcollection",
        "entry/instrument/detector/NDAttributes/ColorMode": "int32 (5,)",
        "entry/instrument/performance": "",
        "entry/instrument/performance/timestamp": "float64 (5, 5)",
    }


def _describe(item: h5py.Group | h5py.Dataset) -> str:
    if isinstance(item, h5py.Dataset):
        return f"{item.dtype} {item.shape}"
    return _text(item.attrs.get("NX_class", ""))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.slow  # libca looks after 10 s for what it has lost, then at ever longer intervals
def test_three_runs_in_a_row_then_one_right_after_a_restart_of_the_ioc(start_fresh, tmp_path):
    """An IOC that was restarted has no image, no path, no file name, and counts from 0 again."""
    mounts = simulated_mounts(tmp_path)
    ioc = start_fresh("adsim", "restarted:")
    files = []
    for restart in (False, False, False, True):
        if restart:
            ioc.restart()
        adsimdet = make_detector(ioc.prefix, mounts, if_exists="bump", timeout=60)
        assert AD_plugin_primed(adsimdet.hdf1)
        RE, cat = run_engine()
        RE(prepare_count(adsimdet.hdf1, "again", 0.001, 0.002, NUM_FRAMES))
        uids = RE(bp.count([adsimdet]))
        files.append(AD_full_file_name_local(adsimdet.hdf1))
        assert cat.v2[uids[0]].primary.read()["adsimdet_image"].shape == (1, 5, 1024, 1024)
    assert [file.name for file in files] == [f"again_{number:04d}.h5" for number in range(4)]
    assert all(file.exists() for file in files)
