"""Places in the simulator where a fault can step in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Hook:
    """Functions that are called before something happens; none, unless a fault is attached."""

    __slots__ = ("_functions",)

    def __init__(self) -> None:
        self._functions: tuple[Callable[..., Any], ...] = ()

    def __call__(self, *args: Any) -> bool:
        """Call every function; return whether any of them returned something true.

        Parameters
        ----------
        *args
            What each function gets.

        Raises
        ------
        Exception
            What the first function that raises does.
        """
        if not self._functions:
            return False
        answers = [function(*args) for function in self._functions]
        return any(answers)

    @contextmanager
    def attached(self, function: Callable[..., Any]) -> Iterator[None]:
        """Call a function, too, while the context lasts.

        Parameters
        ----------
        function : callable
            Called in the thread of what the hook belongs to.
        """
        self._functions = (*self._functions, function)
        try:
            yield
        finally:
            self._functions = tuple(each for each in self._functions if each is not function)
