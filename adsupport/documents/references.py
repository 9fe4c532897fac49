"""The images that datum documents announce, until rows ask for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..errors import DocumentError
from .assets import Asset, Frames, asset_of

__all__ = ["References"]

#: How many datums are kept: they come before the events that ask for them, and may be asked for
#: again by a row that is repeated.
DATUMS = 100_000


class References:
    """Resources and datums by uid.

    Parameters
    ----------
    path_map : mapping of str to str, callable, or None
        See :func:`~adsupport.documents.assets.asset_of`.
    """

    def __init__(self, path_map: Any = None) -> None:
        self.assets: dict[str, Asset] = {}
        self._path_map = path_map
        self._datums: OrderedDict[str, Frames] = OrderedDict()
        self._early: dict[str, list[tuple[str, dict[str, Any]]]] = {}

    def add_asset(self, document: dict[str, Any]) -> None:
        """Take a resource or a stream_resource.

        Parameters
        ----------
        document : dict
            The document.

        Raises
        ------
        DocumentError
            Another one with this uid said something else.
        """
        uid = document["uid"]
        known = self.assets.get(uid)
        if known is None:
            self.assets[uid] = asset_of(document, self._path_map)
            for datum_id, kwargs in self._early.pop(uid, ()):
                self.add_datum(datum_id, uid, kwargs)
        elif known.document != document:
            raise DocumentError(f"Resource {uid!r} came twice, with different content.")

    def add_datum(self, datum_id: str, resource: str, kwargs: dict[str, Any]) -> None:
        """Take a datum, which may come before its resource.

        Parameters
        ----------
        datum_id : str
            Its id.
        resource : str
            uid of its resource.
        kwargs : dict
            Its ``datum_kwargs``.

        Raises
        ------
        DocumentError
            Another one with this id said something else.
        """
        asset = self.assets.get(resource)
        if asset is None:
            self._early.setdefault(resource, []).append((datum_id, kwargs))
            return
        frames = asset.frames_of_datum(kwargs)
        if self._datums.setdefault(datum_id, frames) != frames:
            raise DocumentError(f"Datum {datum_id!r} came twice, with different content.")
        if len(self._datums) > DATUMS:
            self._datums.popitem(last=False)

    def find(self, datum_id: str) -> Frames | None:
        """Find the images of a datum.

        Parameters
        ----------
        datum_id : str
            Its id.

        Returns
        -------
        Frames or None
            None while it hasn't come.
        """
        return self._datums.get(datum_id)

    def clear(self) -> None:
        """Forget all."""
        for each in (self.assets, self._datums, self._early):
            each.clear()
