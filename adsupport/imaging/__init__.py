"""Imaging experiments as bluesky plans: radiography, tomography, and what they are made of."""

from .acquisition import Acquisition
from .beam import BeamSource, Source
from .config import ImagingConfig, RadiographyConfig, TomographyConfig
from .experiment import Experiment
from .exposures import ADCamera, FrameDetector, PreparedCamera
from .fly import FlyAxis
from .grating import GratingConfig, grating_interferometry_stepping
from .progress import ImagingProgress
from .radiography import radiography
from .sample import SampleStage
from .spiral import SpiralConfig, spiral_tomography
from .tomography import tomography
from .walker import DirectoryWalker

__all__ = [
    "ADCamera",
    "Acquisition",
    "BeamSource",
    "DirectoryWalker",
    "Experiment",
    "FlyAxis",
    "FrameDetector",
    "GratingConfig",
    "ImagingConfig",
    "ImagingProgress",
    "PreparedCamera",
    "RadiographyConfig",
    "SampleStage",
    "Source",
    "SpiralConfig",
    "TomographyConfig",
    "grating_interferometry_stepping",
    "radiography",
    "spiral_tomography",
    "tomography",
]
