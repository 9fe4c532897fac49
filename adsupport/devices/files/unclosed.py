"""What is known of a file whose IOC went away, or didn't close it."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import AdsupportError, ConnectionTimeoutError, FileWriteError
from ..frames.files import FileClaim, verify_files

__all__ = ["unclosed"]


def unclosed(
    error: Exception, claimed: Callable[[], FileClaim], look: bool
) -> ConnectionTimeoutError | FileWriteError:
    """Make the error of a file that was not closed: which one, and what is in it.

    Parameters
    ----------
    error : Exception
        Why it could not be closed.
    claimed : callable
        Tells without arguments what must be in the file; may ask the IOC.
    look : bool
        Whether the file may be looked into.

    Returns
    -------
    ConnectionTimeoutError or FileWriteError
        The latter when ``error`` is one: then the IOC answers, and has the file open.  The message
        has the file, whether all frames are in it as it lies here, and the text and the remedy of
        ``error``.
    """
    ours = isinstance(error, AdsupportError)
    why, remedy = (error.problem, error.remedy) if ours else (str(error), "")
    is_open = isinstance(error, FileWriteError)
    try:
        claim = claimed()
    except (AdsupportError, TimeoutError):  # the names of single files are asked of the IOC
        text = f"Its files can't be named, let alone looked into: count them. {why}"
    else:
        text, state = f"{claim.plugin}: {claim.files[0]}", _state(claim, look, is_open)
        # what the error fears for an open file comes before what was found in it
        text += f": {why} {state}" if is_open else f" was not closed by its IOC. {state} {why}"
    if is_open:
        return FileWriteError(text, plugin=error.plugin, remedy=remedy)
    missing = getattr(error, "pvs", None) or getattr(error, "missing", ())
    return ConnectionTimeoutError(text, missing, remedy=remedy)


def _state(claim: FileClaim, look: bool, is_open: bool) -> str:
    if not claim.frames:
        return "No point of it was complete."
    if not look:
        return "Whether it is whole isn't known: verify_files is False."
    if not claim.files[0].parent.is_dir():
        return f"Whether it is whole isn't known: {claim.files[0].parent} isn't here."
    report = verify_files(claim, 0.0)
    if report.problems:
        found = (each.message.removeprefix(f"{claim.plugin}: ") for each in report.problems)
        return f"It is incomplete: {' '.join(found)}"
    unsure = f" {report.doubt} Look at its frames." if report.doubt else ""
    if is_open:
        return f"All {claim.frames} frames can be read now; the IOC still has it open.{unsure}"
    return f"It is whole as it lies here: all {claim.frames} frames can be read.{unsure}"
