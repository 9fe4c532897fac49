"""Makes the metadata that an STXM run has in its start document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from ...errors import StxmMetadataError
from .arguments import check_arguments
from .polarization import NAMES, PYSTXM_CODES
from .reading import read_metadata
from .request import Polarization, RunIndex
from .scan_types import stack_type_scans
from .tree import plain

__all__ = ["make_polarization", "make_sequence", "make_standard_metadata"]


def make_standard_metadata(
    entry_name: str,
    scan_type: int,
    primary_det: str | Sequence[str] = "counter0",
    *,
    rois: Mapping[int, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
    dwell: float,
    energies: Sequence[float] | np.ndarray = (),
    dwells: Sequence[float] | np.ndarray = (),
    polarizations: Sequence[Polarization] = (),
    index: RunIndex | None = None,
    sequence: Iterable[RunIndex] = (),
    rev_lu_dct: Mapping[str, str] | None = None,
    zp_def: Mapping[str, float] | None = None,
    rotation_angle: float | None = None,
    snaking: bool | None = None,
    polarization_codes: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Make the metadata of an STXM run, and check it.

    A run takes it as JSON text: ``RE(plan, metadata=json.dumps(make_standard_metadata(...)))``.

    Parameters
    ----------
    entry_name : str
        Name of the run's NXentry, such as ``"entry0"``; that of ``index`` counts where there is
        one.
    scan_type : int
        What is scanned, one of :class:`~adsupport.nxstxm.scan_types`.
    primary_det : str or sequence of str
        The data key of the counter, or the beginning of several; or a list of data keys.
    rois : mapping of int to dict, or sequence of dict
        The spatial regions of :func:`~adsupport.nxstxm.make_region`, by number or numbered from
        0; in the order in which the points of point spectra take turns.
    dwell : float
        Time at a point, ms.
    energies : sequence of float
        Set-points of the photon energy, eV, in the order of ``e_idx``.
    dwells : sequence of float
        Time at a point for each energy, ms, when it isn't the same for all.
    polarizations : sequence of Polarization
        Of :func:`make_polarization`, in the order of ``pol_idx``.
    index : RunIndex, optional
        Where the run belongs in its set; needed for image stacks and tomography.
    sequence : iterable of RunIndex
        The places of all runs of the set, from which it's known what is missing.
    rev_lu_dct : mapping of str to str, optional
        Data keys by the names of devices: ``ENERGY``, ``StorageRingCurrent``, and positioners
        that have other names in the events.
    zp_def : mapping of str to float, optional
        The zone plate: ``fl`` focal length, µm; ``zpD`` diameter, µm; ``zpCStop`` central stop,
        µm; ``zpOZone`` outermost zone, nm; ``zpA1`` focal length by energy, µm/eV.
    rotation_angle : float, optional
        Of the sample, degrees, when ``index`` has none.
    snaking : bool, optional
        Whether every second line is scanned backwards.
    polarization_codes : mapping of int to str, optional
        What the numbers of polarizations mean, by the names of :func:`make_polarization`, when
        they aren't those of pyStxm: 0 circular left, 1 circular right, 2 linear horizontal, 3
        and 4 linear vertical, 5 linear inclined.

    Returns
    -------
    dict
        What JSON has, and nothing else.

    Raises
    ------
    StxmMetadataError
        Something can't be used, or arguments contradict each other; the message names the keys.
    """
    if index is None and scan_type in stack_type_scans:
        raise StxmMetadataError(
            f"A scan of type {scan_type} has several runs, and index is missing, which tells where "
            "this one belongs.",
            remedy="Give index=each, for each of make_sequence(...).",
        )
    check_arguments(scan_type, primary_det, rois, energies, polarizations, rev_lu_dct, index)
    regions = rois if isinstance(rois, Mapping) else dict(enumerate(rois))
    metadata: dict[str, Any] = {
        "entry_name": entry_name if index is None else index.entry,
        "scan_type": int(scan_type) if isinstance(scan_type, int) else scan_type,
        "sp_id_lst": [*regions],
        "rois": {str(number): region for number, region in regions.items()},
        "dwell": dwell,
        "primary_det": primary_det,
        "zp_def": zp_def or {},
        "rev_lu_dct": rev_lu_dct or {},
    }
    single: dict[str, Any] = {
        "SP_ROIS": [{"ID_VAL": number} for number in regions],
        "POL_ROIS": [_pol_roi(each) for each in polarizations],
        "DWELL": dwells if len(dwells) else [dwell] * len(energies),
        "EV_ROIS": energies,
    }
    metadata["wdg_com"] = _text({"SINGLE_LST": single})
    own = index or RunIndex(entry_name, next(iter(regions), 0), rotation_angle=rotation_angle)
    metadata["img_idx_map"] = _text(_place(own))
    told = {
        "sequence_map": _sequence_text(tuple(sequence)),
        "rotation_angle": rotation_angle,
        "snaking": snaking,
        "polarization_codes": polarization_codes,
    }
    metadata |= {key: value for key, value in told.items() if value is not None}
    made = plain(metadata)
    _text(made)
    read_metadata(made, "Metadata of these arguments", "Change what is named.")
    return made


def make_sequence(
    sp_ids: Sequence[int],
    n_energies: int,
    n_polarizations: int = 1,
    angles: Sequence[float] = (),
) -> tuple[RunIndex, ...]:
    """List the runs of an image stack or a tomography, as acquisition programs order them.

    Angles are outermost, then polarizations, then energies; regions change fastest.  Each angle,
    polarization and region has an entry of its own.

    Parameters
    ----------
    sp_ids : sequence of int
        Numbers of the spatial regions.
    n_energies, n_polarizations : int
        How many.
    angles : sequence of float
        Of the sample, degrees; none when it isn't turned.

    Returns
    -------
    tuple of RunIndex
        One for each run: each is the ``index`` of a run, and all are its ``sequence``.
    """
    loops = product(
        enumerate(angles or (None,)), range(n_polarizations), range(n_energies), enumerate(sp_ids)
    )
    return tuple(
        RunIndex(
            entry=f"entry{(turn * n_polarizations + polarization) * len(sp_ids) + region}",
            sp_id=sp_id,
            e_idx=energy,
            pol_idx=polarization,
            sp_idx=region,
            rotation_angle=angle,
        )
        for (turn, angle), polarization, energy, (region, sp_id) in loops
    )


def make_polarization(name: str, angle: float = 0.0, offset: float = 0.0) -> Polarization:
    """Make a polarization by its name, with the number that pyStxm gives it.

    Parameters
    ----------
    name : str
        ``"circular left"``, ``"circular right"``, ``"linear horizontal"``, ``"linear vertical"``
        or ``"linear inclined"``.
    angle : float
        Of "linear inclined": from horizontal towards up, degrees.
    offset : float
        Of the undulator's gap, mm.

    Returns
    -------
    Polarization
        For ``polarizations`` of :func:`make_standard_metadata`.

    Raises
    ------
    StxmMetadataError
        The name isn't known.
    """
    for code, known in PYSTXM_CODES.items():
        if known == name:
            return Polarization(code, angle, offset)
    raise StxmMetadataError(f"A polarization is one of {', '.join(NAMES)}, not {name!r}.")


def _pol_roi(polarization: Polarization) -> dict[str, Any]:
    code = polarization.code
    return {
        "ID": "EPU_POL",
        "ID_VAL": -1,
        "POL": int(code) if float(code).is_integer() else code,
        "OFF": polarization.offset,
        "ANGLE": polarization.angle,
    }


def _place(index: RunIndex) -> dict[str, Any]:
    return {key: value for key, value in vars(index).items() if value is not None}


@lru_cache(maxsize=4)
def _sequence_text(sequence: tuple[RunIndex, ...]) -> str | None:
    """Write what all runs of a set say, and a tomography has thousands of."""
    places = {str(number): _place(each) for number, each in enumerate(sequence)}
    return _text(places) if places else None


def _text(value: Any) -> str:
    try:
        return json.dumps(plain(value), allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise StxmMetadataError(f"The metadata can't be written as JSON: {error}.") from None
