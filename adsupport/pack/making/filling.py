"""Documents with their images in them, in place of datums that refer to files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ...documents.asset_paths import AnyPathMap
from ...documents.images.reading import read
from ...documents.pages import datums_of_page
from ...documents.references import References
from ...errors import ImageFileError
from .needed_files import not_understood

__all__ = ["Filler"]

Document = tuple[str, Mapping[str, Any]]


class Filler:
    """Puts the images of datum documents into events, as event-model has filled events.

    Parameters
    ----------
    path_map : mapping, PathMap, function or None
        See :func:`~adsupport.documents.assets.asset_of`.
    problem : callable
        Called as ``problem(source, reason, uids)`` for images that can't be had: the event keeps
        its datum then.
    """

    def __init__(
        self, path_map: AnyPathMap, problem: Callable[[str, str, Iterable[str]], None]
    ) -> None:
        self._references = References(path_map)
        self._problem = problem
        self._external: dict[str, list[str]] = {}

    def take(self, name: str, doc: Mapping[str, Any]) -> Iterator[Document]:
        """Take a document.

        Parameters
        ----------
        name, doc
            The document; datums come before the events that have them.

        Yields
        ------
        str, mapping
            The document, with images; nothing for a resource or a datum.

        Raises
        ------
        DocumentError
            It isn't as such documents are.
        """
        try:
            yield from self._take(name, doc)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise not_understood(name, error) from error

    def _take(self, name: str, doc: Mapping[str, Any]) -> Iterator[Document]:
        match name:
            case "resource":
                self._references.add_asset(dict(doc))
            case "datum":
                self._references.add_datum(doc["datum_id"], doc["resource"], doc["datum_kwargs"])
            case "datum_page":
                for datum_id, kwargs in datums_of_page(dict(doc)):
                    self._references.add_datum(datum_id, doc["resource"], kwargs)
            case "bulk_datum":
                for datum_id, kwargs in zip(doc["datum_ids"], doc["datum_kwarg_list"], strict=True):
                    self._references.add_datum(datum_id, doc["resource"], kwargs)
            case "event":
                yield name, self._event(doc)
            case "event_page":
                yield name, self._page(doc)
            case "bulk_events":
                yield name, {uid: [self._event(each) for each in doc[uid]] for uid in doc}
            case _:
                self._look(name, doc)
                yield name, doc

    def _look(self, name: str, doc: Mapping[str, Any]) -> None:
        if name == "descriptor":
            keys = doc.get("data_keys", {}).items()
            self._external[doc["uid"]] = [key for key, found in keys if "external" in found]
        elif name == "stream_resource":
            uid = str(doc["uid"])
            reason = "its images aren't in events; external='copy' takes its files"
            self._problem(f"stream_resource {uid}", reason, [uid])

    def _event(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        data, filled = dict(doc["data"]), dict(doc.get("filled") or {})
        for key in self._external.get(doc["descriptor"], ()):
            if key in data and not filled.get(key):
                datum = data[key]
                data[key], filled[key] = self._images(datum)
        return {**doc, "data": data, "filled": filled}

    def _page(self, doc: Mapping[str, Any]) -> dict[str, Any]:
        data, filled = dict(doc["data"]), dict(doc.get("filled") or {})
        for key in self._external.get(doc["descriptor"], ()):
            if key in data and not any(filled.get(key) or ()):
                pairs = [self._images(datum) for datum in data[key]]
                data[key], filled[key] = [each for each, _ in pairs], [each for _, each in pairs]
        return {**doc, "data": data, "filled": filled}

    def _images(self, datum: Any) -> tuple[Any, Any]:
        """Return the images of a datum and the mark of a filled event; or the datum and False."""
        if not isinstance(datum, str):
            return datum, True
        frames = self._references.find(datum)
        if frames is None:
            self._problem(f"datum {datum}", "its document isn't in the run", [datum])
            return datum, False
        try:
            found = read(frames)
        except ImageFileError as error:
            self._problem(str(frames.asset.path), error.problem.rstrip("."), [frames.asset.uid])
            return datum, False
        return found if frames.asset.has_frame_axis else found[0], datum
