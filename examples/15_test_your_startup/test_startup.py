"""Test the startup and its plan on a detector that is simulated, faults included."""

import os

import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import AD_full_file_name_local


@pytest.fixture(scope="session")
def startup(adsupport_adsim, tmp_path_factory):
    """Return the startup; it is imported when its detector runs, as it connects at once."""
    os.environ["BEAMLINE_DATA"] = str(tmp_path_factory.mktemp("data"))
    import startup

    return startup


def test_five_images_are_in_the_file(startup):
    """What a user does on a good day."""
    startup.RE(startup.radiograph("steel", exposure=0.01, n_images=5))
    file = AD_full_file_name_local(startup.det.hdf1)
    assert file.name.startswith("steel_")
    with h5py.File(file) as h5:
        assert h5["/entry/data/data"].shape == (5, 1024, 1024)


def test_a_full_disk_is_not_overlooked(startup, adsupport_adsim):
    """The run fails and says why; the next one works."""
    with adsupport_adsim.fault("disk-full", "HDF1", after=3):
        with pytest.raises(FailedStatus, match="Error writing file"):
            startup.RE(startup.radiograph("iron", exposure=0.01, n_images=5))
    startup.RE(startup.radiograph("iron", exposure=0.01, n_images=5))
    assert startup.det.hdf1.num_captured.get() == 5


def test_lost_frames_are_not_overlooked(startup, adsupport_adsim):
    """Two frames that the writer has no time for are counted, and named."""
    with adsupport_adsim.fault("queue-overflow", "HDF1", after=1, count=2):
        with pytest.raises(FailedStatus, match="2 of 5 frames were dropped"):
            startup.RE(startup.radiograph("zinc", exposure=0.01, n_images=5))
