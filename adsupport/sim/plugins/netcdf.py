"""NDFileNetCDF: the netCDF file plugin."""

from __future__ import annotations

from adsupport.sim.files.netcdf import NetCDFFile
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.file import FilePlugin
from adsupport.sim.source import ArraySource


class NetCDFPlugin(FilePlugin):
    """Writes netCDF-3 files.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDFile", "NDFileNetCDF")
    error_ends_capture = False

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._file: NetCDFFile | None = None

    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Create a file; what was there is lost.

        Raises
        ------
        OSError
            When it cannot be created, or not hold such arrays.
        """
        self._file = NetCDFFile(path, self.as_stored(array), multiple=multiple)

    def write_frame(self, array: NDArray) -> None:
        """Append an array to the open file.

        Raises
        ------
        OSError
            When it cannot be written, or no file is open.
        """
        if self._file is None:
            raise OSError("no netCDF file is open")
        self._file.write(self.as_stored(array))

    def close_file(self) -> None:
        """Close the file; harmless when none is open.

        Raises
        ------
        OSError
            When not all could be written.
        """
        file, self._file = self._file, None
        if file is not None:
            file.close()
