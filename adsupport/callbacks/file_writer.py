"""Writers whose files belong to one run: where these go, and how they're named."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, ClassVar, get_args

from ..documents.run import Run
from ..errors import OutputNameError
from .choice import Choice
from .output import Exists, OutputName, inside
from .writer import RunWriter

__all__ = ["DEFAULT_NAME", "FileWriter"]

#: Such as ``20261121-221500-S00042-0123456``; without a scan_id the part with it is left out.
DEFAULT_NAME = "{start[time]:%Y%m%d-%H%M%S}-S{start[scan_id]:05d}-{start[uid]:.7}"
_WITHOUT_NUMBER = DEFAULT_NAME.replace("-S{start[scan_id]:05d}", "")


class FileWriter(RunWriter):
    """Write files that are named after their run.

    Parameters
    ----------
    file_path : str or path, optional
        Directory; by default the one that is current when a run starts.
    file_name : str or path, optional
        Name of the file, or a template for it, see
        :class:`~adsupport.callbacks.output.OutputName`; by default :data:`DEFAULT_NAME`.
        Without ``file_path`` a name that is no template may be any path.
    exists : str
        What to do with a file that exists, see :class:`~adsupport.callbacks.output.AtomicFile`.
    strict, path_map
        See :class:`~adsupport.callbacks.writer.RunWriter`.

    Attributes
    ----------
    file_path, file_name
        As given; they can be set at any time, for the next run.
    file_extension : str
        Added to a name that hasn't got it.
    """

    file_extension = "dat"
    #: Whether a run has one file, whose name is known when it starts.
    one_file: ClassVar[bool] = True
    exists: Any = Choice(*get_args(Exists))

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(strict=strict, path_map=path_map)
        self.file_path = file_path
        self.file_name = file_name
        self.exists = exists

    def stem(self, run: Run) -> Path:
        """Make the name of a run's files, without extension.

        Parameters
        ----------
        run : Run
            The run.

        Returns
        -------
        pathlib.Path
            Directory and name, absolute.

        Raises
        ------
        OutputNameError
            ``file_path`` or ``file_name`` isn't a path.

        Notes
        -----
        A template that can't be used costs no run its file: it has its default name then, and a
        problem that tells why.
        """
        found = self.place(run)
        ending = f".{self.file_extension.lstrip('.')}"
        if found.name.lower().endswith(ending.lower()) and len(found.name) > len(ending):
            found = found.with_name(found.name[: -len(ending)])
        return found

    def place(self, run: Run) -> Path:
        """Make directory and name of a run's file, with no more of an extension than was given.

        Parameters
        ----------
        run : Run
            The run.

        Returns
        -------
        pathlib.Path
            Absolute.

        Raises
        ------
        OutputNameError
            See :meth:`stem`.
        """
        directory = Path(_path("file_path", self.file_path or ".")).absolute()
        if self.file_name is None:
            return inside(directory, _default_name(run))
        name = _path("file_name", self.file_name)
        try:
            if self.is_own_path(name):
                where = Path(name).absolute()
                return inside(where.parent, where.name)
            return inside(directory, OutputName(name).render(start=run.start))
        except OutputNameError as error:
            found = inside(directory, _default_name(run))
            run.problem(f"file_name: {error} Instead the file is called {found.name}.")
            return found

    def is_own_path(self, name: str) -> bool:
        """Tell whether a file name is a path of the user's own, which may lead anywhere.

        Parameters
        ----------
        name : str
            ``file_name``, as text.

        Returns
        -------
        bool
            Not for a template, or below a ``file_path``.
        """
        return self.file_path is None and "{" not in name

    def target(self, run: Run, suffix: str = "") -> Path:
        """Make the name of a file of a run.

        Parameters
        ----------
        run : Run
            The run.
        suffix : str
            Stands before the extension; one that is safe in a name.

        Returns
        -------
        pathlib.Path
            The file, absolute.

        Raises
        ------
        OutputNameError
            See :meth:`stem`.
        """
        stem = self.stem(run)
        name = f"{stem.name}{suffix}.{self.file_extension.lstrip('.')}"
        if len(os.fsencode(name)) > 255:
            raise OutputNameError(
                f"File name {name!r} has more than 255 bytes", remedy="choose a shorter template."
            )
        return stem.with_name(name)

    def taken(self, run: Run) -> Path | None:
        """Tell whether a run can't be written because its file exists.

        Parameters
        ----------
        run : Run
            The run, which needs only its start document.

        Returns
        -------
        pathlib.Path or None
            The file that is there; None also where the names are known later.
        """
        if self.exists != "refuse" or not self.one_file:
            return None
        with contextlib.suppress(OutputNameError):  # whoever writes it tells
            path = self.target(run)
            return path if os.path.lexists(path) else None
        return None


def _default_name(run: Run) -> str:
    known = isinstance(run.start.get("scan_id"), int)
    try:
        return OutputName(DEFAULT_NAME if known else _WITHOUT_NUMBER).render(start=run.start)
    except OutputNameError:  # it has no time
        return OutputName("{start[uid]:.7}").render(start=run.start)


def _path(name: str, given: Any) -> str:
    try:
        return os.fsdecode(given)
    except TypeError:
        raise OutputNameError(f"{name} must be a str or a path, got {given!r}") from None
