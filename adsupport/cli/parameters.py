"""Values of a command line, and what is said of wrong ones: its exit code is 2."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import typer

from adsupport.errors import AdsupportError

__all__ = ["checked_choice", "naming", "pairs"]


def checked_choice(option: str, value: str | None, known: Sequence[str]) -> None:
    """Make sure that an option has one of its values.

    Parameters
    ----------
    option : str
        Its name.
    value : str or None
        As given; None if it wasn't.
    known : sequence of str
        The values.

    Raises
    ------
    typer.BadParameter
        It's another one.
    """
    if value is not None and value not in known:
        raise typer.BadParameter(
            f"{value!r} isn't known; expected one of {', '.join(known)}.", param_hint=option
        )


@contextlib.contextmanager
def naming(parameter: str, kind: type[AdsupportError]) -> Iterator[None]:
    """Make of an error one of the command line, which names the parameter.

    Parameters
    ----------
    parameter : str
        Such as ``"--since"``.
    kind : type
        Of the error.
    """
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error), param_hint=parameter) from error


def pairs(option: str, texts: Sequence[str], expected: str) -> Iterator[tuple[str, str]]:
    """Read the values of an option that are pairs.

    Parameters
    ----------
    option : str
        Its name.
    texts : sequence of str
        ``A=B`` each.
    expected : str
        What one of them is, for messages.

    Yields
    ------
    str, str
        What is before the first ``=``, and behind it.

    Raises
    ------
    typer.BadParameter
        One of the two is missing.
    """
    for text in texts:
        key, _, value = text.partition("=")
        if not (key and value):
            raise typer.BadParameter(f"{text!r}: expected {expected}", param_hint=option)
        yield key, value
