"""From documents to files: one writer for each format, live or from stored runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import imported_later

if TYPE_CHECKING:
    from .csv import CSVWriter
    from .dataexchange import (
        DataExchangeWriter,
        check_dx_layout,
        finish_dx,
        write_dx_layout,
    )
    from .hdf5 import HDF5Writer
    from .json import JSONLinesWriter, JSONWriter
    from .nexus import NXWriter, NXWriterAPS, check_nexus
    from .nxtomo import NXtomoWriter, nxtomo_view
    from .run_file import RunFile, WriterResult
    from .spec import SpecWriterCallback, SpecWriterCallback2, spec_comment
    from .tiff import TIFFWriter
    from .writer import RunWriter

__all__ = [
    "CSVWriter",
    "DataExchangeWriter",
    "HDF5Writer",
    "JSONLinesWriter",
    "JSONWriter",
    "NXWriter",
    "NXWriterAPS",
    "NXtomoWriter",
    "RunFile",
    "RunWriter",
    "SpecWriterCallback",
    "SpecWriterCallback2",
    "TIFFWriter",
    "WriterResult",
    "check_dx_layout",
    "check_nexus",
    "finish_dx",
    "nxtomo_view",
    "spec_comment",
    "write_dx_layout",
]

#: What has each name: a format that isn't used isn't imported.
_ROOMS = {
    "csv": ("CSVWriter",),
    "dataexchange": ("DataExchangeWriter", "check_dx_layout", "finish_dx", "write_dx_layout"),
    "hdf5": ("HDF5Writer",),
    "json": ("JSONLinesWriter", "JSONWriter"),
    "nexus": ("NXWriter", "NXWriterAPS", "check_nexus"),
    "nxtomo": ("NXtomoWriter", "nxtomo_view"),
    "run_file": ("RunFile", "WriterResult"),
    "spec": ("SpecWriterCallback", "SpecWriterCallback2", "spec_comment"),
    "tiff": ("TIFFWriter",),
    "writer": ("RunWriter",),
}

__getattr__ = imported_later(__name__, _ROOMS)
