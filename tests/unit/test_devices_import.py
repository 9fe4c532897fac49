"""What adsupport.devices offers, and what its import costs."""

import subprocess
import sys

import pytest

import adsupport.devices

NAMES = """
ad_creator ad_class_factory PLUGIN_DEFAULTS AD_EpicsFileNameHDF5Plugin AD_EpicsFileNameTIFFPlugin
AD_EpicsFileNameJPEGPlugin AD_full_file_name_local AD_plugin_primed AD_prime_plugin2
ensure_AD_plugin_primed AD_setup_FrameType AD_FrameType_schemes CamMixin_V34 CamMixin_V3_1_1
SingleTrigger_V34 SimDetectorCam_V34 HDF5FileWriterPlugin BadPixelPlugin SwaitRecord
UserCalcsDevice setup_random_number_swait
""".split()


@pytest.mark.parametrize("name", NAMES)
def test_public_name(name):
    assert name in adsupport.devices.__all__
    assert hasattr(adsupport.devices, name)


def test_all_is_true():
    assert sorted(set(adsupport.devices.__all__)) == sorted(adsupport.devices.__all__)
    assert [n for n in adsupport.devices.__all__ if not hasattr(adsupport.devices, n)] == []


def modules_after(statement):
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_importing_devices_costs_little_more_than_ophyd():
    extra = modules_after("import adsupport.devices") - modules_after("import ophyd.areadetector")
    heavy = {name.partition(".")[0] for name in extra} - {"adsupport"}
    assert not heavy & {"bluesky", "databroker", "h5py", "matplotlib", "caproto", "rich", "typer"}


def test_importing_the_package_alone_is_cheap():
    loaded = modules_after("import adsupport")
    assert not {"ophyd", "numpy", "epics", "bluesky"} & loaded
    assert not {"ophyd", "numpy", "epics"} & modules_after(
        "import adsupport.naming, adsupport.errors"
    )
