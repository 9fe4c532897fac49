"""The kinds of STXM scans, by the numbers that acquisition programs give them."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "focus_scans",
    "line_spec_scans",
    "multi_entry_scans",
    "scan_types",
    "single_2d_scans",
    "single_entry_scans",
    "single_image_scans",
    "spectra_type_scans",
    "stack_type_scans",
    "two_posner_scans",
]


class scan_types(IntEnum):  # noqa: N801  its name in acquisition programs
    """What was scanned; ``scan_types.SAMPLE_IMAGE == 6``.

    Source: pyStxm's enumeration of this name.
    """

    DETECTOR_IMAGE = 0
    OSA_IMAGE = 1
    OSA_FOCUS = 2
    SAMPLE_FOCUS = 3
    SAMPLE_POINT_SPECTRA = 4
    SAMPLE_LINE_SPECTRA = 5
    SAMPLE_IMAGE = 6
    SAMPLE_IMAGE_STACK = 7
    GENERIC_SCAN = 8
    COARSE_IMAGE_SCAN = 9
    COARSE_GONI_SCAN = 10
    TOMOGRAPHY_SCAN = 11
    PATTERN_GEN_SCAN = 12
    PTYCHOGRAPHY = 13


def _values(*types: scan_types) -> list[int]:
    return [each.value for each in types]


#: Scans of two positioners.
two_posner_scans = _values(
    scan_types.DETECTOR_IMAGE,
    scan_types.OSA_IMAGE,
    scan_types.COARSE_IMAGE_SCAN,
    scan_types.COARSE_GONI_SCAN,
    scan_types.SAMPLE_IMAGE,
    scan_types.GENERIC_SCAN,
)
#: Scans that make one entry.
single_entry_scans = _values(
    scan_types.DETECTOR_IMAGE,
    scan_types.OSA_IMAGE,
    scan_types.OSA_FOCUS,
    scan_types.SAMPLE_FOCUS,
    scan_types.SAMPLE_LINE_SPECTRA,
    scan_types.SAMPLE_IMAGE,
    scan_types.COARSE_IMAGE_SCAN,
    scan_types.COARSE_GONI_SCAN,
    scan_types.GENERIC_SCAN,
)
#: Scans that may make several entries.
multi_entry_scans = _values(
    scan_types.SAMPLE_IMAGE_STACK, scan_types.SAMPLE_POINT_SPECTRA, scan_types.TOMOGRAPHY_SCAN
)
#: Single images, other than those of the sample with its fine positioners.
single_2d_scans = _values(
    scan_types.DETECTOR_IMAGE,
    scan_types.OSA_IMAGE,
    scan_types.COARSE_IMAGE_SCAN,
    scan_types.COARSE_GONI_SCAN,
)
#: Scans along a line at several positions of the zone plate.
focus_scans = _values(scan_types.SAMPLE_FOCUS, scan_types.OSA_FOCUS)
#: A single image of the sample.
single_image_scans = _values(scan_types.SAMPLE_IMAGE)
#: Scans of which each run is one image.
stack_type_scans = _values(scan_types.SAMPLE_IMAGE_STACK, scan_types.TOMOGRAPHY_SCAN)
#: Scans along one axis.
spectra_type_scans = _values(scan_types.SAMPLE_POINT_SPECTRA, scan_types.GENERIC_SCAN)
#: Spectra along a line.
line_spec_scans = _values(scan_types.SAMPLE_LINE_SPECTRA)
