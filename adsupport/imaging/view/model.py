"""What is seen: the latest image of every channel, whoever draws it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from .contrast import AUTO_PERCENTILES, Limits
from .counts import FrameCounts
from .picture import Picture, checked

__all__ = ["Link", "ViewModel", "check_channel"]

_log = logging.getLogger(__name__)

#: Channels that are kept at most: pictures of more aren't taken.
_MOST_CHANNELS = 64
_LONGEST_NAME = 200


def check_channel(name: Any) -> None:
    """Refuse what can't be the name of a channel.

    Parameters
    ----------
    name : object
        Given as one.

    Raises
    ------
    ConfigurationError
        It's no text, or a page couldn't ask for it.
    """
    if not (isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        raise ConfigurationError(
            f"channel={name!r:.{_LONGEST_NAME}}: expected a text of 1 to {_LONGEST_NAME} "
            "characters that can be printed."
        )


@dataclass(frozen=True, slots=True)
class Link:
    """How it stands with the source of the frames.

    Parameters
    ----------
    connected : bool
        Whether frames can come.
    text : str
        What there is to say of it.
    """

    connected: bool = True
    text: str = ""


@dataclass
class _Channel:
    counts: FrameCounts = field(default_factory=FrameCounts)
    picture: Picture | None = None
    status: str = ""
    problem: str = ""  # with the latest image
    fresh: bool = True  # the next image is the first one of an acquisition


class ViewModel:
    """Keeps the latest image of each channel; any thread may give and take.

    Images aren't copied: nobody may write to one that was given.

    Parameters
    ----------
    limits : Limits
        For those who don't say which they want.
    """

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - it never changes
        self.limits = limits
        self._channels: dict[str, _Channel] = {}
        self._lock = threading.Lock()
        self._version = 0
        self._link = Link()
        self._acquisition = ""
        self._waiting: list[Callable[[], None]] = []
        self._too_many = False

    # giving

    def begin(self, channel: str, status: str = "") -> None:
        """Note that an acquisition begins: automatic limits are those of its first image.

        Parameters
        ----------
        channel : str
            Where its frames will be shown.
        status : str
            What to say of it.
        """
        with self._lock:
            held = self._channel(channel)
            if held is not None:
                self._acquisition = status
                held.fresh, held.status = True, status
                held.counts.begin()
        self._tell()

    def put(
        self,
        channel: str,
        image: Any,
        facts: Mapping[str, Any] | None = None,
        *,
        sequence: int | None = None,
        unique_id: int | None = None,
    ) -> None:
        """Show an image instead of the one before.

        Parameters
        ----------
        channel : str
            Its name, such as ``"slice z"``; a new one appears, as long as there are fewer than 64.
        image : array-like
            See :func:`~adsupport.imaging.view.picture.checked`.  One that can't be shown is told of
            instead.
        facts : mapping of str to object
            What is known of it.
        sequence, unique_id : int, optional
            See :meth:`~adsupport.imaging.view.counts.FrameCounts.note`.

        Raises
        ------
        ConfigurationError
            It can't be shown; the channel says so, too.  Or there can be no such channel.
        """
        check_channel(channel)
        now = time.monotonic()
        try:
            given = checked(image)
        except ValueError as error:
            with self._lock:
                held = self._channel(channel)
                if held is not None:
                    held.problem = str(error)
            self._tell()
            raise
        with self._lock:
            held = self._channel(channel)
            if held is None:
                return
            held.counts.note(now, sequence, unique_id)
            before, fresh = held.picture, held.fresh
            held.fresh = False
        picture = Picture(given, 1, dict(facts or {}))
        if fresh or before is None or not _are_alike(given, before.image):
            picture.limits = picture.percentiles(*AUTO_PERCENTILES)
        else:
            picture.limits = before.limits
        with self._lock:
            picture.number = 1 if held.picture is None else held.picture.number + 1
            held.picture, held.problem = picture, ""
        self._tell()

    def end(self, channel: str, status: str) -> None:
        """Note that an acquisition is over.

        Parameters
        ----------
        channel : str
            Of its frames.
        status : str
            What to say of it.
        """
        with self._lock:
            held = self._channel(channel)
            if held is not None:
                held.status = self._acquisition = status
        self._tell()

    def link(self, connected: bool, text: str = "") -> None:
        """Tell how it stands with the source.

        Parameters
        ----------
        connected, text
            See :class:`Link`.
        """
        with self._lock:
            if connected and not self._link.connected:
                for held in self._channels.values():
                    held.fresh = True
            self._link = Link(connected, text)
        self._tell()

    # taking

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    @property
    def source(self) -> Link:
        """How it stands with the source."""
        return self._link

    @property
    def channels(self) -> tuple[str, ...]:
        """Names, in the order in which they appeared."""
        with self._lock:
            return tuple(self._channels)

    def picture(self, channel: str) -> Picture | None:
        """Return the latest image of a channel; None when there is none."""
        with self._lock:
            held = self._channels.get(channel)
            return None if held is None else held.picture

    def status(self, channel: str) -> str:
        """Tell what there is to say of a channel itself; empty when there is nothing."""
        with self._lock:
            held = self._channels.get(channel)
            return "" if held is None else held.problem or held.status

    @property
    def acquisition(self) -> str:
        """What there is to say of the latest acquisition, whatever its channel."""
        return self._acquisition

    def counts(self, channel: str) -> dict[str, float | None]:
        """Tell how frames come.

        Parameters
        ----------
        channel : str
            Its name.

        Returns
        -------
        dict of str to float or None
            ``rate`` (frames a second), ``age`` of the latest one (seconds), and how many were
            ``taken``, ``skipped`` and ``lost``, see
            :class:`~adsupport.imaging.view.counts.FrameCounts`.
        """
        with self._lock:
            held = self._channels.get(channel)
            counts = FrameCounts() if held is None else held.counts
            now = time.monotonic()
            return {
                "rate": counts.rate(now),
                "age": counts.age(now),
                "taken": counts.taken,
                "skipped": counts.skipped,
                "lost": counts.lost,
            }

    def limits_of(self, picture: Picture, limits: Limits | None = None) -> tuple[float, float]:
        """Tell which values of an image are black and white.

        Parameters
        ----------
        picture : Picture
            The image.
        limits : Limits, optional
            How they are chosen; by default as the model was told.

        Returns
        -------
        tuple of float
            Both.
        """
        chosen = limits or self.limits
        if chosen.kind == "fixed":
            return chosen.low, chosen.high
        if chosen.kind == "percentile":
            return picture.percentiles(chosen.low, chosen.high)
        return picture.limits

    def when_changed(self, version: int, call: Callable[[], None]) -> None:
        """Call a function once, as soon as there is something newer; at once when there is.

        Parameters
        ----------
        version : int
            What the caller knows already.
        call : callable
            Without arguments; from any thread, and short.
        """
        with self._lock:
            if self._version == version:
                self._waiting.append(call)
                return
        call()

    def forget(self, call: Callable[[], None]) -> None:
        """Call a function no more that waits for something newer."""
        with self._lock:
            self._waiting = [each for each in self._waiting if each is not call]

    # inside

    def _channel(self, name: str) -> _Channel | None:
        held = self._channels.get(name)
        if held is None and len(self._channels) < _MOST_CHANNELS:
            held = self._channels[name] = _Channel()
        if held is None and not self._too_many:
            self._too_many = True
            _log.warning("A view has %d channels at most: %r isn't shown.", _MOST_CHANNELS, name)
        return held

    def _tell(self) -> None:
        with self._lock:
            self._version += 1
            waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()


def _are_alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether the limits of an image can be those of another one, too."""
    return one.shape == other.shape and one.dtype == other.dtype
