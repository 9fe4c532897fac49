"""Which files hold the images of a run, and where in them: from resource documents to frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Asset", "Frames", "asset_of"]


@dataclass(frozen=True)
class Asset:
    """Files of images that a resource or stream_resource document tells of.

    Parameters
    ----------
    uid : str
        Of the document.
    """

    uid: str


@dataclass(frozen=True)
class Frames:
    """Images one after the other.

    Parameters
    ----------
    asset : Asset
        The files.
    first : int
        Index of the first one.
    count : int
        How many.
    """

    asset: Asset
    first: int
    count: int


def asset_of(document: dict[str, Any]) -> Asset:
    """Read a resource or stream_resource document."""
    return Asset(str(document["uid"]))
