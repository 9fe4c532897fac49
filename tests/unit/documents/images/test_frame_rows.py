"""References to the images of many rows."""

import pytest

from adsupport.documents.assets import Asset, Frames
from adsupport.documents.images import FrameRows


def test_rows_of_a_file_take_no_memory():
    asset = Asset("a")
    rows = FrameRows(2)
    rows.extend(Frames(asset, 3 * row, 3) for row in range(5000))
    rows.extend([None, None, Frames(asset, 0, 1), Frames(Asset("b"), 1, 1)])
    expected = [
        *[None] * 2,
        *(Frames(asset, 3 * row, 3) for row in range(5000)),
        *[None] * 2,
        Frames(asset, 0, 1),
        Frames(Asset("b"), 1, 1),
    ]
    assert list(rows) == expected == rows[:]
    assert rows[-1] == expected[-1]
    assert rows[4000] == expected[4000]
    assert len(rows._starts) == 5
    with pytest.raises(IndexError):
        rows[len(expected)]
