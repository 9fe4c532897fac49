"""What a fault is: a name, a target, typed parameters; it is attached to an IOC until it ends."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""How a switch is written on a command line."""


class FaultError(ValueError):
    """A fault that does not exist, or that this IOC can't have; the message names what there is."""


def parameter(
    default: Any, text: str, least: float | None = None, most: float | None = None
) -> Any:
    """Declare a parameter of a fault.

    Parameters
    ----------
    default
        Its value when it is not given.
    text : str
        What it means, with its unit.
    least, most : float, optional
        Its smallest and its largest value.
    """
    about = {"text": text, "least": least, "most": most}
    return dataclasses.field(default=default, metadata=about)


@dataclass(kw_only=True, eq=False)
class Fault(ABC):
    """One fault. A subclass is a dataclass whose fields are declared by :func:`parameter`.

    Attributes
    ----------
    name : str
        How a user calls it, such as ``disk-full``.
    needs : str
        What its target is, such as ``file plugin``; empty for a fault of the whole IOC.
    target : str
        The target, such as ``HDF1``.
    """

    name: ClassVar[str]
    needs: ClassVar[str] = ""
    target: str = ""

    def __post_init__(self) -> None:
        self._stack = ExitStack()

    @abstractmethod
    def attach(self, ioc: IOC, stack: ExitStack) -> None:
        """Begin.

        Parameters
        ----------
        ioc : IOC
            Gets the fault.
        stack : contextlib.ExitStack
            Gets what ends it.

        Raises
        ------
        FaultError
            When the IOC has no such target.
        """

    def begin(self, ioc: IOC) -> None:
        """Attach the fault; nothing stays attached when that fails."""
        with ExitStack() as stack:
            self.attach(ioc, stack)
            self._stack = stack.pop_all()

    def end(self) -> None:
        """Detach the fault, and put back what it has changed; safe to call twice."""
        self._stack.close()

    @classmethod
    def summary(cls) -> str:
        """Return the first sentence of what the fault says of itself."""
        return inspect.cleandoc(cls.__doc__ or "").splitlines()[0]

    @classmethod
    def parameters(cls) -> dict[str, dataclasses.Field[Any]]:
        """Return the fault's own parameters by name."""
        return {each.name: each for each in dataclasses.fields(cls) if each.name != "target"}

    @classmethod
    def usage(cls) -> str:
        """Return how to write the fault on a command line, all parameters at their defaults."""
        words = [cls.name, *([cls.needs.upper().replace(" ", "_")] if cls.needs else [])]
        return " ".join([*words, *(f"{n}={f.default}" for n, f in cls.parameters().items())])

    @classmethod
    def make(cls, target: str | None, values: dict[str, Any]) -> Fault:
        """Check target and parameters, and make the fault.

        Parameters
        ----------
        target : str or None
            What it is about.
        values : dict
            Parameters by name: of their type, or as text.

        Raises
        ------
        FaultError
            Naming what was expected and what was found.
        """
        if bool(target) != bool(cls.needs):
            problem = f"needs a {cls.needs}" if cls.needs else f"has no target, found {target!r}"
            raise FaultError(f"{cls.name} {problem}. Expected: {cls.usage()}")
        known, hints = cls.parameters(), typing.get_type_hints(cls)
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise FaultError(
                f"{cls.name} has no parameter {', '.join(unknown)}. Expected: {cls.usage()}"
            )
        checked = {
            name: cls._checked(name, hints[name], value, known[name].metadata)
            for name, value in values.items()
        }
        return cls(target=target or "", **checked)

    @classmethod
    def _checked(cls, name: str, kind: Any, value: Any, about: Mapping[str, Any]) -> Any:
        found, least, most = _converted(kind, value), about["least"], about["most"]
        # so that NaN is refused, too
        in_range = found is not None and (least is None or found >= least)
        if not in_range or (most is not None and not found <= most):
            wanted = " or ".join(map(repr, typing.get_args(kind))) or kind.__name__
            limit = "" if least is None else f" of at least {least:g}"
            limit += "" if most is None else f" and at most {most:g}"
            raise FaultError(f"{cls.name}: {name} must be {wanted}{limit}, not {value!r}")
        return found


def _converted(kind: Any, value: Any) -> Any:
    """Return a value as a type, or None when it is no such value."""
    if typing.get_origin(kind) is Literal:
        return value if value in typing.get_args(kind) else None
    if kind is bool:
        return value if isinstance(value, bool) else TRUTH.get(str(value).lower())
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if kind is int and isinstance(value, float):
        return None
    try:
        return kind(value)
    except (ValueError, OverflowError):
        return None
