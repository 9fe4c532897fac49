"""The directory ``<first_uid>-<file_prefix>.tmp``: parts of a file that isn't finished."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..callbacks.output import OutputName, safe_component
from ..errors import ConfigurationError, OutputError, RunNotFoundError

__all__ = ["SUFFIX", "find_work", "finishing", "parts_of", "remove_work", "rendered", "work_of"]

SUFFIX = ".tmp"
_LOCK = "lock"


def rendered(file_prefix: str, start: Mapping[str, Any]) -> str:
    """Make a file's name without ending.

    Parameters
    ----------
    file_prefix : str
        Any name, or a template, see :class:`adsupport.callbacks.output.OutputName`.
    start : mapping
        The start document that the template's fields look into.

    Returns
    -------
    str
        A name that is safe, and no path.

    Raises
    ------
    OutputNameError
        It can't be a name.
    """
    if not isinstance(file_prefix, str):
        raise ConfigurationError(f"file_prefix must be a str, got {file_prefix!r}.")
    return OutputName(file_prefix).render(start=start)


def work_of(directory: str | os.PathLike[str], prefix: str, first_uid: str) -> Path:
    """Name the directory of the work on a file.

    Parameters
    ----------
    directory : str or path
        Where the file is to go.
    prefix : str
        Its name without ending, or the template for it.
    first_uid : str
        Of the first of its runs.

    Returns
    -------
    pathlib.Path
        Absolute.
    """
    return Path(directory).absolute() / (safe_component(f"{first_uid}-{prefix}") + SUFFIX)


def find_work(directory: str | os.PathLike[str], file_prefix: str, first_uid: str | None) -> Path:
    """Find the work on a file.

    Parameters
    ----------
    directory, file_prefix, first_uid
        As they were given to :func:`~adsupport.nxstxm.export`; without first_uid it's the only
        work on a file of this name.

    Returns
    -------
    pathlib.Path
        The directory, absolute.

    Raises
    ------
    RunNotFoundError
        There is no such work, or without first_uid more than one.
    """
    where = Path(directory).absolute()
    ending = f"-{safe_component(file_prefix)}{SUFFIX}"
    found = sorted(each for each in where.glob(f"*{SUFFIX}") if each.is_dir())
    if first_uid is not None:
        work = work_of(where, file_prefix, first_uid)
        if work.is_dir():
            return work
        others = ", ".join(each.name for each in found) or "none"
        raise RunNotFoundError(
            f"Nothing was exported to {work}; work in that directory: {others}.",
            remedy="Give finish_export() the directory, file_prefix and first_uid that export() "
            "got, or export the runs (again) first.",
        )
    own = [each for each in found if each.name.endswith(ending)]
    if len(own) == 1:
        return own[0]
    told = ", ".join(each.name for each in own) or "none"
    raise RunNotFoundError(
        f"Expected one work on {file_prefix!r} in {where}, found {told}.",
        remedy="Give first_uid, as export() got it.",
    )


def parts_of(work: Path) -> list[Path]:
    """List the parts that have come.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.

    Returns
    -------
    list of pathlib.Path
        Sorted by name; not those that are being written.
    """
    return sorted(each for each in work.glob("*.h5") if not each.name.startswith("."))


@contextlib.contextmanager
def finishing(work: Path) -> Iterator[None]:
    """Keep others from finishing the same file meanwhile.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.

    Raises
    ------
    OutputError
        Another program, or thread, does so.
    """
    lock = os.open(work / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise OutputError(
                f"{work} is being finished by another program",
                path=work,
                remedy="wait for it: the file has its name when it's done.",
            ) from None
        yield
    finally:
        os.close(lock)


def remove_work(work: Path) -> None:
    """Remove the work on a finished file.

    Parameters
    ----------
    work : pathlib.Path
        The directory; what isn't the work's own stays, and the directory with it.
    """
    for part in parts_of(work):
        part.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (work / _LOCK).unlink(missing_ok=True)
        work.rmdir()
