"""NeXus files of the Advanced Photon Source."""

from __future__ import annotations

import h5py

from .nx_group import link
from .writer import NXWriter

__all__ = ["NXWriterAPS"]

_UNDULATOR_KEYS = (
    "device",
    "location",
    "energy",
    "energy_taper",
    "gap",
    "gap_taper",
    "harmonic_value",
    "total_power",
    "version",
)


class NXWriterAPS(NXWriter):
    """Write a NeXus file for each run, with the ring and the undulator of the APS.

    These come from the baseline: ``aps_current``, ``aps_fill_number``, ``aps_aps_cycle`` and
    ``undulator_downstream_*``.  See :class:`~.writer.NXWriter` for all else.
    """

    expects_aps_baseline = True

    def write_instrument(self, parent: h5py.Group) -> h5py.Group:
        """Write ``instrument:NXinstrument``, with the undulator.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry``.

        Returns
        -------
        h5py.Group
            The group.
        """
        instrument = super().write_instrument(parent)
        self.attempt(self.write_undulator, instrument)
        return instrument

    def write_source(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``source:NXsource``: the ring, its current, fill and cycle.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            None when the baseline has nothing of the ring.
        """
        group = self.link_baseline(
            parent,
            "source:NXsource",
            {"current": "aps_current", "fill_number": "aps_fill_number"},
            "The baseline has no aps_current or aps_fill_number: no source.",
        )
        if group is None:
            return None
        self._source(parent, "Advanced Photon Source", "APS")
        group["energy"] = 6
        group["energy"].attrs["units"] = "GeV"
        for name, item in self.baseline_links({"cycle": "aps_aps_cycle"}).items():
            link(group, name, item)
        return group

    def write_undulator(self, parent: h5py.Group) -> h5py.Group | None:
        """Write ``undulator:NXinsertion_device`` from ``undulator_downstream_*``.

        Parameters
        ----------
        parent : h5py.Group
            ``/entry/instrument``.

        Returns
        -------
        h5py.Group or None
            None when the baseline has nothing of an undulator.
        """
        group = self.link_baseline(
            parent,
            "undulator:NXinsertion_device",
            {key: f"undulator_downstream_{key}" for key in _UNDULATOR_KEYS},
            "The baseline has no undulator_downstream_*: no undulator.",
        )
        if group is not None:
            group["type"] = "undulator"
        return group
