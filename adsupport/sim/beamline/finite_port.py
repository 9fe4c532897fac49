"""A port whose parameters are numbers that can be computed with."""

from __future__ import annotations

import math
from typing import Any

from adsupport.sim.port import Port, PortError


class FinitePort(Port):
    """A port that refuses infinite numbers and what is no number."""

    def write(self, param: str, value: Any) -> None:
        """Carry out a client's write; see :meth:`adsupport.sim.port.Port.write`."""
        if isinstance(value, float) and not math.isfinite(value):
            raise PortError(f"{self.name}: {param} takes finite numbers, not {value}")
        super().write(param, value)
