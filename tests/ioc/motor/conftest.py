"""A simulated motor record for tests that compare it with a recorded motor IOC.

VELO 1, VBAS 0.1, ACCL 0.2, MRES 0.01, limits +-100.
"""

from __future__ import annotations

import pytest

DEFAULTS = {
    "DIR": 0, "SET": 0, "FOFF": 0, "OFF": 0.0, "VMAX": 0.0, "VBAS": 0.1, "VELO": 1.0, "ACCL": 0.2,
    "HLM": 100.0, "LLM": -100.0, "TWV": 1.0, "BDST": 0.0, "BVEL": 1.0, "BACC": 0.2, "JVEL": 1.0,
    "HVEL": 0.1, "DLY": 0.0, "EGU": "degrees", "PREC": 5,
}  # fmt: skip


@pytest.fixture
def motor(gp, caput, caget):
    """Return the name of a motor that stands at 0, with its settings as after the start."""
    name = "gp:m3"
    caput(f"{name}_able", 0)
    caput(f"{name}.SPMG", 3, wait=False)
    caput(f"{name}.STOP", 1, wait=False)
    for field, value in DEFAULTS.items():
        caput(f"{name}.{field}", value, wait=False)
    caput(f"{name}.VELO", 50, wait=False)
    caput(f"{name}.VAL", 0.01)
    caput(f"{name}.VAL", 0)
    caput(f"{name}.VELO", 1)
    assert caget(f"{name}.RBV") == 0
    return name
