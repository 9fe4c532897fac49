"""The components that the factory knows by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from . import plugins
from .cam import SimDetectorCam_V34
from .file_writers import (
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    HDF5FileWriterPlugin,
)

__all__ = ["PLUGIN_DEFAULTS", "FrozenSpecs"]


class FrozenSpecs(dict):
    """A dictionary that can be read and copied like any other, and not changed.

    ``copy()``, ``|`` and :func:`copy.deepcopy` give plain dictionaries, also inside, that
    are the caller's own.
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "PLUGIN_DEFAULTS serves every detector and can't be changed; change a copy, "
            "PLUGIN_DEFAULTS.copy(), and give it as plugin_defaults."
        )

    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]
    clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def copy(self) -> dict[str, Any]:
        """Copy, inside too.

        Returns
        -------
        dict
            A plain dictionary; the classes in it are the same.
        """
        return {
            key: value.copy() if isinstance(value, FrozenSpecs) else value
            for key, value in self.items()
        }

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return self.copy() | dict(other)

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(other) | self.copy()

    def __copy__(self) -> dict[str, Any]:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return self.copy()

    def __reduce__(self) -> tuple[type[dict], tuple[list[tuple[str, Any]]]]:
        return dict, (list(self.copy().items()),)


def _entry(suffix: str, cls: type, **kwargs: Any) -> FrozenSpecs:
    return FrozenSpecs({"suffix": suffix, "class": cls, **kwargs})


def _writer(suffix: str, cls: type) -> FrozenSpecs:
    return _entry(suffix, cls, write_path_template=None, read_path_template=None)


#: Suffix, class and keyword arguments of each component that a detector can be made of by
#: name.  Read only; ``PLUGIN_DEFAULTS.copy()`` is the caller's own.
PLUGIN_DEFAULTS: FrozenSpecs = FrozenSpecs(
    cam=_entry("cam1:", SimDetectorCam_V34),
    image=_entry("image1:", plugins.ImagePlugin),
    pva=_entry("Pva1:", plugins.PvaPlugin),
    attr1=_entry("Attr1:", plugins.AttributePlugin),
    badpix1=_entry("BadPix1:", plugins.BadPixelPlugin),
    cb1=_entry("CB1:", plugins.CircularBuffPlugin),
    cc1=_entry("CC1:", plugins.ColorConvPlugin),
    cc2=_entry("CC2:", plugins.ColorConvPlugin),
    codec1=_entry("Codec1:", plugins.CodecPlugin),
    fft1=_entry("FFT1:", plugins.FFTPlugin),
    gather1=_entry("Gather1:", plugins.GatherPlugin),
    hdf1=_writer("HDF1:", HDF5FileWriterPlugin),
    jpeg1=_writer("JPEG1:", AD_EpicsFileNameJPEGPlugin),
    magick1=_writer("Magick1:", plugins.MagickPlugin),
    netcdf1=_writer("netCDF1:", plugins.NetCDFPlugin),
    overlay1=_entry("Over1:", plugins.OverlayPlugin),
    process1=_entry("Proc1:", plugins.ProcessPlugin),
    roi1=_entry("ROI1:", plugins.ROIPlugin),
    roi2=_entry("ROI2:", plugins.ROIPlugin),
    roi3=_entry("ROI3:", plugins.ROIPlugin),
    roi4=_entry("ROI4:", plugins.ROIPlugin),
    roistat1=_entry("ROIStat1:", plugins.ROIStatPlugin),
    scatter1=_entry("Scatter1:", plugins.ScatterPlugin),
    stats1=_entry("Stats1:", plugins.StatsPlugin),
    stats2=_entry("Stats2:", plugins.StatsPlugin),
    stats3=_entry("Stats3:", plugins.StatsPlugin),
    stats4=_entry("Stats4:", plugins.StatsPlugin),
    stats5=_entry("Stats5:", plugins.StatsPlugin),
    tiff1=_writer("TIFF1:", AD_EpicsFileNameTIFFPlugin),
    transform1=_entry("Trans1:", plugins.TransformPlugin),
)
