"""Documents that came before the one they refer to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

__all__ = ["EarlyDocuments"]

#: How many are kept.
EARLY = 10_000


class EarlyDocuments:
    """Keep documents until the one comes that they refer to; of too many, the latest."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[str, dict[str, Any]]]] = {}
        self._count = 0
        self._given_up = 0

    def keep(self, uid: str, kind: str, doc: dict[str, Any]) -> None:
        """Keep a document.

        Parameters
        ----------
        uid : str
            Of the one that it refers to.
        kind : str
            Its kind.
        doc : dict
            The document.
        """
        self._kept.setdefault(uid, deque()).append((kind, doc))
        self._count += 1
        if self._count > EARLY:
            oldest = next(iter(self._kept))
            self._kept[oldest].popleft()
            if not self._kept[oldest]:
                del self._kept[oldest]
            self._count -= 1
            self._given_up += 1

    def take(self, uid: str) -> list[tuple[str, dict[str, Any]]]:
        """Take out what refers to a document, which has come.

        Parameters
        ----------
        uid : str
            Of that document.

        Returns
        -------
        list of tuple of str and dict
            Kinds and documents, in the order in which they came.
        """
        found = list(self._kept.pop(uid, ()))
        self._count -= len(found)
        return found

    def clear(self) -> Iterator[str]:
        """Forget all.

        Yields
        ------
        str
            A sentence about what is given up.
        """
        kept, given_up = self._kept, self._given_up
        self._kept, self._count, self._given_up = {}, 0, 0
        for uid, documents in kept.items():
            yield f"Nothing with uid {uid!r} has come, to which {len(documents)} documents refer."
        if given_up:
            yield (
                f"{given_up} documents were given up that came before those that they refer to: "
                f"at most {EARLY} are kept."
            )
