"""What an STXM run was asked to do: the typed form of ``start["metadata"]``."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .scan_types import scan_types

__all__ = ["Polarization", "Region", "RunIndex", "ScanAxis", "ScanRequest"]


@dataclass(frozen=True, eq=False)
class ScanAxis:
    """The set-points of one axis of a region.

    Parameters
    ----------
    positioner : str
        The name of what moves; empty when unknown.
    setpoints : numpy.ndarray
        (points,), float64, in the order of the scan; µm, and degrees for an angle.
    """

    positioner: str
    setpoints: np.ndarray

    def __len__(self) -> int:
        return len(self.setpoints)


@dataclass(frozen=True)
class Polarization:
    """A polarization that was asked for.

    Parameters
    ----------
    code : float
        As the acquisition program numbers it; see :mod:`adsupport.nxstxm.asked.polarization`.
    angle : float
        Of an inclined linear polarization, degrees.
    offset : float
        Of the undulator's gap, mm.
    """

    code: float
    angle: float = 0.0
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class Region:
    """A spatial region of a scan.

    Parameters
    ----------
    sp_id : int
        Its number.
    x, y : ScanAxis
        Fast and slow axis.  For scans along a line both have its points.
    zoneplate_z : ScanAxis or None
        For focus scans.
    theta : ScanAxis or None
        Of the goniometer; for tomography all its angles.
    energies : tuple of float
        Set-points of the photon energy, eV; empty when unknown.
    dwells : tuple of float
        Time at a point, s, for each energy; empty when it's the same for all.
    polarizations : tuple of Polarization
        Empty when unknown.
    """

    sp_id: int
    x: ScanAxis
    y: ScanAxis
    zoneplate_z: ScanAxis | None = None
    theta: ScanAxis | None = None
    energies: tuple[float, ...] = ()
    dwells: tuple[float, ...] = ()
    polarizations: tuple[Polarization, ...] = ()


@dataclass(frozen=True)
class RunIndex:
    """Where a run's data belong in its set.

    Parameters
    ----------
    entry : str
        Name of the NXentry.
    sp_id : int
        Number of its region.
    e_idx, pol_idx, sp_idx : int
        From 0: which energy, polarization and region.
    rotation_angle : float or None
        Of the sample, degrees.
    """

    entry: str
    sp_id: int
    e_idx: int = 0
    pol_idx: int = 0
    sp_idx: int = 0
    rotation_angle: float | None = None


@dataclass(frozen=True, eq=False)
class ScanRequest:
    """What a run was asked to do.

    Parameters
    ----------
    scan_type : scan_types
        The kind.
    regions : dict of int to Region
        By number, in the order in which their points take turns.
    dwell : float
        Time at a point, s.
    detectors : tuple of str
        Data keys of the counters, or beginnings of these.
    index : RunIndex
        Where the run's data belong.
    zone_plate : dict of str to float
        As the acquisition program gives it: ``fl``, ``zpD``, ``zpCStop``, ``zpOZone``, ``zpA1``.
    names : dict of str to str
        Data keys, or sources of these, by the names of devices.
    snaking : bool or None
        Whether every second line was scanned backwards; None when not told.
    sequence : tuple of RunIndex
        Of all runs of the set; empty when not told.
    text : str
        The metadata as JSON text.
    polarization_codes : dict of float to str
        What the numbers of polarizations mean, by the names of
        :data:`~adsupport.nxstxm.asked.polarization.NAMES`.
    """

    scan_type: scan_types
    regions: dict[int, Region]
    dwell: float
    detectors: tuple[str, ...]
    index: RunIndex
    zone_plate: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    snaking: bool | None = None
    sequence: tuple[RunIndex, ...] = ()
    text: str = ""
    polarization_codes: dict[float, str] = field(default_factory=dict)

    @property
    def region(self) -> Region:
        """The run's own region; of point spectra the first."""
        return self.regions[self.index.sp_id]
