"""What addons read of an experiment's config in the metadata of its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError
from .arguments import positive

__all__ = ["flat_scale_of", "refuse_spiral"]


def flat_scale_of(md: Mapping[str, Any], given: float | None = None) -> float:
    """Tell by what flats are multiplied to be as those of the projections' exposure.

    Parameters
    ----------
    md : mapping of str to object
        The run's metadata: ``imaging`` is what the config of an experiment writes.
    given : float, optional
        What the user says, which counts.

    Returns
    -------
    float
        ``exposure / flat_exposure``; 1 when the run doesn't tell both.

    Raises
    ------
    ConfigurationError
        The user's isn't a number above 0.

    Notes
    -----
    Only what is above the dark is to be multiplied.  Darks have the exposure of projections: what
    they have more or less than darks of the flats' exposure, the dark current of the difference,
    is taken to be nothing.
    """
    if given is not None:
        return positive("flat_scale", given)
    config = md.get("imaging")
    if not isinstance(config, Mapping):
        return 1.0
    try:
        exposures = [positive(name, config[name], "s") for name in ("exposure", "flat_exposure")]
    except (KeyError, ConfigurationError):
        return 1.0
    return exposures[0] / exposures[1]


def refuse_spiral(md: Mapping[str, Any]) -> None:
    """Refuse to make slices of all projections of a spiral: each shows another height.

    Parameters
    ----------
    md : mapping of str to object
        The run's metadata.

    Raises
    ------
    ConfigurationError
        It's a spiral tomography.
    """
    config = md.get("imaging")
    if isinstance(config, Mapping) and config.get("experiment") == "spiral_tomography":
        raise ConfigurationError(
            "In a spiral tomography each projection shows another height of the sample: slices of "
            "all of them are of none.",
            remedy="Give window=180 for pictures of what goes by; afterwards collect a slice's "
            "rows by the heights in the documents.",
        )
