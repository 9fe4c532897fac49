"""The entry: times, title, plot, sample, user, and what was told of the run."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import h5py

from ..output.hdf5_values import member_name, write_attribute
from .nx_group import link, targeted, text_in
from .plot import choose_plot
from .plot_data import write_plot
from .stream_hooks import StreamHooks
from .templates import apply_templates
from .yaml_text import yaml_text

__all__ = ["EntryHooks"]

_SAMPLE_KEYS = (
    "chemical_formula",
    "concentration",
    "description",
    "electric_field",
    "magnetic_field",
    "rotation_angle",
    "scattering_length_density",
    "stress_field",
    "temperature",
    "volume_fraction",
    "x_translation",
)
_FIELDS_WITH_DIRECTION = ("electric_field", "magnetic_field", "stress_field")
_USER_KEYS = {
    "name": "bss_user_info_contact",
    "affiliation": "bss_user_info_institution",
    "email": "bss_user_info_email",
    "facility_user_id": "bss_user_info_badge",
}


class EntryHooks(StreamHooks):
    """Hooks of the root, the entry, and what stands directly in it."""

    instrument_name: str | None = None
    nexus_release: str = "v2020.1"
    nxdata_signal: str | None = None
    nxdata_signal_axes: Sequence[str] | None = None
    template_key: str = "nxwriter_template"
    title: str | Callable[[dict[str, Any]], str] | None = None

    def write_root(self, filename: str) -> None:
        """Write the root's attributes, and all that is below.

        Parameters
        ----------
        filename : str
            The file's final name.
        """
        attributes = {
            "file_name": str(filename),
            "file_time": self.iso(datetime.datetime.now().timestamp()),
            "instrument": self.instrument_name,
            "creator": type(self).__name__,
            "NeXus_release": self.nexus_release,
            "NeXus_version": self.nexus_release if self.compat is not None else None,
            "HDF5_Version": h5py.version.hdf5_version,
            "h5py_version": h5py.version.version,
            "default": "entry",
        }
        for name, value in attributes.items():
            if value is not None:
                write_attribute(self.root, name, value, notes=self.skipped)
        self.write_entry()

    def write_entry(self) -> h5py.Group:
        """Write ``entry:NXentry``.

        Returns
        -------
        h5py.Group
            The group.
        """
        entry = self.create_NX_group(self.root, "entry:NXentry")
        for name, seconds in (("start_time", self.start_time), ("end_time", self.stop_time)):
            if seconds is not None and self.iso(seconds):
                entry[name] = self.iso(seconds)
        if self.stop_time is not None and self.start_time is not None:
            entry["duration"] = self.stop_time - self.start_time
            entry["duration"].attrs["units"] = "s"
        entry["program_name"] = "bluesky"
        self.write_instrument(entry)
        data = self.attempt(self.write_data, entry)
        if isinstance(data, h5py.Group):
            entry.attrs["default"] = str(data.name).rpartition("/")[2]
        self.attempt(self.write_sample, entry)
        self.attempt(self.write_user, entry)
        for name, address in (
            ("run_cycle", "instrument/source/cycle"),
            ("plan_name", "instrument/bluesky/metadata/plan_name"),
            ("entry_identifier", "instrument/bluesky/metadata/run_start_uid"),
            ("title", "instrument/bluesky/metadata/title"),
        ):
            item: Any = entry.get(address)
            if item is not None and name not in entry:
                link(entry, name, item)
        if "title" not in entry:
            self.attempt(self._write_title, entry)
        self.attempt(self.write_templates)
        return entry

    @abstractmethod
    def write_instrument(self, parent: h5py.Group) -> h5py.Group:
        """Write ``instrument:NXinstrument``; see the class that has it."""

    def get_sample_title(self) -> str:
        """Return the title of a run that has none in its metadata.

        Returns
        -------
        str
            Such as ``"scan-S0001-c888d28"``; of :attr:`title`, when that was set.
        """
        if self.title is not None:
            return self.title(self.run.start) if callable(self.title) else str(self.title)
        number = None if self.scan_id is None else f"S{self.scan_id:04d}"
        return "-".join(each for each in (self.plan_name, number, str(self.uid)[:7]) if each)

    def write_metadata(self, parent: h5py.Group) -> h5py.Group:
        """Write ``metadata:NXnote``: the keys of the start document.

        Lists and dictionaries are YAML text with ``@text_format="yaml"``, which
        ``yaml.safe_load`` reads.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument/bluesky``.

        Returns
        -------
        h5py.Group
            The group.
        """
        group = self.create_NX_group(parent, "metadata:NXnote")
        self.create_dataset(group, "run_start_uid", self.uid, long_name="bluesky run uid")
        for key, value in self.metadata.items():
            self._write_metadatum(group, key, value)
        if self.scan_id is not None and "scan_id" not in group:
            self.create_dataset(group, "scan_id", self.scan_id)
        return group

    def write_stop(self, parent: h5py.Group) -> h5py.Group:
        """Write how the run ended: ``exit_status`` and ``stop:NXnote``.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument/bluesky``.

        Returns
        -------
        h5py.Group
            The group of the stop document; of a run without one, only the exit status.
        """
        self.create_dataset(parent, "exit_status", self.exit_status)
        if self.run.stop is None:
            self.missing_content("The run has no stop document: its end isn't known.")
            return parent
        group = self.create_NX_group(parent, "stop:NXnote")
        for key, value in self.run.stop.items():
            self._write_metadatum(group, key, value)
        return group

    def write_data(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``data:NXdata``: what is plotted by default.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry``.

        Returns
        -------
        h5py.Group or None
            None when there is nothing to show.
        """
        primary = self._groups.get("primary")
        if primary is None:
            self.missing_content("The run has no primary stream: there is nothing to plot.")
            return None
        values: dict[str, Any] = {
            key: column.group["value"]
            for key, column in primary.columns.items()
            if "value" in column.group
        }
        if not values:
            self.missing_content("The primary stream has no values: there is nothing to plot.")
            return None
        plot = choose_plot(
            self.run,
            primary.stream,
            self.data_map,
            values,
            signal=self.nxdata_signal,
            axes=self.nxdata_signal_axes,
            fallback_axis="EPOCH" if self.compat is None and "EPOCH" not in values else None,
        )
        for note in plot.notes:
            self.missing_content(note)
        data = self.create_NX_group(parent, "data:NXdata")
        write_plot(data, plot, values)
        if "EPOCH" not in data:
            # apstools links the time of one data key, counted from its first value, by this name.
            last: Any = primary.group[max(primary.group)]
            epoch: Any = last["time"] if self.compat else primary.events["EPOCH"]
            link(data, "EPOCH", epoch)
        if plot.signal is None:
            self.missing_content("None of the primary stream's values are numbers: no plot.")
        return data

    def write_sample(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``sample:NXsample`` from ``sample_data_*`` of the baseline.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry``.

        Returns
        -------
        h5py.Group or None
            None when the baseline has nothing of the sample.
        """
        group = self.link_baseline(
            parent,
            "sample:NXsample",
            {key: f"sample_data_{key}" for key in _SAMPLE_KEYS},
            "The baseline has no sample_data_*: no group of the sample.",
        )
        if group is None:
            return None
        for name in _FIELDS_WITH_DIRECTION:
            direction = self.baseline_links({name: f"sample_data_{name}_dir"}).get(name)
            field: Any = group.get(name)
            if field is not None and direction is not None:
                write_attribute(field, "direction", text_in(direction).lower())
        return group

    def write_user(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``contact:NXuser`` from ``bss_user_info_*`` of the baseline.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry``.

        Returns
        -------
        h5py.Group or None
            None when the baseline has nothing of the user.
        """
        group = self.link_baseline(
            parent,
            "contact:NXuser",
            _USER_KEYS,
            "The baseline has no bss_user_info_*: no group of the user.",
        )
        if group is not None:
            group["role"] = "contact"
        return group

    def write_templates(self) -> None:
        """Write what the run's templates ask for; see :mod:`~.templates`."""
        found = self.metadata.get(self.template_key)
        if found is not None:
            self.skipped += apply_templates(self.root, found, resolve=self.resolve_class_path)

    def baseline_links(self, keys: dict[str, str]) -> dict[str, h5py.Dataset]:
        """Find values of the baseline to link.

        Parameters
        ----------
        keys : dict of str to str
            Data key, by the name that it shall have.

        Returns
        -------
        dict of str to h5py.Dataset
            Those that there are.
        """
        found: dict[str, h5py.Dataset] = {}
        for name, key in keys.items():
            try:
                found[name] = self.get_stream_link(key)
            except KeyError:
                continue
        return found

    def link_baseline(
        self, parent: h5py.Group, address: str, keys: dict[str, str], absence: str
    ) -> h5py.Group | None:
        """Write a group of links to values of the baseline.

        Parameters
        ----------
        parent : h5py.Group
            Where the group is to be.
        address : str
            Its name and class, such as ``"sample:NXsample"``.
        keys : dict of str to str
            See :meth:`baseline_links`.
        absence : str
            What to note when there are none, see :meth:`missing_device`.

        Returns
        -------
        h5py.Group or None
            None when there are none.
        """
        links = self.baseline_links(keys)
        if not links:
            self.missing_device(absence)
            return None
        group = self.create_NX_group(parent, address)
        for name, item in links.items():
            link(group, name, item)
        return group

    def _write_title(self, entry: h5py.Group) -> None:
        self.write_field(entry, "title", self.get_sample_title())

    def _write_metadatum(self, group: h5py.Group, key: str, value: Any) -> None:
        name = member_name(str(key))
        if name in group:  # a start key called run_start_uid
            name = f"{name}_"
        if isinstance(value, (dict, list, tuple, set, frozenset)) or value is None:
            text = yaml_text(value, python_tuples=self.compat is not None)
            self.create_dataset(group, name, text, text_format="yaml")
        else:
            targeted(self.create_dataset(group, name, value))
