"""Documents to writers, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adsupport.callbacks import RunWriter, WriterResult


def send(writer: RunWriter, documents: Iterable[tuple[str, Any]]) -> list[WriterResult]:
    """Let a writer take documents, and wait for all of its files."""
    for name, doc in documents:
        writer(name, doc)
    return writer.close(timeout=20)
