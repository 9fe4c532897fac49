"""NDFileHDF5: the HDF5 file plugin."""

from __future__ import annotations

import time

from adsupport.sim.hdf5.file import HDF5File, HDF5FrameError
from adsupport.sim.hdf5.filters import missing_filter
from adsupport.sim.hdf5.layout import Layout
from adsupport.sim.hdf5.layout_xml import DEFAULT_SELECTED, LayoutError, read_layout
from adsupport.sim.hdf5.settings import Compression, HDF5Settings
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.plugins.file import FilePlugin
from adsupport.sim.plugins.file_output import FrameRefusedError
from adsupport.sim.port import PortError, on_write
from adsupport.sim.source import ArraySource

AXES = ("N", "X", "Y", *"3456789")
"""Names of the frame axes in the parameters, fastest first."""

CHUNKS = ("nColChunks", "nRowChunks", *(f"chunkSize{axis}" for axis in range(2, 10)))
"""Parameters of the chunk sizes of an array's axes, fastest first."""

LIMITS: dict[str, tuple[int, float]] = {
    "HDF5_nbitsPrecision": (0, float("inf")),
    "HDF5_nbitsOffset": (0, float("inf")),
    "HDF5_szipNumPixels": (0, 32),
    "HDF5_zCompressLevel": (0, 9),
    "HDF5_bloscCompressLevel": (0, 9),
    "HDF5_bloscShuffleType": (0, 2),
    "HDF5_bloscCompressor": (0, 5),
    "HDF5_jpegQuality": (1, 100),
    **{f"HDF5_extraDimSize{axis}": (1, float("inf")) for axis in AXES},
    "HDF5_nExtraDims": (0, len(AXES) - 1),
}
"""Settings that take only some values; like the next, they cannot change in an open file."""

FIXED_IN_FILE = (
    *(f"HDF5_{name}" for name in CHUNKS),
    "HDF5_nFramesChunks",
    "HDF5_chunkSizeAuto",
    "HDF5_NDAttributeChunk",
    "HDF5_storeAttributes",
    "HDF5_storePerformance",
    "HDF5_dimAttDatasets",
    *(f"HDF5_extraDimChunk{axis}" for axis in AXES[1:]),
)


class HDF5Plugin(FilePlugin):
    """Writes HDF5 files, in the default layout or in one that an XML definition gives.

    Parameters
    ----------
    name : str
        asyn port name.
    ports : dict of str to ArraySource
        Ports by name.
    """

    tables = (*Plugin.tables, "NDFile", "NDFileHDF5")
    takes_compressed = True

    def __init__(self, name: str, ports: dict[str, ArraySource]) -> None:
        super().__init__(name, ports)
        self._file: HDF5File | None = None
        # a file's first row of times counts from the first frame of the file before
        self._first_frame = time.monotonic()

    # ---- settings

    def _of(self, name: str) -> int:
        return self.get(f"HDF5_{name}")

    def settings(self, *, multiple: bool) -> HDF5Settings:
        """Collect the settings of a file from the parameters.

        Parameters
        ----------
        multiple : bool
            Whether the file is to hold any number of frames.

        Returns
        -------
        HDF5Settings
            As they stand now.
        """
        extra = self._of("nExtraDims") if multiple else 0
        slowest_first = AXES[extra::-1] if extra else ()
        positions = AXES[extra::-1] if multiple and self._of("posRunning") else ()
        return HDF5Settings(
            multiple=multiple,
            num_capture=self.get("NUM_CAPTURE"),
            extra_dims=tuple(self._of(f"extraDimSize{axis}") for axis in slowest_first),
            extra_chunks=tuple(self._of(f"extraDimChunk{axis}") for axis in slowest_first[:-1]),
            chunk_auto=bool(self._of("chunkSizeAuto")),
            chunk_sizes=tuple(self._of(name) for name in CHUNKS),
            frames_per_chunk=self._of("nFramesChunks"),
            attribute_chunk=self._of("NDAttributeChunk"),
            compression=Compression(self._of("compressionType")),
            zlib_level=self._of("zCompressLevel"),
            blosc_level=self._of("bloscCompressLevel"),
            blosc_shuffle=self._of("bloscShuffleType"),
            blosc_compressor=self._of("bloscCompressor"),
            szip_pixels=self._of("szipNumPixels"),
            nbit_precision=self._of("nbitsPrecision"),
            nbit_offset=self._of("nbitsOffset"),
            store_attributes=bool(self._of("storeAttributes")),
            store_performance=bool(self._of("storePerformance")),
            fill_value=self._of("fillValue"),
            dim_att_datasets=bool(self._of("dimAttDatasets")),
            boundary_align=self._of("chunkBoundaryAlign"),
            boundary_threshold=self._of("chunkBoundaryThreshold"),
            swmr=bool(self._of("SWMRMode")),
            frames_per_flush=self._of("flushNthFrame"),
            position_names=tuple(self.get(f"HDF5_posNameDim{axis}") for axis in positions),
            index_names=tuple(self.get(f"HDF5_posIndexDim{axis}") for axis in positions),
        )

    def _refuse_in_file(self, what: str) -> None:
        if self._file is not None:
            raise PortError(f"{self.name}: {what} cannot change while {self._file.path} is open")

    def written(self, param: str, value: object) -> None:
        """Refuse what a file does not allow, then act on the write."""
        if param in LIMITS:
            self._refuse_in_file(param)
            lowest, highest = LIMITS[param]
            if not isinstance(value, int) or not lowest <= value <= highest:
                raise PortError(f"{self.name}: {param} must be {lowest} to {highest}, not {value}")
        elif param in FIXED_IN_FILE:
            self._refuse_in_file(param)
        super().written(param, value)

    @on_write("HDF5_compressionType")
    def _set_compression(self, value: int) -> None:
        self._refuse_in_file("Compression")
        reason = missing_filter(value)
        if reason:
            raise PortError(f"{self.name}: {reason}")

    @on_write("NUM_CAPTURE")
    def _set_num_capture(self, value: int) -> None:
        if value < 0:
            raise PortError(f"{self.name}: NumCapture must not be negative, got {value}")
        if value == 0:
            self.set("HDF5_nExtraDims", 0)
        elif self._of("nExtraDims"):
            self.set("NUM_CAPTURE", min(value, self._frames_of_axes()))

    @on_write("HDF5_nExtraDims", *(f"HDF5_extraDimSize{axis}" for axis in AXES))
    def _set_extra(self, _: int) -> None:
        if self._of("nExtraDims"):
            self.set("NUM_CAPTURE", self._frames_of_axes())

    def _frames_of_axes(self) -> int:
        frames = 1
        for axis in AXES[: self._of("nExtraDims") + 1]:
            frames *= self._of(f"extraDimSize{axis}")
        return frames

    # ---- layout

    @on_write("HDF5_layoutFilename")
    def _set_layout(self, chosen: str) -> None:
        try:
            self._read_layout()
        except LayoutError as error:
            raise PortError(f"{self.name}: {error}", value=chosen) from error

    def _read_layout(self) -> Layout:
        """Return the layout, and show whether it can be used."""
        chosen = self.get("HDF5_layoutFilename")
        try:
            layout = read_layout(chosen)
        except LayoutError as error:
            self.set("HDF5_layoutValid", 0)
            self.set("HDF5_layoutErrorMsg", error.shown)
            raise
        self.set("HDF5_layoutValid", 1)
        self.set("HDF5_layoutErrorMsg", "" if chosen else DEFAULT_SELECTED)
        return layout

    # ---- files

    def open_file(self, path: str, array: NDArray, *, multiple: bool) -> None:
        """Create a file and show the chunk sizes that were chosen.

        Parameters
        ----------
        path : str
            File to create; what was there is lost.
        array : NDArray
            Example of what will be written.
        multiple : bool
            False for a file of one frame without a frame axis.

        Raises
        ------
        OSError
            When it cannot be created.
        """
        try:
            layout = self._read_layout()
        except LayoutError as error:
            raise OSError(str(error)) from error
        if not path:
            raise OSError("the file has no name; set FileTemplate, FilePath and FileName")
        if not multiple:
            self.set("HDF5_nExtraDims", 0)
        settings = self.settings(multiple=multiple)
        own = self.own_attributes.values()
        file = HDF5File(path, settings, array, self._first_frame, layout=layout, attributes=own)
        self._file = file
        geometry = file.geometry
        frame_chunks = geometry.chunks[len(geometry.virtual) :]
        for name, size in zip(CHUNKS, reversed(frame_chunks), strict=False):
            self.set(f"HDF5_{name}", size)
        if geometry.virtual:
            self.set("HDF5_nFramesChunks", geometry.chunks[len(geometry.virtual) - 1])
        self.set("HDF5_flushNthFrame", geometry.frames_per_flush)
        self.set("HDF5_SWMRCbCounter", 0)
        self.set("HDF5_SWMRRunning", int(settings.swmr))

    def write_frame(self, array: NDArray) -> None:
        """Append a frame to the open file.

        Raises
        ------
        FrameRefusedError
            When it does not fit the file, which stays open.
        OSError
            When it cannot be written, or no file is open.
        """
        if self._file is None:
            raise OSError("no HDF5 file is open")
        try:
            self._file.write(array, self.own_attributes.values())
        except HDF5FrameError as error:
            raise FrameRefusedError(str(error)) from error
        finally:
            self._first_frame = self._file.first_frame
            self._show_flushes(self._file)

    def _show_flushes(self, file: HDF5File) -> None:
        if self._of("SWMRRunning"):
            self.set("HDF5_SWMRCbCounter", file.flushes)

    def close_file(self) -> None:
        """Close the file and show how fast it was written.

        Raises
        ------
        OSError
            When not all could be written.
        """
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        finally:
            self._show_flushes(file)
            self.set("HDF5_SWMRRunning", 0)
            self.set("HDF5_totalRuntime", file.runtime)
            self.set("HDF5_totalIoSpeed", file.io_speed)

    @on_write("HDF5_SWMRFlushNow")
    def _flush_now(self, value: int) -> None:
        if not value:
            return
        self.set("HDF5_SWMRFlushNow", 0)
        if self._file is None or not self._of("SWMRRunning"):
            return
        try:
            self._file.flush()
        except OSError as error:
            raise PortError(f"{self.name}: {error}") from error
        self._show_flushes(self._file)
