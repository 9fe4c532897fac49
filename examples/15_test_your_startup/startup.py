"""Set up the beamline: type ``%run -i startup.py`` in a new session."""

import os

import bluesky.plans as bp
from bluesky import RunEngine

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator, ensure_AD_plugin_primed
from adsupport.plans import prepare_count

# the file server, under the same name on the IOC and here
DATA = os.environ.get("BEAMLINE_DATA", "/data")

RE = RunEngine({"beamline": "13SIM"})

det = ad_creator(
    "13SIM1:",
    name="det",
    plugins=[
        "cam",
        "image",
        {
            "hdf1": {
                "class": AD_EpicsFileNameHDF5Plugin,
                "write_path_template": f"{DATA}/%Y/%m/%d/",
            }
        },
    ],
)
det.wait_for_connection(timeout=15)
ensure_AD_plugin_primed(det.hdf1, True)


def radiograph(sample, exposure, n_images=1):
    """Take images of a sample, in a file that has its name."""
    yield from prepare_count(det.hdf1, sample, exposure, exposure, n_images)
    yield from bp.count([det], md={"sample": sample})
