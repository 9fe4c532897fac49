"""An IOC of area detector ports: each brings its record tables, and what links its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from adsupport.adcore import Release
from adsupport.sim.ca.pv_values import channel_reader
from adsupport.sim.camera.detector import SimDetector
from adsupport.sim.ioc import IOC
from adsupport.sim.links import (
    link_acquire_busy,
    link_array_rate,
    link_array_rate_limit,
    link_dimensions,
    link_pool_use,
    link_queue_use,
    link_sort_size,
)
from adsupport.sim.plugins.base import Plugin
from adsupport.sim.release_tables import NEWEST
from adsupport.sim.source import ArraySource

CAMERA_TABLES = ("NDArrayBase", "ADBase", "simDetector")

_Plugin = TypeVar("_Plugin", bound=Plugin)


class AreaDetectorIOC(IOC):
    """An IOC to which cameras and plugins are added, as a startup script does.

    Parameters
    ----------
    name : str
        Name for the ready line.
    prefix : str
        Prefix of every record.
    adcore : Release or str
        Release of ADCore whose records it has; see
        :class:`~adsupport.sim.release_tables.ReleaseTables`.

    Attributes
    ----------
    ports : dict of str to ArraySource
        Cameras and plugins by asyn port name.
    """

    def __init__(self, name: str, prefix: str, adcore: Release | str = NEWEST) -> None:
        super().__init__(name, prefix, adcore)
        self.ports: dict[str, ArraySource] = {}

    def add_camera(
        self, r: str, camera: SimDetector, tables: tuple[str, ...] = CAMERA_TABLES
    ) -> SimDetector:
        """Add a camera.

        Parameters
        ----------
        r : str
            Second part of its record names, such as ``cam1:``.
        camera : SimDetector
            The camera.
        tables : tuple of str
            Record tables, the most general first.

        Returns
        -------
        SimDetector
            The camera.
        """
        self.ports[camera.name] = camera
        self._load(tables, r, camera, {})
        return camera

    def has_plugin(self, plugin: type[Plugin]) -> bool:
        """Return whether the release of ADCore has a kind of plugin."""
        return self.tables.has(plugin.tables)

    def add_plugin(
        self,
        r: str,
        plugin: type[_Plugin],
        name: str,
        source: ArraySource | str,
        *,
        address: int = 0,
        served: bool = True,
        **options: object,
    ) -> _Plugin:
        """Add a plugin.

        Parameters
        ----------
        r : str
            Second part of its record names, such as ``ROI1:``.
        plugin : type of Plugin
            What it is.
        name : str
            Its asyn port name.
        source : ArraySource or str
            Port whose arrays it takes after start: ``NDArrayPort``.
        address : int
            asyn address of the source: ``NDArrayAddress``.
        served : bool
            Whether it has records; without them it works by itself.
        **options
            Further parameters of the class.

        Returns
        -------
        Plugin
            The plugin, as created and loaded.

        Raises
        ------
        ValueError
            The release of ADCore doesn't have such a plugin yet.
        """
        if not self.has_plugin(plugin):
            raise ValueError(
                f"{self.prefix}{r}: ADCore {self.tables.release} has no {plugin.tables[-1]}; leave "
                "it out, or ask has_plugin() first"
            )
        made = plugin(name, self.ports, **options)  # type: ignore[arg-type]
        feeding = source if isinstance(source, str) else source.name
        macros = {"NDARRAY_PORT": feeding, "NDARRAY_ADDR": str(address), **made.macros}
        self._load(plugin.tables, r, made, macros, served=served)
        if not served:
            return made
        for part in plugin.parts:
            self.load(part.tables, r + part.r, made, macros | dict(part.macros), part.address)
        made.loaded(self, r)
        return made

    def _load(
        self,
        tables: tuple[str, ...],
        r: str,
        port: ArraySource,
        macros: Mapping[str, str],
        *,
        served: bool = True,
    ) -> None:
        port.own_attributes.read_pv = channel_reader(self.database)
        records = self.load(tables, r, port, macros, served=served)
        if not served:
            return
        link_array_rate(self, records)
        link_dimensions(records)
        link_pool_use(records)
        # a release or a driver may lack what these are about
        for needed, link in (
            ("AcquireBusy", link_acquire_busy),
            ("QueueUse", link_queue_use),
            ("SortSize_RBV", link_sort_size),
            ("MaxArrayRate", link_array_rate_limit),
        ):
            if needed in records:
                link(records)
