"""The directory ``<first_uid>-<file_prefix>.tmp``: parts of a file that isn't finished."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...callbacks.output import OutputName, safe_component
from ...callbacks.output.temporary import clear_stale
from ...errors import ConfigurationError, OutputError, RunNotFoundError
from .finished_mark import MARK

__all__ = [
    "SUFFIX",
    "checked",
    "find_work",
    "finishing",
    "others_of",
    "parts_of",
    "remove_work",
    "rendered",
    "work_of",
]

SUFFIX = ".tmp"
_LOCK = "lock"
#: A part that is being written; the name of the part is in it.
_TEMPORARY = re.compile(r"\.(.+)\.\d+-[0-9a-f]{8}\.tmp")


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
    return OutputName(checked(file_prefix)).render(start=start)


def checked(file_prefix: object) -> str:
    """Refuse what isn't a name for a file, such as a path.

    Parameters
    ----------
    file_prefix : object
        What was given.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigurationError
        It isn't a str.
    """
    if isinstance(file_prefix, str):
        return file_prefix
    raise ConfigurationError(
        f"file_prefix must be a str, got {type(file_prefix).__name__}: {file_prefix!r}.",
        remedy="Give the file's name without .hdf5; its directory is the other argument.",
    )


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
    where = Path(os.fsdecode(directory)).absolute()
    checked(file_prefix)
    found = sorted(each for each in where.glob(f"*{SUFFIX}") if each.is_dir())
    if first_uid:
        work = work_of(where, file_prefix, first_uid)
        if work.is_dir():
            return work
        others = ", ".join(each.name for each in found) or "none"
        raise RunNotFoundError(
            f"Nothing was exported to {work}, or its file is finished"
            f"{_finished(where, file_prefix)}; work in that directory: {others}.",
            remedy="Give finish_export() the directory, file_prefix and first_uid that export() "
            "got, or export the runs (again) first.",
        )
    own = [each for each in found if _is_of(each, file_prefix)]
    own = [each for each in own if parts_of(each)] or own
    if len(own) == 1:
        return own[0]
    told = ", ".join(each.name for each in own or found) or "none"
    if not own:
        raise RunNotFoundError(
            f"Nothing was exported for {file_prefix!r} to {where}, or its file is finished"
            f"{_finished(where, file_prefix)}; work in that directory: {told}.",
            remedy="Give finish_export() the directory and file_prefix that export() got; after "
            "NXstxmWriter the file's name, not the template: what follows the uid in "
            "<uid>-<name>.tmp.",
        )
    raise RunNotFoundError(
        f"Expected one work on {file_prefix!r} in {where}, found {told}.",
        remedy="Give first_uid, as export() got it; if these are runs of one scan, export them "
        "again, all with the same first_uid.",
    )


def _is_of(work: Path, prefix: str) -> bool:
    """Tell whether work is that on a file of this name; the end of another one may be alike."""
    firsts = [each.stem for each in parts_of(work) if work.name.startswith(f"{each.stem}-")]
    if firsts:
        return any(work_of(work.parent, prefix, uid) == work for uid in firsts)
    return work.name.endswith(f"-{safe_component(prefix)}{SUFFIX}")


def others_of(work: Path, file_prefix: str) -> list[Path]:
    """Find other work on files of the same name, such as when first_uid was forgotten.

    Parameters
    ----------
    work : pathlib.Path
        The directory of the work.
    file_prefix : str
        As it was given to :func:`~adsupport.nxstxm.export`.

    Returns
    -------
    list of pathlib.Path
        The other directories, sorted by name.
    """
    found = (each for each in work.parent.glob(f"*{SUFFIX}") if each != work and each.is_dir())
    return sorted(each for each in found if _is_of(each, file_prefix))


def _finished(where: Path, file_prefix: str) -> str:
    """Tell that there's a file of this name."""
    name = f"{safe_component(file_prefix)}.hdf5"
    return f" ({name} is there)" if (where / name).is_file() else ""


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

    Yields
    ------
    None

    Raises
    ------
    OutputError
        Another program, or thread, does so; or the directory can't be written.
    RunNotFoundError
        Another program has just done so.
    """
    try:
        lock = os.open(work / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except FileNotFoundError:
        raise _gone(work) from None
    except OSError as error:
        raise OutputError(
            f"{work} can't be written: {error.strerror}",
            path=work,
            remedy="make it writable, and call finish_export() again.",
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{work} is being finished by another program",
                path=work,
                remedy="wait for it: the file has its name when it's done.",
            ) from None
        if not _is_file(lock, work / _LOCK):
            raise _gone(work)
        yield
    finally:
        os.close(lock)


def remove_work(work: Path, parts: Iterable[Path]) -> bool:
    """Remove the work on a finished file, while it's locked.

    Parameters
    ----------
    work : pathlib.Path
        The directory.
    parts : iterable of pathlib.Path
        The parts that are in the file: others, which came meanwhile, stay.

    Returns
    -------
    bool
        Whether all of the work is removed; what isn't the work's own stays, and the directory
        with it.
    """
    for part in parts:
        with contextlib.suppress(OSError):
            part.unlink()
    with contextlib.suppress(OSError):
        _clear_temporaries(work)
        if not parts_of(work):
            (work / MARK).unlink(missing_ok=True)
            (work / _LOCK).unlink(missing_ok=True)
            work.rmdir()
    return not work.is_dir()


def _clear_temporaries(work: Path) -> None:
    """Remove what killed programs left behind, and not what another one is writing."""
    for each in work.iterdir():
        found = _TEMPORARY.fullmatch(each.name)
        if found:
            clear_stale(work, found[1], older_than=0)


def _is_file(descriptor: int, path: Path) -> bool:
    """Tell whether an open file has (still) that name."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    return False


def _gone(work: Path) -> RunNotFoundError:
    return RunNotFoundError(
        f"{work} isn't there any more: another program has just finished its file.",
        remedy="Look for the file; if it's missing, export the runs again.",
    )
