"""Detectors on the simulated IOC, and runs of them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky import RunEngine

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator
from adsupport.devices.signals.putting import put_in_order
from adsupport.launch import IOCProcess

# What a test may have left behind, put back before the next one: what a just started IOC has.
CAMERA = {
    "acquire": 0,
    "image_mode": "Continuous",
    "num_images": 100,
    "acquire_time": 0.001,
    "acquire_period": 0.005,
    "array_callbacks": 1,
    "wait_for_plugins": "No",
    "trigger_mode": "Internal",
    "data_type": "UInt8",
    "color_mode": "Mono",
    "size.size_x": 1024,
    "size.size_y": 1024,
    "min_x": 0,
    "min_y": 0,
    "bin_x": 1,
    "bin_y": 1,
}
PLUGIN = {"enable": 0, "blocking_callbacks": "No", "min_callback_time": 0.0, "queue_size": 20}
WRITER = {
    "capture": 0,
    **PLUGIN,
    "file_write_mode": 0,
    "num_capture": 1,
    "lazy_open": "No",
    "auto_save": 0,
    "auto_increment": 1,
    "file_number": 0,
    "create_directory": -5,
    "compression": "None",
    "file_name": "image",
    "file_template": "%s%s_%4.4d.h5",
}


class Documents:
    """What a RunEngine said."""

    def __init__(self) -> None:
        self._all: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, document: dict[str, Any]) -> None:
        self._all.append((name, document))

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the documents of one kind."""
        return [document for kind, document in self._all if kind == name]


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory that the IOC knows as ``ioc`` and this computer as ``local``."""
    (tmp_path / "ioc").mkdir()
    (tmp_path / "local").symlink_to(tmp_path / "ioc")
    return tmp_path


@pytest.fixture
def make_detector(disk: pathlib.Path) -> Iterator[Callable[..., Any]]:
    """Make a detector with the plugins of the simulated IOC, named files and mapped paths."""
    made = []

    def make(ioc: IOCProcess, **hdf1: Any) -> Any:
        spec = {
            "class": AD_EpicsFileNameHDF5Plugin,
            "write_path_template": f"{disk}/ioc/%Y/%m/",
            "read_path_template": f"{disk}/local/%Y/%m/",
            **hdf1,
        }
        detector = ad_creator(ioc.prefix, name="det", plugins=["cam", "image", {"hdf1": spec}])
        detector.wait_for_connection(timeout=15)
        made.append(detector)
        return detector

    yield make
    for detector in made:
        detector.unstage()
        detector.stop(success=True)


def put_all(device: Any, values: dict[str, Any]) -> None:
    """Put values in order, then wait until all read back: a late one mustn't undo a test's own."""
    assert put_in_order([(getattr(device, name), value) for name, value in values.items()]) == []


@pytest.fixture
def make_ready() -> Callable[..., None]:
    """Give a detector the settings of a new IOC, prime its file plugin and let it write.

    Called with the detector, its file plugin, camera settings and settings of the file plugin.
    """

    def make_ready(
        detector: Any, writer: Any, camera: dict[str, Any], settings: dict[str, Any]
    ) -> None:
        from adsupport.devices import ensure_AD_plugin_primed

        put_all(detector.cam, CAMERA | camera)
        put_all(detector.image, PLUGIN)
        known = {name: value for name, value in WRITER.items() if hasattr(writer, name)}
        put_all(writer, known | settings)
        writer.file_path.put(writer.expand_path())
        ensure_AD_plugin_primed(writer, True)
        put_all(detector.cam, {"image_mode": "Multiple", "num_images": 1, "acquire_period": 0.002})

    return make_ready


@pytest.fixture
def det(
    adsim: IOCProcess, make_detector: Callable[..., Any], make_ready: Callable[..., None]
) -> Any:
    """A detector on the shared IOC, with the settings of a new IOC, primed, ready to write."""
    detector = make_detector(adsim)
    make_ready(detector, detector.hdf1, {}, {})
    return detector


@pytest.fixture
def documents() -> Documents:
    """Collect what the RunEngine says."""
    return Documents()


@pytest.fixture
def engine(documents: Documents) -> RunEngine:
    """Return a RunEngine that tells ``documents`` all."""
    runner = RunEngine({})
    runner.subscribe(documents)
    return runner


@pytest.fixture
def catalog(engine: RunEngine) -> Any:
    """A temporary databroker catalog that takes in all runs and reads every kind of file."""
    import databroker

    from adsupport.documents import register_handlers

    made = databroker.temp().v2
    register_handlers(made)
    engine.subscribe(made.v1.insert)
    return made


def state_of(detector: Any) -> dict[str, Any]:
    """Read what must be as before after any error: settings, and that nothing runs."""
    cam, hdf1, image = detector.cam, detector.hdf1, detector.image
    names = {
        cam: (
            "image_mode",
            "num_images",
            "acquire_time",
            "acquire_period",
            "array_callbacks",
            "wait_for_plugins",
            "trigger_mode",
            "acquire",
        ),
        image: ("enable", "blocking_callbacks", "array_callbacks"),
        hdf1: (
            "enable",
            "blocking_callbacks",
            "file_write_mode",
            "num_capture",
            "lazy_open",
            "auto_save",
            "auto_increment",
            "create_directory",
            "capture",
            "write_file",
        ),
    }
    return {f"{d.name}.{n}": getattr(d, n).get() for d, all_ in names.items() for n in all_}


@pytest.fixture
def unchanged() -> Callable[[Any], Any]:
    """Check that a block leaves the detector idle and its settings as they were."""
    import contextlib

    @contextlib.contextmanager
    def watch(detector: Any) -> Iterator[None]:
        before = state_of(detector)
        yield
        after = state_of(detector)
        assert after == before
        assert after[f"{detector.cam.name}.acquire"] == 0
        assert after[f"{detector.hdf1.name}.capture"] == 0

    return watch
