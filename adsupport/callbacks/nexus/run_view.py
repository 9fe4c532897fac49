"""What a hook of the writer knows of its run, and the tools it writes with.

A writer never writes itself: each run gets a copy of it, so that in every hook ``self`` speaks
of one run, however many are under way.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping
from typing import Any

import h5py

from ...documents.run import Run
from ..output.hdf5_values import member_name, write_attribute, write_value
from .nx_group import link, nx_group, targeted
from .stream_group import StreamGroup
from .templates import resolve_class_path

__all__ = ["RunView", "iso_time"]

logger = logging.getLogger(__name__)

STREAMS = "/entry/instrument/bluesky/streams"
CONFIGURATION = "/entry/instrument/bluesky/configuration"


def iso_time(seconds: float, *, zone: bool = True) -> str:
    """Write a time as text.

    Parameters
    ----------
    seconds : float
        Since 1970 (UTC).
    zone : bool
        Whether the text has the offset of this computer's zone, as it should.

    Returns
    -------
    str
        ISO 8601 in local time, such as ``"2022-08-12T17:27:38.779351-05:00"``; empty for what
        is no time, or in no year that a calendar has.
    """
    try:
        found = datetime.datetime.fromtimestamp(seconds).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return (found if zone else found.replace(tzinfo=None)).isoformat()


class RunView:
    """The run that is being written, and how to write.

    Attributes
    ----------
    root : h5py.File
        The file, open.
    run : Run
        The run.
    metadata : dict
        Its start document without uid, time and scan_id.
    uid : str
        Of the run.
    scan_id : int or None
        Number of the run.
    plan_name : str
        Empty when the run has none.
    start_time, stop_time : float or None
        Seconds since 1970; None without stop document.
    exit_status : str
        ``"success"``, ``"abort"``, ``"fail"`` or ``"unknown"``.
    stop_reason : str
        What the stop document says of it.
    detectors, positioners : list of str
        Names of the devices, as the plan gave them.
    data_map : dict of str to list of str
        Data keys of the primary stream: ``detectors`` and ``motors``.
    streams : dict of str to list of str
        Uids of the descriptors, by stream.
    """

    warn_on_missing_content: bool = True
    #: Whether the baseline should have the devices that APS beamlines have, by their names there.
    expects_aps_baseline: bool = False
    compat: str | None = None

    root: Any = None
    run: Any = None
    metadata: dict[str, Any] = {}  # noqa: RUF012  each run has one of its own
    uid: str | None = None
    scan_id: int | None = None
    plan_name: str = ""
    start_time: float | None = None
    stop_time: float | None = None
    exit_status: str | None = None
    stop_reason: str = ""
    detectors: list[str] = []  # noqa: RUF012
    positioners: list[str] = []  # noqa: RUF012
    data_map: dict[str, list[str]] = {}  # noqa: RUF012
    streams: dict[str, list[str]] = {}  # noqa: RUF012
    skipped: list[str] = []  # noqa: RUF012
    remarks: list[str] = []  # noqa: RUF012
    _groups: dict[str, StreamGroup] = {}  # noqa: RUF012

    def view(self, run: Run, skipped: list[str], remarks: list[str]) -> None:
        """Speak of a run from now on: called with a copy of the writer, by the run's file.

        Parameters
        ----------
        run : Run
            The run.
        skipped, remarks : list of str
            Where the file notes what it lacks, and what is unusual.
        """
        start = run.start
        self.run, self.uid, self.scan_id = run, run.uid, run.scan_id
        self.skipped, self.remarks = skipped, remarks
        self.metadata = {
            key: value for key, value in start.items() if key not in ("uid", "time", "scan_id")
        }
        self.plan_name = str(start.get("plan_name") or "")
        self.start_time = _number(start.get("time"))
        self.detectors, self.positioners = run.detectors, run.motors
        self.stop_time, self.exit_status, self.stop_reason = None, run.exit_status, ""
        self.streams, self._groups, self.data_map = {}, {}, {"detectors": [], "motors": []}

    # tools for hooks

    def create_NX_group(self, parent: h5py.Group, specification: str) -> h5py.Group:  # noqa: N802
        """Make a group of a NeXus class, or return the one that is there.

        Parameters
        ----------
        parent : h5py.Group
            Where it is.
        specification : str
            Name and class, such as ``"sample:NXsample"``.

        Returns
        -------
        h5py.Group
            With ``@NX_class`` and ``@target``.

        Raises
        ------
        ConfigurationError
            The class doesn't begin with NX, or another object has the name.
        """
        name, _, nx_class = specification.partition(":")
        return nx_group(parent, name, nx_class)

    def create_dataset(
        self, parent: h5py.Group, name: str, value: Any, **attributes: Any
    ) -> h5py.Dataset:
        """Write a value that may be linked, whatever it is.

        Parameters
        ----------
        parent : h5py.Group
            Where.
        name : str
            Its name.
        value : any
            See :mod:`adsupport.callbacks.output.hdf5_values`.
        **attributes
            Such as ``units="mm"``; None leaves one out.

        Returns
        -------
        h5py.Dataset
            With ``@target``.
        """
        dataset = self.write_field(parent, name, value)
        for key, each in attributes.items():
            if each is not None:
                write_attribute(dataset, key, each, notes=self.skipped)
        targeted(dataset)
        return dataset

    def write_field(self, parent: h5py.Group, name: str, value: Any) -> h5py.Dataset:
        """Write a value that isn't meant to be linked, whatever it is.

        Parameters
        ----------
        parent : h5py.Group
            Where.
        name : str
            Its name.
        value : any
            See :mod:`adsupport.callbacks.output.hdf5_values`.

        Returns
        -------
        h5py.Dataset
            Without attributes.
        """
        return write_value(parent, name, value, notes=self.skipped)

    def link(self, parent: h5py.Group, name: str, item: h5py.Dataset | h5py.Group) -> None:
        """Give an object a second name; ``parent[name] = item`` does so as well.

        Parameters
        ----------
        parent : h5py.Group
            Where the other name is.
        name : str
            The name.
        item : h5py.Dataset or h5py.Group
            The object, of the same file.
        """
        link(parent, name, item)

    def h5string(self, text: Any) -> Any:
        """Encode text for h5py, as apstools does.

        Parameters
        ----------
        text : str, None, or list of these
            None is the empty text.

        Returns
        -------
        bytes or list of bytes
            UTF-8.
        """
        if isinstance(text, (tuple, list)):
            return [self.h5string(str(each)) for each in text]
        return (text or "").encode("utf-8")

    def get_stream_link(
        self, signal: str, stream: str | None = None, ref: str | None = None
    ) -> h5py.Dataset:
        """Find a data key's value in the file, to link it.

        Parameters
        ----------
        signal : str
            The data key.
        stream : str, optional
            ``"baseline"`` by default.
        ref : str, optional
            Dataset: ``"value_start"`` by default.

        Returns
        -------
        h5py.Dataset
            The values.

        Raises
        ------
        KeyError
            The run has no such data.
        """
        names = (member_name(stream or "baseline"), member_name(signal), ref or "value_start")
        address = f"{STREAMS}/{'/'.join(names)}"
        found = self.root.get(address)
        if found is None:
            raise KeyError(f"{address} isn't in the file: the run has no such data.")
        return found

    def resolve_class_path(self, class_path: str) -> str:
        """Make the groups of a path that aren't there.

        Parameters
        ----------
        class_path : str
            Such as ``/entry/sample:NXsample/mass``.

        Returns
        -------
        str
            The address, without classes.

        Raises
        ------
        ConfigurationError
            A class doesn't begin with NX.
        """
        return resolve_class_path(self.root, class_path)

    def add_dataset_attributes(
        self, ds: h5py.Dataset, v: Mapping[str, Any], long_name: str | None = None
    ) -> None:
        """Describe the values of a data key.

        Parameters
        ----------
        ds : h5py.Dataset
            The values.
        v : mapping
            ``units``, ``source``, ``dtype``, and where known ``precision``,
            ``lower_ctrl_limit``, ``upper_ctrl_limit``.
        long_name : str, optional
            Mostly the data key.
        """
        for name in ("units", "source"):
            write_attribute(ds, name, str(v.get(name) or ""), notes=self.skipped)
        if long_name is not None:
            write_attribute(ds, "long_name", long_name, notes=self.skipped)
        if v.get("dtype") != "string":
            for name in ("precision", "lower_ctrl_limit", "upper_ctrl_limit"):
                if v.get(name) is not None:
                    ds.attrs[name] = v[name]

    # what is missing or wrong

    def missing_content(self, text: str) -> None:
        """Note what a NeXus file should have and the run doesn't.

        Parameters
        ----------
        text : str
            A sentence; dropped when ``warn_on_missing_content`` is False.
        """
        if self.warn_on_missing_content:
            self.remarks.append(text)
            logger.warning("run %s: %s", str(self.uid)[:7], text)

    def missing_device(self, text: str) -> None:
        """Note what the baseline of an APS beamline should have, where that is expected.

        Parameters
        ----------
        text : str
            See :meth:`missing_content`.
        """
        if self.expects_aps_baseline:
            self.missing_content(text)

    def attempt(self, hook: Callable[..., Any], *args: Any) -> Any:
        """Call a hook whose failure mustn't cost the rest of the file.

        Parameters
        ----------
        hook : callable
            The hook.
        *args
            For it.

        Returns
        -------
        any
            What it returns; None when it failed: that is noted as skipped then.

        Raises
        ------
        OSError
            The file can't be written.
        """
        try:
            return hook(*args)
        except OSError:
            raise
        except Exception as error:  # the hook may be a user's own
            name = getattr(hook, "__name__", str(hook))
            logger.exception("run %s: %s() failed", str(self.uid)[:7], name)
            self.skipped.append(f"{name}() failed: {type(error).__name__}: {error}")
            return None

    def iso(self, seconds: float) -> str:
        """Write a time as text: with the zone, but not as apstools has it.

        Parameters
        ----------
        seconds : float
            Since 1970 (UTC).

        Returns
        -------
        str
            See :func:`iso_time`.
        """
        return iso_time(seconds, zone=self.compat is None)


def _number(found: Any) -> float | None:
    try:
        return float(found)
    except (TypeError, ValueError):
        return None
