"""NDFileNexus: the NeXus file plugin, whose files are not simulated."""

from __future__ import annotations

from adsupport.sim.ca.channel import WRITE_ALARM
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.file import FilePlugin
from adsupport.sim.port import INVALID, on_write

NOT_SIMULATED = "NeXus files are not simulated: write HDF5 files with HDF1"
"""What WriteMessage says."""


class NexusPlugin(FilePlugin):
    """Has the records of the plugin, and refuses to write: its files follow an XML template.

    A put to ``Capture`` or ``WriteFile`` leaves the record with an INVALID/WRITE alarm.
    """

    tables = (*Plugin.tables, "NDFile", "NDFileNexus")

    @on_write("CAPTURE")
    def _refuse_capture(self, value: int) -> None:
        self._refuse("CAPTURE", value)

    @on_write("WRITE_FILE")
    def _refuse_write(self, value: int) -> None:
        self._refuse("WRITE_FILE", value)

    def _refuse(self, param: str, value: int) -> None:
        if value:
            self._report(NOT_SIMULATED)
            # no PortError: these are busy records, which must go back to 0
            self.set(param, 0, severity=INVALID, status=WRITE_ALARM)

    def _write_by_mode(self, array: NDArray) -> bool:
        return self._report(NOT_SIMULATED)

    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Refuse.

        Raises
        ------
        OSError
            Always.
        """
        raise OSError(NOT_SIMULATED)

    def write_frame(self, array: NDArray) -> None:
        """Refuse.

        Raises
        ------
        OSError
            Always.
        """
        raise OSError(NOT_SIMULATED)

    def close_file(self) -> None:
        """Do nothing, as no file is open."""
