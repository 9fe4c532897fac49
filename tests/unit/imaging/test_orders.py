"""Every order of darks, flats and projections: what comes into which stream, in which state."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from bluesky import RunEngine
from event_model import DocumentNames, schema_validators

from adsupport.errors import ConfigurationError
from adsupport.imaging import (
    Experiment,
    PreparedCamera,
    RadiographyConfig,
    TomographyConfig,
    radiography,
    tomography,
)

from .beamline import Beamline

D, F, P = "darks", "flats", "primary"
ORDERS = [
    (D, F, P), (F, D, P), (P, D, F), (P, F, D), (D, P, F), (F, P, D), (P,), (D, P), (P, D), (F, P),
    (P, F), (D, F, P, F), (D, F, P, F, D), (F, P, F), (D, P, D), (P, P), (D, F, P, P),
    (F, D, F, P, D), (D, F, P, D, F, P), (P, F, P, F, P),
]  # fmt: skip


@pytest.fixture
def beamline() -> Beamline:
    return Beamline()


def camera(beamline: Beamline) -> PreparedCamera:
    return PreparedCamera(beamline.camera, lambda *settings: settings)


def run(experiment: Experiment, **md: Any) -> list[tuple[str, dict[str, Any]]]:
    documents: list[tuple[str, dict[str, Any]]] = []
    engine = RunEngine({})
    engine.subscribe(lambda name, document: documents.append((name, document)))
    engine(experiment.run(**md))
    for name, document in documents:
        schema_validators[DocumentNames[name]].validate(document)
    return documents


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("kind", ["tomography", "radiography"])
def test_counts_and_states_of_every_frame(beamline: Beamline, order: Any, kind: str) -> None:
    common: Any = {"exposure": 0.1, "flat_exposure": 0.05, "darks": 3, "flats": 4, "order": order}
    places: Any = {"source": beamline.source, "sample": beamline.sample}
    if kind == "tomography":
        config = TomographyConfig(projections=5, **common)
        made = tomography(camera(beamline), beamline.rotation, config, **places)
    else:
        made = radiography(camera(beamline), RadiographyConfig(projections=5, **common), **places)
    documents = run(made)
    often = Counter(order)
    counts = {D: 3 * often[D], F: 4 * often[F], P: 5 * often[P]}
    for stream, wanted in counts.items():
        frames = list(beamline.frames_of(documents, stream))
        assert len(frames) == wanted, stream
        for frame, data in frames:
            assert frame["open"] is (stream != D)
            assert data["shutter"] == frame["open"]
            assert stream == D or frame["in"] is (stream == P)
            assert frame["exposure"] == (0.05 if stream == F else 0.1)
    if kind == "tomography":
        frames = list(beamline.frames_of(documents, P))
        assert [frame["angle"] for frame, _ in frames] == [0, 36, 72, 108, 144] * often[P]
        assert [data["rotation"] for _, data in frames] == [frame["angle"] for frame, _ in frames]
    assert beamline.is_safe()
    assert len(beamline.camera.frames) == sum(counts.values())
    assert made.ready_to_prepare_next_sample.is_set()


def test_flats_between_projections(beamline: Beamline) -> None:
    config = TomographyConfig(exposure=0.1, darks=1, flats=2, projections=7, flats_every=3)
    made = tomography(
        camera(beamline), beamline.rotation, config, source=beamline.source, sample=beamline.sample
    )
    assert made.order == (D, F, P, F, P, F, P)
    for _ in range(2):  # and again with the same experiment
        beamline.camera.frames.clear()
        documents = run(made)
        angles = [frame["angle"] for frame, _ in beamline.frames_of(documents, P)]
        assert angles == pytest.approx([index * 180 / 7 for index in range(7)])
        assert len(list(beamline.frames_of(documents, F))) == 6


def test_what_was_asked_for_is_in_the_start_document(beamline: Beamline) -> None:
    config = TomographyConfig(exposure=0.1, angles=[5, 3, 4], flats=0, darks=0)
    made = tomography(camera(beamline), beamline.rotation, config, source=beamline.source)
    start = run(made, sample="tooth")[0][1]
    assert start["sample"] == "tooth"
    assert start["plan_name"] == "tomography"
    assert start["imaging"]["angles"] == [5.0, 3.0, 4.0]
    assert start["imaging"]["exposure"] == 0.1
    assert start["frames"] == {"primary": 3}
    assert start["least_duration"] == pytest.approx(0.3)
    assert start["hints"] == {"dimensions": [[["rotation"], "primary"]]}


def test_swapped_and_removed(beamline: Beamline) -> None:
    config = RadiographyConfig(exposure=0.1, darks=1, flats=2, projections=3)
    made = radiography(camera(beamline), config, source=beamline.source, sample=beamline.sample)
    made.swap(F, P)
    assert made.order == (D, P, F)
    documents = run(made)
    assert all(frame["in"] for frame, _ in beamline.frames_of(documents, P))
    assert beamline.is_safe()  # the sample was out last
    made.remove(D)
    assert made.order == (P, F)
    with pytest.raises(ConfigurationError, match="'dark'.*'flats', 'primary'"):
        made.order = ("dark",)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"projections": 0}, "projections must be a whole number, at least 1, got 0"),
        ({"projections": 2.5}, "projections must .* got 2.5"),
        ({"projections": True}, "projections must .* got True"),
        ({"exposure": 0}, "exposure must be above 0"),
        ({"exposure": float("nan")}, "exposure must be a finite number"),
        ({"exposure": 0.3, "period": 0.2}, "exposure=0.3 s is longer than period=0.2 s"),
        ({"flat_exposure": 0.3, "period": 0.2}, "flat_exposure=0.3 s is longer"),
        ({"order": ("darks", "flat", "primary")}, "'flat'"),
        ({"order": "primary"}, "order='primary'"),
        ({"order": ("darks",)}, "has no 'primary'"),
        ({"darks": -1}, "darks must be a whole number, at least 0"),
        ({"angles": []}, "angles has 0 values"),
        ({"angles": [1, 2], "projections": 3}, "angles has 2 values, and projections is 3"),
        ({"angles": [1, float("inf")], "projections": None}, "angles[1] must be a finite number"),
        ({"mode": "flying"}, "mode='flying'"),
        ({"mode": "fly", "period": 0.2, "flats_every": 3}, "flats_every can't be had"),
        ({"angular_range": 0}, "angular_range is 0"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said.replace("[", r"\[")):
        TomographyConfig(**{"exposure": 0.1, "projections": 4, **wrong})


def test_limits_are_looked_at_before_anything_moves(beamline: Beamline) -> None:
    beamline.rotation.limits = (-10, 90)
    config = TomographyConfig(exposure=0.1, darks=1, flats=1, projections=4)
    made = tomography(
        camera(beamline), beamline.rotation, config, source=beamline.source, sample=beamline.sample
    )
    with pytest.raises(
        ConfigurationError,
        match="rotation can't go where the highest is at 135: its limits are -10 and 90",
    ):
        run(made)
    beamline.rotation.limits, beamline.stage.limits = (0, 0), (-5, 5)
    with pytest.raises(ConfigurationError, match="stage can't go where it is out at 6"):
        run(made)
    assert beamline.shutter.history == [0]
    assert beamline.rotation.history == beamline.stage.history == [0.0]


def test_flats_need_a_sample_that_moves(beamline: Beamline) -> None:
    with pytest.raises(ConfigurationError, match="nothing takes the sample out"):
        radiography(camera(beamline), RadiographyConfig(exposure=0.1), source=beamline.source)
