"""How the data of each kind of scan are laid out: in a run, and in its NXdata group.

Source of labels and axes: the NeXus definition NXstxm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .request import Region, ScanRequest
from .scan_types import scan_types

__all__ = ["LAYOUTS", "Layout", "Role", "field_name"]

#: What a dimension is: photon energy, zone plate's z, slow and fast axis, a line in the plane,
#: or the regions that take turns.
Role = Literal["energy", "z", "y", "x", "line", "turn"]


@dataclass(frozen=True)
class Layout:
    """The shape of a kind of scan.

    Parameters
    ----------
    label : str
        Its ``stxm_scan_type``.
    dimensions : tuple of str
        Roles of the dimensions of NXdata's data.
    slow, fast : str
        Roles of the dimensions in which a single run's points come.
    plane : str
        What moves in the plane: ``"sample"``, ``"osa"`` or ``"detector"``.
    """

    label: str
    dimensions: tuple[Role, ...]
    slow: Role
    fast: Role
    plane: str = "sample"

    @property
    def is_stack(self) -> bool:
        """Whether each run is an image at one energy, of several."""
        return self.dimensions == ("energy", "y", "x")

    @property
    def takes_turns(self) -> bool:
        """Whether each region of a run has an entry to itself."""
        return self.fast == "turn"

    def names(self, region: Region) -> tuple[str, ...]:
        """Name the axes of NXdata.

        Parameters
        ----------
        region : Region
            What was scanned.

        Returns
        -------
        tuple of str
            One for each dimension.
        """
        if self.dimensions == ("x",):
            return (field_name(region.x.positioner.lower()) if region.x.positioner else "position",)
        names: dict[str, str] = {
            "energy": "energy",
            "z": "zoneplate_z",
            "line": "line_position",
            "x": f"{self.plane}_x",
            "y": f"{self.plane}_y",
        }
        return tuple(names[role] for role in self.dimensions)

    def size(self, role: Role, request: ScanRequest, region: Region) -> int | None:
        """Tell how many points a run has along a dimension.

        Parameters
        ----------
        role : str
            The dimension.
        request : ScanRequest
            What was asked for.
        region : Region
            The region.

        Returns
        -------
        int or None
            None when it wasn't told.
        """
        match role:
            case "energy":
                return len(region.energies) or None
            case "z":
                return None if region.zoneplate_z is None else len(region.zoneplate_z)
            case "line":
                return max(len(region.x), len(region.y))
            case "turn":
                return len(request.regions)
            case "y":
                return 1 if self.dimensions == ("x",) else len(region.y)
        return len(region.x)


def field_name(name: str) -> str:
    """Make the name of a field or group of a device's name or data key.

    Parameters
    ----------
    name : str
        Such as ``"Coarse.X"``.

    Returns
    -------
    str
        Such as ``"Coarse_X"``: letters, digits and underscores, which is what NeXus recommends.
    """
    found = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return found if re.match("[A-Za-z_]", found) else f"_{found}"


_IMAGE: tuple[Role, ...] = ("y", "x")
_STACK: tuple[Role, ...] = ("energy", "y", "x")
_SAMPLE_IMAGE = Layout("sample image", _IMAGE, "y", "x")
_SAMPLE_STACK = Layout("sample image stack", _STACK, "y", "x")

#: By kind of scan.
LAYOUTS: dict[scan_types, Layout] = {
    scan_types.DETECTOR_IMAGE: Layout("detector image", _IMAGE, "y", "x", "detector"),
    scan_types.OSA_IMAGE: Layout("osa image", _IMAGE, "y", "x", "osa"),
    scan_types.OSA_FOCUS: Layout("osa focus", ("z", "line"), "z", "line", "osa"),
    scan_types.SAMPLE_FOCUS: Layout("sample focus", ("z", "line"), "z", "line"),
    scan_types.SAMPLE_POINT_SPECTRA: Layout("sample point spectrum", ("energy",), "energy", "turn"),
    scan_types.SAMPLE_LINE_SPECTRA: Layout(
        "sample line spectrum", ("energy", "line"), "energy", "line"
    ),
    scan_types.SAMPLE_IMAGE: _SAMPLE_IMAGE,
    scan_types.SAMPLE_IMAGE_STACK: _SAMPLE_STACK,
    scan_types.GENERIC_SCAN: Layout("generic scan", ("x",), "y", "x"),
    scan_types.COARSE_IMAGE_SCAN: _SAMPLE_IMAGE,
    scan_types.COARSE_GONI_SCAN: _SAMPLE_IMAGE,
    scan_types.TOMOGRAPHY_SCAN: _SAMPLE_STACK,
    scan_types.PATTERN_GEN_SCAN: Layout("generic scan", _IMAGE, "y", "x"),
    scan_types.PTYCHOGRAPHY: _SAMPLE_STACK,
}
