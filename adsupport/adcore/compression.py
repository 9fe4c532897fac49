"""The compressions that NDFileHDF5 offers, by release of ADCore.

The choices are those of ``Compression`` and ``Compression_RBV`` in ADCore's NDFileHDF5.template:
R3-2 added Blosc, R3-5 renamed it, added BSLZ4 and LZ4 and gave set-point and read-back the same
strings, R3-6 added JPEG.
"""

from __future__ import annotations

from adsupport.adcore.versions import Release

__all__ = ["compression_readbacks", "compressions"]

_ALWAYS = ("None", "N-bit", "szip", "zlib")
_CHOICES = (
    (Release(3, 6), (*_ALWAYS, "Blosc", "BSLZ4", "LZ4", "JPEG")),
    (Release(3, 5), (*_ALWAYS, "Blosc", "BSLZ4", "LZ4")),
    (Release(3, 2), (*_ALWAYS, "blosc")),
)
_SAME_SPELLING = Release(3, 5)


def compressions(release: Release | str) -> tuple[str, ...]:
    """Return the choices of ``Compression``, the set-point.

    Parameters
    ----------
    release : Release or str
        Any release from R2-4 on; text is parsed.

    Returns
    -------
    tuple of str
        Choices in the order of their numbers.

    Raises
    ------
    ValueError
        The text isn't a release.
    """
    release = _release(release)
    return next((choices for since, choices in _CHOICES if release >= since), _ALWAYS)


def compression_readbacks(release: Release | str) -> tuple[str, ...]:
    """Return the states of ``Compression_RBV``, the read-back.

    Until R3-4 it says ``nbit`` for what the set-point calls ``N-bit``.

    Parameters
    ----------
    release : Release or str
        Any release from R2-4 on; text is parsed.

    Returns
    -------
    tuple of str
        States in the order of their numbers, the same as of :func:`compressions`.

    Raises
    ------
    ValueError
        The text isn't a release.
    """
    release = _release(release)
    choices = compressions(release)
    if release >= _SAME_SPELLING:
        return choices
    return tuple("nbit" if choice == "N-bit" else choice for choice in choices)


def _release(release: Release | str) -> Release:
    return Release.parse(release) if isinstance(release, str) else release
