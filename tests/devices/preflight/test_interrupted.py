"""A check that the IOC or the network interrupts: what was found stays, and nothing is blamed."""

from __future__ import annotations

from typing import Any

import pytest

from adsupport.devices import (
    check,
)
from adsupport.devices.preflight import checks, connected
from adsupport.errors import ConnectionTimeoutError

pytestmark = pytest.mark.slow


def test_the_ioc_is_lost_during_a_check(det: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise TimeoutError("no answer")

    monkeypatch.setattr(checks, "check_camera", gone)
    report = check(det)
    (finding,) = report.errors
    assert "the IOC was lost during the check" in finding.what
    assert "no answer" in finding.what
    assert report.of("ok")  # what was found before


def test_signals_that_are_still_coming_prove_nothing(
    det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: Any, **__: Any) -> None:
        det.hdf1.file_path._metadata["connected"] = False
        raise ConnectionTimeoutError("not connected", ["ad:HDF1:FilePath"], arriving=True)

    monkeypatch.setattr(connected, "connect", too_slow)
    try:
        (finding,) = check(det, timeout=0.1).findings
    finally:
        det.hdf1.file_path._metadata["connected"] = True
    assert (finding.severity, finding.subject) == ("error", "ad:")
    assert "more were coming" in finding.what
    assert "longer timeout" in finding.remedy
