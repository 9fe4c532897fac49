"""Options of the examples that are checked before any hardware is looked for, or started."""

import argparse
import atexit
import contextlib
import math
import tempfile


def make_directory(parser, path):
    """Make the directory of the results, or end the program with a message.

    It's removed at the end if nothing has come into it.
    """
    new = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        atexit.register(_remove_empty, new)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        parser.error(
            f"--out: {path} can't be written ({error.strerror}); choose a directory where you may "
            "make files"
        )


def _remove_empty(directories):
    """Remove directories, the innermost first, as far as they are empty."""
    with contextlib.suppress(OSError):
        for each in directories:
            each.rmdir()


def at_least(least, most=100_000):
    """Read a whole number."""

    def read(text):
        if text.isdecimal() and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(
            f"expected a whole number from {least} to {most}, got {text!r}"
        )

    return read


def seconds(text):
    """Read a time; 0 may be one."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and value >= 0:
        return value
    raise argparse.ArgumentTypeError(f"expected a time in seconds, got {text!r}")


def check_period(parser, period, exposure, fly):
    """Make sure that frames of an exposure can come in a period."""
    if fly and not period:
        parser.error("--fly needs a --period: it tells how fast to turn")
    if 0 < period < exposure:
        parser.error(f"--period {period:g}: a frame is exposed for {exposure:g} s; 0 is no pause")
