"""Every error that adsupport raises on purpose.

Each class stands under :class:`AdsupportError` and under the builtin exception a
caller would already be catching, so ``except ValueError`` and
``except AdsupportError`` both work.  A message says what failed, where (PV,
argument or path), what was expected, what was found, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

__all__ = [
    "AcquireTimeoutError",
    "AdsupportError",
    "ConfigurationError",
    "ConfigurationTypeError",
    "ConnectionTimeoutError",
    "DocumentError",
    "DroppedFramesError",
    "FaultError",
    "FileExistsRefusedError",
    "FileWriteError",
    "FrameConnectionError",
    "FrameCountError",
    "FrameLossError",
    "FrameMessageError",
    "IOCError",
    "ImageFileError",
    "IncompleteScanError",
    "InterruptedFlightError",
    "NamingError",
    "NotStagedError",
    "OutputError",
    "OutputExistsError",
    "OutputNameError",
    "PackError",
    "PathMapError",
    "PluginBusyError",
    "PutError",
    "RunNotFoundError",
    "StxmDataError",
    "StxmMetadataError",
    "UnknownPluginError",
    "UnknownPortError",
    "UnprimedError",
    "WriterTimeoutError",
]


class AdsupportError(Exception):
    """Base class of the errors that adsupport raises on purpose.

    Parameters
    ----------
    *args
        The message: what is wrong, and what to do unless ``remedy`` says it.
    remedy : str
        What to do, in a sentence; ``str()`` of the error has it behind the message.

    Attributes
    ----------
    remedy : str
        As given.
    """

    def __init__(self, *args: object, remedy: str = "") -> None:
        super().__init__(*args)
        self.remedy = remedy

    @property
    def problem(self) -> str:
        """What is wrong, without the remedy."""
        return super().__str__()

    def __str__(self) -> str:
        if not self.remedy:
            return self.problem
        joint = " "
        if not self.problem.endswith((".", "?", "!", ":")):
            joint = ". " if self.remedy[0].isupper() else "; "
        return f"{self.problem}{joint}{self.remedy}"


class NamingError(AdsupportError, ValueError):
    """A file name, a file template or a path template can't be used."""


class PathMapError(AdsupportError, ValueError):
    """A path can't be translated between the IOC and this computer."""


class ConfigurationError(AdsupportError, ValueError):
    """Arguments or settings contradict each other, before any hardware moved."""


class ConfigurationTypeError(ConfigurationError, TypeError):
    """An argument has the wrong type."""


class UnknownPortError(ConfigurationError, RuntimeError):
    """A plugin takes its arrays from a port that the detector doesn't know."""


class ConnectionTimeoutError(AdsupportError, TimeoutError):
    """Process variables did not connect in time.

    Parameters
    ----------
    message : str
        The whole message.
    missing : iterable of str, or mapping of str to str
        Names of the process variables that did not connect; as a mapping each with the dotted
        name of the component it belongs to.
    arriving : bool
        Whether others were still connecting when the time was over.
    remedy : str
        See :class:`AdsupportError`.

    Attributes
    ----------
    arriving : bool
        As given: a longer wait may be all that is needed.
    missing : tuple of str
        Names of the process variables that did not connect, those that are required first.
    pvs : dict of str to str
        The same with their components; empty text where none is known.
    """

    def __init__(
        self,
        message: str = "",
        missing: Iterable[str] | Mapping[str, str] = (),
        arriving: bool = False,
        *,
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.arriving = arriving
        self.missing = tuple(missing)
        named = missing if isinstance(missing, Mapping) else {}
        self.pvs = {pv: named.get(pv, "") for pv in self.missing}


class PutError(AdsupportError, TimeoutError):
    """A put was refused by the IOC, or did not complete in time."""


class UnknownPluginError(AdsupportError, KeyError):
    """A plugin name isn't known; the message suggests the nearest known one.

    Parameters
    ----------
    key : str
        The name that was asked for.
    known : iterable of str
        The names that would have been accepted.
    advice : str
        What else the caller can do, appended to the message.

    Attributes
    ----------
    key : str
        The name that was asked for.
    known : tuple of str
        The names that would have been accepted.
    suggestion : str or None
        The known name nearest to ``key``, None when none is near.
    """

    def __init__(self, key: str, known: Iterable[str] = (), advice: str = "") -> None:
        super().__init__(key, remedy=advice)
        self.key = key
        self.known = tuple(known)
        self.advice = advice
        near = difflib.get_close_matches(str(key).lower(), self.known, n=1)
        self.suggestion = near[0] if near else None

    @property
    def problem(self) -> str:
        """What is wrong, without the advice."""
        # KeyError would show the repr of its argument: unreadable for a sentence.
        text = f"Unknown plugin {self.key!r}."
        if self.suggestion is not None:
            text += f" Did you mean {self.suggestion!r}?"
        if self.known:
            text += f" Known: {', '.join(self.known)}."
        return text

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...], str]]:
        return type(self), (self.key, self.known, self.advice)


class NotStagedError(AdsupportError, RuntimeError):
    """A device was triggered without being staged."""


class UnprimedError(AdsupportError, RuntimeError):
    """A file plugin has seen no array yet, so it can't open a file."""


class FileExistsRefusedError(AdsupportError, FileExistsError):
    """The file to be written exists already and must not be overwritten."""


class FrameLossError(AdsupportError):
    """What the errors about frames have in common: where, how many, and which.

    Parameters
    ----------
    message : str
        The whole message.
    plugin : str
        Name of the plugin (or of the camera) where the frames should be.
    expected : int, optional
        Frames expected there.
    got : int, optional
        Frames found there.
    missing : iterable of int
        Unique ids of the frames that aren't there; empty when the ids can't be told.
    remedy : str
        See :class:`AdsupportError`.

    Attributes
    ----------
    plugin : str
        Name of the plugin (or of the camera); empty when the error isn't about one.
    expected, got : int or None
        Frames expected and found; None when they were not counted.
    missing : tuple of int
        Unique ids of the missing frames, in order; empty when the ids can't be told.
    """

    def __init__(
        self,
        message: str = "",
        *,
        plugin: str = "",
        expected: int | None = None,
        got: int | None = None,
        missing: Iterable[int] = (),
        remedy: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.plugin = plugin
        self.expected = expected
        self.got = got
        self.missing = tuple(missing)


class FileWriteError(FrameLossError, OSError):
    """The IOC could not create or write its file, or the file isn't what it must be."""


class AcquireTimeoutError(AdsupportError, TimeoutError):
    """The camera did not finish in the time computed from its settings."""


class FrameCountError(FrameLossError, RuntimeError):
    """The number of frames recorded isn't the number asked for."""


class DroppedFramesError(FrameCountError):
    """A plugin's queue overflowed and frames were thrown away."""


class FrameConnectionError(AdsupportError, ConnectionError):
    """Frames can't be sent to a consumer, or had from a publisher, on another machine."""


class FrameMessageError(AdsupportError, ValueError):
    """A message with frames isn't as it must be."""


class InterruptedFlightError(AdsupportError, RuntimeError):
    """A flight was paused or suspended: it can't be taken up again.

    Attributes
    ----------
    exit_status : str
        Of the run: nothing has failed.
    """

    exit_status = "abort"


class PluginBusyError(AdsupportError, RuntimeError):
    """A file plugin is writing for somebody else: another client, or another detector."""


class FaultError(AdsupportError, ValueError):
    """A simulated IOC can't have the fault that was asked for."""


class IOCError(AdsupportError, RuntimeError):
    """A simulated IOC did not start, or died."""


class DocumentError(AdsupportError, ValueError):
    """A document of a run is wrong, contradicts another one, or can't be understood."""


class StxmMetadataError(DocumentError):
    """``start["metadata"]`` of an STXM run lacks something, or contradicts itself."""


class StxmDataError(DocumentError):
    """The events of an STXM run contradict its metadata."""


class IncompleteScanError(AdsupportError, RuntimeError):
    """Runs of a scan are missing that are to be in one file.

    Parameters
    ----------
    *args
        The message.
    missing : tuple of str
        What is missing, a phrase each.
    remedy : str
        What to do.
    """

    def __init__(self, *args: object, missing: tuple[str, ...] = (), remedy: str = "") -> None:
        super().__init__(*args, remedy=remedy)
        self.missing = missing


class RunNotFoundError(AdsupportError, KeyError):
    """No run, or more than one, is what was asked for."""

    @property
    def problem(self) -> str:
        """What is wrong; a KeyError alone would put it in quotes."""
        return " ".join(map(str, self.args))


class _BadFileError(AdsupportError):
    """A file isn't as it must be.

    Parameters
    ----------
    *args
        The message.
    path : str or None
        The file.
    remedy : str
        What to do.

    Attributes
    ----------
    path : str or None
        As given.
    """

    def __init__(self, *args: object, path: object = None, remedy: str = "") -> None:
        super().__init__(*args, remedy=remedy)
        self.path = None if path is None else str(path)


class ImageFileError(_BadFileError, OSError):
    """An image file of a run is missing, unreadable, too short, or of another shape.

    ``path`` names it; None when no file is known.
    """


class PackError(_BadFileError, ValueError):
    """A pack of runs is damaged or hostile, or its format isn't known.

    ``path`` names the file within it; None for the pack as a whole.
    """


class OutputNameError(NamingError):
    """The name of an output file, or the template for it, can't be used."""


class OutputError(AdsupportError, OSError):
    """An output file couldn't be written.

    Parameters
    ----------
    *args
        The message.
    path : str or None
        The file.
    kept : str or None
        Where the finished work lies until it's tried again.
    remedy : str
        What to do.

    Attributes
    ----------
    path, kept : str or None
        As given.
    """

    def __init__(
        self, *args: object, path: object = None, kept: object = None, remedy: str = ""
    ) -> None:
        super().__init__(*args, remedy=remedy)
        self.path = None if path is None else str(path)
        self.kept = None if kept is None else str(kept)


class OutputExistsError(OutputError, FileExistsError):
    """An output file exists, and isn't replaced."""


class WriterTimeoutError(AdsupportError, TimeoutError):
    """A writer hadn't finished its files within the time that it was given."""
