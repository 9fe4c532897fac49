"""Say what to install when an optional part is missing."""

from __future__ import annotations

from importlib.util import find_spec

from adsupport.errors import AdsupportError

__all__ = ["MissingExtraError", "require"]


class MissingExtraError(AdsupportError, ImportError):
    """A command needs packages that are not installed."""


def require(extra: str, *modules: str) -> None:
    """Raise unless every module of an extra can be imported.

    Parameters
    ----------
    extra : str
        Name of the extra, such as ``"sim"``.
    *modules : str
        Top-level modules that it brings.

    Raises
    ------
    MissingExtraError
        With the line to type.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingExtraError(
            f"This command needs {', '.join(missing)}, not installed in this Python."
            f" In the checkout of adsupport, type: pip install '.[{extra}]'"
        )
