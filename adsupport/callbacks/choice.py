"""An option that is one of a few words."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError

__all__ = ["Choice", "check_choice"]


def check_choice(name: str, value: Any, words: tuple[Any, ...]) -> None:
    """Make sure that an option is one of the words that are known.

    Parameters
    ----------
    name : str
        Of the option, for the message.
    value : any
        What was given.
    words : tuple
        What is known.

    Raises
    ------
    ConfigurationError
        It's none of them.
    """
    if not any(value is word or (isinstance(value, str) and value == word) for word in words):
        *others, last = (repr(word) for word in words)
        known = f"{', '.join(others)} or {last}" if others else last
        raise ConfigurationError(f"{name}={value!r} isn't known", remedy=f"expected {known}.")


class Choice:
    """An attribute that is checked whenever it's set: a mistake costs no run its file.

    Parameters
    ----------
    *words : str or None
        What it may be; the first is the default.
    """

    def __init__(self, *words: Any) -> None:
        self.words = words
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self.words[0]
        return vars(instance).get(self._name, self.words[0])

    def __set__(self, instance: Any, value: Any) -> None:
        check_choice(f"{type(instance).__name__}.{self._name}", value, self.words)
        vars(instance)[self._name] = value
