"""File names and places: templates, dates, and the same file seen from two computers.

Pure functions: nothing here talks to an IOC or touches a disk.
"""

from .dates import expand_dates, has_date_codes
from .path_map import PathMap
from .paths import (
    MAX_IOC_PATH_BYTES,
    PathStyle,
    check_ioc_path,
    path_style,
    same_path,
    with_trailing_separator,
)
from .template import (
    MAX_NAME_BYTES,
    FileTemplate,
    check_file_name,
    format_file_name,
)

__all__ = [
    "MAX_IOC_PATH_BYTES",
    "MAX_NAME_BYTES",
    "FileTemplate",
    "PathMap",
    "PathStyle",
    "check_file_name",
    "check_ioc_path",
    "expand_dates",
    "format_file_name",
    "has_date_codes",
    "path_style",
    "same_path",
    "with_trailing_separator",
]
