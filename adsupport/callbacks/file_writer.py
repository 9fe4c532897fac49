"""Writers whose files belong to one run: where these go, and how they're named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from ..documents.run import Run
from ..errors import OutputNameError
from .output import OutputName, inside
from .output.atomic_file import check_exists
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
    file_name : str, optional
        Template of the name, see :class:`~adsupport.callbacks.output.OutputName`; by default
        :data:`DEFAULT_NAME`.
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

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | None = None,
        *,
        exists: Literal["refuse", "bump", "replace"] = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        check_exists(exists)
        super().__init__(strict=strict, path_map=path_map)
        self.file_path = file_path
        self.file_name = file_name
        self.exists: Literal["refuse", "bump", "replace"] = exists

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
            The template asks for what the start document hasn't got, or isn't one.
        """
        name = self.file_name
        if name is None:
            known = isinstance(run.start.get("scan_id"), int)
            name = DEFAULT_NAME if known else _WITHOUT_NUMBER
        try:
            found = OutputName(name).render(start=run.start)
        except OutputNameError:
            if self.file_name is not None:
                raise
            found = OutputName("{start[uid]:.7}").render(start=run.start)  # it has no time
        ending = f".{self.file_extension.lstrip('.')}"
        if found.lower().endswith(ending.lower()) and len(found) > len(ending):
            found = found[: -len(ending)]
        return inside(self.file_path or ".", found)

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
