"""What all tests without an IOC have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


class _Searched:
    """The names under the prefixes of the shared IOCs that have been looked for."""

    def __init__(self) -> None:
        self._count = 0
        self._names: frozenset[str] = frozenset()

    def names(self) -> frozenset[str]:
        """Read them anew if their number has changed: there may be ten thousand."""
        ca = sys.modules.get("epics.ca")
        caches = list(ca._cache.values()) if ca else []
        count = sum(map(len, caches))
        if count != self._count:
            self._count = count
            every = (name for cache in caches for name in list(cache))
            self._names = frozenset(name for name in every if name.startswith(("ad:", "gp:")))
        return self._names


_searched = _Searched()


@pytest.fixture(autouse=True)
def _no_search_for_the_shared_iocs() -> Iterator[None]:
    """Fail a test that looks for what isn't there yet.

    libca would look for it ever more seldom, and a later test would wait for a minute.
    """
    before = _searched.names()
    yield
    assert _searched.names() <= before, "use another prefix: the shared IOCs have this one"
