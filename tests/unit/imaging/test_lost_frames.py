"""Frames that the detector lost: addons and files follow the policy of the camera."""

from __future__ import annotations

from typing import Any

import pytest
from bluesky import RunEngine

from adsupport.callbacks.formats import FORMATS, make_writer
from adsupport.errors import ConfigurationError, FrameCountError
from adsupport.imaging import Experiment, PreparedCamera, RadiographyConfig, radiography, run_files
from adsupport.imaging.addons import Addon

from .beamline import Beamline


class Losing:
    """A source of frames that hasn't got all."""

    def begin(self, about: Any, take: Any) -> None:
        pass

    def end(self, expected: int | None, timeout: float) -> None:
        if expected:
            raise FrameCountError("2 frames came", plugin="HDF1:", expected=expected, got=2)

    def close(self) -> None:
        pass


class Ends(Addon):
    def __init__(self) -> None:
        super().__init__(streams=["primary"])
        self.all: list[Any] = []

    def frame(self, frame: Any) -> None:
        pass

    def end(self, ended: Any) -> None:
        self.all.append((ended.complete, ended.missing, ended.reason))


def make(policy: str | None, addon: Any, **options: Any) -> Experiment:
    beamline = Beamline()
    if policy is not None:
        beamline.camera.frame_policy = policy  # type: ignore[attr-defined]
    config = RadiographyConfig(exposure=0.1, darks=0, flats=0, projections=3)
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    options = {"frames": Losing(), "addons": [addon], **options}
    return radiography(camera, config, source=beamline.source, **options)


@pytest.mark.parametrize(
    ("policy", "options"),
    [("warn", {}), ("record", {}), (None, {"missing": "drop"}), ("raise", {"missing": "fill"})],
)
def test_a_run_goes_on_and_addons_know(policy: Any, options: Any) -> None:
    addon, stops = Ends(), []
    engine = RunEngine({})
    engine.subscribe(lambda _, document: stops.append(document), "stop")
    engine(make(policy, addon, **options).run())
    assert [stop["exit_status"] for stop in stops] == ["success"]
    assert addon.all == [(False, 3, "2 frames came")]


@pytest.mark.parametrize(
    ("policy", "options"), [("raise", {}), (None, {}), ("warn", {"missing": "raise"})]
)
def test_a_run_fails_otherwise(policy: Any, options: Any) -> None:
    addon = Ends()
    with pytest.raises(FrameCountError):
        RunEngine({})(make(policy, addon, **options).run())
    assert addon.all == [(False, 3, "2 frames came")]


@pytest.mark.parametrize(
    ("policy", "told"), [("raise", "error"), ("warn", "drop"), ("record", "drop")]
)
def test_files_have_the_policy_too(
    policy: str, told: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def keep(*arguments: Any, **options: Any) -> Any:
        made.append(make_writer(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(run_files, "make_writer", keep)
    monkeypatch.chdir(tmp_path)
    experiment = make(policy, Ends(), files=("nxtomo", "dx", "csv"), frames=None, addons=())
    for _ in zip(experiment.run(), range(1), strict=False):
        pass
    assert [getattr(each, "missing", None) for each in made] == [told, told, None]
    assert "missing" in FORMATS["dx"].own


def test_another_word_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="missing='warn' isn't known"):
        make("raise", Ends(), missing="warn")
