"""Runs of a pack in a catalog of databroker or tiled."""

from __future__ import annotations

from typing import Any

from ...documents.catalogs import catalog_of
from ...errors import DocumentError, PackError
from ..reading.opening import Pack, PackedRun
from .moved_documents import moved_document

__all__ = ["DatabrokerTarget", "TiledTarget"]

#: Documents that databroker 1 doesn't know.
_STREAMED = frozenset(("stream_resource", "stream_datum"))


class DatabrokerTarget:
    """A catalog of databroker 1.2 that takes runs; their files stay in the pack.

    Parameters
    ----------
    catalog : databroker.v1.Broker or catalog of databroker's v2 interface
        One that has ``v1.insert``.
    pack : Pack
        Whose runs.

    Attributes
    ----------
    remark : str
        What is to be done so that databroker finds the files; empty if it does for good.

    Notes
    -----
    Documents are as they were packed, roots included: ``root_map`` of the catalog leads from these
    to the pack.  It holds for all runs of a catalog, so that of one with other runs isn't changed.
    """

    def __init__(self, catalog: Any, pack: Pack) -> None:
        self._catalog = catalog_of(catalog)
        wanted, known = pack.root_map, self._catalog.root_map
        self.remark = ""
        if any(known.get(root) != place for root, place in wanted.items()):
            reason = "for good, put it into the catalog's configuration"
            if known or len(self._catalog):
                reason = (
                    "it has runs of its own, and would look for their images there as well where "
                    "they have such a root, so that was left as it is. Better unpack into a "
                    "catalog without other runs, or open the pack's own catalog.yml"
                )
            else:  # as long as this program runs
                known.update(wanted)
            self.remark = (
                f"For the images of these runs the catalog's root_map must be {wanted!r}: {reason}."
            )

    def put(self, run: PackedRun) -> bool:
        """Insert a run.

        Parameters
        ----------
        run : PackedRun
            Of the pack.

        Returns
        -------
        bool
            False if it was there.

        Raises
        ------
        DocumentError
            databroker 1 can't have it: it has stream_resource documents, or no stop document.
        """
        try:
            self._catalog[run.uid]
        except KeyError:
            pass
        else:
            return False
        names = {name for name, _ in run.documents()}
        if names & _STREAMED or "stop" not in names:
            what = "no stop document" if "stop" not in names else "stream_resource documents"
            raise DocumentError(
                f"Run {run.uid} has {what}: databroker 1 can't show such a run.",
                remedy="Unpack it into tiled or a folder, or read it by open_pack().",
            )
        for name, doc in run.documents():
            self._catalog.v1.insert(name, doc)
        return True


class TiledTarget:
    """A tiled server that takes runs; their files stay in the pack, which it must be able to read.

    Parameters
    ----------
    client : tiled.client.container.Container
        Where runs are to be.
    pack : Pack
        Whose runs.

    Raises
    ------
    ImportError
        bluesky_tiled_plugins isn't installed.
    """

    remark = ""

    def __init__(self, client: Any, pack: Pack) -> None:
        try:
            from bluesky_tiled_plugins import TiledWriter
        except ImportError:
            raise ImportError(
                "bluesky-tiled-plugins is needed to put runs into tiled: "
                "pip install 'adsupport[tiled]'."
            ) from None
        self._writer = TiledWriter
        self._client = client
        self._pack = pack

    def put(self, run: PackedRun) -> bool:
        """Write a run.

        Parameters
        ----------
        run : PackedRun
            Of the pack.

        Returns
        -------
        bool
            False if it was there.

        Raises
        ------
        PackError
            It's there in part.
        """
        if run.uid in self._client:
            if run.stop is not None and not self._client[run.uid].metadata.get("stop"):
                raise PackError(
                    f"Run {run.uid} is in tiled already, without its stop document: an earlier "
                    "unpacking may have been interrupted.",
                    remedy="Delete it there, and unpack again.",
                )
            return False
        from ...documents.image_handlers import MIMETYPES

        writer = self._writer(self._client, spec_to_mimetype=MIMETYPES)
        for name, doc in run.documents():
            # TiledWriter puts root and path together as they are: only "/" is a good root
            doc = moved_document(name, doc, self._pack.path_map, lambda path: ("/", str(path)[1:]))
            writer(name, doc)
        return True
