"""Parameters of which `make test` tries some, and `make test-all` all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

__all__ = ["mostly_slow"]


def mostly_slow(values: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """Return all values for ``parametrize``: those that aren't quick are marked as slow."""
    return [
        each if each in quick
        else pytest.param(*(each if isinstance(each, tuple) else (each,)), marks=pytest.mark.slow)
        for each in values
    ]  # fmt: skip
