"""NDPluginFFT: Fourier transforms of arrays."""

from __future__ import annotations

from adsupport.sim.plugins.base import Plugin


class FFT(Plugin):
    """Passes arrays on; they are not transformed yet."""

    tables = (*Plugin.tables, "NDFFT")
