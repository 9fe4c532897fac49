"""How much loggers tell while a command runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

__all__ = ["log_level"]


@contextlib.contextmanager
def log_level(level: int, *names: str) -> Iterator[None]:
    """Let loggers have another level, and put theirs back.

    Parameters
    ----------
    level : int
        Such as ``logging.CRITICAL``, when the command says it better itself.
    *names : str
        Of the loggers.
    """
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, own in zip(loggers, before, strict=True):
            logger.setLevel(own)
