"""How the error of a plugin that isn't primed names it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.files import capture
from adsupport.errors import UnprimedError


def test_prefix_and_plugin_are_spelled_as_a_user_types_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(capture, "received_array", lambda _: None)
    root = SimpleNamespace(name="det")
    plugin: Any = SimpleNamespace(prefix="ad:HDF1:", dotted_name="hdf1", name="det_hdf1", root=root)
    with pytest.raises(UnprimedError) as failure:
        capture.check_primed(plugin)
    message = str(failure.value)
    assert message.startswith("ad:HDF1: plugin hdf1 of det isn't primed")
    assert "det.hdf1.stage_sigs" in message
    assert "::" not in message
