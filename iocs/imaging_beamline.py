"""Simulated imaging beamline: tube, shutter, a sample on five motors, and a camera behind it.

Run it: ``adsupport ioc imaging_beamline --prefix im:``, or this file itself. The camera's frames
are projections of a known phantom at the motors' read-backs.
"""

from adsupport.adcore import Release
from adsupport.sim.area_detector import CAMERA_TABLES, AreaDetectorIOC
from adsupport.sim.beamline.beam_images import BeamImages
from adsupport.sim.beamline.moving_part import load_part
from adsupport.sim.beamline.phantom import head_with_beads
from adsupport.sim.beamline.scene import Scene
from adsupport.sim.beamline.shutter import Shutter
from adsupport.sim.beamline.stages import SampleStages
from adsupport.sim.beamline.tube import Tube
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.common_plugins import add_common_plugins
from adsupport.sim.ioc import boot
from adsupport.sim.release_tables import NEWEST

SIZE = 512
"""Rows and columns of the camera, as its table says."""


def make(prefix: str, adcore: Release | str = NEWEST) -> AreaDetectorIOC:
    """Compose the IOC.

    Parameters
    ----------
    prefix : str
        Prefix of every record, such as ``im:``.
    adcore : Release or str
        Release of ADCore whose records it has, such as ``R3-4``.

    Returns
    -------
    AreaDetectorIOC
        Ready to be served.
    """
    ioc = AreaDetectorIOC("imaging_beamline", prefix, adcore)
    stages = SampleStages(ioc)
    shutter, tube, scene = Shutter("SHUTTER"), Tube("TUBE"), Scene("SCENE")
    load_part(ioc, "imagingShutter", "shutter:", shutter, "Control")
    load_part(ioc, "imagingTube", "tube:", tube, "On", "Voltage", "Current")
    ioc.load(["imagingScene"], "scene:", scene)
    images = BeamImages(
        SIZE,
        SIZE,
        phantom=head_with_beads(),
        scene=scene,
        stages=stages,
        shutter=shutter,
        tube=tube,
    )
    camera = SimDetector("CAM1", images=images)
    ioc.add_camera("cam1:", camera, (*CAMERA_TABLES, "imagingDetector"))
    add_common_plugins(ioc, camera)
    return ioc


if __name__ == "__main__":
    boot(make, name="imaging_beamline", prefix="im:", adcore=True)
