"""NeXus files: a run, one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...documents.run import Run
from ..choice import Choice, check_choice
from ..file_writer import FileWriter
from ..output import Exists
from .instrument_hooks import InstrumentHooks
from .run_file import NexusRunFile
from .stream_group import StreamGroup

__all__ = ["NXWriter"]


class NXWriter(FileWriter, InstrumentHooks):
    r"""Write a NeXus file for each run: ``RE.subscribe(nxwriter.receiver)``.

    Every option is an attribute as well, which may be set at any time; a run is written with
    what they were at its start document.

    Parameters
    ----------
    file_name : str or path, optional
        Name of the file; with ``{start[scan_id]:05d}`` and the like a template.  None names each
        file ``{Ymd-HMS}-S{scan_id:05d}-{uid7}`` with :attr:`file_extension`.
    file_path : str or path, optional
        Its directory; None is the current one.
    file_extension : str
        Of default names.
    exists : str
        What to do when the name is taken: ``"refuse"``, ``"bump"`` (another name) or
        ``"replace"``.
    instrument_name : str, optional
        Name of the instrument.
    nexus_release : str
        What is told as the release of NeXus that the file follows.
    nxdata_signal : str, optional
        Data key to plot; None is the first detector's.
    nxdata_signal_axes : sequence of str, optional
        Data keys to plot it over, one for each dimension; None is what the plan moved.  What
        doesn't fit is left out.
    title : str or callable, optional
        Title of a run that has none in its metadata, or called with the start document for it;
        None is such as ``"scan-S0001-c888d28"``.
    template_key : str
        Key of the start document that has templates, see :mod:`~.templates`.
    images : str
        ``"link"`` refers to the files that the IOC wrote; ``"copy"`` copies the images as they
        are compressed; ``"repack"`` compresses them anew.
    compression : mapping, optional
        For ``"repack"``, such as ``hdf5plugin.Bitshuffle()``; None is gzip.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    on_missing_images : str
        When they never come, values that no pixel has stand for them: ``"error"`` counts this
        as something that the file lacks, ``"placeholder"`` doesn't.
    warn_on_missing_content : bool
        Whether to log what a NeXus file should have and the run doesn't.
    compat : str, optional
        ``"apstools"`` writes what differs there as it does: ``@NeXus_version`` at the root,
        ``!!python/tuple`` in YAML (``yaml.safe_load`` refuses it), times without zone, and as
        ``EPOCH`` of the plot the time of one data key, counted from its first value.
    strict, path_map
        See :class:`~adsupport.callbacks.writer.RunWriter`.

    Attributes
    ----------
    output_nexus_file : pathlib.Path or None
        The file that was written last.

    Notes
    -----
    Subclasses override hooks: ``write_root``, ``write_entry``, ``write_instrument``,
    ``write_metadata``, ``write_streams``, ``write_stream``, ``write_images``,
    ``write_configuration``, ``write_stop``, ``assign_signal_type``, ``write_slits``,
    ``write_detector``, ``write_monochromator``, ``write_positioner``, ``write_source``,
    ``write_data``, ``write_sample``, ``write_user``, ``write_templates``, and
    ``get_sample_title``, ``make_file_name``, ``get_stream_link``, ``add_dataset_attributes``.
    They run when the run is over, in a thread of its own, on a copy of the writer: ``self`` has
    ``root``, ``metadata``, ``uid`` and so on of this run; see :class:`~.run_view.RunView`.  An
    exception in one that ``write_entry`` or ``write_instrument`` calls is told by
    :meth:`wait_writer`, and costs only what that hook writes.

    The tree is that of the seed of this project, made by apstools; beside it there are
    ``bluesky/events`` (number and time of each event), ``bluesky/configuration`` (settings of
    each device), ``bluesky/exit_status`` and ``bluesky/stop``.  :mod:`~.column_group` says how
    awkward values are kept, :mod:`~.plot_data` what the plot of a grid scan has.

    Examples
    --------
    >>> nxwriter = NXWriter(file_path="/data")  # doctest: +SKIP
    >>> RE.subscribe(nxwriter.receiver)  # doctest: +SKIP
    >>> RE(bp.scan([sensor], motor, -0.5, 0.5, 5))  # doctest: +SKIP
    >>> nxwriter.wait_writer(timeout=60)  # doctest: +SKIP
    """

    file_extension: str = "hdf"
    compat: Any = Choice(None, "apstools")
    images: Any = Choice("link", "copy", "repack")
    on_missing_images: Any = Choice("error", "placeholder")
    output_nexus_file: Path | None = None

    def __init__(
        self,
        *,
        file_name: str | os.PathLike[str] | None = None,
        file_path: str | os.PathLike[str] | None = None,
        file_extension: str | None = None,
        exists: Exists = "refuse",
        instrument_name: str | None = None,
        nexus_release: str | None = None,
        nxdata_signal: str | None = None,
        nxdata_signal_axes: Sequence[str] | None = None,
        title: str | Callable[[dict[str, Any]], str] | None = None,
        template_key: str | None = None,
        images: str | None = None,
        compression: Mapping[str, Any] | None = None,
        image_timeout: float | None = None,
        on_missing_images: str | None = None,
        warn_on_missing_content: bool | None = None,
        compat: str | None = None,
        strict: bool = True,
        path_map: Any = None,
    ) -> None:
        super().__init__(file_path, exists=exists, strict=strict, path_map=path_map)
        self.file_name: str | os.PathLike[str] | None = file_name
        given = {
            "file_extension": file_extension,
            "instrument_name": instrument_name,
            "nexus_release": nexus_release,
            "nxdata_signal": nxdata_signal,
            "nxdata_signal_axes": nxdata_signal_axes,
            "title": title,
            "template_key": template_key,
            "images": images,
            "compression": compression,
            "image_timeout": image_timeout,
            "on_missing_images": on_missing_images,
            "warn_on_missing_content": warn_on_missing_content,
            "compat": compat,
        }
        for name, value in given.items():
            if value is not None:  # a subclass may have another default
                setattr(self, name, value)
        self._written_by: NXWriter = self
        self._check()

    def run_file(self, run: Run) -> NexusRunFile:
        """Make the file of a run; called on a copy of the writer for this run, not by users.

        Parameters
        ----------
        run : Run
            The run.

        Returns
        -------
        NexusRunFile
            With this copy.
        """
        self._check()
        return NexusRunFile(self)

    def make_file_name(self) -> Path:
        """Name the file of a run for which no ``file_name`` is set; override it for your own.

        Returns
        -------
        pathlib.Path
            With its directory.

        Raises
        ------
        OutputNameError
            The name can't be used.
        """
        return self.target(self.run)

    def path_of_file(self) -> Path:
        """Tell where the file of the run will be; not for users.

        Returns
        -------
        pathlib.Path
            As ``file_name`` says, or else :meth:`make_file_name`.

        Raises
        ------
        OutputNameError
            The name can't be used.
        """
        if self.file_name is None:
            return Path(self.make_file_name())
        found = self.place(self.run)
        if "{" in str(self.file_name) and not found.suffix:
            found = found.with_name(f"{found.name}.{self.file_extension.lstrip('.')}")
        return found

    def is_own_path(self, name: str) -> bool:
        """Tell whether a file name is a path of the user's own; an absolute one always is."""
        return super().is_own_path(name) or ("{" not in name and os.path.isabs(name))

    def write_file(self, streams: dict[str, StreamGroup]) -> None:
        """Write all that isn't in the file yet; not for users.

        Parameters
        ----------
        streams : dict of str to StreamGroup
            The values, by stream.
        """
        run = self.run
        self.exit_status = run.exit_status
        if run.stop is not None:
            stopped = run.stop.get("time")
            self.stop_time = float(stopped) if isinstance(stopped, (int, float)) else None
            self.stop_reason = str(run.stop.get("reason") or "")
        self._know_streams(streams)
        self.write_root(str(self.output_nexus_file))

    def done(self, path: Path) -> None:
        """Note which file was written; not for users.

        Parameters
        ----------
        path : pathlib.Path
            The file.
        """
        self.output_nexus_file = self._written_by.output_nexus_file = path

    def _check(self) -> None:
        """Look at what a subclass may have set as its own default."""
        for name, choice in (*vars(FileWriter).items(), *vars(NXWriter).items()):
            if isinstance(choice, Choice):
                check_choice(f"{type(self).__name__}.{name}", getattr(self, name), choice.words)
