"""Bars of an experiment: what documents and the camera's status make of them."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from adsupport.imaging import ImagingProgress

START = {
    "uid": "1",
    "acquisitions": ["darks", "flats", "primary", "flats"],
    "frames": {"darks": 2, "flats": 6, "primary": 8},
}


class Status:
    """Of a camera, or of a motor."""

    def __init__(self, unit: str, target: float) -> None:
        self.unit, self.target = unit, target

    def watch(self, func: Any) -> None:
        self.func = func

    def report(self, current: float) -> None:
        self.func(name="it", unit=self.unit, current=current, target=self.target, fraction=0.5)


class Bars:
    """A progress that a test looks at."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.progress = ImagingProgress(Console(file=self.text, width=80))

    def take(self, stream: str, frames: int | None) -> None:
        self.progress("descriptor", {"uid": f"of {stream}", "run_start": "1", "name": stream})
        data = {"camera_frames_taken": frames} if frames else {"angle": 1.0}
        self.progress("event", {"descriptor": f"of {stream}", "data": data})

    def wait(self, unit: str, target: float) -> Status:
        status = Status(unit, target)
        self.progress.waiting([status, object()])
        self.progress.waiting(None)
        return status

    def shown(self) -> dict[str, str]:
        shown = self.progress._progress
        assert shown is not None
        return {each.description: f"{each.completed:g}/{each.total:g}" for each in shown.tasks}


@pytest.fixture
def bars() -> Bars:
    return Bars()


def test_a_bar_for_each_stream(bars: Bars):
    bars.progress("start", START)
    bars.take("darks", 2)
    bars.take("primary", None)
    bars.take("primary", None)
    assert bars.shown() == {"darks": "2/2", "flats": "0/6", "primary": "2/8"}
    bars.progress("stop", {"run_start": "1"})
    assert re.search(r"primary .* 2/8 ", bars.text.getvalue())


def test_the_cameras_status_tells_before_the_event(bars: Bars):
    bars.progress("start", START)
    bars.take("darks", 2)
    bars.take("flats", 3)
    camera = bars.wait("frames", 8)
    camera.report(5)
    assert bars.shown() == {"darks": "2/2", "flats": "3/6", "primary": "5/8"}
    bars.take("primary", 8)
    assert bars.shown()["primary"] == "8/8"
    bars.wait("frames", 3).report(1)
    assert bars.shown() == {"darks": "2/2", "flats": "4/6", "primary": "8/8"}
    bars.progress("stop", {"run_start": "1"})
    camera.report(8)  # too late


def test_motors_and_single_frames_move_no_bar(bars: Bars):
    bars.progress("start", START)
    bars.wait("degrees", 180.0).report(90.0)
    bars.wait("frames", 1).report(1)
    assert set(bars.shown().values()) == {"0/2", "0/6", "0/8"}
    bars.progress("stop", {"run_start": "1"})


def test_bars_of_a_run_that_was_aborted_do_not_go_on(bars: Bars):
    bars.progress("start", START)
    bars.take("darks", 2)
    bars.take("flats", 3)
    bars.progress("stop", {"run_start": "1", "exit_status": "abort"})
    shown = bars.text.getvalue()
    assert re.search(r"darks .* 2/2 +0:00:00", shown)
    assert re.search(r"flats .* 3/6 +ended early: abort", shown)
    assert re.search(r"primary .* 0/8 +ended early: abort", shown)


def test_runs_of_others_have_no_bars(bars: Bars):
    bars.progress("start", {"uid": "2", "plan_name": "count"})
    bars.take("primary", 3)
    bars.wait("frames", 3)
    bars.progress("stop", {"run_start": "2"})
    assert bars.text.getvalue() == ""
