"""SPEC files as silx and spec2nexus read them."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from silx.io.specfile import SpecFile
from spec2nexus.spec import SpecDataFile


@dataclass
class Scan:
    """What a reader finds of a scan."""

    number: str
    command: str
    labels: list[str]
    columns: list[list[float]]
    arrays: list[list[float]]
    positions: dict[str, float]
    comments: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def column(self, label: str) -> list[float]:
        return self.columns[self.labels.index(label)]


def opened(reader: Any, path: Path) -> Any:
    """Open a file.  Both leave one open with which they look at its first lines."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return reader(str(path))


def by_silx(path: Path) -> list[Scan]:
    """Read with silx, in the order of the file."""
    file = opened(SpecFile, path)
    found = []
    for scan in file:
        columns = scan.data.tolist() if scan.data.size else [[] for _ in scan.labels]
        positions = dict(zip(scan.motor_names, list(scan.motor_positions), strict=False))
        found.append(
            Scan(
                f"{scan.number}.{scan.order}",
                scan.scan_header_dict["S"].partition("  ")[2],
                list(scan.labels),
                columns,
                [list(each) for each in scan.mca],
                positions,
                [each[3:] for each in scan.scan_header if each.startswith("#C ")],
            )
        )
    return found


def by_spec2nexus(path: Path) -> list[Scan]:
    """Read with spec2nexus, in the order of the file."""
    logging.getLogger("spec2nexus").setLevel(logging.ERROR)
    file = opened(SpecDataFile, path)
    found = []
    for scan in file.scans.values():
        scan.interpret()
        data = dict(scan.data)
        arrays: dict[str, Any] = data.pop("_mca_", {})
        labels = [each for each in scan.L if each]
        found.append(
            Scan(
                scan.scanNum,
                scan.scanCmd,
                labels,
                [data.get(each, []) for each in labels],
                arrays.get("mca", []),
                dict(scan.positioner),
                list(scan.comments),
                getattr(scan, "MD", {}),
                getattr(scan, "U", []),
            )
        )
    return found


def both(path: Path) -> list[Scan]:
    """Read with both, which must agree; return what spec2nexus found."""
    ours, theirs = by_spec2nexus(path), by_silx(path)
    assert [each.labels for each in ours] == [each.labels for each in theirs]
    assert [each.columns for each in ours] == [each.columns for each in theirs]
    assert [each.arrays for each in ours] == [each.arrays for each in theirs]
    assert [each.positions for each in ours] == [each.positions for each in theirs]
    return ours
