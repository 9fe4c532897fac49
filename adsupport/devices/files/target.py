"""Where a file plugin's next file goes: directory, name, number, and what stands there already."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ...errors import (
    ConfigurationError,
    NamingError,
    PathMapError,
)
from ...naming import (
    FileTemplate,
    PathMap,
    check_ioc_path,
    expand_dates,
    format_file_name,
    has_date_codes,
    same_path,
    with_trailing_separator,
)
from ..signals.putting import put_and_confirm
from ..signals.reading import pv_name, read_signals, wait_for
from .existing import check_if_exists, is_taken, require_next, spelled
from .paths import path_map_of, put_file_path

__all__ = ["FileTarget"]

#: How long a directory that the IOC has just made may take to show here, in seconds.
_VISIBLE_TIMEOUT = 3.0


class FileTarget:
    """Mixin: the directory and name of a file plugin's files, here and on the IOC.

    Parameters
    ----------
    write_path_template : str or path, optional
        Directory as the IOC sees it, with ``strftime`` codes.
    read_path_template : str or path, optional
        The same directory as this computer sees it; equal by default.
    root : str
        Root of the resource documents: a mount point that may move.
    path_semantics : {"posix", "windows"}
        Style of the local paths in the resource documents.
    if_exists : {"refuse", "bump", "allow"}
        What to do when the file to be written exists: raise, take the next free number,
        or overwrite.
    """

    #: What tells the time that dates in paths are filled with.
    clock: Callable[[], datetime] = datetime.now

    # What ophyd's file plugins provide.
    name: str
    file_path: Any
    file_name: Any
    file_number: Any
    file_template: Any

    def __init__(
        self,
        *args: Any,
        write_path_template: str | os.PathLike[str] | None = None,
        read_path_template: str | os.PathLike[str] | None = None,
        root: str | os.PathLike[str] = "/",
        path_semantics: str = "posix",
        if_exists: str = "refuse",
        **kwargs: Any,
    ) -> None:
        self._write_path_template: str | None = None
        self._read_path_template: str | None = None
        self._expanded: tuple[str, str] | None = None
        super().__init__(*args, **kwargs)
        self.write_path_template = write_path_template
        self.read_path_template = read_path_template
        self.path_semantics = path_semantics
        self.reg_root = root
        self.if_exists = if_exists
        self._map = PathMap()

    @property
    def write_path_template(self) -> str | None:
        """Directory as the IOC sees it, ending in a separator; None when not given."""
        return self._write_path_template

    @write_path_template.setter
    def write_path_template(self, template: str | os.PathLike[str] | None) -> None:
        self._write_path_template = _directory(template)

    @property
    def read_path_template(self) -> str | None:
        """The same directory here; the write template when not given."""
        if self._read_path_template is None:
            return self._write_path_template
        return self._read_path_template

    @read_path_template.setter
    def read_path_template(self, template: str | os.PathLike[str] | None) -> None:
        self._read_path_template = _directory(template)

    @property
    def reg_root(self) -> pathlib.PurePath:
        """Root of the resource documents."""
        return self._root

    @reg_root.setter
    def reg_root(self, root: str | os.PathLike[str]) -> None:
        windows = self.path_semantics == "windows"
        path = (pathlib.PureWindowsPath if windows else pathlib.PurePosixPath)(root)
        if not path.is_absolute():
            raise ConfigurationError(f"root={str(root)!r} must be an absolute directory.")
        self._root: pathlib.PurePath = path

    @property
    def if_exists(self) -> str:
        """What to do when the file exists already, one of ``refuse``, ``bump`` and ``allow``."""
        return self._if_exists

    @if_exists.setter
    def if_exists(self, policy: str) -> None:
        self._if_exists = check_if_exists(policy)

    @property
    def path_map(self) -> PathMap:
        """The map from IOC paths to local paths that the templates make."""
        return path_map_of(self)

    def expand_path(
        self,
        template: str | None = None,
        when: datetime | None = None,
        *,
        standing: str | None = None,
    ) -> str:
        """Fill the date in a path template, and remember that the path came from it.

        When the path stands in ``FilePath`` at stage time, the date is filled in anew: a run
        that starts after midnight goes to the new day's directory.

        Parameters
        ----------
        template : str, optional
            Directory on the IOC; ``write_path_template`` by default.
        when : datetime, optional
            The moment; what ``clock`` says by default.
        standing : str, optional
            What ``FilePath`` is now: taken when there's no template, as staging does.

        Returns
        -------
        str
            The directory with a trailing separator, checked.

        Raises
        ------
        NamingError
            There's no template and no directory that stands, or it holds something that isn't a
            date code.
        PathMapError
            The directory lies outside the map.
        """
        if standing is None or template is not None or self.write_path_template is not None:
            text, path = self._fill(template, when)
            self._expanded = (text, path) if path != text else None
            return path
        return self._take(standing)

    def plan_directory(self, standing: str) -> str:
        """Tell which directory staging will put to ``FilePath``; nothing is changed by that.

        A class that overrides :meth:`make_filename` to choose a directory of its own overrides
        this too, so that a check knows it.

        Parameters
        ----------
        standing : str
            What ``FilePath`` is now; may be empty.

        Returns
        -------
        str
            The directory with a trailing separator, checked.

        Raises
        ------
        NamingError, PathMapError, ConfigurationError
            There is none, or it can't be used.
        """
        return self._directory_for(standing)[1]

    def _directory_for(self, standing: str) -> tuple[str | None, str]:
        """Tell the template, None when there's none, and the directory."""
        if self._expanded and same_path(standing, self._expanded[1]):
            # first: a '%%' of the template has become a '%' that is no date code any more
            return self._fill(self._expanded[0])
        if not standing and self.write_path_template is None:
            raise self._no_directory(f"{pv_name(self.file_path, True)} is empty and ")
        if not standing or has_date_codes(standing):
            return self._fill(standing or None)
        return None, check_ioc_path(standing)

    def _take(self, standing: str) -> str:
        """Tell the directory for what stands, and remember a template that it comes from."""
        template, path = self._directory_for(standing)
        if template is not None:
            self._expanded = (template, path) if path != template else None
        return path

    def _fill(self, template: str | None, when: datetime | None = None) -> tuple[str, str]:
        text = _directory(template) or self.write_path_template
        if text is None:
            raise self._no_directory()
        path = check_ioc_path(expand_dates(text, when or self.clock()))
        self.path_map.to_local(path)
        return text, path

    def _no_directory(self, besides: str = "") -> NamingError:
        return NamingError(
            f"{besides}{self.name} has no write_path_template:",
            remedy="say prepare_count(..., file_path='/directory/on/the/IOC/'), give the plugin "
            "such a write_path_template, or put the directory to "
            f"{pv_name(self.file_path, True)}.",
        )

    # -- at stage time; the signals are those of ophyd's FilePlugin

    def make_filename(self) -> tuple[str, str, str]:
        """Decide on the file's name and directory: a hook for subclasses.

        Returns
        -------
        tuple of str
            File name, directory here, directory on the IOC.
        """
        found = read_signals({"path": self.file_path, "name": self.file_name})
        if not found["name"]:
            raise NamingError(
                f"{pv_name(self.file_name, True)} is empty:",
                remedy="give the file a name, by prepare_count() or file_name.put().",
            )
        path = self._take(found["path"])
        return found["name"], str(self.path_map.to_local(path)), path

    def _settle_directory(self) -> str:
        """Put directory and name; return the directory."""
        name, read_path, write_path = self.make_filename()
        mapped = not same_path(read_path, write_path)
        self._map = PathMap([(write_path, read_path)]) if mapped else self.path_map
        put_file_path(self, write_path)
        named_here = type(self).make_filename is not FileTarget.make_filename  # not by the caller
        if named_here and self.file_name.get() != name:
            put_and_confirm(self.file_name, name)
        return write_path

    def next_file(self, step: int = 1) -> tuple[str, pathlib.Path]:
        """Predict the next file, and see that nothing would be overwritten.

        Parameters
        ----------
        step : int
            Consecutive files that are needed, when each frame has its own.

        Returns
        -------
        tuple of str and pathlib.Path
            The full name on the IOC, and the same file here.

        Raises
        ------
        NamingError
            Template, name or path can't be used; the message names the process variable.
        FileExistsRefusedError
            The file exists, and the policy is to refuse, or the name has no number to bump.
        PathMapError
            The file lies outside the map or the root of the documents, or its directory isn't
            visible here, so that nobody can tell what stands there already.
        """
        found = read_signals(
            {
                "path": self.file_path,
                "name": self.file_name,
                "number": self.file_number,
                "template": self.file_template,
            }
        )
        if not found["template"]:
            raise NamingError(
                f"{pv_name(self.file_template, True)} is empty:",
                remedy="put a template such as '%s%s_%4.4d.h5', or use prepare_count().",
            )
        full, local, number = self.plan_file(
            found["path"], found["name"], int(found["number"]), found["template"], step, self._map
        )
        self._require_visible(found["path"], local.parent)
        if number != int(found["number"]):
            put_and_confirm(self.file_number, number)
        return full, local

    def _require_visible(self, path: str, directory: pathlib.Path) -> None:
        """See that a directory of the IOC's is here too, unless what stands there may be lost."""
        if self.if_exists == "allow" or wait_for(directory.is_dir, _VISIBLE_TIMEOUT):
            return
        raise PathMapError(
            f"{pv_name(self.file_path)} is {path!r} and exists on the IOC, but {directory} isn't a "
            f"directory here: {self.name} could overwrite files that can't be seen, and what it "
            "writes could not be read. Is it mounted? Correct read_path_template, or set "
            f"{spelled(self)}.if_exists to 'allow' to write unseen."
        )

    def plan_file(
        self,
        path: str,
        name: str,
        number: int,
        template: str,
        step: int = 1,
        path_map: PathMap | None = None,
    ) -> tuple[str, pathlib.Path, int]:
        """Work out the next file from its parts, without asking or telling the IOC anything.

        Parameters
        ----------
        path : str
            Directory on the IOC, dates expanded.
        name : str
            File name.
        number : int
            First file number to consider.
        template : str
            C printf format of directory, name and number.
        step : int
            Consecutive files that are needed, when each frame has its own.
        path_map : PathMap, optional
            The map to local paths, that of the templates by default.

        Returns
        -------
        tuple of str, pathlib.Path and int
            The full name on the IOC, the same file here, and the file number to use.

        Raises
        ------
        NamingError, FileExistsRefusedError, PathMapError
            See :meth:`next_file`.
        """
        form = self._checked_template(template)
        mapping = self.path_map if path_map is None else path_map
        first = number
        if step > 1 and number % step:
            # Readers find frame i of point p in file number p*n + i.
            number += step - number % step
        while True:
            files = [self._compose(form, path, name, number + i, mapping) for i in range(step)]
            taken = [local for _, local in files if is_taken(local)]
            if not taken or self.if_exists == "allow":
                return *files[0], number
            require_next(spelled(self), self.if_exists, taken[0], form, number - first)
            number += step

    def _checked_template(self, text: str) -> FileTemplate:
        try:
            return FileTemplate(text)
        except NamingError as error:
            raise NamingError(
                f"{pv_name(self.file_template, True)}: {error.problem}", remedy=error.remedy
            ) from None

    def _compose(
        self, template: FileTemplate, path: str, name: str, number: int, mapping: PathMap
    ) -> tuple[str, pathlib.Path]:
        try:
            full = format_file_name(template, with_trailing_separator(path), name, number)
        except NamingError as error:
            raise NamingError(
                f"{pv_name(self.file_name, True)}: {error.problem}", remedy=error.remedy
            ) from None
        return full, pathlib.Path(mapping.to_local(full))

    def _resource_path(self, local: pathlib.PurePath) -> str:
        try:
            return local.relative_to(self.reg_root).as_posix()
        except ValueError:
            raise PathMapError(
                f"{local} lies outside root={str(self.reg_root)!r} of the documents; give the "
                "plugin a root above it, or write elsewhere."
            ) from None


def _directory(template: str | os.PathLike[str] | None) -> str | None:
    return None if template is None else with_trailing_separator(os.fspath(template))
