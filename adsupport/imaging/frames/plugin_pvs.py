"""What a file plugin and its camera tell of a file that is being written."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Mapping
from typing import Any

from ophyd import EpicsSignalRO

from ...devices.connection.connect import connect
from ...devices.files.paths import path_map_of
from ...devices.signals.monitors import Monitors
from ...documents.asset_paths import AnyPathMap, local_path
from ...errors import ConfigurationError

__all__ = ["FilePluginWatch", "camera_of", "frame_counter", "prefix_of"]

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


class FilePluginWatch:
    """Follows a file plugin from one capture to the end of it.

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
        #: Whether a capture has begun since :meth:`start`, and whether it has ended.
        self.began = self.ended = False
        #: The camera's counter when it began; None when nobody knows.
        self.counter: int | None = None
        #: Frames in the file whose ids are certain: those that follow the counter without a gap.
        self.certain = 0

    def start(self) -> None:
        """Follow the plugin from now on.

        Raises
        ------
        ConnectionTimeoutError
            It doesn't answer.
        """
        self.stop()
        with self.changed:
            self._values = {}
            self.began = self.ended = False
            self.counter, self.certain = None, 0
        self._monitors = Monitors(self._signals, self._note)
        self._monitors.start()
        if not self._monitors.snapshot():
            raise ConfigurationError(
                "Frames of a growing file need monitors of pyepics.",
                remedy="Call ophyd.set_cl('pyepics') before devices are made.",
            )
        with self.changed:
            before: Mapping[str, Any] = self._values
            if before["capturing"] and not before["captured"]:
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
        """Tell where the file is, as seen from here; None when the plugin has none."""
        found = str(self.latest().get("path", "")).strip()
        return local_path(found, self._path_map) if found else None

    def _note(self, key: str, value: Any) -> None:
        with self.changed:
            before = self._values.get(key)
            self._values[key] = value
            if key == "capturing" and before is not None:
                if value and not before:
                    self._begin()
                elif before and not value and self.began:
                    self.ended = True
            self._prove()
            self.changed.notify_all()

    def _begin(self) -> None:
        self.began, self.ended, self.certain = True, False, 0
        counter = self._values.get("counter")
        self.counter = None if counter is None else int(counter)

    def _prove(self) -> None:
        """Frame n of the file has the id counter + n only if none before it was lost."""
        captured, latest = self._values.get("captured"), self._values.get("id")
        if not self.began or not captured or latest is None or self.counter is None:
            return
        if latest == self.counter + captured:
            self.certain = max(self.certain, int(captured))
