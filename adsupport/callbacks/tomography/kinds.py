"""How projections, flats and darks are told apart: by stream, by frame type or by ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from .frames import FrameKind

__all__ = ["FRAME_TYPES", "KindRules", "Names"]

#: What an option of frames may be: a stream, several, or ranges such as ``"0:10,210:220"``.
Names = str | Sequence[str]

#: What areaDetector's ``FrameType`` may say: its numbers, the strings that it has by default, and
#: the addresses of datasets that stand for them where the frames are sorted by an HDF5 layout.
FRAME_TYPES: dict[str, FrameKind] = {
    name: kind
    for kind, names in (
        (FrameKind.PROJECTION, ("0", "Normal", "/exchange/data", "/entry/data/data")),
        (FrameKind.DARK, ("1", "Background", "/exchange/data_dark", "/entry/data/dark")),
        (FrameKind.FLAT, ("2", "FlatField", "/exchange/data_white", "/entry/data/white")),
    )
    for name in names
}

_RANGE = re.compile(r"(\d*):(\d*)")
#: What was meant for a range: no stream has such a name.
_MISTAKEN_RANGE = re.compile(r"\d+\s*(-|–|\.\.+|…|to)\s*\d*")

#: Streams that a run may lack without a word: nobody has asked for them.
_USUAL = {FrameKind.PROJECTION: "primary", FrameKind.FLAT: "flats", FrameKind.DARK: "darks"}


class KindRules:
    """Tells the kind of each frame.

    Parameters
    ----------
    projections, flats, darks : str or sequence of str
        Streams; of flats and darks also ranges of the projections' streams, as
        ``"0:10,210:220"``: frames from 0, the end excluded, in the order in which they were taken.
    frame_type : str, optional
        A data key with a value of ``FrameType`` for each row, or an array for its frames.  In a
        stream that has it, it's what counts.  By default the only one whose name ends in
        ``frame_type``, when there are no ranges, and all frames are in the projections' streams.

    Raises
    ------
    ConfigurationError
        A range can't be understood, or one stream or frame would be of two kinds.

    Attributes
    ----------
    frame_type : str or None
        As given.
    streams : dict of str to FrameKind
        Kind by stream.
    """

    def __init__(
        self,
        projections: Names = "primary",
        flats: Names = "flats",
        darks: Names = "darks",
        frame_type: str | None = None,
    ) -> None:
        self.frame_type = frame_type
        self.streams: dict[str, FrameKind] = {}
        self._ranges: list[tuple[int, int | None, FrameKind]] = []
        options = (
            ("projections", FrameKind.PROJECTION, projections),
            ("flats", FrameKind.FLAT, flats),
            ("darks", FrameKind.DARK, darks),
        )
        for option, kind, given in options:
            for each in _parts(option, given):
                if ":" not in each and not _MISTAKEN_RANGE.fullmatch(each):
                    self._add_stream(option, kind, each)
                elif kind == FrameKind.PROJECTION:
                    raise ConfigurationError(
                        f"projections={given!r}: expected the name of a stream",
                        remedy="Give ranges for flats and darks: the stream's other frames are "
                        "projections.",
                    )
                else:
                    self._add_range(option, kind, each)
        if FrameKind.PROJECTION not in self.streams.values():
            raise ConfigurationError(
                f"projections={projections!r}: expected the name of a stream",
                remedy="Mostly it's 'primary'.",
            )

    @property
    def has_ranges(self) -> bool:
        """Whether frames of one stream are told apart by ranges."""
        return bool(self._ranges)

    def lacking(self, streams: Iterable[str]) -> list[str]:
        """Tell which streams were asked for by name, and aren't there.

        Parameters
        ----------
        streams : iterable of str
            Those that the run has.

        Returns
        -------
        list of str
            Each a sentence.
        """
        found = list(streams)
        return [
            f"{kind.name.lower()}s={name!r}: the run has no such stream; it has "
            f"{', '.join(map(repr, found)) or 'none'}."
            for name, kind in self.streams.items()
            if name not in found and name != _USUAL[kind]
        ]

    def by_type(self, value: Any, frames: int) -> np.ndarray | None:
        """Read a row's frame type.

        Parameters
        ----------
        value : any
            One for all frames, or an array.
        frames : int
            How many.

        Returns
        -------
        numpy.ndarray or None
            (frames,), int8: :class:`FrameKind`, -1 for what isn't known; None when the array has
            another length.
        """
        given = np.ravel(np.asarray(value, object)).tolist()
        if len(given) == 1:
            given *= frames
        if len(given) != frames:
            return None
        return np.array([FRAME_TYPES.get(_text(each), -1) for each in given], np.int8)

    def by_range(self, kinds: np.ndarray) -> list[str]:
        """Mark flats and darks among the frames of the projections' streams.

        Parameters
        ----------
        kinds : numpy.ndarray
            (n,), of these frames in the order in which they were taken; written to.

        Returns
        -------
        list of str
            Ranges that go beyond the frames, each a sentence.
        """
        notes = []
        for start, stop, kind in self._ranges:
            kinds[start:stop] = kind
            if max(start + 1, stop or 0) > len(kinds):
                text = f"{start}:{'' if stop is None else stop}"
                notes.append(
                    f"{kind.name.lower()}s={text} goes beyond the {len(kinds)} frames there are."
                )
        return notes

    def _add_stream(self, option: str, kind: FrameKind, name: str) -> None:
        known = self.streams.setdefault(name, kind)
        if known != kind:
            raise ConfigurationError(
                f"{option}={name!r}: this stream is that of the {known.name.lower()}s already",
                remedy="Frames of one stream are told apart by ranges, such as flats='0:10', or "
                "by frame_type=<data key>.",
            )

    def _add_range(self, option: str, kind: FrameKind, text: str) -> None:
        found = _RANGE.fullmatch(text)
        if found is None:
            raise ConfigurationError(
                f"{option}={text!r}: expected the name of a stream, or a range such as '0:10'",
                remedy="Frames count from 0, and the end isn't included.",
            )
        start, stop = int(found[1] or 0), int(found[2]) if found[2] else None
        if stop is not None and stop <= start:
            raise ConfigurationError(f"{option}={text!r} has no frames: its end isn't included.")
        for begin, end, _ in self._ranges:
            if (stop is None or begin < stop) and (end is None or start < end):
                raise ConfigurationError(f"{option}={text!r} overlaps with another range.")
        self._ranges.append((start, stop, kind))


def _parts(option: str, given: Names) -> list[str]:
    named = given.split(",") if isinstance(given, str) else given
    try:
        return [each.strip() for each in named if each.strip()]
    except (TypeError, AttributeError):
        raise ConfigurationError(
            f"{option}={given!r}: expected the name of a stream, or a sequence of names"
        ) from None


def _text(value: Any) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)
