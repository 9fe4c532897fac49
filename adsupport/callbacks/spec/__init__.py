"""SPEC data files: each run a scan, written row by row."""

from .writer import SpecWriterCallback, spec_comment

#: The name of apstools' second writer, which this one stands for as well.
SpecWriterCallback2 = SpecWriterCallback

__all__ = ["SpecWriterCallback", "SpecWriterCallback2", "spec_comment"]
