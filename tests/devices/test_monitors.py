"""Monitors of signals: what they know after they were stopped and started again."""

from __future__ import annotations

from typing import Any

import pytest
from epics import ca

from adsupport.devices.signals.monitors import Monitors


def test_a_second_start_waits_for_values_of_now(det: Any) -> None:
    signal = det.cam.num_images
    watched = Monitors({"images": signal})
    for value in range(3, 13):
        signal.put(value, wait=True)
        watched.start()
        assert watched.latest() == {"images": value}
        watched.stop()


def test_changes_are_told_after_a_second_start_and_not_in_between(det: Any) -> None:
    signal = det.cam.num_images
    signal.put(3, wait=True)
    heard: list[tuple[str, Any]] = []
    watched = Monitors({"images": signal}, lambda key, value: heard.append((key, value)))
    watched.start()
    watched.stop()
    signal.put(4, wait=True)
    watched.start()
    watched.stop()
    assert heard == [("images", 3), ("images", 4)]


def test_a_record_that_is_silent_at_a_second_start_is_named(
    det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Monitors({"images": det.cam.num_images})
    watched.start()
    watched.stop()
    subscribe = ca.create_subscription

    def deaf(channel: Any, mask: int, callback: Any) -> Any:
        return subscribe(channel, mask=mask, callback=lambda **_: None)

    monkeypatch.setattr(ca, "create_subscription", deaf)
    with pytest.raises(TimeoutError, match=r"cam1:NumImages\w* sent no value within 0.2 s"):
        watched.start(0.2)
    with pytest.raises(TimeoutError, match=r"cam1:NumImages\w* isn't watched, or has sent no"):
        watched.latest()
