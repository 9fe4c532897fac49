"""Files of the simulated HDF5 plugin against the layouts that a real one wrote."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  the reader needs the filters
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.file_hdf5 import HDF5File, HDF5FileError
from adsupport.sim.hdf5_filters import missing_filter
from adsupport.sim.hdf5_settings import Compression, HDF5Settings, plan_geometry
from adsupport.sim.ndarray import ColorMode, Dimension, NDArray, NDAttribute

DATA = Path(__file__).parents[1] / "data"
LAYOUTS = json.loads((DATA / "hdf5-layouts.json").read_text())
IMAGE = "/entry/data/data"
NDATTRIBUTES = "/entry/instrument/NDAttributes"
TIMES = "/entry/instrument/performance/timestamp"


def run(script: str, **options) -> subprocess.CompletedProcess[str]:
    """Run a script in another Python process."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


# ---- reading


def describe_type(dtype: np.dtype, kind: h5py.h5t.TypeID) -> list:
    is_string = isinstance(kind, h5py.h5t.TypeStringID)
    assert not is_string or kind.get_cset() == h5py.h5t.CSET_ASCII
    return [str(dtype), kind.get_strpad() if is_string else None, kind.get_size()]


def describe(path: Path) -> dict:
    """Everything about a file but its data and times, in the form of the recorded layouts."""
    found: dict = {}

    def plain(value):
        return value.decode() if isinstance(value, bytes) else np.asarray(value).tolist()

    def add(name: str, item: h5py.HLObject) -> None:
        attrs = {
            key: [*describe_type(item.attrs.get_id(key).dtype, item.attrs.get_id(key).get_type()),
                  plain(item.attrs[key])]
            for key in item.attrs
        }  # fmt: skip
        entry: dict = {"attrs": attrs}
        if isinstance(item, h5py.Dataset):
            plist = item.id.get_create_plist()
            entry |= {
                "dtype": str(item.dtype),
                "shape": list(item.shape),
                "maxshape": list(item.maxshape),
                "chunks": list(item.chunks),
                "filters": [str(plist.get_filter(i)) for i in range(plist.get_nfilters())],
                "fill": [plain(item.fillvalue), plist.fill_value_defined(), plist.get_fill_time()],
                "alloc_time": plist.get_alloc_time(),
            }
        found[name] = entry

    def walk(group: h5py.Group) -> None:
        for key in group:
            assert isinstance(group.get(key, getlink=True), h5py.HardLink)
            add(f"{group.name.rstrip('/')}/{key}", group[key])
            if isinstance(group[key], h5py.Group):
                walk(group[key])

    with h5py.File(path, "r") as file:
        add("/", file)
        walk(file)
        assert file[IMAGE] == file["/entry/instrument/detector/data"]
    return found


def expected(name: str) -> dict:
    """A recorded layout, but for the host's name."""
    layout = json.loads(json.dumps(LAYOUTS[name]))
    host = layout[NDATTRIBUTES]["attrs"].get("hostname")
    if host:
        size = len(socket.gethostname()) + 1
        host[:] = [f"|S{size}", 0, size, socket.gethostname()]
    return layout


# ---- writing

XML_ATTRIBUTES = tuple(
    NDAttribute(name, value, description, source, source_type)
    for name, value, description, source, source_type in (
        ("AcquireTime", 0.02, "Camera acquire time", "ad:cam1:AcquireTime", "NDAttrSourceEPICSPV"),
        ("ImageMode", "Multiple", "image mode", "ad:cam1:ImageMode", "NDAttrSourceEPICSPV"),
        ("CameraManufacturer", "Simulated detector", "Camera manufacturer", "MANUFACTURER",
         "NDAttrSourceParam"),
        ("ArrayCounterP", 57, "counter", "ARRAY_COUNTER", "NDAttrSourceParam"),
        ("Gain", 1.0, "gain", "GAIN", "NDAttrSourceParam"),
    )
)  # fmt: skip


def frame(number: int, shape=(1024, 1024), dtype="uint8", **more) -> NDArray:
    data = (np.arange(np.prod(shape)) + number).astype(dtype).reshape(shape)
    more.setdefault(
        "attributes", (NDAttribute("ColorMode", int(more.get("color_mode", 0)), "Color mode"),)
    )
    return NDArray(
        data,
        unique_id=number,
        time_stamp=1e9 + number,
        ts_sec=10**9,
        ts_nsec=number * 1000,
        **more,
    )


def write(path: Path, count: int, make=frame, **settings) -> HDF5File:
    file = HDF5File(path, HDF5Settings(**settings), make(1))
    for number in range(1, count + 1):
        file.write(make(number))
    file.close()
    return file


def colour(mode: ColorMode, *shape: int):
    return lambda number: frame(number, shape, color_mode=mode)


def typed(dtype: str):
    return lambda number: frame(number, dtype=dtype)


def region(number: int) -> NDArray:
    return frame(
        number,
        (512, 200),
        dims=(Dimension(200, offset=100, reverse=True), Dimension(512, binning=2)),
    )


def with_attributes(number: int) -> NDArray:
    return frame(number, attributes=XML_ATTRIBUTES)


RGB1 = colour(ColorMode.RGB1, 1024, 1024, 3)
RECORDED = {
    "stream5_none": (5, frame, {"num_capture": 5}),
    "stream5_zlib": (5, frame, {"num_capture": 5, "compression": Compression.ZLIB}),
    "single_mono": (1, frame, {"multiple": False, "num_capture": 5}),
    "stream1_mono_n1": (1, frame, {"num_capture": 1}),
    "stream_numcapture0_3frames": (3, frame, {"num_capture": 0}),
    "single_rgb1": (1, RGB1, {"multiple": False}),
    "stream2_rgb1": (2, RGB1, {"num_capture": 2}),
    "stream2_rgb2": (2, colour(ColorMode.RGB2, 1024, 3, 1024), {"num_capture": 2}),
    "stream2_rgb3": (2, colour(ColorMode.RGB3, 3, 1024, 1024), {"num_capture": 2}),
    "stream2_uint16": (2, typed("uint16"), {"num_capture": 2}),
    "stream2_float32": (2, typed("float32"), {"num_capture": 2}),
    "stream2_uint64": (2, typed("uint64"), {"num_capture": 2}),
    "stream2_roi_bin_rev": (2, region, {"num_capture": 2}),
    "stream4_none": (4, frame, {"num_capture": 4}),
    "stream2_noattr_noperf": (
        2, frame, {"num_capture": 2, "store_attributes": False, "store_performance": False},
    ),
    "stream2_fill7_dimatt": (
        2, frame, {"num_capture": 2, "fill_value": 7, "dim_att_datasets": True},
    ),
    "stream3_swmr": (3, frame, {"num_capture": 3, "swmr": True}),
    "stream3_xmlattrs": (3, with_attributes, {"num_capture": 3}),
}  # fmt: skip


@pytest.mark.conformance
@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_equals_recorded(name: str, tmp_path: Path) -> None:
    count, make, settings = RECORDED[name]
    write(tmp_path / "f.h5", count, make, **settings)
    assert describe(tmp_path / "f.h5") == expected(name)


@pytest.mark.conformance
def test_description_equals_that_of_a_real_file() -> None:
    """The reader of this module and the recorded layouts mean the same."""
    found = describe(DATA / "stream5_zlib.h5")
    assert found == LAYOUTS["stream5_zlib"]


@pytest.mark.parametrize("change", ["numeric type", "string size", "padding", "missing", "link"])
def test_description_shows_a_difference(change: str, tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    write(path, 5, num_capture=5)
    with h5py.File(path, "r+") as file:
        if change == "numeric type":
            del file[IMAGE].attrs["signal"]
            file[IMAGE].attrs["signal"] = np.int64(1)
        elif change == "link":
            del file["/entry/instrument/detector/data"]
            file["/entry/instrument/detector/data"] = h5py.SoftLink(IMAGE)
        else:
            del file["/entry"].attrs["NX_class"]
            if change != "missing":
                kind = h5py.h5t.C_S1.copy()
                kind.set_size(8 if change == "padding" else 9)
                if change == "padding":
                    kind.set_strpad(h5py.h5t.STR_NULLPAD)
                space = h5py.h5s.create(h5py.h5s.SCALAR)
                made = h5py.h5a.create(file["/entry"].id, b"NX_class", kind, space)
                made.write(np.array(b"NXentry", dtype=f"S{kind.get_size()}"), mtype=kind)
    if change == "link":
        with pytest.raises(AssertionError):
            describe(path)
    else:
        assert describe(path) != expected("stream5_none")


# ---- contents


@pytest.mark.parametrize("compression", [c for c in Compression if c is not Compression.JPEG])
@pytest.mark.parametrize("swmr", [False, True])
def test_images_and_attributes_come_back(
    compression: Compression, swmr: bool, tmp_path: Path
) -> None:
    write(tmp_path / "f.h5", 3, with_attributes, num_capture=3, compression=compression, swmr=swmr)
    with h5py.File(tmp_path / "f.h5") as file:
        for number in (1, 2, 3):
            np.testing.assert_array_equal(file[IMAGE][number - 1], frame(number).data)
        group = file[NDATTRIBUTES]
        assert group["NDArrayUniqueId"][:].tolist() == [1, 2, 3]
        assert group["NDArrayTimeStamp"][:].tolist() == [1e9 + 1, 1e9 + 2, 1e9 + 3]
        assert group["NDArrayEpicsTSSec"][:].tolist() == [10**9] * 3
        assert group["NDArrayEpicsTSnSec"][:].tolist() == [1000, 2000, 3000]
        assert group["ImageMode"][:].tolist() == [b"Multiple"] * 3
        assert group["Gain"][:].tolist() == [1.0] * 3


RECORDED_FILTERS = {
    Compression.NBIT: "(5, 1, (8, 1, 1048576, 1, 1, 0, 8, 0), b'nbit')",
    Compression.SZIP: "(4, 1, (169, 16, 8, 1024), b'szip')",
    Compression.ZLIB: "(1, 1, (6,), b'deflate')",
    Compression.BLOSC: "(32001, 0, (2, 2, 1, 1048576, 5, 1, 0), b'blosc')",
    Compression.BSLZ4: (
        "(32008, 0, (0, 4, 1, 0, 2), b'bitshuffle; see https://github.com/kiyo-masui/bitshuffle')"
    ),
    Compression.LZ4: (
        "(32004, 0, (0, 0), b'HDF5 lz4 filter; see "
        "https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md')"
    ),
}


@pytest.mark.conformance
@pytest.mark.parametrize("compression", RECORDED_FILTERS)
def test_filters_equal_recorded(compression: Compression, tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 1, num_capture=1, compression=compression)
    found = describe(tmp_path / "f.h5")[IMAGE]
    assert found["filters"] == [RECORDED_FILTERS[compression]]
    assert found["chunks"] == [1, 1024, 1024]


@pytest.mark.parametrize("compression", [c for c in Compression if c is not Compression.JPEG])
def test_noise_that_no_filter_can_shrink(compression: Compression, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (3, 1024, 1024), dtype=np.uint8)

    def make(number: int) -> NDArray:
        return NDArray(noise[number - 1])

    write(tmp_path / "f.h5", 3, make, num_capture=3, compression=compression)
    with h5py.File(tmp_path / "f.h5") as file:
        np.testing.assert_array_equal(file[IMAGE], noise)


def test_missing_filter_is_refused(tmp_path: Path) -> None:
    assert missing_filter(Compression.JPEG) == "HDF5 compression filter (32019) not available"
    assert missing_filter(99)
    assert not missing_filter(Compression.NONE)
    path = tmp_path / "f.h5"
    with pytest.raises(HDF5FileError, match=rf"{path}.*32019.*not available"):
        HDF5File(path, HDF5Settings(compression=Compression.JPEG), frame(1))


def test_zlib_chunks_are_what_hdf5_would_write(tmp_path: Path) -> None:
    """Encoded outside of HDF5, in whole-frame chunks, or by HDF5, in part-frame chunks."""
    for sizes in ((), (1000, 1000)):
        path = tmp_path / f"f{len(sizes)}.h5"
        write(path, 2, num_capture=2, compression=Compression.ZLIB, chunk_auto=False,
              chunk_sizes=sizes)  # fmt: skip
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file[IMAGE][1], frame(2).data)
            assert file[IMAGE].id.get_storage_size() < 100_000


# ---- shapes


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("asked", "chunks"),
    [
        ({"chunk_sizes": (0, 0)}, (1, 1024, 1024)),
        ({"chunk_sizes": (200, 100), "chunk_auto": False}, (1, 100, 200)),
        (
            {"chunk_sizes": (1024, 256), "frames_per_chunk": 4, "chunk_auto": False},
            (4, 256, 1024),
        ),
        (
            {"chunk_sizes": (2000, 2000), "frames_per_chunk": 1, "chunk_auto": False},
            (1, 1024, 1024),
        ),
        ({"chunk_sizes": (2000, 2000), "frames_per_chunk": 1}, (1, 1024, 1024)),
    ],
)
def test_chunks_equal_recorded(asked: dict, chunks: tuple, tmp_path: Path) -> None:
    file = write(tmp_path / "f.h5", 5, num_capture=5, **asked)
    assert file.geometry.chunks == chunks
    found = describe(tmp_path / "f.h5")
    assert tuple(found[IMAGE]["chunks"]) == chunks
    assert found[IMAGE]["shape"] == found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[TIMES]["shape"] == [5, 5]
    assert found[f"{NDATTRIBUTES}/NDArrayUniqueId"]["chunks"] == [5]
    with h5py.File(tmp_path / "f.h5") as opened:
        np.testing.assert_array_equal(opened[IMAGE][4], frame(5).data)


@pytest.mark.conformance
def test_early_stop_keeps_the_limit(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 2, num_capture=5)
    found = describe(tmp_path / "f.h5")
    assert found[IMAGE]["shape"] == [2, 1024, 1024]
    assert found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[f"{NDATTRIBUTES}/NDArrayUniqueId"]["shape"] == [2]


@pytest.mark.conformance
def test_no_frame_leaves_one_of_the_fill_value(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 0, num_capture=5, fill_value=3)
    found = describe(tmp_path / "f.h5")
    assert found[IMAGE]["shape"] == [1, 1024, 1024]
    assert found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[TIMES]["shape"] == [0, 5]
    assert found[TIMES]["maxshape"] == [None, None]
    for name in ("NDArrayUniqueId", "NDArrayTimeStamp", "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec"):
        assert found[f"{NDATTRIBUTES}/{name}"]["shape"] == [1]
    with h5py.File(tmp_path / "f.h5") as file:
        assert (file[IMAGE][:] == 3).all()


@pytest.mark.conformance
def test_extra_dimensions(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 6, num_capture=6, extra_dims=(2, 3))
    found = describe(tmp_path / "f.h5")[IMAGE]
    assert found["shape"] == [2, 3, 1024, 1024]
    assert found["chunks"] == [1, 1, 1024, 1024]
    with h5py.File(tmp_path / "f.h5") as file:
        for number in range(1, 7):
            image = file[IMAGE][divmod(number - 1, 3)]
            np.testing.assert_array_equal(image, frame(number).data)


def test_extra_dimensions_of_attributes(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 5, num_capture=6, extra_dims=(2, 3), dim_att_datasets=True)
    with h5py.File(tmp_path / "f.h5") as file:
        values = file[NDATTRIBUTES]["NDArrayUniqueId"]
        assert values[:].tolist() == [[1, 2, 3], [4, 5, 0]]
        assert file[IMAGE].shape == (2, 3, 1024, 1024)


def test_more_frames_than_there_is_room_for(tmp_path: Path) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=1), frame(1))
    file.write(frame(1))
    with pytest.raises(HDF5FileError, match="room for 1 frames"):
        file.write(frame(2))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        assert opened[IMAGE].shape == (1, 1024, 1024)


@given(
    settings=st.builds(
        HDF5Settings,
        multiple=st.booleans(),
        num_capture=st.integers(0, 50),
        extra_dims=st.one_of(st.just(()), st.lists(st.integers(1, 5), max_size=4).map(tuple)),
        chunk_auto=st.booleans(),
        chunk_sizes=st.lists(st.integers(-2, 30), max_size=4).map(tuple),
        frames_per_chunk=st.integers(-1, 60),
        swmr=st.booleans(),
        frames_per_flush=st.integers(0, 9),
    ),
    shape=st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple),
)
def test_geometry_is_always_legal(settings: HDF5Settings, shape: tuple[int, ...]) -> None:
    geometry = plan_geometry(settings, shape)
    limits = (*geometry.virtual, *shape)
    assert len(geometry.chunks) == len(limits)
    for chunk, limit in zip(geometry.chunks, limits, strict=True):
        assert chunk >= 1
        assert limit is None or chunk <= limit
    places = [geometry.position(index) for index in range(int(min(geometry.capacity, 60)))]
    assert len(set(places)) == len(places)
    assert places == sorted(places)
    assert geometry.attribute_chunk >= 1
    if settings.swmr:
        assert geometry.frames_per_flush >= 1


def test_narrow_type_of_nbit(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 1, typed("uint16"), num_capture=1, compression=Compression.NBIT,
          nbit_precision=12)  # fmt: skip
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[IMAGE].id.get_type().get_precision() == 12
        np.testing.assert_array_equal(file[IMAGE][0], typed("uint16")(1).data & 0xFFF)


def test_alignment(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 3, num_capture=3, boundary_align=65536)
    with h5py.File(tmp_path / "f.h5") as file:
        dataset = file[IMAGE].id
        for index in range(dataset.get_num_chunks()):
            assert dataset.get_chunk_info(index).byte_offset % 65536 == 0


# ---- frames that do not fit


def test_frame_of_another_type_gives_its_bytes(tmp_path: Path) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=3), frame(1))
    file.write(frame(1))
    file.write(frame(2, dtype="int8"))
    file.write(RGB1(3))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        np.testing.assert_array_equal(opened[IMAGE][1], frame(2).data)
        wanted = RGB1(3).data.reshape(-1)[: 1024 * 1024].reshape(1024, 1024)
        np.testing.assert_array_equal(opened[IMAGE][2], wanted)


def test_attribute_that_disappears_keeps_its_value(tmp_path: Path) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=2), with_attributes(1))
    file.write(frame(1))
    file.write(with_attributes(2))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        assert opened[NDATTRIBUTES]["Gain"][:].tolist() == [1.0, 1.0]


# ---- times


def test_times_follow_the_plugin(tmp_path: Path) -> None:
    """The columns relate as in the recorded rows; the first row counts from an older file."""
    write(tmp_path / "f.h5", 3, num_capture=3)
    with h5py.File(tmp_path / "f.h5") as file:
        dt, period, runtime, speed, mean = file[TIMES][:].T
    megabits = 8 * 1024 * 1024 / 2**20
    np.testing.assert_allclose(speed, megabits / period)
    np.testing.assert_allclose(mean[1:], megabits * np.array([1, 2]) / runtime[1:])
    assert mean[0] == 0
    assert (dt <= period).all()
    assert runtime[1] < runtime[2] < runtime[0]


def test_times_of_single_mode(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 1, multiple=False)
    with h5py.File(tmp_path / "f.h5") as file:
        ((dt, period, runtime, speed, mean),) = file[TIMES][:]
    assert runtime >= dt
    assert mean == pytest.approx(8 / runtime)
    assert speed == pytest.approx(8 / period)


def test_speed_and_runtime_after_closing(tmp_path: Path) -> None:
    file = write(tmp_path / "f.h5", 3, num_capture=3)
    assert file.runtime > 0
    assert file.io_speed == pytest.approx(3 * 8 / file.runtime)


def test_more_rows_than_a_chunk(tmp_path: Path) -> None:
    def make(number: int) -> NDArray:
        return frame(number, (4, 5))

    write(tmp_path / "f.h5", 25, make, num_capture=0, attribute_chunk=10)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[NDATTRIBUTES]["NDArrayUniqueId"][:].tolist() == list(range(1, 26))
        assert file[NDATTRIBUTES]["NDArrayUniqueId"].chunks == (10,)
        assert file[TIMES].shape == (25, 5)


# ---- flushing and SWMR


def test_swmr_counts_flushes(tmp_path: Path) -> None:
    """Three frames and five attribute datasets: the eight that were recorded."""
    file = write(tmp_path / "f.h5", 3, num_capture=3, swmr=True)
    assert file.flushes == 8


def read_elsewhere(path: Path, *, swmr: bool) -> list:
    """Number of frames, last pixel and identities that another process finds."""
    script = f"""
        import h5py, json
        with h5py.File({str(path)!r}, "r", swmr={swmr}) as file:
            images = file["{IMAGE}"]
            numbers = file["{NDATTRIBUTES}/NDArrayUniqueId"][:].tolist()
            print(json.dumps([len(images), int(images[-1, -1, -1]), numbers]))
        """
    return json.loads(run(script).stdout)


def test_reader_of_a_growing_file(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    file = HDF5File(path, HDF5Settings(num_capture=0, swmr=True), frame(1))
    file.write(frame(1))
    file.write(frame(2))
    assert read_elsewhere(path, swmr=True)[:2] == [2, int(frame(2).data[-1, -1])]
    file.write(frame(3))
    file.close()
    last = int(frame(3).data[-1, -1])
    assert read_elsewhere(path, swmr=False) == [3, last, [1, 2, 3]]


@pytest.mark.parametrize(("every", "flushes"), [(0, 0), (1, 4), (2, 2), (3, 1)])
def test_flush_every_nth_frame(every: int, flushes: int, tmp_path: Path) -> None:
    file = HDF5File(
        tmp_path / "f.h5", HDF5Settings(num_capture=4, frames_per_flush=every), frame(1)
    )
    for number in range(1, 5):
        file.write(frame(number))
    assert file.flushes == flushes
    file.flush()
    assert file.flushes == flushes + 1
    file.close()


# ---- errors


def test_directory_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "none" / "f.h5"
    with pytest.raises(HDF5FileError, match=str(path)) as caught:
        HDF5File(path, HDF5Settings(), frame(1))
    assert isinstance(caught.value, OSError)
    assert not path.exists()


def test_closed_file_refuses_frames_and_closes_again(tmp_path: Path) -> None:
    file = write(tmp_path / "f.h5", 1)
    assert not file.is_open
    with pytest.raises(HDF5FileError, match=r"f\.h5 is not open"):
        file.write(frame(2))
    with pytest.raises(HDF5FileError, match=r"f\.h5 is not open"):
        file.flush()
    file.close()


def test_existing_file_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "f.h5", 3, num_capture=3)
    write(tmp_path / "f.h5", 1, num_capture=1)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[IMAGE].shape == (1, 1024, 1024)


@pytest.mark.parametrize("compression", ["NONE", "ZLIB", "BSLZ4", "BLOSC", "NBIT"])
@pytest.mark.parametrize("limit", [3_000_000, 2_097_152 + 30_000, 20_000])
def test_full_disk_leaves_the_process_alive(compression: str, limit: int, tmp_path: Path) -> None:
    """In a process of its own: a failure inside HDF5 has been seen to end it."""
    script = f"""
        import resource
        import numpy as np
        from adsupport.sim.file_hdf5 import HDF5File, HDF5FileError
        from adsupport.sim.hdf5_settings import Compression, HDF5Settings
        from adsupport.sim.ndarray import NDArray
        noise = np.random.default_rng(1).integers(0, 256, (1024, 1024), dtype=np.uint8)
        settings = HDF5Settings(num_capture=5, compression=Compression.{compression})
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, hard))
        file = HDF5File("full.h5", settings, NDArray(noise))
        written = 0
        try:
            for _ in range(5):
                file.write(NDArray(noise))
                written += 1
        except HDF5FileError as error:
            print("refused", error)
        file.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        again = HDF5File("full.h5", settings, NDArray(noise))
        again.write(NDArray(noise))
        again.close()
        print("written", written)
        """
    done = run(script, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "refused cannot write HDF5 file full.h5" in done.stdout
    with h5py.File(tmp_path / "full.h5") as file:
        assert file[IMAGE].shape == (1, 1024, 1024)
