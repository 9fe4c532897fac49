"""Prints a Markdown table: files of each kind of STXM scan, and what each judge says of them.

``python -m tests.judges.verdicts``, with ``ADSUPPORT_PYNXTOOLS`` set to have pynxtools' verdict.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from adsupport.nxstxm import scan_types

from ..unit.nxstxm.stxm_runs import runs
from ..unit.nxstxm.test_scan_types import SCANS, exported
from . import nxvalidate_judge, pynxtools_judge
from .nxdl_rules import children_of
from .nxstxm_rules import violations
from .stxm_readers import als_like, default_plot, mantis_like

__all__ = ["JUDGES", "Shown", "readers_of", "shown", "table"]

#: Each gives its complaints of a file.
JUDGES: dict[str, Callable[[Path], list[str]]] = {
    "own rules": violations,
    "nxvalidate": lambda path: (
        nxvalidate_judge.judge_file(path).all + nxvalidate_judge.judge_application(path).all
    ),
}
HEAD = ["scan type", "`stxm_scan_type`", "entries", "`@axes`", "shape", *JUDGES, "pynxtools"]


@dataclass(frozen=True)
class Shown:
    """What is plotted of a file's first entry."""

    entries: int
    scan_type: str
    axes: list[str]
    shape: tuple[int, ...]


def shown(path: Path) -> Shown:
    """Look what a file has for viewers."""
    with h5py.File(path) as opened:
        file: Any = opened
        entry = file[file.attrs["default"]]
        plot = entry[entry.attrs["default"]]
        return Shown(
            entries=len(children_of(opened, "NXentry")),
            scan_type=plot["stxm_scan_type"][0].decode(),
            axes=[name.decode() for name in plot.attrs["axes"]],
            shape=plot[plot.attrs["signal"]].shape,
        )


def readers_of(path: Path) -> list[str]:
    """Tell which programs could show a file, by readers that do as they do."""
    with h5py.File(path) as opened:
        file: Any = opened
        entry = str(file.attrs["default"])
        counter = str(file[entry].attrs["default"])
    able = []
    for name, read in (
        ("MANTiS", lambda: mantis_like(path)),
        ("pystxmcontrol", lambda: als_like(path, entry, counter)),
        ("silx, NeXpy", lambda: default_plot(path)),
    ):
        try:
            read()
        except ValueError:  # it can't show such a scan
            continue
        able.append(name)
    return able


def table(directory: Path) -> str:
    """Write a file of each kind of scan and judge it."""
    paths = {}
    for kind in SCANS:
        place = directory / str(int(kind))
        place.mkdir()
        paths[kind] = exported(place, runs(SCANS[kind]))
    strict = os.environ.get(pynxtools_judge.VARIABLE)
    found = pynxtools_judge.judge(*paths.values()) if strict else {}
    rows = [HEAD + ["shown by"]]
    rows.append(["---"] * len(rows[0]))
    for kind, path in paths.items():
        look = shown(path)
        verdicts = [_verdict(judge(path)) for judge in JUDGES.values()]
        verdicts.append(_verdict(found[str(path)]) if strict else "not asked")
        rows.append(
            [
                f"{int(kind)} `{scan_types(kind).name}`",
                look.scan_type,
                str(look.entries),
                ", ".join(look.axes),
                " × ".join(map(str, look.shape)),
                *verdicts,
                ", ".join(readers_of(path)) or "–",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _verdict(complaints: list[str]) -> str:
    return f"{len(complaints)} complaints" if complaints else "valid"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(table(Path(made)))
