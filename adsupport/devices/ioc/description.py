"""What an IOC was found to have, and how to say it: as arguments, as code, as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...adcore.versions import Release
from ...errors import ConfigurationError
from ..plugin_defaults import PLUGIN_DEFAULTS
from .classes import RECORDING, type_name

__all__ = ["IOCDescription", "PartDescription", "dotted_name"]


@dataclass(frozen=True)
class PartDescription:
    """A camera or plugin of an IOC.

    Attributes
    ----------
    key : str
        Its name in a detector, such as ``"hdf1"``; those of ``PLUGIN_DEFAULTS`` where it is
        listed there.
    suffix : str
        What its process variables begin with after the IOC's prefix, such as ``"HDF1:"``.
    cls : type
        The class for it.
    plugin_type : str
        ``PluginType_RBV``, such as ``"NDFileHDF5 ver1.10.8"``; empty for a camera.
    port : str
        Its asyn port.
    source_port : str
        The port that its arrays come from; empty for a camera.
    driver_version : str
        ``DriverVersion_RBV``; empty where there is none.
    enabled : bool or None
        Whether it takes arrays; None for a camera.
    camera : str or None
        Key of the camera at the beginning of its chain; None when the chain leads to a port
        that no part has.
    manufacturer, model : str
        Of a camera; empty for a plugin.
    """

    key: str
    suffix: str
    cls: type
    plugin_type: str
    port: str
    source_port: str
    driver_version: str
    enabled: bool | None
    camera: str | None
    manufacturer: str = ""
    model: str = ""

    @property
    def is_camera(self) -> bool:
        """Whether it makes arrays, rather than takes them."""
        return self.enabled is None

    @property
    def type_name(self) -> str:
        """Its type in one word or a few: a plugin's type, or the model of a camera."""
        return type_name(self.plugin_type) or self.model or "camera"

    @property
    def records(self) -> bool:
        """Whether its class makes the documents of its files."""
        return self.cls in RECORDING.values()

    @property
    def class_name(self) -> str:
        """Dotted name of the class, as ``ad_creator`` takes it."""
        return dotted_name(self.cls)

    @property
    def spec(self) -> str | dict[str, dict[str, Any]]:
        """What ``ad_creator`` needs to build it: its name, or its name with class and suffix."""
        default = PLUGIN_DEFAULTS.get(self.key, {})
        settings: dict[str, Any] = {}
        if default.get("class") is not self.cls:
            settings["class"] = self.cls
        if default.get("suffix") != self.suffix:
            settings["suffix"] = self.suffix
        return {self.key: settings} if settings else self.key


@dataclass(frozen=True)
class IOCDescription:
    """The cameras and plugins of an IOC.

    Attributes
    ----------
    prefix : str
        Prefix of its process variables.
    adcore : Release or None
        Its ADCore; None when it doesn't say.
    parts : tuple of PartDescription
        Cameras first, then plugins in the order of their staging.
    """

    prefix: str
    adcore: Release | None
    parts: tuple[PartDescription, ...]

    def __getitem__(self, key: str) -> PartDescription:
        """Return a part by its key."""
        for part in self.parts:
            if part.key == key:
                return part
        raise ConfigurationError(
            f"{self.prefix!r} has no part {key!r}; it has {', '.join(p.key for p in self.parts)}."
        )

    @property
    def cameras(self) -> tuple[PartDescription, ...]:
        """The cameras."""
        return tuple(part for part in self.parts if part.is_camera)

    @property
    def plugins(self) -> list[str | dict[str, dict[str, Any]]]:
        """What ``ad_creator(prefix, plugins=...)`` takes: the first camera and its plugins.

        Another camera makes another detector: ``select(camera="cam2").plugins``.  Plugins that
        no camera feeds, because their source wasn't found, are with the first.
        """
        return [part.spec for part in self.select().parts]

    def graph(self) -> dict[str, str]:
        """Tell where the arrays flow.

        Returns
        -------
        dict of str to str
            The source port of each plugin's port.
        """
        return {part.port: part.source_port for part in self.parts if not part.is_camera}

    def loose_ends(self) -> tuple[PartDescription, ...]:
        """Find the plugins whose arrays come from a port that no part has.

        Returns
        -------
        tuple of PartDescription
            A detector with one of these can't be staged until ``NDArrayPort`` is set, or the
            part that has the port is found (``describe_ioc(..., suffixes=...)``).
        """
        ports = {part.port for part in self.parts}
        return tuple(p for p in self.parts if not p.is_camera and p.source_port not in ports)

    def select(self, *keys: str, camera: str | None = None) -> IOCDescription:
        """Take a camera and some of its plugins, with all that their arrays come from.

        Parameters
        ----------
        *keys : str
            Names of plugins; all that the camera feeds when none is given.
        camera : str, optional
            The camera, the first by default.  It is called ``cam`` in the result, as detectors
            need it.

        Returns
        -------
        IOCDescription
            The camera and these plugins, in the same order.

        Raises
        ------
        ConfigurationError
            There is no camera or no such part, or a part is fed from another camera.
        """
        if not self.cameras:
            raise ConfigurationError(
                f"{self.prefix!r} has no camera that was found, so makes no detector: tell "
                "describe_ioc() where it is, as in cams=['eiger:']."
            )
        cam = self.cameras[0] if camera is None else self[camera]
        if not cam.is_camera:
            raise ConfigurationError(
                f"{camera!r} of {self.prefix!r} isn't a camera; those are "
                f"{', '.join(each.key for each in self.cameras)}."
            )
        fed = (cam.key, None) if cam is self.cameras[0] else (cam.key,)
        chosen = [self[key] for key in keys] or [p for p in self.parts if p.camera in fed]
        by_port = {part.port: part for part in self.parts}
        wanted = {cam.key}
        for part in chosen:
            if part.camera not in (cam.key, None):
                raise ConfigurationError(
                    f"{part.key!r} takes its arrays from {part.camera!r}, not from {cam.key!r}: "
                    "set its NDArrayPort, or build a detector for each camera."
                )
            step: PartDescription | None = part
            while step is not None and step.key not in wanted:
                wanted.add(step.key)
                step = by_port.get(step.source_port)
        return replace(self, parts=tuple(_as_cam(p, cam) for p in self.parts if p.key in wanted))

    def code(self) -> str:
        """Write the Python that builds the detectors, one for each camera.

        Returns
        -------
        str
            Imports and calls of ``ad_creator``.  It runs as it is, without the IOC too.

        Raises
        ------
        ConfigurationError
            There is no camera, so no detector.
        """
        from .text import code_of

        return code_of(self)

    def to_yaml(self) -> str:
        """Declare the detectors, one for each camera.

        Returns
        -------
        str
            YAML for :func:`~adsupport.devices.load_detectors`.

        Raises
        ------
        ConfigurationError
            There is no camera, so no detector.
        """
        from .text import yaml_of

        return yaml_of(self)

    def table(self) -> list[dict[str, str]]:
        """Tell all in rows.

        Returns
        -------
        list of dict
            One a part, all with the same keys, of text to be read.
        """
        loose = self.loose_ends()
        return [
            {
                "key": part.key,
                "suffix": part.suffix,
                "type": part.type_name,
                "class": part.cls.__name__,
                "port": part.port,
                "source": part.source_port + (" (not found)" if part in loose else ""),
                "enabled": {None: "", True: "yes", False: "no"}[part.enabled],
                "version": part.driver_version,
            }
            for part in self.parts
        ]

    def as_dict(self) -> dict[str, Any]:
        """Tell all in plain values.

        Returns
        -------
        dict
            What JSON can hold: ``prefix``, ``adcore`` and ``parts``.
        """
        return {
            "prefix": self.prefix,
            "adcore": None if self.adcore is None else str(self.adcore),
            "parts": [
                {
                    "key": part.key,
                    "suffix": part.suffix,
                    "class": part.class_name,
                    "plugin_type": part.plugin_type,
                    "port": part.port,
                    "source_port": part.source_port,
                    "driver_version": part.driver_version,
                    "enabled": part.enabled,
                    "camera": part.camera,
                    "manufacturer": part.manufacturer,
                    "model": part.model,
                }
                for part in self.parts
            ],
        }


def dotted_name(cls: type) -> str:
    """Name a class as it is imported.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    str
        Such as ``"adsupport.devices.plugins.StatsPlugin"``; ``adsupport.devices`` for what it
        offers itself.
    """
    from adsupport import devices

    if cls.__name__ in devices.__all__ and getattr(devices, cls.__name__) is cls:
        return f"adsupport.devices.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def _as_cam(part: PartDescription, camera: PartDescription) -> PartDescription:
    """Call a camera ``cam``: itself, and as what feeds a part."""
    if part.camera != camera.key:
        return part
    return replace(part, camera="cam", key="cam" if part.key == camera.key else part.key)
