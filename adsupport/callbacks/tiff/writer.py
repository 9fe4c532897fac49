"""The images of runs as TIFF files: a stack of each data key, or a file of each image."""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Literal

from ...documents.run import Rows, Run, Stream
from ..choice import Choice
from ..file_set import FileSet, commit_in_turn, is_blocked, writing
from ..file_writer import FileWriter
from ..output import AtomicFile, Exists, safe_component
from ..output.no_replace import sync_file
from ..output.work_directory import WorkDirectory
from ..run_file import RunFile
from .image_key import Image, ImageKey, has_images
from .page import ascii_json, needs_bigtiff, tifffile_module, write_page

__all__ = ["FORMAT", "TIFFWriter"]

#: Name and version of what stands in the descriptions.
FORMAT = "adsupport-tiff-1"

#: Without it a series isn't whole.
_LAST = "metadata.json"

_INDEX = ("file", "stream", "data_key", "seq_num", "frame", "time")

#: Half of a surrogate pair, which a key may have, is spelled.
_UTF8: Any = {"encoding": "utf-8", "errors": "backslashreplace"}


class _TIFFFile(RunFile):
    """What both ways of writing have in common: gathering.

    Parameters
    ----------
    stem : path
        Directory and beginning of the names.
    exists : str
        What to do with names that are taken.
    timeout : float
        How long to wait for the files of images, in seconds.
    """

    def __init__(self, stem: Path, exists: Exists, timeout: float) -> None:
        super().__init__()
        tifffile_module()
        self._stem, self._exists, self._timeout = stem, exists, timeout
        self._keys: dict[tuple[str, str], ImageKey] = {}
        self._spool_file: IO[bytes] | None = None

    def stream(self, run: Run, stream: Stream) -> None:
        """Look for images among the data keys; see the base class."""
        for name, column in stream.columns.items():
            if has_images(column) and (stream.name, name) not in self._keys:
                self._keys[stream.name, name] = ImageKey(column, self._spool)

    def rows(self, run: Run, rows: Rows) -> None:
        """Take the images of rows; see the base class."""
        with writing(self._stem):
            for (stream, _), key in self._keys.items():
                if stream == rows.stream.name:
                    key.add(rows)

    def abandon(self) -> None:
        """Remove what was begun; see the base class."""
        self._close()

    def _spool(self) -> IO[bytes]:
        """Return the file of the images that came in documents, which has no name."""
        if self._spool_file is None:
            try:  # beside the target there is room for images
                self._spool_file = tempfile.TemporaryFile(dir=self._stem.parent)  # noqa: SIM115
            except OSError:
                self._spool_file = tempfile.TemporaryFile()  # noqa: SIM115
        return self._spool_file

    def _close(self) -> None:
        spool, self._spool_file = self._spool_file, None
        if spool is not None:
            spool.close()

    def _prepared(self) -> Iterator[tuple[str, str, ImageKey]]:
        """Go through the keys, each with its files waited for."""
        found = False
        for (stream, name), key in self._keys.items():
            key.prepare(self._timeout)
            yield stream, name, key
            found = True
            self._tell(stream, key)
        if not found:
            self.remark("The run has no images: there is nothing to write.")

    def _tell(self, stream: str, key: ImageKey) -> None:
        for text in key.notes:
            self.skip(f"Stream {stream!r}: {text}")

    def _about(self, stream: str, key: str, image: Image) -> dict[str, Any]:
        about = {
            "format": FORMAT,
            "uid": self.run.uid,
            "stream": stream,
            "data_key": key,
            "seq_num": image.seq_num,
            "frame": image.frame,
            "time": image.time,
        }
        return about | {"missing": True} if image.missing else about

    def _documents(self, streams: list[str]) -> dict[str, Any]:
        run = self.run
        return {
            "start": run.start,
            "stop": run.stop,
            "descriptors": {name: run.streams[name].descriptors for name in streams},
        }


class StackFile(_TIFFFile):
    """A file of each data key with images, with a page for each; see :class:`TIFFWriter`."""

    def __init__(self, stem: Path, exists: Exists, timeout: float) -> None:
        super().__init__(stem, exists, timeout)
        self._files = FileSet(stem, exists)
        self._written = False

    def finish(self) -> list[Path]:
        """Write the stacks and name them; see the base class."""
        if not self._written:
            for stream, name, key in self._prepared():
                self._write(stream, name, key)
            self._written = True
            self._close()
        return self._files.take_names()

    def abandon(self) -> None:
        """Remove the files; see the base class."""
        super().abandon()
        self._files.abandon()

    def _write(self, stream: str, name: str, key: ImageKey) -> None:
        pages, page_bytes = key.size()
        if not pages:
            self.remark(f"Stream {stream!r}: {name} has no images.")
            return
        documents = self._documents([stream])
        first = len(ascii_json(documents))
        file = self._files.add(f"-{stream}-{name}", ".tif")
        with writing(file.path):
            file.check_room(pages * page_bytes)
            big = needs_bigtiff(pages, page_bytes, first + pages * 500)
            with tifffile_module().TiffWriter(file.temporary, bigtiff=big) as writer:
                for image in key.images():
                    about = self._about(stream, name, image)
                    write_page(writer, image.pixels, ascii_json(about | documents))
                    documents = {}  # stand in the first page


class SeriesFile(_TIFFFile):
    """A directory with a file for each image; see :class:`TIFFWriter`."""

    def __init__(self, stem: Path, exists: Exists, timeout: float) -> None:
        super().__init__(stem, exists, timeout)
        self._directory: Path | None = None
        self._work: WorkDirectory | None = None
        self._names: list[str] = []
        self._prefixes: dict[str, tuple[str, str]] = {}
        self._written = False
        self._done: list[Path] = []

    def finish(self) -> list[Path]:
        """Write the images, the index and the metadata, then name all; see the base class."""
        if not self._written:
            self._write_all()
            self._written = True
            self._close()
        if self._directory is None or self._work is None:
            return []
        paths = self._take_names(self._directory, self._work.path)
        self._work.remove()
        return paths

    def abandon(self) -> None:
        """Remove the files that were written, and the directory; see the base class."""
        super().abandon()
        if self._work is not None:
            self._work.remove()
        for path in self._done:
            with contextlib.suppress(OSError):
                path.unlink()
        if self._directory is not None:
            with contextlib.suppress(OSError):
                self._directory.rmdir()

    def _write_all(self) -> None:
        with tempfile.TemporaryFile("w+", newline="", **_UTF8) as index:
            table = csv.writer(index, lineterminator="\n")
            table.writerow(_INDEX)
            for stream, name, key in self._prepared():
                for image in key.images():
                    if image.missing:  # its number is left out
                        continue
                    file = self._write_image(stream, name, key, image)
                    table.writerow((file, stream, name, image.seq_num, image.frame, image.time))
            if not self._names:
                return
            index.seek(0)
            self._write(
                "index.csv", lambda path: path.write_text(index.read(), newline="", **_UTF8)
            )
        content = {"format": FORMAT, **self._documents(list(self.run.streams))}
        content["problems"] = [*self.run.problems, *self.skipped]
        self._write(_LAST, lambda path: path.write_text(ascii_json(content) + "\n"))

    def _take_names(self, directory: Path, work: Path) -> list[Path]:
        replace = self._exists == "replace"
        paths = [directory / name for name in self._names]
        done = set(self._done)
        left = [path for path in paths if path not in done]
        if replace and not done and not any(is_blocked(path, replace) for path in left):
            # killed from here on, the directory has images of two series, and none is whole
            with contextlib.suppress(OSError):
                (directory / _LAST).unlink()

        def file_of(path: Path) -> AtomicFile:
            exists = "replace" if replace else "refuse"
            return AtomicFile(path, exists=exists, finished=work / path.name)

        commit_in_turn(left, file_of, replace, self._done)
        return paths

    def _chosen(self) -> Path:
        """Choose the directory; with ``"bump"`` it's made, so that no other run takes it."""
        directory, number = self._stem, 1
        while self._exists == "bump":
            try:
                directory.mkdir(parents=True)
            except FileExistsError:
                directory = self._stem.with_name(f"{self._stem.name}-{number}")
                number += 1
            except OSError:  # the first file tells
                break
            else:
                break
        return directory

    def _write_image(self, stream: str, name: str, key: ImageKey, image: Image) -> str:
        frame = "" if key.one_each else f"-{image.frame:04d}"
        file = f"{self._prefix(stream, name)}-{image.seq_num:06d}{frame}.tif"
        about = ascii_json(self._about(stream, name, image))

        def write(path: Path) -> None:
            with tifffile_module().TiffWriter(path, bigtiff=image.pixels.nbytes > 2**31) as writer:
                write_page(writer, image.pixels, about)

        self._write(file, write)
        return file

    def _prefix(self, stream: str, name: str) -> str:
        """Begin the names of a key's files; keys that look alike in a name get numbers."""
        whole, number = safe_component(f"{stream}-{name}"), 1
        free = whole
        while self._prefixes.setdefault(free, (stream, name)) != (stream, name):
            free, number = f"{whole}_{number}", number + 1
        return free

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        if self._directory is None or self._work is None:
            self._directory = self._chosen()
            with writing(self._directory):
                self._work = WorkDirectory(self._directory)
        path = self._work.path / name
        with writing(self._directory / name):
            write(path)
            sync_file(path)
        self._names.append(name)


class TIFFWriter(FileWriter):
    """Write the images of a run to TIFF files, their type and values as they are.

    What a data key has in files, whatever their format, and arrays of two axes or more in the
    documents.  As ``"stack"``, ``<name>-<stream>-<key>.tif`` has a page for each image, and is a
    BigTIFF file if a classic one would be too short.  As ``"series"``, the directory ``<name>``
    has ``<stream>-<key>-<seq_num>.tif`` (``-<frame>`` behind it when an event has several), and
    last of all come ``index.csv`` and ``metadata.json``: without these a series isn't whole.

    ``ImageDescription`` is JSON: ``uid``, ``stream``, ``data_key``, ``seq_num``, ``frame`` and
    ``time`` of the image, and in the first page of a stack the documents of the run.  An image
    that is missing is a page of NaN (of integers the lowest, of unsigned ones the highest), with
    ``"missing": true``; a series leaves its number out.

    Parameters
    ----------
    file_path, file_name, exists, strict, path_map
        See :class:`~adsupport.callbacks.file_writer.FileWriter`.
    layout : str
        ``"stack"`` or ``"series"``.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    """

    file_extension = "tif"
    one_file = False
    layout: Any = Choice("stack", "series")

    def __init__(
        self,
        file_path: str | os.PathLike[str] | None = None,
        file_name: str | os.PathLike[str] | None = None,
        *,
        layout: Literal["stack", "series"] = "stack",
        image_timeout: float = 20.0,
        exists: Exists = "refuse",
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, file_name, exists=exists, strict=strict, path_map=path_map)
        self.layout = layout
        self.image_timeout = image_timeout

    def run_file(self, run: Run) -> RunFile:
        """Make the files of a run; see the base class."""
        kind = StackFile if self.layout == "stack" else SeriesFile
        return kind(self.stem(run), self.exists, self.image_timeout)
