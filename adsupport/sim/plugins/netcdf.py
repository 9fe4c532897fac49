"""NDFileNetCDF: the netCDF file plugin."""

from __future__ import annotations

from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.file import FilePlugin


class NetCDFPlugin(FilePlugin):
    """Refuses to open files; the format is not written yet."""

    tables = (*Plugin.tables, "NDFile", "NDFileNetCDF")

    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Refuse.

        Raises
        ------
        OSError
            Always.
        """
        raise OSError("netCDF files cannot be written yet")

    def write_frame(self, array: NDArray) -> None:
        """Refuse.

        Raises
        ------
        OSError
            Always.
        """
        raise OSError("netCDF files cannot be written yet")

    def close_file(self) -> None:
        """Do nothing, as no file is open."""
