"""Catalogs of databroker and tiled, opened by what a command line says."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from adsupport.cli.extras import require
from adsupport.cli.log_level import log_level
from adsupport.errors import AdsupportError

__all__ = ["CatalogError", "catalog_named", "quiet", "tiled_at"]


class CatalogError(AdsupportError, OSError):
    """A catalog can't be opened."""


def catalog_named(name: str) -> Any:
    """Open a catalog of databroker.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    any
        The catalog.

    Raises
    ------
    CatalogError
        There's none, or it can't be opened.
    MissingExtraError
        databroker isn't installed.
    """
    require("catalog", "databroker")
    import databroker

    try:
        return databroker.catalog[name]
    except KeyError:
        known = ", ".join(sorted(databroker.catalog)) or "none"
        raise CatalogError(
            f"databroker has no catalog {name!r}; there are: {known}.",
            remedy="Its configuration is looked for in "
            f"{', '.join(map(str, databroker.catalog_search_path()))}.",
        ) from None
    except Exception as error:  # whatever its driver raises
        raise CatalogError(f"Catalog {name!r} can't be opened: {error}") from error


def tiled_at(place: str) -> Any:
    """Connect to tiled.

    Parameters
    ----------
    place : str
        A URI, or the name of a profile.

    Returns
    -------
    any
        The client.

    Raises
    ------
    CatalogError
        There's no server.
    MissingExtraError
        tiled isn't installed.
    """
    require("tiled", "tiled", "bluesky_tiled_plugins")
    from tiled.client import from_profile, from_uri

    try:
        return from_uri(place) if "://" in place else from_profile(place)
    except Exception as error:  # of httpx, of tiled
        raise CatalogError(
            f"tiled at {place.split('?')[0]} can't be opened: {error}",
            remedy="Is it running, and is TILED_API_KEY set where it needs a key?",
        ) from error


@contextlib.contextmanager
def quiet(name: str) -> Iterator[None]:
    """Keep libraries' warnings from the terminal; what we have to say is in the results.

    Parameters
    ----------
    name : str
        Of our logger whose messages say the same as the results.
    """
    with log_level(logging.CRITICAL, name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
