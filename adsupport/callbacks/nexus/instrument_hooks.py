"""The instrument: bluesky's own data, detectors, positioners, source and optics."""

from __future__ import annotations

from typing import Any

import h5py

from ..output.hdf5_values import member_name, write_attribute
from .entry_hooks import EntryHooks
from .nx_group import link, text_in

__all__ = ["InstrumentHooks"]

#: NXdetector's fields, by what devices call their settings; the first one that's there counts.
_DETECTOR_SETTINGS = {
    "count_time": (
        "cam_acquire_time",
        "acquire_time",
        "preset_time",
        "count_time",
        "exposure_time",
    ),
    "frame_time": ("cam_acquire_period", "acquire_period"),
    "serial_number": ("cam_serial_number", "serial_number"),
}
#: NXpositioner's fields, likewise.
_POSITIONER_SETTINGS = {
    "velocity": ("velocity",),
    "acceleration_time": ("acceleration", "acceleration_time"),
    "tolerance": ("tolerance",),
}
_SET_POINTS = ("_user_setpoint", "_setpoint", "_readback_setpoint")
_SECONDS = ("count_time", "frame_time", "acceleration_time")


class InstrumentHooks(EntryHooks):
    """Hooks of the instrument."""

    @property
    def container_class(self) -> str:
        """Class of the groups of all detectors and all positioners.

        apstools has NXnote, in which NeXus allows neither.
        """
        return "NXcollection" if self.compat is None else "NXnote"

    def write_instrument(self, parent: h5py.Group) -> h5py.Group:
        """Write ``instrument:NXinstrument``, with all that bluesky recorded.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry``.

        Returns
        -------
        h5py.Group
            The group.
        """
        instrument = self.create_NX_group(parent, "instrument:NXinstrument")
        if self.instrument_name is not None:
            self.write_field(instrument, "name", self.instrument_name)
        bluesky = self.create_NX_group(instrument, "bluesky:NXnote")
        metadata = self.write_metadata(bluesky)
        self.write_streams(bluesky)
        self.attempt(self.write_configuration, bluesky)
        self.attempt(self.write_stop, bluesky)
        for name, key in (("uid", "run_start_uid"), ("plan_name", "plan_name")):
            item: Any = metadata.get(key)
            if item is not None:
                link(bluesky, name, item)
        if "primary" in self.streams:
            self.attempt(self.assign_signal_type)
        for hook in (
            self.write_slits,
            self.write_detector,
            self.write_monochromator,
            self.write_positioner,
            self.write_source,
        ):
            self.attempt(hook, instrument)
        return instrument

    def write_detector(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``detectors:NXcollection`` with an NXdetector for each detector's data key.

        ``data`` is the data key's group; ``description``, ``local_name`` (the device),
        ``count_time`` and the like come from the descriptor and the device's configuration.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            None when the run has no detectors.
        """
        group = None
        for key, column in self._of_type("detector").items():
            group = self.create_NX_group(parent, f"detectors:{self.container_class}")
            detector = self.create_NX_group(group, f"{member_name(key)}:NXdetector")
            link(detector, "data", column.group)
            device = column.column.object_name or key
            settings = self.configuration_of(device)
            maker = [
                settings[each] for each in ("cam_manufacturer", "cam_model") if each in settings
            ]
            described = " ".join(text_in(each) for each in maker) or column.column.source
            if described:
                self.write_field(detector, "description", described)
            self.write_field(detector, "local_name", device)
            self._settings(detector, settings, _DETECTOR_SETTINGS)
        return group

    def write_positioner(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``positioners:NXcollection`` with an NXpositioner for each motor's data key.

        ``value`` is the data key's group, ``target_value`` the set point; ``name``,
        ``description``, ``controller_record``, ``soft_limit_min`` and ``_max``, ``velocity``
        and ``acceleration_time`` come from the descriptor and the device's configuration.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            None when the run has no motors.
        """
        group = None
        for key, column in self._of_type("positioner").items():
            group = self.create_NX_group(parent, f"positioners:{self.container_class}")
            positioner = self.create_NX_group(group, f"{member_name(key)}:NXpositioner")
            link(positioner, "value", column.group)
            described = column.column
            device = described.object_name or key
            self.write_field(positioner, "name", device)
            if described.source:
                self.write_field(positioner, "description", described.source)
                pv = described.source.removeprefix("PV:")
                if pv != described.source:
                    self.write_field(positioner, "controller_record", pv)
            low, high = described.limits
            if low is not None and high is not None and low < high:
                for name, limit in (("soft_limit_min", low), ("soft_limit_max", high)):
                    write_attribute(
                        self.write_field(positioner, name, limit), "units", described.units
                    )
            for suffix in _SET_POINTS:
                target = self.root.get(f"{self.streams_address('primary', device + suffix)}/value")
                if target is not None:
                    link(positioner, "target_value", target)
                    break
            self._settings(positioner, self.configuration_of(device), _POSITIONER_SETTINGS)
        return group

    def write_source(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``source:NXsource``: a synchrotron of no name; override it for your own.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            The group.
        """
        return self._source(parent, "Bluesky framework", "bluesky")

    def write_monochromator(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``monochromator:NXmonochromator`` from ``monochromator_dcm_*`` of the baseline.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            None when the baseline has nothing of a monochromator.
        """
        keys = ("wavelength", "energy", "theta", "y_offset", "mode")
        group = self.link_baseline(
            parent,
            "monochromator:NXmonochromator",
            {key: f"monochromator_dcm_{key}" for key in keys},
            "The baseline has no monochromator_dcm_*: no monochromator.",
        )
        feedback = self.baseline_links({"feedback_on": "monochromator_feedback_on"})
        if group is not None and feedback:
            link(group, "feedback_on", feedback["feedback_on"])
        return group

    def write_slits(self, parent: h5py.Group) -> h5py.Group | None:
        """Write nothing: each instrument has slits of its own.  Override it for them.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            Yours.
        """
        return None

    def _of_type(self, kind: str) -> dict[str, Any]:
        primary = self._groups.get("primary")
        if primary is None:
            return {}
        return {
            key: column
            for key, column in primary.columns.items()
            if column.group.attrs.get("signal_type") == kind
        }

    def _settings(
        self,
        group: h5py.Group,
        settings: dict[str, h5py.Dataset],
        wanted: dict[str, tuple[str, ...]],
    ) -> None:
        for name, keys in wanted.items():
            found = next((settings[key] for key in keys if key in settings), None)
            if found is None or name in group:
                continue
            if "units" not in found.attrs and name in _SECONDS:
                found.attrs["units"] = "s"
            elif "units" not in found.attrs and "motor_egu" in settings:  # a motor record's
                write_attribute(found, "units", f"{text_in(settings['motor_egu'])}/s")
            link(group, name, found)

    def _source(self, parent: h5py.Group, name: str, short_name: str) -> h5py.Group:
        group = self.create_NX_group(parent, "source:NXsource")
        group["name"] = name
        group["name"].attrs["short_name"] = short_name
        group["type"] = "Synchrotron X-ray Source"
        group["probe"] = "x-ray"
        return group
