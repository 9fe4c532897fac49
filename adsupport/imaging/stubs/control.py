"""What the RunEngine throws into a plan to end it."""

from __future__ import annotations

import asyncio

from bluesky.utils import FailedPause, RunEngineControlException

__all__ = ["CONTROL"]

#: What the RunEngine throws into a plan to end it, and what isn't a failure of a plan's.
CONTROL = (
    RunEngineControlException,
    FailedPause,
    asyncio.CancelledError,
    GeneratorExit,
    KeyboardInterrupt,
)
