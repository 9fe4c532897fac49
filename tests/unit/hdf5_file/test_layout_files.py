"""Files in layouts of one's own: what is in them, read with h5py."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.sim.hdf5.file import HDF5File, HDF5FileError, HDF5FrameError
from adsupport.sim.hdf5.layout_xml import parse_layout
from adsupport.sim.hdf5.settings import HDF5Settings
from adsupport.sim.ndarray import NDArray, NDAttribute

HEAD = '<?xml version="1.0"?><hdf5_layout>'
IMAGE = '<dataset name="data" source="detector" det_default="true"/>'
ROUTED = f"""{HEAD}
  <global name="detector_data_destination" ndattribute="FrameType"/>
  <group name="exchange">
    <dataset name="data" source="detector" det_default="true"/>
    <dataset name="data_dark" source="detector"/>
    <dataset name="data_white" source="detector"/>
  </group>
</hdf5_layout>"""


def array(number: int, **attributes: Any) -> NDArray:
    listed = tuple(NDAttribute(name, value) for name, value in attributes.items())
    return NDArray(np.full((3, 4), number, np.uint8), unique_id=number, attributes=listed)


def write(path: Path, text: str, arrays: list[NDArray], **settings: Any) -> HDF5File:
    settings = {"num_capture": 10} | settings
    file = HDF5File(path, HDF5Settings(**settings), arrays[0], layout=parse_layout(text))
    for item in arrays:
        file.write(item)
    file.close()
    return file


def test_frames_go_to_the_dataset_that_they_name(tmp_path: Path) -> None:
    places = ["/exchange/data", "/exchange/data_dark", "/exchange/data_white",
              "/exchange/data_dark", "/no/such", ""]  # fmt: skip
    arrays = [array(number, FrameType=place) for number, place in enumerate(places, 1)]
    write(tmp_path / "f.h5", ROUTED, [*arrays, array(7)])
    with h5py.File(tmp_path / "f.h5") as file:
        found = {name: file["exchange"][name][:, 0, 0].tolist() for name in file["exchange"]}
        assert file["NDArrayUniqueId"][:].tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert file["exchange/data_white"].maxshape == (10, 3, 4)
        assert file["exchange/data_white"].attrs["NDArrayNumDims"] == 2
    assert found == {"data": [1, 5, 6, 7], "data_dark": [2, 4], "data_white": [3]}


def test_a_dataset_without_frames_has_a_frame_of_fill_values(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", ROUTED, [array(1)], fill_value=9.0)
    with h5py.File(tmp_path / "f.h5") as file:
        assert (file["exchange/data_dark"][:] == 9).all()
        assert file["exchange/data_dark"].shape == (1, 3, 4)


def test_a_frame_whose_destination_is_no_string_is_refused(tmp_path: Path) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(), array(1), layout=parse_layout(ROUTED))
    with pytest.raises(HDF5FrameError, match="FrameType.* is no string"):
        file.write(array(1, FrameType=2))
    assert file.is_open
    file.write(array(2))
    file.close()
    assert file.frames == 1


def test_constants_and_attributes(tmp_path: Path) -> None:
    text = f"""{HEAD}<group name="g" ndattr_default="true">
      <attribute name="text" source="constant" value="one two"/>
      <attribute name="odd" source="constant" value="5" type="word"/>
      <attribute name="int" source="constant" value=" 7" type="int"/>
      <attribute name="ints" source="constant" value="1,2 3" type="int"/>
      <attribute name="float" source="constant" value="1e3x" type="float"/>
      <attribute name="none" source="constant" value="x" type="int"/>
      <attribute name="big" source="constant" value="99999999999" type="int"/>
      <attribute name="gain" source="ndattribute" ndattribute="Gain"/>
      <attribute name="mode" source="ndattribute" ndattribute="Mode" when="OnFileOpen"/>
      <attribute name="last" source="ndattribute" ndattribute="Gain" when="OnFileClose"/>
      <attribute name="missing" source="ndattribute" ndattribute="NoSuch"/>
      {IMAGE}
      <dataset name="word" source="constant" value="abc" type="string">
        <attribute name="units" source="constant" value="mm"/>
      </dataset>
      <dataset name="numbers" source="constant" value="1.5,-2" type="float"/>
      <dataset name="number" source="constant" value="3" type="int"/>
      <hardlink name="same" target="/g/data"/>
      <hardlink name="nowhere" target="/no/such"/>
    </group></hdf5_layout>"""
    write(tmp_path / "f.h5", text, [array(1, Gain=1.5, Mode="a"), array(2, Gain=2.5, Mode="b")])
    with h5py.File(tmp_path / "f.h5") as file:
        group = file["g"]
        assert dict(group.attrs.items()).keys() == {
            "text", "odd", "int", "ints", "float", "none", "big", "gain", "mode", "last",
            "hostname",
        }  # fmt: skip
        assert group.attrs["hostname"] == socket.gethostname().encode()
        assert (group.attrs["text"], group.attrs["odd"]) == (b"one two", b"5")
        assert group.attrs["int"].dtype == np.int32
        assert (group.attrs["int"], group.attrs["float"]) == (7, 1000.0)
        assert group.attrs["ints"].tolist() == [1, 2, 3]
        assert group.attrs["none"].shape == group.attrs["big"].shape == (0,)
        assert (group.attrs["gain"], group.attrs["last"], group.attrs["mode"]) == (1.5, 2.5, b"a")
        assert group["word"][:].tolist() == [b"abc"]
        assert group["word"].attrs["units"] == b"mm"
        assert group["numbers"][:].tolist() == [1.5, -2.0]
        assert (group["number"].shape, group["number"][()]) == ((), 3)
        assert group["same"] == group["data"]
        assert "nowhere" not in group
        assert group["Gain"][:].tolist() == [1.5, 2.5]
        assert group["timestamp"].shape == (2, 5)


def test_datasets_of_ndattributes(tmp_path: Path) -> None:
    text = f"""<?xml version="1.0"?><hdf5_layout auto_ndattr_default="false"><group name="g">
      {IMAGE}
      <dataset name="each" source="ndattribute" ndattribute="Gain">
        <attribute name="units" source="constant" value="V"/>
      </dataset>
      <dataset name="first" source="ndattribute" ndattribute="A" when="OnFileOpen"/>
      <dataset name="end" source="ndattribute" ndattribute="B" when="OnFileClose"/>
      <dataset name="never" source="ndattribute" ndattribute="NoSuch"/>
    </group></hdf5_layout>"""
    arrays = [array(number, Gain=number / 2, A=number, B=f"b{number}") for number in (1, 2, 3)]
    write(tmp_path / "f.h5", text, arrays)
    with h5py.File(tmp_path / "f.h5") as file:
        assert set(file) == {"g"}
        group = file["g"]
        assert set(group) == {"data", "each", "first", "end"}
        assert group["each"][:].tolist() == [0.5, 1.0, 1.5]
        assert group["each"].attrs["units"] == b"V"
        assert group["each"].attrs["NDAttrName"] == b"Gain"
        assert group["first"][:].tolist() == [1]
        assert group["end"][:].tolist() == [b"b3"]


def test_nothing_of_ndattributes_when_they_are_not_stored(tmp_path: Path) -> None:
    text = f"""{HEAD}<group name="g">
      <attribute name="a" source="constant" value="1"/>
      {IMAGE.replace("/>", ">")}<attribute name="b" source="constant" value="1"/></dataset>
    </group></hdf5_layout>"""
    write(tmp_path / "f.h5", text, [array(1)], store_attributes=False, store_performance=False)
    with h5py.File(tmp_path / "f.h5") as file:
        assert set(file) == {"g"}
        assert dict(file["g"].attrs) == {}
        assert file["g/data"].attrs["b"] == b"1"


def test_attributes_that_change_their_type_or_have_names_that_are_taken(tmp_path: Path) -> None:
    text = f'{HEAD}<group name="g" ndattr_default="true">{IMAGE}</group></hdf5_layout>'
    arrays = [
        array(1, data=1, A=1, B="x", **{"no/group": 2}),
        array(2, data=1, A="text", B=2.5),
        array(3),
    ]
    write(tmp_path / "f.h5", text, arrays)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["g/data"].shape == (3, 3, 4)
        assert file["g/A"][:].tolist() == [1, 0, 0]
        assert file["g/B"][:].tolist() == [b"x", b"2.5", b"2.5"]


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<group name="g"/>',
        f'<group name="a/b">{IMAGE}</group>',
        f'<group name="">{IMAGE}</group>',
        f'<group name=".">{IMAGE}</group>',
    ],
)
def test_layouts_that_no_file_can_have(inside: str, tmp_path: Path) -> None:
    with pytest.raises(HDF5FileError, match=r"cannot create HDF5 file .*f\.h5"):
        write(tmp_path / "f.h5", f"{HEAD}{inside}</hdf5_layout>", [array(1)])


# ---- positions


def position(number: int, x: object, y: object) -> NDArray:
    return array(number, **{key: value for key, value in (("x", x), ("y", y)) if value is not None})


PLACED = {
    "num_capture": 6,
    "extra_dims": (2, 3),
    "position_names": ("y", "x"),
    "dim_att_datasets": True,
}


def test_frames_go_to_their_positions(tmp_path: Path) -> None:
    text = f'{HEAD}<group name="g" ndattr_default="true">{IMAGE}</group></hdf5_layout>'
    arrays = [position(1, 2, 0), position(2, 0, 0), position(3, 1, 1)]
    write(tmp_path / "f.h5", text, arrays, index_names=("y", "x"), **PLACED)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["g/data"][:, :, 0, 0].tolist() == [[2, 0, 1], [0, 3, 0]]
        assert file["g/NDArrayUniqueId"][:].tolist() == [[2, 0, 1], [0, 3, 0]]
        assert file["g/x"][:].tolist() == [0, 1, 2]
        assert file["g/y"][:].tolist() == [0, 1]


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, 2), (-1, 0), (None, 0), (0.5, 0), ("a", 0)])
def test_positions_that_are_none(x: object, y: object, tmp_path: Path) -> None:
    first = position(1, 0, 0)
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(**PLACED), first)
    file.write(first)
    with pytest.raises(HDF5FileError, match="cannot write"):
        file.write(position(2, x, y))
    assert not file.is_open
