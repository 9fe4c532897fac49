"""Frames that were lost, found by the numbers that the camera gave to the others.

A file plugin whose queue overflows writes the frames that it has, one behind the other: from the
lost one on, all are a place too early.  ``NDArrayUniqueId``, which ADCore counts up for each frame
of the camera, tells which one each of them is.

Without the ids that the camera had at each event, those of the file must do: a gap is a lost frame
then, as a plugin that captures takes all that come.  Only between two streams it may have been
told to let some pass, so what would be lost where a stream begins or ends can't be told; nor can
the file's first and last ones.

Ids of the documents that don't count the same frames, such as those of a counter that begins
elsewhere or wasn't read anew at each event, would shift all; they're refused.
"""

from __future__ import annotations

import numpy as np

__all__ = ["matched"]


def matched(
    numbers: np.ndarray,
    rows: np.ndarray,
    streams: np.ndarray,
    wanted: np.ndarray | None,
    found: np.ndarray | None,
    held: int,
    announced: int,
) -> tuple[np.ndarray, str]:
    """Find where in a file the frames are that the documents tell of.

    Parameters
    ----------
    numbers : numpy.ndarray
        (n,), int64: which frames of the file they'd be if none was lost.
    rows, streams : numpy.ndarray
        (n,), int64: the row and the stream of each.
    wanted : numpy.ndarray or None
        (n,), int64: their unique ids, when the documents tell them.
    found : numpy.ndarray or None
        (held,), int64: the unique ids in the file, when it has them.
    held : int
        How many frames the file holds.
    announced : int
        How many it should hold.

    Returns
    -------
    numpy.ndarray
        (n,), int64: where each is; -1 for one that was lost.
    str
        Why it can't be told, in a sentence's end; empty when it can.
    """
    if wanted is not None and found is not None:
        return _by_ids(wanted, found, numbers, held, announced)
    short = f"the file holds {held} frames, and the documents tell of {announced}"
    if found is None:
        return numbers, f"{short}; nothing tells which are lost" if held < announced else ""
    steps = np.diff(found[:announced])
    if (steps == 1).all() and held >= announced:
        return numbers, ""
    if held >= announced:
        # Frames that the camera took between two rows, such as for a look, aren't lost ones.
        order = np.argsort(numbers)
        at, row = numbers[order], rows[order]
        within = (np.diff(row) == 0) & (np.diff(at) == 1)
        if held == announced and (steps[at[:-1][within]] == 1).all():
            return numbers, ""
        return numbers, "its unique ids have gaps, though it has as many frames as it should"
    if (steps < 1).any():
        return numbers, f"{short}; its unique ids begin again, so the lost ones can't be told"
    if not held or found[-1] - found[0] + 1 != announced:
        return numbers, f"{short}; its unique ids don't tell which are lost"
    places = _places(found[0] + numbers, found)
    order = np.argsort(numbers)
    changes = np.flatnonzero(np.diff(streams[order]))
    edges = order[np.concatenate([[0, len(order) - 1], changes, changes + 1])]
    if (places[edges] < 0).any():
        return numbers, f"{short}; one may be lost where a stream begins or ends"
    return places, ""


def _by_ids(
    wanted: np.ndarray, found: np.ndarray, numbers: np.ndarray, held: int, announced: int
) -> tuple[np.ndarray, str]:
    if (np.diff(found) < 1).any():
        # The camera's counter was set back: that only fits when nothing is lost.
        if held >= announced and (found[numbers] == wanted).all():
            return numbers, ""
        return numbers, "its unique ids begin again, and don't fit those of the documents"
    if len(np.unique(wanted)) < len(np.unique(numbers)):
        return numbers, "the documents have one unique id for several of its frames"
    places = _places(wanted, found)
    fitting = np.count_nonzero(places >= 0)
    if found.size and fitting < len(wanted):
        # some drivers number from 0 and count from 1
        for offset in (1, -1, int(found[0] - wanted.min()), int(found[-1] - wanted.max())):
            if np.count_nonzero(_places(wanted + offset, found) >= 0) > fitting:
                return numbers, (
                    f"more of its unique ids are those of the documents if {offset:+d} is added "
                    "to these"
                )
    return places, ""


def _places(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Look up ids among ascending ones; -1 for those that aren't there."""
    if not found.size:
        return np.full(wanted.shape, -1)
    at = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
    return np.where(found[at] == wanted, at, -1)
