"""Find the boot files and examples that come with adsupport."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["boot_file", "example_file"]


def boot_file(name: str | os.PathLike[str]) -> Path:
    """Return the path of a boot file.

    Parameters
    ----------
    name : str or path
        ``"adsim"``, ``"gp"`` or ``"imaging_beamline"`` for the ones that come with adsupport, or
        a path to another.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    return _shipped_file("iocs", name, "'adsim', 'gp', 'imaging_beamline'")


def example_file(name: str | os.PathLike[str]) -> Path:
    """Return the path of an example that comes with adsupport.

    Parameters
    ----------
    name : str or path
        Its name, such as ``"01_custom_file_name"``, or a path to another.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    return _shipped_file("examples", name, "'01_custom_file_name', '02_scan_random_numbers'")


def _shipped_file(folder: str, name: str | os.PathLike[str], known: str) -> Path:
    package = Path(__file__).resolve().parent
    if os.fspath(name).endswith(".py"):
        candidates = [Path(name)]
    else:  # beside the package in a checkout, inside it in an installed wheel
        candidates = [place / folder / f"{name}.py" for place in (package.parent, package)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"No {str(name)!r} among the {folder}, looked for "
        + ", ".join(str(candidate) for candidate in candidates)
        + f". Expected {known} or the path of a .py file."
    )
