"""Simulated ADSimDetector IOC: a camera and its image, HDF5 and pvAccess plugins.

Run it: ``adsupport ioc adsim --prefix ad:``, or this file itself. Its records are those of an
ADSimDetector R2-11 on ADCore R3-14 for the ports ``cam1:``, ``image1:``, ``HDF1:`` and ``Pva1:``.
"""

from adsupport.sim.attributes import channel_reader
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.ioc import IOC, boot
from adsupport.sim.links import (
    link_acquire_busy,
    link_array_rate,
    link_dimensions,
    link_queue_use,
)
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.hdf5 import HDF5Plugin
from adsupport.sim.plugins.std_arrays import StdArrays
from adsupport.sim.port import Port
from adsupport.sim.source import ArraySource

CAMERA = ("NDArrayBase", "ADBase", "simDetector")
PLUGIN = ("NDArrayBase", "NDPluginBase")
FILE = (*PLUGIN, "NDFile", "NDFileHDF5")


def make(prefix: str) -> IOC:
    """Compose the IOC.

    Parameters
    ----------
    prefix : str
        Prefix of every record, such as ``ad:``.

    Returns
    -------
    IOC
        Ready to be served.
    """
    ioc = IOC("adsim", prefix)
    ports: dict[str, ArraySource] = {}

    def load(tables: tuple[str, ...], r: str, port: Port) -> None:
        records = ioc.load(tables, r, port, {"NDARRAY_PORT": camera.name})
        link_acquire_busy(records)
        link_array_rate(ioc, records)
        link_dimensions(records)
        if "QueueUse" in records:
            link_queue_use(records)

    # upstream first: a camera is stopped before the plugins that drain what it made
    camera = SimDetector("SIM1")
    camera.read_pv = channel_reader(ioc.database)
    ports[camera.name] = camera
    load(CAMERA, "cam1:", camera)
    load((*PLUGIN, "NDStdArrays"), "image1:", StdArrays("Image1", ports))
    load(FILE, "HDF1:", HDF5Plugin("FileHDF1", ports))
    load((*PLUGIN, "NDPva"), "Pva1:", Plugin("PVA1", ports))
    return ioc


if __name__ == "__main__":
    boot(make, name="adsim", prefix="ad:")
