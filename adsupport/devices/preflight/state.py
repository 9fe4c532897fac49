"""What the parts of a detector show: read once, all together, then judged without the IOC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ophyd.areadetector.base import ADBase
from ophyd.areadetector.cam import CamBase
from ophyd.areadetector.plugins import FilePlugin, PluginBase
from ophyd.signal import EpicsSignalBase

from ..signals.reading import pv_name, read_signals

__all__ = ["PartState", "is_on", "read_state"]

_ALL = ("port_name", "array_callbacks")
_CAM = (
    "acquire",
    "acquire_period",
    "acquire_time",
    "ad_core_version",
    "detector_state",
    "driver_version",
    "image_mode",
    "manufacturer",
    "model",
    "num_images",
    "trigger_mode",
    "wait_for_plugins",
)
_PLUGIN = (
    "blocking_callbacks",
    "dropped_arrays",
    "enable",
    "min_callback_time",
    "nd_array_port",
    "plugin_type",
    "queue_size",
)
_FILE = (
    "auto_increment",
    "auto_save",
    "capture",
    "compression",
    "create_directory",
    "file_name",
    "file_number",
    "file_path",
    "file_path_exists",
    "file_template",
    "file_write_mode",
    "full_file_name",
    "lazy_open",
    "num_capture",
    "write_file",
    "write_message",
    "write_status",
    "zlevel",
)


@dataclass(frozen=True)
class PartState:
    """The camera or a plugin of a detector, as it was when it was read.

    Attributes
    ----------
    key : str
        Its name in the detector, such as ``"hdf1"``.
    prefix : str
        Prefix of its process variables.
    values : mapping of str to object
        Read-backs by the names of the signals; enumerations as their strings.  What the class
        doesn't have, or what isn't connected, is missing.
    staged : mapping of str to object
        What staging will set, likewise.
    pvs : mapping of str to str
        Names of the process variables that are written, or read when there's no other.
    device : ophyd.Device
        The part itself.
    """

    key: str
    prefix: str
    values: Mapping[str, Any]
    staged: Mapping[str, Any] = field(default_factory=dict)
    pvs: Mapping[str, str] = field(default_factory=dict)
    device: Any = None

    @property
    def is_camera(self) -> bool:
        """Whether it makes the arrays."""
        return isinstance(self.device, CamBase)

    @property
    def is_writer(self) -> bool:
        """Whether it's a file plugin that records when the detector is staged."""
        records = "capture" in self.staged or hasattr(self.device, "make_filename")
        return records and isinstance(self.device, FilePlugin)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what a signal shows.

        Parameters
        ----------
        name : str
            Name of the signal.
        default : object
            What to return when it isn't there.

        Returns
        -------
        object
            The value.
        """
        return self.values.get(name, default)

    def planned(self, name: str, default: Any = None) -> Any:
        """Return what a signal will show when the detector is staged.

        Parameters
        ----------
        name : str
            Name of the signal.
        default : object
            What to return when it isn't there.

        Returns
        -------
        object
            What staging sets, or what stands now.
        """
        return self.staged.get(name, self.get(name, default))

    def pv(self, name: str) -> str:
        """Name the process variable of a signal.

        Parameters
        ----------
        name : str
            Name of the signal.

        Returns
        -------
        str
            The name; the part's prefix when the signal isn't there.
        """
        return self.pvs.get(name, self.prefix)


def is_on(value: Any) -> bool:
    """Tell whether a value of a switch means on.

    Parameters
    ----------
    value : object
        A number or the string of an enumeration.

    Returns
    -------
    bool
        True for 1, Yes, Enable and the like.
    """
    return str(value).lower() in ("1", "1.0", "yes", "true", "on", "enable", "acquire", "capture")


def read_state(detector: Any) -> list[PartState]:
    """Read all that the checks look at; nothing is written.

    Parameters
    ----------
    detector : ophyd.areadetector.DetectorBase
        The detector, its process variables connected or not.

    Returns
    -------
    list of PartState
        The parts that are connected, in the detector's order.

    Raises
    ------
    ConnectionTimeoutError
        What was connected doesn't answer.
    """
    parts = list(_parts(detector))
    staged = _staged_values([detector, *(part for _, part in parts)])
    signals = {
        (key, name): signal
        for key, part in parts
        for name in _names(part)
        if (signal := _signal(part, name)) is not None and signal.connected
    }
    found = read_signals(signals)
    states = []
    for key, part in parts:
        mine = {name: signal for (owner, name), signal in signals.items() if owner == key}
        if mine:
            states.append(
                PartState(
                    key,
                    part.prefix,
                    {name: _as_text(signal, found[key, name]) for name, signal in mine.items()},
                    {
                        name: _as_text(signal, staged[id(signal)])
                        for name, signal in mine.items()
                        if id(signal) in staged
                    },
                    {name: pv_name(signal, setpoint=True) for name, signal in mine.items()},
                    part,
                )
            )
    return states


def _parts(detector: Any) -> Iterator[tuple[str, Any]]:
    for key, part in detector.walk_subdevices():
        if "." not in key and isinstance(part, CamBase | PluginBase) and isinstance(part, ADBase):
            yield key, part


def _names(part: Any) -> tuple[str, ...]:
    if isinstance(part, CamBase):
        return _ALL + _CAM
    return _ALL + _PLUGIN + (_FILE if isinstance(part, FilePlugin) else ())


def _signal(part: Any, name: str) -> Any:
    """Find a signal by its dotted name; None when the class hasn't got it."""
    for step in name.split("."):
        part = getattr(part, step, None)
    return part if isinstance(part, EpicsSignalBase) else None


def _staged_values(devices: list[Any]) -> dict[int, Any]:
    """Collect what staging sets, by the identity of the signals."""
    found: dict[int, Any] = {}
    for device in devices:
        for key, value in device.stage_sigs.items():
            try:
                signal = getattr(device, key) if isinstance(key, str) else key
            except AttributeError:
                continue  # stage() says what is wrong with this key
            found[id(signal)] = value
    return found


def _as_text(signal: Any, value: Any) -> Any:
    """Give enumerations as strings, whatever the signal makes of them."""
    strings = signal.enum_strs
    if strings and not isinstance(value, str) and 0 <= int(value) < len(strings):
        return strings[int(value)]
    return value
