"""Releases of ADCore, as ``ADCoreVersion_RBV`` and as the tags of its repository spell them."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["KNOWN_RELEASES", "Release", "nearest"]

_SPELLINGS = re.compile(r"[Rr]?(\d{1,4})[.-](\d{1,4})(?:[.-](\d{1,4}))?", re.ASCII)

#: How much of a text that is no release is shown, in characters.
_LONGEST = 40


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """A release of ADCore; an older one is less than a newer one.

    Parameters
    ----------
    major, minor, patch : int
        ``Release(3, 12, 1)`` is the release tagged ``R3-12-1``.
    """

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, text: str) -> Release:
        """Return the release of a spelling.

        Parameters
        ----------
        text : str
            ``"3.14.0"`` as ``ADCoreVersion_RBV`` reads, ``"R3-14"`` as the release is tagged,
            ``"3.14"`` or ``"3-14"``; blanks around it don't matter.

        Returns
        -------
        Release
            ``Release(3, 14)``.

        Raises
        ------
        ValueError
            The text is none of these.
        """
        match = _SPELLINGS.fullmatch(text.strip())
        if match is None:
            shown = repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")
            raise ValueError(
                f"not a release of ADCore: {shown}; expected a spelling such as 'R3-14', '3.14' "
                "or '3.14.0'"
            )
        major, minor, patch = match.groups(default="0")
        return cls(int(major), int(minor), int(patch))

    @property
    def version(self) -> str:
        """The release as ``ADCoreVersion_RBV`` reads, such as ``"3.14.0"``."""
        return f"{self.major}.{self.minor}.{self.patch}"

    def __str__(self) -> str:
        patch = f"-{self.patch}" if self.patch else ""
        return f"R{self.major}-{self.minor}{patch}"


KNOWN_RELEASES: tuple[Release, ...] = tuple(
    Release(major, minor)
    for major, minor in (
        (2, 6), (3, 1), (3, 3), (3, 4), (3, 5), (3, 7), (3, 9), (3, 11), (3, 13), (3, 14),
    )
)  # fmt: skip
"""The releases whose records are known, the oldest first."""


def nearest(release: Release | str) -> Release:
    """Return the known release whose records a release is taken to have.

    Parameters
    ----------
    release : Release or str
        Any release; text is parsed.

    Returns
    -------
    Release
        The newest of :data:`KNOWN_RELEASES` that isn't newer; the oldest when all are newer.

    Raises
    ------
    ValueError
        The text isn't a release.
    """
    if isinstance(release, str):
        release = Release.parse(release)
    return max((known for known in KNOWN_RELEASES if known <= release), default=KNOWN_RELEASES[0])
