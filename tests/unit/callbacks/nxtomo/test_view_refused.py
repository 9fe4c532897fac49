"""What a view isn't made of: files that are no Data Exchange, damaged, or contradict themselves."""

import os

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import finish_dx
from adsupport.callbacks.nxtomo import nxtomo_view
from adsupport.callbacks.tomography import FrameKind
from adsupport.errors import (
    ConfigurationError,
    ImageFileError,
    OutputExistsError,
    OutputNameError,
)

from .dx_files import ANGLES, check_frames

DARK = FrameKind.DARK


BAD = {
    "nothing of Data Exchange": (
        {"kinds": [DARK]},
        r"no images at /exchange/data; .* has exchange",
    ),
    "no angles": ({"theta": False}, "no angles at /exchange/theta.*finish_dx"),
    "angles of a scan that lost frames": (
        {
            "theta": False,
            "more": {
                f"process/acquisition/rotation/{name}": value
                for name, value in (("start", 0.0), ("step", 1.0), ("num_angles", 8))
            },
        },
        "for 7 projections",
    ),
    "too few angles": ({"more": {"exchange/theta": np.zeros(6)}}, "has 6 float64 .* each of the 7"),
    "other units": ({"units": "mm"}, "in mm at /exchange/theta"),
    "angles that are texts": ({"more": {"exchange/theta": ["a"] * 7}}, "has 7 object"),
    "frames of another shape": (
        {"more": {"exchange/data_dark": np.zeros((2, 3, 3))}},
        r"frames of \(4, 5\) at /exchange/data.*and of|frames of .*\(3, 3\)",
    ),
    "colour": ({"more": {"exchange/data": np.zeros((7, 4, 5, 3), "u1")}}, r"\(7, 4, 5, 3\)"),
    "texts": ({"more": {"exchange/data": ["a"]}}, "object of shape"),
    "no frames": (
        {"kinds": [], "more": {"exchange/data": np.zeros((0, 4, 5), "u2")}},
        "no frames at /exchange/data",
    ),
    "a link that leads nowhere": (
        {"kinds": [], "more": {"exchange/data": h5py.SoftLink("/nowhere")}},
        "no array at /exchange/data, or a link there that leads nowhere",
    ),
    "darks in a file that isn't there": (
        {"more": {"exchange/data_dark": h5py.ExternalLink("darks.h5", "/exchange/data_dark")}},
        "no array at /exchange/data_dark, or a link there that leads nowhere",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_files_that_are_refused(dx, fault, tmp_path):
    options, message = BAD[fault]
    source = dx(**options)
    with pytest.raises(ImageFileError, match=message) as caught:
        nxtomo_view(source)
    assert caught.value.path == str(source)
    assert str(source) in str(caught.value)
    assert os.listdir(tmp_path) == ["scan.h5"]


def test_a_file_that_only_says_it_is_huge_is_refused(dx):
    source = dx(kinds=[])
    with h5py.File(source, "a") as file:
        file.create_dataset("exchange/data", (10**12, 4, 5), "u2", chunks=(1, 4, 5))
    with pytest.raises(ImageFileError, match="1000000000000 frames at /exchange/data"):
        nxtomo_view(source)


def test_sinograms_are_refused(dx):
    source = dx()
    with h5py.File(source, "a") as file:
        file["exchange/data"].attrs["axes"] = "y:theta:x"
    with pytest.raises(ImageFileError, match="expected 'theta:y:x'"):
        nxtomo_view(source)


def test_a_damaged_file(dx):
    source = dx()
    with h5py.File(source, "a") as file:
        del file["exchange/theta"]
        theta = file.create_dataset("exchange/theta", data=ANGLES, chunks=(7,), fletcher32=True)
        where = theta.id.get_chunk_info(0).byte_offset
    raw = bytearray(source.read_bytes())
    raw[where] ^= 1
    source.write_bytes(raw)
    with pytest.raises(ImageFileError, match=r"scan\.h5 can't be read") as caught:
        nxtomo_view(source)
    assert caught.value.path == str(source)


def test_files_that_are_no_hdf5(tmp_path):
    with pytest.raises(ImageFileError, match="missing"):
        nxtomo_view(tmp_path / "nowhere.h5")
    (tmp_path / "text.h5").write_text("no")
    with pytest.raises(ImageFileError, match=r"text\.h5 can't be opened"):
        nxtomo_view(tmp_path / "text.h5")


def test_a_name_that_is_taken(dx, tmp_path):
    source = dx()
    path = nxtomo_view(source)
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match="exists already"):
        nxtomo_view(source)
    assert path.read_text() == "mine"
    check_frames(nxtomo_view(source, exists="bump"))
    assert sorted(os.listdir(tmp_path)) == ["scan.h5", "scan_nxtomo-1.nxs", "scan_nxtomo.nxs"]
    check_frames(nxtomo_view(source, exists="replace"))
    with pytest.raises(OutputNameError, match="is the file to show"):
        nxtomo_view(source, source, exists="replace")
    check_frames(nxtomo_view(source, exists="replace"))


@pytest.mark.parametrize("entry", ["", ".", "a/b", "/entry", "my scan", "a\0", "é"])
def test_an_entry_that_is_no_name(dx, entry):
    with pytest.raises(ConfigurationError, match="entry="):
        nxtomo_view(dx(), entry=entry)


def test_a_view_that_fails_leaves_nothing(dx, tmp_path, monkeypatch):
    source = dx()
    monkeypatch.setattr("adsupport.callbacks.nxtomo.view.link", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        nxtomo_view(source)
    assert os.listdir(tmp_path) == ["scan.h5"]


def test_numbers_of_a_type_that_nobody_can_read(dx):
    """As one changed byte may make them: h5py's errors are of any kind then."""
    source = dx(theta=False)
    wide = h5py.h5t.IEEE_F64LE.copy()
    wide.set_size(16)
    wide.set_precision(128)
    wide.set_fields(127, 112, 15, 0, 112)
    with h5py.File(source, "a") as file:
        space = h5py.h5s.create_simple((7,))
        h5py.h5d.create(file["exchange"].id, b"theta", wide, space)
    for call in (nxtomo_view, finish_dx):
        with pytest.raises(ImageFileError, match=r"scan\.h5 can't be read.*damaged"):
            call(source)
