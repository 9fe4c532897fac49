"""Imaging experiments as bluesky plans: radiography, tomography, and what they are made of."""

from .acquisition import Acquisition
from .asked.config import ImagingConfig, RadiographyConfig, TomographyConfig
from .beamline.beam import BeamSource, Source
from .beamline.exposures import ADCamera, FrameDetector, PreparedCamera
from .beamline.sample import SampleStage
from .beamline.staging import take_frames
from .experiment import Experiment
from .grating import GratingConfig, grating_interferometry_stepping
from .motion.angles import equal_angles, given_angles, golden_angles, interlaced_angles
from .motion.fly import FlyAxis
from .motion.geometry import (
    frame_time,
    motion_blur,
    tomo_angular_step,
    tomo_max_speed,
    tomo_projections_number,
)
from .progress import ImagingProgress
from .radiography import radiography
from .sequences.closed_loop import closed_loop
from .sequences.mosaic import mosaic
from .sequences.series import SeriesError, series
from .spiral import SpiralConfig, spiral_tomography
from .storage.walker import DirectoryWalker
from .tomography import tomography

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
    "SeriesError",
    "Source",
    "SpiralConfig",
    "TomographyConfig",
    "closed_loop",
    "equal_angles",
    "frame_time",
    "given_angles",
    "golden_angles",
    "grating_interferometry_stepping",
    "interlaced_angles",
    "mosaic",
    "motion_blur",
    "radiography",
    "series",
    "spiral_tomography",
    "take_frames",
    "tomo_angular_step",
    "tomo_max_speed",
    "tomo_projections_number",
    "tomography",
]
