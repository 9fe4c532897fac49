"""Simulated ADSimDetector IOC: a camera and its image, HDF5 and pvAccess plugins.

Run it: ``adsupport ioc adsim --prefix ad:``, or this file itself. Its records are those of an
ADSimDetector R2-11 on ADCore R3-14 for the ports ``cam1:``, ``image1:``, ``HDF1:`` and ``Pva1:``.
"""

from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.ioc import boot
from adsupport.sim.plugins.hdf5 import HDF5Plugin
from adsupport.sim.plugins.pva import PvaPlugin
from adsupport.sim.plugins.std_arrays import StdArrays


def make(prefix: str) -> AreaDetectorIOC:
    """Compose the IOC.

    Parameters
    ----------
    prefix : str
        Prefix of every record, such as ``ad:``.

    Returns
    -------
    AreaDetectorIOC
        Ready to be served.
    """
    ioc = AreaDetectorIOC("adsim", prefix)
    camera = ioc.add_camera("cam1:", SimDetector("SIM1"))
    ioc.add_plugin("image1:", StdArrays, "Image1", camera)
    ioc.add_plugin("HDF1:", HDF5Plugin, "FileHDF1", camera)
    ioc.add_plugin("Pva1:", PvaPlugin, "PVA1", camera)
    return ioc


if __name__ == "__main__":
    boot(make, name="adsim", prefix="ad:")
