"""STXM files of the NeXus definition NXstxm, from the documents of bluesky runs.

::

    nxstxm.export(header.documents(fill=True), directory, file_prefix="C001", first_uid=uid)
    nxstxm.finish_export(directory, "C001", uid)  # C001.hdf5

The metadata that such runs need come from :func:`make_standard_metadata`.
"""

from .asked.metadata import make_polarization, make_sequence, make_standard_metadata
from .asked.request import Polarization, RunIndex
from .asked.rois import make_region, make_roi, make_roi_of_points
from .asked.scan_types import (
    focus_scans,
    line_spec_scans,
    multi_entry_scans,
    scan_types,
    single_2d_scans,
    single_entry_scans,
    single_image_scans,
    spectra_type_scans,
    stack_type_scans,
    two_posner_scans,
)
from .export import export
from .finish import FinishedStxm, finish_export
from .writer import NXstxmWriter

__all__ = [
    "FinishedStxm",
    "NXstxmWriter",
    "Polarization",
    "RunIndex",
    "export",
    "finish_export",
    "focus_scans",
    "line_spec_scans",
    "make_polarization",
    "make_region",
    "make_roi",
    "make_roi_of_points",
    "make_sequence",
    "make_standard_metadata",
    "multi_entry_scans",
    "scan_types",
    "single_2d_scans",
    "single_entry_scans",
    "single_image_scans",
    "spectra_type_scans",
    "stack_type_scans",
    "two_posner_scans",
]
