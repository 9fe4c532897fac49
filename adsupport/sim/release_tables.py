"""The record tables of a release of ADCore: newer records left out, changed ones as they were.

The tables in ``adsupport/sim/records`` are those of the newest known release. A table in
``records/before/R3-5`` redefines cells of the one with the same name for every release before
R3-5, and adds the records that R3-5 removed. Which records a release serves is told by
:mod:`adsupport.adcore`. Types, parameters and values of removed records are those of ADCore's
templates of that time (https://github.com/areaDetector/ADCore, ``ADApp/Db``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from adsupport.adcore import KNOWN_RELEASES, Release, records, templates
from adsupport.sim.table import RecordRow, merge_tables, record_names

OLDEST, NEWEST = KNOWN_RELEASES[0], KNOWN_RELEASES[-1]
"""The releases between which one can be served."""

_CHANGES = "before"
# these are in no list by themselves; what changed in them is read off a template made of them
_STAND_INS = {"NDPluginBase": "NDStdArrays", "NDArrayBase": "ADBase"}


class ReleaseTables:
    """Reads record tables as they are in a release.

    Parameters
    ----------
    release : Release or str
        From R2-6 to the newest known one; default: that one. One in between whose records aren't
        known has those of the known one before it.

    Attributes
    ----------
    release : Release
        The release.

    Raises
    ------
    ValueError
        The text is no release, or the release is older or newer than those known.
    """

    def __init__(self, release: Release | str = NEWEST) -> None:
        self.release = Release.parse(release) if isinstance(release, str) else release
        if not OLDEST <= self.release <= NEWEST:
            raise ValueError(
                f"ADCore {self.release} can't be simulated; expected a release from {OLDEST} to "
                f"{NEWEST}"
            )

    def read(
        self, names: Sequence[str], macros: Mapping[str, str]
    ) -> tuple[tuple[RecordRow, ...], tuple[RecordRow, ...]]:
        """Read tables, each laid over the ones before it.

        Parameters
        ----------
        names : sequence of str
            Table names, the most general first.
        macros : mapping of str to str
            Values of the instance's macros.

        Returns
        -------
        served : tuple of RecordRow
            The records that the release has.
        absent : tuple of RecordRow
            Those that it has not; a port may need their parameters and values all the same.

        Raises
        ------
        TableError
            See :func:`~adsupport.sim.table.merge_tables`.
        """
        if self.release == NEWEST:
            return merge_tables(*names, macros=macros), ()
        layers = [layer for name in names for layer in (name, *self._changes(name))]
        rows = merge_tables(*layers, macros=macros)
        template = _template(names)
        if template is None:
            return rows, ()
        missing = _listed(template) - records(template, self.release)
        if not self.has(names):
            missing |= {row.record for row in rows}
        served = (_linked(row, missing) for row in rows if row.record not in missing)
        return tuple(served), tuple(row for row in rows if row.record in missing)

    def has(self, names: Sequence[str]) -> bool:
        """Return whether the release has the template that tables make up.

        Parameters
        ----------
        names : sequence of str
            Table names, the most general first; without a list of its records, a template is
            taken to be in every release.
        """
        # the newest is known without reading lists
        template = None if self.release == NEWEST else _template(names)
        return template is None or bool(records(template, self.release))

    def has_record(self, names: Sequence[str], record: str) -> bool:
        """Return whether the release has a record in the template that tables make up.

        Parameters
        ----------
        names : sequence of str
            Table names, the most general first.
        record : str
            Name without prefix.
        """
        template = None if self.release == NEWEST else _template(names)
        present = record_names(*names) if template is None else records(template, self.release)
        return record in present

    def _changes(self, name: str) -> tuple[str, ...]:
        """Return the tables with what a table was before, the newest release first."""
        return tuple(
            f"{_CHANGES}/{before}/{name}"
            for before, changed in _changed_tables()
            if self.release < before and name in changed
        )


def _template(names: Sequence[str]) -> str | None:
    """Return the template whose list of records tells of tables: the most special one."""
    listed = [name for name in names if name in templates()]
    stand_ins = [template for base, template in _STAND_INS.items() if base in names]
    return listed[-1] if listed else next(iter(stand_ins), None)


@cache
def _listed(template: str) -> frozenset[str]:
    """Return the records that any release has in a template."""
    return frozenset().union(*(records(template, release) for release in KNOWN_RELEASES))


@cache
def _changed_tables() -> tuple[tuple[Release, frozenset[str]], ...]:
    """Return the releases that changed tables, the newest first, and these tables' names."""
    folder = resources.files("adsupport").joinpath("sim", "records", _CHANGES)
    changes = {
        Release.parse(entry.name): frozenset(
            table.name.removesuffix(".csv") for table in entry.iterdir()
        )
        for entry in folder.iterdir()
    }
    return tuple(sorted(changes.items(), reverse=True))


def _linked(row: RecordRow, missing: frozenset[str]) -> RecordRow:
    """Return a record without its forward link to one that isn't there."""
    target = row.flnk.partition(".")[0]
    return replace(row, flnk="") if target in missing else row
