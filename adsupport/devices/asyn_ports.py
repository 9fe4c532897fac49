"""Which part of a detector has which asyn port, and whether all of them hang together."""

from __future__ import annotations

from typing import Any

from ophyd.areadetector.base import ADBase

from ..errors import UnknownPortError
from .signals.reading import pv_name, read_signals

__all__ = ["KnowsItsPorts"]


class KnowsItsPorts(ADBase):
    """Mixin for a detector: the asyn ports of all its parts, read together.

    ophyd reads them one by one, at every question.
    """

    _ports: dict[str, Any] | None = None

    def get_asyn_port_dictionary(self) -> dict[str, Any]:
        """Read which part has which port.

        Returns
        -------
        dict
            Cameras and plugins by the names of their ports.
        """
        return self._read_ports()[0]

    def _read_ports(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Read the parts by port, and the port that each takes its arrays from."""
        parts = {part.name: part for _, part in self.walk_subdevices(include_lazy=True)}
        found = read_signals(
            {
                (name, attr): getattr(part, attr)
                for name, part in parts.items()
                for attr in ("port_name", "nd_array_port")
                if attr in part.component_names
            }
        )
        names = {name: str(found[name, attr]) for name, attr in found if attr == "port_name"}
        self._ports = {port: parts[name] for name, port in names.items()}
        sources = {
            port: str(found[name, "nd_array_port"])
            for name, port in names.items()
            if (name, "nd_array_port") in found
        }
        return dict(self._ports), sources

    def get_plugin_by_asyn_port(self, port_name: str) -> Any:
        """Find the part that has a port.

        Parameters
        ----------
        port_name : str
            Name of the port.

        Returns
        -------
        ophyd.areadetector.base.ADBase or None
            None when no part has it.
        """
        # An IOC names its ports when it starts, and staging looks at them anew.
        if self._ports is None or port_name not in self._ports:
            self.get_asyn_port_dictionary()
        return (self._ports or {}).get(port_name)

    def validate_asyn_ports(self) -> None:
        """Check that every plugin's arrays come from a part of this detector.

        Raises
        ------
        UnknownPortError
            A plugin takes its arrays from another port, or from itself by way of others; the
            ports are named.
        """
        ports, sources = self._read_ports()
        lost = [
            f"{pv_name(ports[port].nd_array_port)} of {ports[port].name} (port {port!r}) is "
            f"{source!r}"
            for port, source in sources.items()
            if source not in ports
        ]
        if lost:
            raise UnknownPortError(
                f"{self.name}: {'; '.join(lost)}. No part of the detector has this port: they have "
                f"{', '.join(map(repr, ports))}. Add the plugin that has it to the detector's "
                "plugins, or set NDArrayPort."
            )
        groups = _groups(ports, sources)
        if len(groups) > 1:
            raise UnknownPortError(
                f"{self.name}: its parts don't hang together by their ports: "
                f"{' and '.join(', '.join(sorted(group)) for group in groups)}. Set NDArrayPort of "
                "the plugins, so that each one's arrays come from the camera in the end."
            )


def _groups(ports: dict[str, Any], sources: dict[str, str]) -> list[set[str]]:
    """Part ports into groups that are connected by who takes arrays from whom."""
    groups = [{port} for port in ports]
    for port, source in sources.items():
        joined = {each for group in groups if port in group or source in group for each in group}
        groups = [group for group in groups if not group & joined] + [joined]
    return groups
