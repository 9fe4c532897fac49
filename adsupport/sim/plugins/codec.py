"""NDPluginCodec: arrays compressed and decompressed."""

from __future__ import annotations

from enum import IntEnum

from adsupport.sim.arrays.codecs import (
    CodecError,
    CodecSettings,
    CodecStatus,
    Compressor,
    compress,
    decompress,
)
from adsupport.sim.ndarray import NDArray
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.port import on_write


class Mode(IntEnum):
    """Choices of ``Mode``."""

    COMPRESS = 0
    DECOMPRESS = 1


class CodecPlugin(Plugin):
    """Compresses arrays or decompresses them; what it cannot do so it passes on as it is.

    ``BloscNumThreads`` is a record only: the number of threads changes no byte of the output.
    """

    tables = (*Plugin.tables, "NDCodec")
    takes_compressed = True

    @on_write("JPEG_QUALITY")
    def _limit_quality(self, value: int) -> None:
        self.set("JPEG_QUALITY", min(max(value, 1), 100))

    @on_write("BLOSC_CLEVEL")
    def _limit_level(self, value: int) -> None:
        self.set("BLOSC_CLEVEL", max(value, 0))

    @on_write("BLOSC_NUMTHREADS")
    def _limit_threads(self, value: int) -> None:
        self.set("BLOSC_NUMTHREADS", max(value, 1))

    @property
    def settings(self) -> CodecSettings:
        """How arrays are to be compressed now."""
        with self.lock:
            return CodecSettings(
                compressor=Compressor(self.get("COMPRESSOR")),
                jpeg_quality=self.get("JPEG_QUALITY"),
                blosc_compressor=self.get("BLOSC_COMPRESSOR"),
                blosc_level=self.get("BLOSC_CLEVEL"),
                blosc_shuffle=self.get("BLOSC_SHUFFLE"),
            )

    def process(self, array: NDArray) -> None:
        """Compress or decompress an array and pass the result on."""
        self.begin(array)
        output, status, message = array, CodecStatus.SUCCESS, ""
        try:
            if self.get("MODE") == Mode.COMPRESS:
                output = compress(array, self.settings)
            else:
                # the record shows what the arrays came with
                found = Compressor.of(array.codec.name)
                if found is not None:
                    self.set("COMPRESSOR", found)
                output = decompress(array)
        except CodecError as error:
            status, message = error.status, str(error)
        self.set("CODEC_STATUS", status)
        self.set("CODEC_ERROR", message)
        self.emit(output)
        with self.lock:
            self.set("COMP_FACTOR", _factor(array, output))
            self.call_callbacks()


def _factor(array: NDArray, output: NDArray) -> float:
    """Return how many times smaller the compressed one of two arrays is."""
    if output is array:
        return 1.0
    small = min(array, output, key=lambda item: not item.is_compressed)
    return array.info.total_bytes / small.data.nbytes
