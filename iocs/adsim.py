"""Simulated ADSimDetector IOC: two cameras and the plugins that areaDetectors commonly have.

Run it: ``adsupport ioc adsim --prefix ad:``, or this file itself. Its records are those of an
ADSimDetector R2-11 on ADCore R3-14 with ``commonPlugins.cmd`` and NDPluginPva; ``--adcore R3-4``
serves those of an older ADCore.
"""

from adsupport.adcore import Release
from adsupport.sim.area_detector import AreaDetectorIOC
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.common_plugins import add_common_plugins
from adsupport.sim.ioc import boot
from adsupport.sim.release_tables import NEWEST


def make(prefix: str, adcore: Release | str = NEWEST) -> AreaDetectorIOC:
    """Compose the IOC.

    Parameters
    ----------
    prefix : str
        Prefix of every record, such as ``ad:``.
    adcore : Release or str
        Release of ADCore whose records it has, such as ``R3-4``.

    Returns
    -------
    AreaDetectorIOC
        Ready to be served.
    """
    ioc = AreaDetectorIOC("adsim", prefix, adcore)
    camera = ioc.add_camera("cam1:", SimDetector("SIM1"))
    ioc.add_camera("cam2:", SimDetector("SIM2"))
    add_common_plugins(ioc, camera)
    return ioc


if __name__ == "__main__":
    boot(make, name="adsim", prefix="ad:", adcore=True)
