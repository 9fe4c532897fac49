"""The account of one acquisition, and what becomes of a difference."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Literal

from ...errors import (
    ConfigurationError,
    DroppedFramesError,
    FileWriteError,
    FrameCountError,
    FrameLossError,
)

__all__ = [
    "FRAME_POLICIES",
    "FramePolicy",
    "FrameReport",
    "Shortfall",
    "check_policy",
    "id_list",
    "log_level",
]

FramePolicy = Literal["raise", "warn", "record"]
FRAME_POLICIES: tuple[str, ...] = ("raise", "warn", "record")

#: How many spans of unique ids a message names.
_MOST_SPANS = 8


@dataclass(frozen=True)
class Shortfall:
    """One count that isn't what it should be.

    Attributes
    ----------
    error : type
        The class of error it is.
    message : str
        What, where, expected and found.
    plugin : str
        Name of the plugin, or of the camera.
    expected, got : int or None
        Frames expected and found there.
    missing : tuple of int
        Unique ids of the frames that aren't there; empty when they can't be told.
    """

    error: type[FrameLossError]
    message: str
    plugin: str = ""
    expected: int | None = None
    got: int | None = None
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class FrameReport:
    """The account of one acquisition.

    Attributes
    ----------
    expected : int
        Frames asked for.
    taken : int
        Frames the camera took.
    dropped : dict of str to int
        Frames each plugin's queue threw away, by the plugin's name.
    written : dict of str to int
        Frames each file writer captured, by the plugin's name.
    problems : tuple of Shortfall
        What is wrong; empty when every frame is where it should be.
    received : dict of str to int
        Frames each plugin processed, by the plugin's name.  Those that ``MinCallbackTime``
        skips are neither received nor dropped.
    first_id, last_id : int or None
        Unique ids of the first and the last frame, by the camera's ``ArrayCounter``; None
        when it didn't count as many as were taken.
    lost : int
        Frames dropped on their way to a file or to an event.
    """

    expected: int
    taken: int
    dropped: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    problems: tuple[Shortfall, ...] = ()
    received: dict[str, int] = field(default_factory=dict)
    first_id: int | None = None
    last_id: int | None = None
    lost: int = 0

    @property
    def unique_ids(self) -> range | None:
        """Unique ids of the frames taken, in order; None when they can't be told."""
        if self.first_id is None or self.last_id is None:
            return None
        return range(self.first_id, self.last_id + 1)

    def error(self) -> FrameLossError | None:
        """Make one exception of the problems.

        Returns
        -------
        FrameLossError or None
            The gravest class, with all messages, and with the plugin, the counts and the ids
            of the first problem of that class; None when nothing is wrong.
        """
        if not self.problems:
            return None
        order = (FileWriteError, DroppedFramesError, FrameCountError)
        first = min(self.problems, key=lambda problem: order.index(problem.error))
        missing = first.missing or next((p.missing for p in self.problems if p.missing), ())
        return first.error(
            " ".join(problem.message for problem in self.problems),
            plugin=first.plugin,
            expected=first.expected,
            got=first.got,
            missing=missing,
        )


def check_policy(policy: str) -> FramePolicy:
    """Check a policy for missing frames.

    Parameters
    ----------
    policy : {"raise", "warn", "record"}
        What to do when frames are missing.

    Returns
    -------
    str
        The policy.

    Raises
    ------
    ConfigurationError
        It's another word.
    """
    if policy not in FRAME_POLICIES:
        raise ConfigurationError(
            f"frame_policy={policy!r} is unknown; expected one of {', '.join(FRAME_POLICIES)}."
        )
    return policy  # type: ignore[return-value]


def log_level(policy: str) -> int:
    """Tell how loudly a loss is logged that doesn't fail the run.

    Parameters
    ----------
    policy : str
        One of :data:`FRAME_POLICIES`.

    Returns
    -------
    int
        Information where the documents are to record it, else a warning.
    """
    return logging.INFO if policy == "record" else logging.WARNING


def id_list(ids: tuple[int, ...]) -> str:
    """Write unique ids for a message: ``4-6, 9``.

    Parameters
    ----------
    ids : tuple of int
        The ids, in order.

    Returns
    -------
    str
        The ids in spans; after eight spans only how many more there are.
    """
    spans: list[list[int]] = []
    for each in ids:
        if spans and each == spans[-1][1] + 1:
            spans[-1][1] = each
        else:
            spans.append([each, each])
    shown = [str(a) if a == b else f"{a}-{b}" for a, b in spans[:_MOST_SPANS]]
    more = sum(b - a + 1 for a, b in spans[_MOST_SPANS:])
    return ", ".join(shown) + (f" and {more} more" if more else "")
