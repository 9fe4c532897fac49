"""What a file plugin tells a run of its files, also when the first event is never saved."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine

from adsupport.devices.files.image_documents import ImageDocuments


class Reading:
    """The rest of a device."""

    name, parent, is_writing = "det", None, True

    def read(self) -> OrderedDict[str, Any]:
        return OrderedDict()

    def describe(self) -> OrderedDict[str, Any]:
        return OrderedDict()

    def read_configuration(self) -> dict[str, Any]:
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        return {}


class Camera(ImageDocuments, Reading):
    """Writes a file, of which each point has a frame."""

    filestore_spec = "AD_HDF5"

    def open(self) -> None:
        self._open_resource("/", "frames.h5", {"frame_per_point": 1}, "posix")

    def take(self, point: int) -> None:
        self._add_datum("det_image", 1.0, {"point_number": point})

    def _image_key(self) -> dict[str, Any]:
        return {"source": "", "shape": [1, 2, 3], "dtype": "array", "external": "FILESTORE:"}


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_the_file_of_events_that_were_saved_is_in_the_run_once(dropped):
    camera: Any = Camera()
    told: list[tuple[str, Any]] = []

    def plan() -> Any:
        yield from bps.open_run()
        camera.open()
        for point in range(5):
            camera.take(point)
            yield from bps.create()
            yield from bps.read(camera)
            yield from bps.drop() if point < dropped else bps.save()
        yield from bps.close_run()

    RunEngine({})(plan(), lambda name, document: told.append((name, document)))
    kinds = [name for name, _ in told if name in ("resource", "datum")]
    assert kinds == ["resource", *["datum"] * (5 - dropped)]
    (resource,) = [document for name, document in told if name == "resource"]
    datums = [document for name, document in told if name == "datum"]
    assert {each["resource"] for each in datums} == {resource["uid"]}
    assert [each["datum_kwargs"]["point_number"] for each in datums] == [*range(dropped, 5)]
