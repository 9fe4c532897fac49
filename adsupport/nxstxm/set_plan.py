"""Which runs make which entry, and what is missing: found before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import StxmDataError
from ..wording import counted
from .layout import LAYOUTS, Layout
from .part_points import PartPoints
from .part_reader import PartReader
from .request import Region, RunIndex, ScanRequest
from .scan_types import scan_types

__all__ = ["ColumnAbout", "EntryPlan", "PartAbout", "plan_entries", "runs_of_set"]

_MOST_LISTED = 12


class ColumnAbout(NamedTuple):
    """What a column of a run has.

    Parameters
    ----------
    dtype : numpy.dtype
        Of its values.
    shape : tuple of int
        Of a point's value.
    units : str
        As the descriptor has it.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    units: str


@dataclass(frozen=True, eq=False)
class PartAbout:
    """What there is in a part, without its values.

    Parameters
    ----------
    path : pathlib.Path
        The part.
    uid : str
        Of its run.
    begun, ended : float
        When, in seconds since 1970; the end is that of the last event if no document tells it.
    exit_status : str
        See :attr:`adsupport.documents.run.Run.exit_status`.
    request : ScanRequest
        What was asked for.
    shape : tuple of int
        Of the run's grid.
    points : tuple of int
        How many there are; of regions that take turns, for each.
    is_whole : bool
        Whether all points of the grid are there.
    counters : tuple of str
        Data keys of what was counted.
    columns : dict of str to ColumnAbout
        Those that have a value for each point.
    problems : tuple of str
        What was wrong with the run's documents.
    """

    path: Path
    uid: str
    begun: float
    ended: float
    exit_status: str
    request: ScanRequest
    shape: tuple[int, int]
    points: tuple[int, ...]
    is_whole: bool
    counters: tuple[str, ...]
    columns: dict[str, ColumnAbout] = field(repr=False)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> PartAbout:
        """Look at a part.

        Parameters
        ----------
        path : pathlib.Path
            The part.

        Returns
        -------
        PartAbout
            What it has.

        Raises
        ------
        StxmDataError, StxmMetadataError
            See :class:`PartReader` and :class:`PartPoints`.
        """
        with PartReader(path) as part:
            points, run = PartPoints(part), part.run
            times = np.empty(0) if part.primary is None else part.primary.times
            ended = run.stop_time or (float(times[-1]) if len(times) else run.time)
            return cls(
                path, run.uid, run.time, ended, run.exit_status, part.request, points.shape,
                points.by_turn(), points.is_whole, tuple(points.counters),
                {
                    key: ColumnAbout(each.dataset.dtype, points.point_shape(each), each.units)
                    for key, each in points.columns.items()
                    if points.fits(each)
                },
                tuple(part.problems),
            )  # fmt: skip


@dataclass(eq=False)
class EntryPlan:
    """An entry that is to be written.

    Parameters
    ----------
    name : str
        Its name.
    sp_id : int
        Number of its region.
    parts : list of PartAbout
        Its runs, in the order of time.
    turn : int or None
        Which of the regions that take turns.
    """

    name: str
    sp_id: int
    parts: list[PartAbout]
    turn: int | None = None

    @property
    def request(self) -> ScanRequest:
        """What its first run was asked for."""
        return self.parts[0].request

    @property
    def index(self) -> RunIndex:
        """Where its first run belongs."""
        return self.request.index

    @property
    def region(self) -> Region:
        """What was scanned."""
        return self.request.regions[self.sp_id]

    @property
    def layout(self) -> Layout:
        """How its data are laid out."""
        return LAYOUTS[self.request.scan_type]

    @property
    def energies(self) -> int:
        """How many photon energies it has."""
        if self.layout.is_stack:
            last = max(each.request.index.e_idx for each in self.parts)
            return max(len(self.region.energies), last + 1)
        return self.parts[0].shape[0] if self.layout.slow == "energy" else 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its data on the grid."""
        slow, fast = self.parts[0].shape
        match self.layout.dimensions:
            case ("energy", "y", "x"):
                return (self.energies, slow, fast)
            case ("energy",):
                return (slow,)
            case ("x",):
                return (fast,)
        return (slow, fast)

    @property
    def points(self) -> int:
        """How many points were measured."""
        return sum(each.points[self.turn or 0] for each in self.parts)

    @property
    def bytes(self) -> int:
        """How many bytes its counters' data and the ring current take."""
        places = math.prod(self.shape)
        sizes = [
            math.prod(each.shape) * each.dtype.itemsize for each in map(self.column, self.counters)
        ]
        return 8 * places * (1 + len(sizes)) + self.points * sum(sizes)

    @property
    def is_whole(self) -> bool:
        """Whether every place of the grid was measured."""
        runs = self.energies if self.layout.is_stack else 1
        return len(self.parts) == runs and all(each.is_whole for each in self.parts)

    @property
    def counters(self) -> list[str]:
        """Data keys of what was counted, in any run."""
        return list(dict.fromkeys(key for each in self.parts for key in each.counters))

    def column(self, key: str) -> ColumnAbout:
        """Tell what holds the values of all runs.

        Parameters
        ----------
        key : str
            The data key.

        Returns
        -------
        ColumnAbout
            The widest dtype.

        Raises
        ------
        StxmDataError
            The runs have different shapes.
        """
        found = [each.columns[key] for each in self.parts if key in each.columns]
        shapes = {each.shape for each in found}
        if len(shapes) > 1:
            raise StxmDataError(
                f"{key!r} has values of different shapes in the runs of {self.name}: "
                f"{', '.join(map(str, sorted(shapes)))}.",
                remedy="Leave the runs out that don't belong to the others.",
            )
        dtype = np.result_type(*(each.dtype for each in found))
        return ColumnAbout(dtype, found[0].shape, found[0].units)


def plan_entries(parts: Iterable[PartAbout]) -> tuple[list[EntryPlan], list[str], list[str]]:
    """Put runs together to entries.

    Parameters
    ----------
    parts : iterable of PartAbout
        All runs of the file, at least one.

    Returns
    -------
    entries : list of EntryPlan
        In the order of regions, polarizations, angles.
    missing : list of str
        What isn't there and should be, a phrase each.
    remarks : list of str
        What was left out, in sentences.

    Raises
    ------
    StxmDataError
        The runs don't belong together.
    """
    remarks: list[str] = []
    given = sorted(parts, key=lambda each: each.begun)
    _check_types(given)
    latest: dict[tuple[str, int], PartAbout] = {}
    for each in given:
        place = (each.request.index.entry, each.request.index.e_idx)
        other = latest.get(place)
        if other is not None:
            each, left = _better(other, each)
            remarks.append(
                f"Runs {left.uid} and {each.uid} are both energy {place[1]} of {place[0]}: the "
                f"first ({left.exit_status}) is left out."
            )
        latest[place] = each
    by_entry: dict[str, list[PartAbout]] = {}
    for each in sorted(latest.values(), key=lambda each: each.begun):
        by_entry.setdefault(each.request.index.entry, []).append(each)
    entries: list[EntryPlan] = []
    for name, found in by_entry.items():
        _check_shapes(name, found)
        entries += _entries(name, found)
    _check_names(entries)
    entries.sort(key=lambda each: (each.sp_id, each.index.pol_idx, _angle(each.index), each.name))
    return entries, _missing(given[0], list(latest.values())), remarks


def runs_of_set(request: ScanRequest) -> int | None:
    """Tell how many runs make a file.

    Parameters
    ----------
    request : ScanRequest
        What one of them was asked for.

    Returns
    -------
    int or None
        None when its metadata don't tell.
    """
    if not LAYOUTS[request.scan_type].is_stack:
        return 1
    if request.sequence:
        return len(request.sequence)
    counts = [
        len(each.energies) * max(1, len(each.polarizations)) * _angles(request, each)
        for each in request.regions.values()
    ]
    return sum(counts) if all(counts) else None


def _angles(request: ScanRequest, region: Region) -> int:
    """Tell how many angles a region has; 1 unless it's tomography that tells them."""
    if request.scan_type != scan_types.TOMOGRAPHY_SCAN or region.theta is None:
        return 1
    return max(1, len(region.theta))


def _entries(name: str, parts: list[PartAbout]) -> list[EntryPlan]:
    request = parts[0].request
    if not LAYOUTS[request.scan_type].takes_turns:
        return [EntryPlan(name, request.index.sp_id, parts)]
    # A polarization has a run to itself: those behind the first need names of their own.
    suffix = f"_pol{request.index.pol_idx}" if request.index.pol_idx else ""
    return [
        EntryPlan(f"entry{sp_id}{suffix}", sp_id, parts, turn)
        for turn, sp_id in enumerate(request.regions)
    ]


def _better(first: PartAbout, second: PartAbout) -> tuple[PartAbout, PartAbout]:
    """Choose between two runs for one place: the whole one, of two such the later."""
    return (first, second) if first.is_whole and not second.is_whole else (second, first)


def _check_types(parts: Sequence[PartAbout]) -> None:
    types = {each.request.scan_type: each for each in parts}
    if len(types) > 1:
        told = "; ".join(f"{each.uid}: {kind.name}" for kind, each in types.items())
        raise StxmDataError(
            f"Runs of different kinds of scans can't be in one file: {told}.",
            remedy="Export them with other file prefixes.",
        )
    kind = next(iter(types))
    entries = {each.request.index.entry for each in parts}
    if not LAYOUTS[kind].is_stack and len(entries) < len({each.uid for each in parts}):
        told = ", ".join(each.uid for each in parts)
        raise StxmDataError(
            f"A {kind.name} is one run, and {counted(len(parts), 'run')} came for entry "
            f"{', '.join(sorted(entries))}: {told}.",
            remedy="Export each with a file prefix of its own, or give them different entry names.",
        )


def _check_shapes(name: str, parts: Sequence[PartAbout]) -> None:
    shapes = {each.shape: each for each in parts}
    if len(shapes) > 1:
        told = "; ".join(f"{each.uid}: {shape[0]} x {shape[1]}" for shape, each in shapes.items())
        raise StxmDataError(
            f"The images of {name} differ in size: {told}.",
            remedy="Each region needs an entry of its own, in img_idx_map['entry'].",
        )
    regions = {each.request.index.sp_id for each in parts}
    if len(regions) > 1:
        raise StxmDataError(
            f"Regions {', '.join(map(str, sorted(regions)))} are all in {name}.",
            remedy="Each region needs an entry of its own, in img_idx_map['entry'].",
        )


def _check_names(entries: Sequence[EntryPlan]) -> None:
    names = [each.name for each in entries]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise StxmDataError(
            f"Several runs make an entry {', '.join(sorted(twice))}.",
            remedy="Give each polarization a pol_idx of its own in img_idx_map.",
        )


def _angle(index: RunIndex) -> float:
    return index.rotation_angle or 0.0


def _missing(first: PartAbout, parts: Sequence[PartAbout]) -> list[str]:
    """Tell what hasn't come, by what the first run says of the whole set."""
    request = first.request
    layout = LAYOUTS[request.scan_type]
    if not layout.is_stack:
        return []
    here = {(each.request.index.entry, each.request.index.e_idx) for each in parts}
    if request.sequence:
        wanted = {(each.entry, each.e_idx) for each in request.sequence}
        return _images_of(wanted - here)
    missing = _images_of(
        {
            (each.request.index.entry, e_idx)
            for each in parts
            for e_idx in range(len(each.request.region.energies))
        }
        - here
    )
    for sp_id, region in request.regions.items():
        for pol_idx in range(max(1, len(region.polarizations))):
            own = {
                each.request.index.entry
                for each in parts
                if (each.request.index.sp_id, each.request.index.pol_idx) == (sp_id, pol_idx)
            }
            angles = _angles(request, region)
            if len(own) < angles:
                which = f"region {sp_id}, polarization {pol_idx}"
                missing.append(
                    f"all of {which}" if angles == 1 or not own
                    else f"{angles - len(own)} of {angles} angles of {which}"
                )  # fmt: skip
    return missing


def _images_of(places: set[tuple[str, int]]) -> list[str]:
    found: dict[str, list[int]] = {}
    for entry, e_idx in sorted(places):
        found.setdefault(entry, []).append(e_idx)
    return [
        f"{counted(len(each), 'image')} of {entry}: e_idx "
        f"{', '.join(map(str, each[:_MOST_LISTED]))}{' ...' if len(each) > _MOST_LISTED else ''}"
        for entry, each in found.items()
    ]
