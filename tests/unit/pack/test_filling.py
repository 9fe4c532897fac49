"""Documents that have their images in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adsupport.documents.json_lines import read_documents
from adsupport.errors import PackError
from adsupport.pack import pack

from .made_packs import images
from .source_runs import (
    hdf5_run,
    streamed_run,
)


def test_events_are_filled_with_images(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    pack(documents, tmp_path / "out", external="fill")
    found = list(read_documents(next((tmp_path / "out/documents").iterdir())))
    assert [name for name, _ in found] == ["start", "descriptor", *["event"] * 3, "stop"]
    uid = documents[0][1]["uid"]
    for point, (_, event) in enumerate(found[2:-1]):
        np.testing.assert_array_equal(event["data"]["det_image"], images()[[point]] + 100)
        assert event["filled"] == {"det_image": f"{uid}-r/{point}"}
        assert event["data"]["m1"] == point / 2
    assert not (tmp_path / "out/external_files").exists()


def test_pages_of_events_are_filled_with_images(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    events = [doc for name, doc in documents if name == "event"]
    datums = [doc for name, doc in documents if name == "datum"]
    page: dict[str, Any] = {
        key: [each[key] for each in events] for key in ("uid", "seq_num", "time")
    }
    page |= {
        key: {name: [each[key][name] for each in events] for name in events[0][key]}
        for key in ("data", "timestamps", "filled")
    }
    page["descriptor"] = events[0]["descriptor"]
    datum_page = {
        "resource": datums[0]["resource"],
        "datum_id": [each["datum_id"] for each in datums],
        "datum_kwargs": {"point_number": [0, 1, 2]},
    }
    paged = [*documents[:3], ("datum_page", datum_page), ("event_page", page), documents[-1]]
    pack(paged, tmp_path / "out", external="fill")
    read = list(read_documents(next((tmp_path / "out/documents").iterdir())))
    (found,) = [doc for name, doc in read if name == "event_page"]
    np.testing.assert_array_equal(np.squeeze(found["data"]["det_image"]), images() + 100)
    assert found["filled"]["det_image"] == page["data"]["det_image"]


def test_images_of_streams_cannot_fill_events(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="its images aren't in events; external='copy' takes"):
        pack(streamed_run(tmp_path / "data"), tmp_path / "out", external="fill")


def test_images_that_cannot_be_read_fill_nothing(tmp_path: Path) -> None:
    documents = hdf5_run(tmp_path / "data")
    (tmp_path / "data/scan_1.h5").write_bytes(b"no HDF5")
    result = pack(documents, tmp_path / "out", external="fill", strict=False)
    assert [each.source for each in result.missing] == [str(tmp_path / "data/scan_1.h5")]
    events = [doc for name, doc in documents if name == "event"]
    found = [
        doc
        for name, doc in read_documents(next((tmp_path / "out/documents").iterdir()))
        if name == "event"
    ]
    assert found == events
