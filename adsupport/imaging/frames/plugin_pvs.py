"""What a file plugin and its camera tell of a file that is being written."""

from __future__ import annotations

import pathlib
import threading
from dataclasses import dataclass
from typing import Any

from ophyd import EpicsSignalRO

from ...devices.connection.connect import connect
from ...devices.files.paths import path_map_of
from ...devices.signals.monitors import Monitors
from ...devices.signals.reading import as_declared, read_signals
from ...documents.asset_paths import AnyPathMap, local_path
from ...errors import ConfigurationError

__all__ = ["Capture", "FilePluginWatch", "camera_of", "frame_counter", "prefix_of"]

_PLUGIN = {
    "capturing": "Capture_RBV",
    "captured": "NumCaptured_RBV",
    "swmr": "SWMRActive_RBV",
    "id": "UniqueId_RBV",
}


def prefix_of(device: Any) -> str:
    """Return the prefix of a device.

    Parameters
    ----------
    device : str or ophyd.Device
        The prefix itself, such as ``"im:HDF1:"``, or a device that has one.

    Returns
    -------
    str
        The prefix.

    Raises
    ------
    ConfigurationError
        It's neither.
    """
    found = device if isinstance(device, str) else getattr(device, "prefix", None)
    if not isinstance(found, str) or not found:
        raise ConfigurationError(
            f"{device!r}: expected a device with a prefix, or the prefix itself, such as "
            "'im:HDF1:'."
        )
    return found


def camera_of(plugin: Any, camera: Any) -> str:
    """Return the prefix of the camera that a plugin belongs to.

    Parameters
    ----------
    plugin : str or ophyd.Device
        The plugin.
    camera : str, ophyd.Device or None
        The camera, when the plugin isn't part of a device with one.

    Returns
    -------
    str
        Its prefix; empty when it isn't known.
    """
    if camera is None:
        camera = getattr(getattr(plugin, "parent", None), "cam", None)
    return "" if camera is None else prefix_of(camera)


def frame_counter(camera: str) -> EpicsSignalRO:
    """Make the signal of a camera's counter of frames, whose next number is the next frame's id.

    Parameters
    ----------
    camera : str
        Prefix of the camera.

    Returns
    -------
    ophyd.EpicsSignalRO
        The signal.
    """
    return EpicsSignalRO(f"{camera}ArrayCounter_RBV", name="counter")


@dataclass
class Capture:
    """What is known of a capture: one file.

    Parameters
    ----------
    counter : int or None
        The camera's counter when it began; None when nobody knows.
    certain : int
        Frames in the file whose ids are certain: those that follow the counter without a gap.
    path : pathlib.Path or None
        The file; None while it isn't known.
    ended : bool
        Whether the file is closed.
    """

    counter: int | None
    certain: int = 0
    path: pathlib.Path | None = None
    ended: bool = False


class FilePluginWatch:
    """Follows the captures of a file plugin.

    Parameters
    ----------
    plugin : str or ophyd.Device
        The file plugin, or its prefix.
    camera : str, ophyd.Device or None
        The camera, or its prefix; by default the one beside the plugin in an ophyd detector.
    path_map : mapping, PathMap, function or None
        From the IOC's directories to those here; by default as the plugin's templates say.
    timeout : float
        Seconds to wait for the process variables.

    Raises
    ------
    ConnectionTimeoutError
        A process variable is missing.
    ConfigurationError
        An argument isn't what it must be, or ophyd doesn't use pyepics.
    """

    def __init__(self, plugin: Any, camera: Any, path_map: AnyPathMap, timeout: float) -> None:
        self.prefix = prefix_of(plugin)
        cam = camera_of(plugin, camera)
        if path_map is None and not isinstance(plugin, str):
            path_map = path_map_of(plugin)
        self._path_map = path_map
        names = {key: self.prefix + suffix for key, suffix in _PLUGIN.items()}
        self._signals: dict[str, Any] = {
            key: EpicsSignalRO(pv, name=key) for key, pv in names.items()
        }
        self._signals["path"] = EpicsSignalRO(
            f"{self.prefix}FullFileName_RBV", name="path", string=True
        )
        if cam:
            self._signals["counter"] = frame_counter(cam)
        connect(*self._signals.values(), timeout=timeout)
        self.changed = threading.Condition()
        self._monitors: Monitors | None = None
        self._values: dict[str, Any] = {}
        #: Since :meth:`start`, in their order.
        self.captures: list[Capture] = []
        #: Counts what may let a frame be read.
        self.version = 0

    def start(self) -> None:
        """Follow the plugin from now on.

        Raises
        ------
        ConnectionTimeoutError
            It doesn't answer.
        """
        self.stop()
        with self.changed:
            self._values, self.captures = {}, []
        self._monitors = Monitors(self._signals, self._note)
        self._monitors.start()
        if not self._monitors.snapshot():
            raise ConfigurationError(
                "Frames of a growing file need monitors of pyepics.",
                remedy="Call ophyd.set_cl('pyepics') before devices are made.",
            )
        with self.changed:
            if self._values["capturing"] and not self._values["captured"]:
                self._begin()

    def stop(self) -> None:
        """Follow it no more."""
        monitors, self._monitors = self._monitors, None
        if monitors is not None:
            monitors.stop()

    def latest(self) -> dict[str, Any]:
        """Return the latest values.

        Returns
        -------
        dict
            By ``capturing``, ``captured``, ``swmr``, ``id``, ``path`` and ``counter``.

        Raises
        ------
        ConnectionTimeoutError
            The IOC is gone.
        """
        return {} if self._monitors is None else self._monitors.latest()

    def path(self) -> pathlib.Path | None:
        """Tell where the plugin's latest file is, as seen from here; None when it has none."""
        with self.changed:
            return self._path()

    def catch_up(self) -> None:
        """Wait until all is heard that the IOC has said so far: its answers come in their order.

        Raises
        ------
        ConnectionTimeoutError
            It doesn't answer.
        """
        self.latest()
        read_signals({"capturing": self._signals["capturing"]})

    def _note(self, key: str, value: Any) -> None:
        with self.changed:
            before = self._values.get(key)
            self._values[key] = value
            if key == "capturing" and before is not None:
                if value and not before:
                    self._begin()
                elif before and not value and self.captures:
                    self.captures[-1].path = self._path()
                    self.captures[-1].ended = True
            # counters of frames that nobody can read yet wake nobody up
            if self._prove() or key in ("capturing", "swmr", "path"):
                self.version += 1
                self.changed.notify_all()

    def _begin(self) -> None:
        counter = self._values.get("counter")
        self.captures.append(Capture(None if counter is None else int(counter)))

    def _prove(self) -> bool:
        """Frame n of the file has the id counter + n only if none before it was lost.

        Tells whether more frames of a growing file can be read now.
        """
        captured, latest = self._values.get("captured"), self._values.get("id")
        if not self.captures or not captured or latest is None:
            return False
        capture = self.captures[-1]
        if capture.ended or capture.counter is None or latest != capture.counter + captured:
            return False
        before, capture.certain = capture.certain, max(capture.certain, int(captured))
        capture.path = self._path()
        return bool(self._values.get("swmr")) and capture.certain > before

    def _path(self) -> pathlib.Path | None:
        found = as_declared(self._signals["path"], self._values.get("path"))
        found = str(found or "").strip()
        return local_path(found, self._path_map) if found else None
