"""What all tests without an IOC have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


def _searched() -> set[str]:
    """Return the names under the prefixes of the shared IOCs that have been looked for."""
    ca = sys.modules.get("epics.ca")
    caches = list(ca._cache.values()) if ca else []
    return {name for cache in caches for name in list(cache) if name.startswith(("ad:", "gp:"))}


@pytest.fixture(autouse=True)
def _no_search_for_the_shared_iocs() -> Iterator[None]:
    """Fail a test that looks for what isn't there yet.

    libca would look for it ever more seldom, and a later test would wait for a minute.
    """
    before = _searched()
    yield
    assert _searched() <= before, "use another prefix: the shared IOCs have this one"
