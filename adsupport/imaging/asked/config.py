"""What an experiment is asked to do: checked when it's made, and part of the run's metadata."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ...errors import ConfigurationError
from ..motion.angles import equal_angles
from .arguments import finite, positive, whole, yes_or_no
from .given import listed

__all__ = ["ImagingConfig", "RadiographyConfig", "TomographyConfig"]

#: Streams of an imaging experiment.
STREAMS = ("darks", "flats", "primary")


@dataclass(frozen=True)
class ImagingConfig:
    """What all imaging experiments are asked for.

    Parameters
    ----------
    exposure : float
        Of a frame, in seconds.
    period : float
        From frame to frame, in seconds; 0 is as fast as the camera goes.
    darks, flats : int
        Frames of each kind, each time they're taken; with 0 they're left out.
    flat_exposure : float, optional
        Exposure of flats, in seconds, if it's another one.
    order : sequence of str
        Of ``"darks"``, ``"flats"`` and ``"primary"``: which comes when; each may come again.

    Raises
    ------
    ConfigurationError
        A value can't be; the message names it.
    """

    exposure: float
    period: float = 0.0
    darks: int = 20
    flats: int = 20
    flat_exposure: float | None = None
    order: Sequence[str] = STREAMS

    def __post_init__(self) -> None:
        self._set("exposure", positive("exposure", self.exposure, "s"))
        self._set("period", positive("period", self.period, "s", zero=True))
        self._set("darks", whole("darks", self.darks, 0))
        self._set("flats", whole("flats", self.flats, 0))
        if self.flat_exposure is not None:
            self._set("flat_exposure", positive("flat_exposure", self.flat_exposure, "s"))
        for name in ("exposure", "flat_exposure"):
            value = getattr(self, name)
            if self.period and value is not None and value > self.period:
                raise ConfigurationError(
                    f"{name}={value:g} s is longer than period={self.period:g} s",
                    remedy="Expose shorter, or give a longer period; 0 is as fast as can be.",
                )
        order = tuple(listed("order", self.order, "streams"))
        unknown = [each for each in order if each not in STREAMS]
        if unknown or "primary" not in order:
            what = f"has {unknown[0]!r}" if unknown else "has no 'primary'"
            raise ConfigurationError(
                f"order={list(order)} {what}", remedy=f"expected any of {', '.join(STREAMS)}."
            )
        self._set("order", order)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def steps(self) -> tuple[str, ...]:
        """The order without what has no frames."""
        left_out = {name for name in ("darks", "flats") if not getattr(self, name)}
        return tuple(each for each in self.order if each not in left_out)

    def metadata(self) -> dict[str, Any]:
        """Write it for a start document.

        Returns
        -------
        dict
            By field, plain values.
        """
        found = dataclasses.asdict(self)
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in found.items()
            if value is not None
        }


@dataclass(frozen=True)
class RadiographyConfig(ImagingConfig):
    """Radiographs of a sample that stands still.

    Parameters
    ----------
    projections : int
        Frames of the sample.
    exposure, period, darks, flats, flat_exposure, order
        See :class:`ImagingConfig`.
    """

    projections: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("projections", whole("projections", self.projections, 1))


@dataclass(frozen=True)
class TomographyConfig(ImagingConfig):
    """Projections at many angles.

    Parameters
    ----------
    projections : int
        Angles; with ``angles`` their number, which may be left out.
    angular_range : float
        Over which they're spread evenly without its end, in degrees; negative turns backwards.
    start_angle : float
        The first, in degrees.
    angles : sequence of float, optional
        All angles, in degrees, in the order in which they're to be taken; only for ``"step"``.
    mode : str
        ``"step"`` stands still for each projection; ``"fly"`` turns at constant speed.
    flats_every : int, optional
        Flats also between so many projections each, besides those of ``order``, if that has any;
        only for ``"step"``.
    return_to_start : bool
        Whether the motors go back in the end, on every way out, to where they were before the
        experiment; else they stay where the last frame was taken.  tomoscan's ``ReturnRotation``.
    exposure, period, darks, flats, flat_exposure, order
        See :class:`ImagingConfig`.
    """

    projections: int | None = None
    angular_range: float = 180.0
    start_angle: float = 0.0
    angles: Sequence[float] | None = None
    mode: Literal["step", "fly"] = "step"
    flats_every: int | None = None
    return_to_start: bool = False

    MODES: ClassVar[tuple[str, ...]] = ("step", "fly")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.mode, str) or self.mode not in self.MODES:
            raise ConfigurationError(f"mode={self.mode!r}: expected 'step' or 'fly'.")
        self._set("return_to_start", yes_or_no("return_to_start", self.return_to_start))
        self._set("angular_range", finite("angular_range", self.angular_range, "degrees"))
        self._set("start_angle", finite("start_angle", self.start_angle, "degrees"))
        if self.angles is not None:
            angles = tuple(
                finite(f"angles[{index}]", each, "degrees")
                for index, each in enumerate(listed("angles", self.angles, "numbers in degrees"))
            )
            if not angles or self.projections not in (None, len(angles)):
                raise ConfigurationError(
                    f"angles has {len(angles)} values, and projections is {self.projections}",
                    remedy="Leave projections out, or make both the same, and at least 1.",
                )
            self._set("angles", angles)
            self._set("projections", len(angles))
        self._set("projections", whole("projections", self.projections, 1))
        if self.flats_every is not None:
            self._set("flats_every", whole("flats_every", self.flats_every, 1))
            if not self.flats:
                raise ConfigurationError(
                    f"flats_every={self.flats_every} and flats=0: there would be none",
                    remedy="Leave flats_every out, or tell by flats how many each time.",
                )
        if self.mode == "fly" and not self.period:
            raise ConfigurationError(
                "mode='fly' needs the period: it tells how fast to turn",
                remedy="Give the time from frame to frame in seconds, as long as the camera needs.",
            )
        for name in ("angles", "flats_every"):
            if self.mode == "fly" and getattr(self, name) is not None:
                raise ConfigurationError(
                    f"{name} can't be had with mode='fly': the rotation doesn't stop",
                    remedy="Leave it out, or take mode='step'.",
                )
        if not self.angular_range and self.angles is None:
            raise ConfigurationError("angular_range is 0: expected an angle, such as 180.")

    @property
    def count(self) -> int:
        """How many projections there are."""
        return int(self.projections or 0)

    @property
    def set_points(self) -> list[float]:
        """The angles, in degrees, in the order in which they're taken."""
        if self.angles is not None:
            return list(self.angles)
        return equal_angles(self.count, self.angular_range, self.start_angle).tolist()
