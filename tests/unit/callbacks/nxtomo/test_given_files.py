"""Files whose names a user gives, to show or to finish: what is told when they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from adsupport.callbacks import finish_dx, nxtomo_view
from adsupport.errors import ImageFileError


@pytest.mark.parametrize("function", [nxtomo_view, finish_dx])
@pytest.mark.parametrize("kind", ["is missing", "is a directory", "is empty"])
def test_a_file_that_is_none_is_told_as_the_users(tmp_path, function, kind):
    path = Path(tmp_path, "scan.h5")
    if kind == "is a directory":
        path.mkdir()
    elif kind == "is empty":
        path.touch()
    with pytest.raises(ImageFileError, match=f"^Data Exchange file {path} {kind}") as caught:
        function(path)
    assert "Give the path of a Data Exchange file." in str(caught.value)
    assert "path_map" not in str(caught.value) and "document" not in str(caught.value)
