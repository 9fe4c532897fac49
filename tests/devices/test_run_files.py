"""Files of a real run with images, written while it goes on and from the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from bluesky import plans as bp

from adsupport.callbacks.nexus import NXWriter, check_nexus
from adsupport.documents import replay
from adsupport.plans import prepare_count

IMAGES = "entry/instrument/bluesky/streams/primary/det_image/value"


def test_images_are_linked_when_the_ioc_has_closed_their_file(
    engine: Any, det: Any, tmp_path: Path
) -> None:
    live = NXWriter(file_path=tmp_path, file_name="live.hdf", warn_on_missing_content=False)
    documents: list[tuple[str, dict]] = []
    engine.subscribe(lambda name, doc: documents.append((name, doc)))
    engine.subscribe(live.receiver)
    engine(prepare_count(det.hdf1, "nexus", 0.001, 0.002, 3))
    engine(bp.count([det], num=4))
    (result,) = live.wait_writer(timeout=30)
    assert (result.skipped, result.error) == ([], None)
    with h5py.File(result.paths[0]) as file:
        images: Any = file[IMAGES]
        assert images.is_virtual
        assert images.shape[:2] == (4, 3)
        (source,) = {each.file_name for each in images.virtual_sources()}
        with h5py.File(result.paths[0].parent / source) as written:
            expected = written["entry/data/data"][()]
        np.testing.assert_array_equal(images[()].reshape(expected.shape), expected)
        assert len(set(map(bytes, expected))) > 1  # frames differ
    assert check_nexus(result.paths[0]) == []
    for way in ("copy", "repack"):
        offline = NXWriter(
            file_path=tmp_path, file_name=f"{way}.hdf", images=way, warn_on_missing_content=False
        )
        replay(documents, offline.receiver)
        (result,) = offline.wait_writer(timeout=30)
        with h5py.File(result.paths[0]) as file:
            images = file[IMAGES]
            assert not images.is_virtual
            np.testing.assert_array_equal(images[()].reshape(expected.shape), expected)
