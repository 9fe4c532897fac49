"""The detector's own plugin writes into the data sets of a walker."""

from __future__ import annotations

import os

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import h5py
import pytest
import tifffile
from bluesky import RunEngine

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameTIFFPlugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.imaging.storage.data_set import directory_of
from adsupport.imaging.storage.walker import DirectoryWalker
from adsupport.plans import prepare_count


def detector_of(ioc, tmp_path, plugin, kind):
    """Return a camera with one file plugin, whose IOC has another name for the directory."""
    os.symlink(tmp_path / "disk", tmp_path / "ioc", target_is_directory=True)
    made = ad_creator(
        ioc.prefix,
        name="det",
        plugins=[
            "cam",
            "image",
            {
                plugin: {
                    "class": kind,
                    "write_path_template": f"{tmp_path}/ioc/",
                    "read_path_template": f"{tmp_path}/disk/",
                }
            },
        ],
    )
    made.wait_for_connection(timeout=30)
    ensure_AD_plugin_primed(getattr(made, plugin), True)
    return made


def scan(walker, detector, plugin):
    with walker.scan():
        for stream, n in (("darks", 2), ("primary", 3)):
            images = walker.data_set(directory_of(stream))
            yield from bps.mv(plugin.file_number, images.start_index)
            yield from prepare_count(
                plugin,
                images.ioc_name,
                0.01,
                0.02,
                n_images=n,
                file_path=images.ioc_path,
                file_template=images.ioc_template,
            )
            yield from bp.count([detector])


@pytest.mark.parametrize(
    ("extension", "plugin", "kind"),
    [("h5", "hdf1", AD_EpicsFileNameHDF5Plugin), ("tif", "tiff1", AD_EpicsFileNameTIFFPlugin)],
)
def test_a_file_plugin_writes_where_the_walker_says(
    adsupport_ioc_factory, tmp_path, extension, plugin, kind
):
    (tmp_path / "disk").mkdir()
    with adsupport_ioc_factory("adsim") as ioc:
        detector = detector_of(ioc, tmp_path, plugin, kind)
        writer = getattr(detector, plugin)
        walker = DirectoryWalker(
            tmp_path / "disk" / "sample", f"frame_{{:>06}}.{extension}", path_map=writer.path_map
        )
        assert walker.ioc_path == f"{tmp_path}/ioc/sample/"
        try:
            RunEngine({})(scan(walker, detector, writer))
            last = AD_full_file_name_local(writer)
        finally:
            detector.unstage()
            detector.stop(success=True)
    found = sorted(str(path.relative_to(walker.root)) for path in walker.root.rglob("*.*"))
    counts = {"darks": 1, "radios": 1} if extension == "h5" else {"darks": 2, "radios": 3}
    assert found == [
        f"scan_0000/{name}/frame_{k:06d}.{extension}"
        for name, n in counts.items()
        for k in range(n)
    ]
    assert last == walker.root / found[-1]
    if extension == "h5":
        with h5py.File(last) as file:
            assert file["entry/data/data"].shape[0] == 3
    else:
        assert tifffile.imread(last).ndim == 2
