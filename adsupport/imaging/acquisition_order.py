"""The acquisitions of an experiment, and the order in which they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..errors import ConfigurationError
from .acquisition import Acquisition
from .asked.given import kind, listed

__all__ = ["AcquisitionOrder"]


class AcquisitionOrder:
    """Acquisitions by name, in an order in which each may come several times.

    Parameters
    ----------
    name : str
        Of the experiment, for messages.
    acquisitions : iterable of Acquisition
        In the order in which they run.

    Raises
    ------
    ConfigurationError
        Two have one name.
    """

    def __init__(self, name: str, acquisitions: Iterable[Acquisition]) -> None:
        self.name = name
        self._order: list[str] = []
        self._by_name: dict[str, Acquisition] = {}
        for each in acquisitions:
            self.add(each)

    @property
    def acquisitions(self) -> list[Acquisition]:
        """The acquisitions in the order in which they run; one may be there several times."""
        return [self._by_name[name] for name in self._order]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the acquisitions, in the order in which they run; it can be set."""
        return tuple(self._order)

    @order.setter
    def order(self, names: Iterable[str]) -> None:
        listed_names = listed("order", names, "names of acquisitions")
        self._order = [self.get_acquisition(name).name for name in listed_names]

    def get_acquisition(self, name: str) -> Acquisition:
        """Find an acquisition.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        Acquisition
            The acquisition.

        Raises
        ------
        ConfigurationError
            There is none of this name.
        """
        if not isinstance(name, str) or name not in self._by_name:
            known = ", ".join(map(repr, self._by_name)) or "none"
            raise ConfigurationError(
                f"{self.name} has no acquisition {name!r}: it has {known}.",
                remedy="Choose one of these, or add() another one.",
            )
        return self._by_name[name]

    def add(self, acquisition: Acquisition) -> None:
        """Add an acquisition behind the others.

        Parameters
        ----------
        acquisition : Acquisition
            One with a name that none of them has.

        Raises
        ------
        ConfigurationError
            Another one has its name, or it is no Acquisition.
        """
        kind("acquisition", acquisition, Acquisition)
        if acquisition.name in self._by_name:
            raise ConfigurationError(
                f"{self.name} has an acquisition {acquisition.name!r} already",
                remedy="remove() it first, or name the other one differently.",
            )
        self._by_name[acquisition.name] = acquisition
        self._order.append(acquisition.name)

    def remove(self, name: str) -> None:
        """Remove an acquisition, as often as it's there.

        Parameters
        ----------
        name : str
            Its name.

        Raises
        ------
        ConfigurationError
            There is none of this name.
        """
        del self._by_name[self.get_acquisition(name).name]
        self._order = [each for each in self._order if each != name]

    def swap(self, first: str, second: str) -> None:
        """Exchange the places of two acquisitions.

        Parameters
        ----------
        first, second : str
            Their names.

        Raises
        ------
        ConfigurationError
            There is none of such a name.
        """
        other = {
            self.get_acquisition(first).name: self.get_acquisition(second).name,
            second: first,
        }
        self._order = [other.get(each, each) for each in self._order]

    def times(self) -> Iterator[tuple[Acquisition, int]]:
        """Go through the acquisitions.

        Yields
        ------
        acquisition : Acquisition
            In their order.
        time : int
            Which time it comes, from 0.
        """
        seen: Counter[str] = Counter()
        for each in self.acquisitions:
            yield each, seen[each.name]
            seen[each.name] += 1
