"""The simulated HDF5 plugin, fed with arrays by hand; what to expect was recorded on a real IOC."""

from __future__ import annotations

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport.sim.file_hdf5 import HDF5File, HDF5FileError
from adsupport.sim.ioc import IOC
from adsupport.sim.ndarray import ColorMode, NDArray, NDAttribute
from adsupport.sim.plugins.hdf5 import HDF5Plugin
from adsupport.sim.port import PortError

SINGLE, CAPTURE, STREAM = 0, 1, 2
IMAGE = "/entry/data/data"
SIZE = (20, 30)


class Bench:
    """A plugin on the table: writes as from clients, arrays as from a camera, posted changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugin = HDF5Plugin("FileHDF1", {})
        tables = ("NDArrayBase", "NDPluginBase", "NDFile", "NDFileHDF5")
        IOC("bench", "t:").load(tables, "HDF1:", self.plugin, {"NDARRAY_PORT": "SIM1"})
        self.events: list[tuple[str, object]] = []
        self.plugin.sink = lambda _, changes: self.events.extend(
            (change.param, change.value) for change in changes
        )
        self.put(BLOCKING_CALLBACKS=1)
        self._numbers = itertools.count(1)

    def put(self, **values: object) -> None:
        for param, value in values.items():
            self.plugin.write(param, value)

    def get(self, param: str):
        return self.plugin.get(param)

    def settings(self, name: str = "f", **values: object) -> None:
        self.put(FILE_PATH=str(self.directory), FILE_NAME=name, FILE_TEMPLATE="%s%s_%4.4d.h5",
                 AUTO_INCREMENT=1, **values)  # fmt: skip

    def feed(self, count: int = 1, shape=SIZE, dtype="uint8", **more: object) -> None:
        for _ in range(count):
            number = next(self._numbers)
            data = np.full(shape, number, dtype)
            self.plugin._take(NDArray(data, unique_id=number, **more))

    def state(self, *params: str) -> list:
        names = params or (
            "CAPTURE",
            "NUM_CAPTURED",
            "WRITE_STATUS",
            "WRITE_MESSAGE",
            "FILE_NUMBER",
        )
        return [self.get(name) for name in names]

    def posted(self, param: str) -> list:
        return [value for name, value in self.events if name == param]

    def order(self, *params: str) -> list[tuple[str, object]]:
        return [event for event in self.events if event[0] in params]

    def full(self, name: str) -> str:
        return f"{self.directory}/{name}"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir())

    def shape(self, name: str) -> tuple:
        with h5py.File(self.directory / name) as file:
            return file[IMAGE].shape, file[IMAGE].maxshape

    def ids(self, name: str) -> list[int]:
        with h5py.File(self.directory / name) as file:
            return file["/entry/instrument/NDAttributes/NDArrayUniqueId"][:].tolist()


@pytest.fixture
def bench(tmp_path: Path):
    bench = Bench(tmp_path)
    yield bench
    bench.plugin.stop()


@pytest.fixture
def stream(bench: Bench) -> Bench:
    """Primed, and set up to stream five frames."""
    bench.feed()
    bench.settings(WRITE_MODE=STREAM, NUM_CAPTURE=5)
    bench.events.clear()
    return bench


pytestmark = pytest.mark.conformance


# ---- paths and names


def test_path_gets_a_slash_and_is_looked_up(bench: Bench) -> None:
    bench.put(FILE_PATH=str(bench.directory))
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == [f"{bench.directory}/", 1]
    bench.put(FILE_PATH=bench.full("nope"))
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == [bench.full("nope/"), 0]
    bench.put(FILE_PATH="")
    assert bench.state("FILE_PATH", "FILE_PATH_EXISTS") == ["", 0]


def test_empty_path_leaves_existence_alone(bench: Bench) -> None:
    bench.put(FILE_PATH=str(bench.directory))
    bench.put(FILE_PATH="")
    assert bench.get("FILE_PATH_EXISTS") == 1


def test_path_is_created_at_its_write_only(bench: Bench) -> None:
    bench.put(FILE_PATH=bench.full("a/b"))
    bench.put(CREATE_DIR=-2)
    assert bench.files == []
    bench.put(FILE_PATH=bench.full("a/b"))
    assert (bench.directory / "a" / "b").is_dir()
    assert bench.get("FILE_PATH_EXISTS") == 1


def test_dates_in_a_path_are_not_expanded(stream: Bench) -> None:
    stream.put(CREATE_DIR=-3, FILE_PATH=stream.full("%Y/%m/%d"), NUM_CAPTURE=1, CAPTURE=1)
    stream.feed()
    assert stream.get("FULL_FILE_NAME") == stream.full("%Y/%m/%d/f_0000.h5")
    assert (stream.directory / "%Y" / "%m" / "%d" / "f_0000.h5").exists()


def test_path_that_is_not_ascii(stream: Bench) -> None:
    """A client's UTF-8 reaches the file system as it was sent."""
    sent = stream.full("probe-é-測").encode().decode("latin-1")
    stream.put(CREATE_DIR=-1, FILE_PATH=sent, FILE_TEMP_SUFFIX=".part", NUM_CAPTURE=1, CAPTURE=1)
    stream.feed()
    assert stream.state("FILE_PATH_EXISTS", "WRITE_STATUS") == [1, 0]
    assert (stream.directory / "probe-é-測" / "f_0000.h5").exists()


def test_template_without_number_still_counts(stream: Bench) -> None:
    stream.put(FILE_TEMPLATE="%s%s.h5", NUM_CAPTURE=1, CAPTURE=1)
    assert stream.state("FULL_FILE_NAME", "FILE_NUMBER") == [stream.full("f.h5"), 1]


def test_empty_template(stream: Bench) -> None:
    stream.put(FILE_TEMPLATE="", CAPTURE=1)
    assert stream.state() == [0, 0, 1, "Error opening file , status=3", 1]
    assert stream.get("FULL_FILE_NAME") == ""


def test_number_stays_without_increment(stream: Bench) -> None:
    stream.put(AUTO_INCREMENT=0, FILE_NUMBER=12, NUM_CAPTURE=1)
    for _ in range(2):
        stream.put(CAPTURE=1)
        stream.feed()
        assert stream.state("FULL_FILE_NAME", "FILE_NUMBER") == [stream.full("f_0012.h5"), 12]
    assert stream.ids("f_0012.h5") == [3], "the second file replaces the first"


def test_temporary_suffix(stream: Bench) -> None:
    stream.put(FILE_TEMP_SUFFIX=".part", NUM_CAPTURE=2, CAPTURE=1)
    stream.feed()
    assert stream.files == ["f_0000.h5.part"]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0000.h5")
    stream.feed()
    assert stream.files == ["f_0000.h5"]
    assert stream.get("WRITE_STATUS") == 0


def test_temporary_file_that_disappears(stream: Bench) -> None:
    stream.put(FILE_TEMP_SUFFIX=".part", CAPTURE=1)
    (stream.directory / "f_0000.h5.part").unlink()
    stream.put(CAPTURE=0)
    temporary, final = stream.full("f_0000.h5.part"), stream.full("f_0000.h5")
    message = f"Error renaming temporary file {temporary} to {final}"
    assert stream.state("WRITE_STATUS", "WRITE_MESSAGE") == [1, message]


# ---- not primed


@pytest.mark.parametrize("mode", [CAPTURE, STREAM])
def test_not_primed_fails_silently(mode: int, bench: Bench) -> None:
    bench.settings(WRITE_MODE=mode, NUM_CAPTURE=5)
    bench.events.clear()
    bench.put(CAPTURE=1)
    assert bench.state() == [0, 0, 0, "", 0]
    assert bench.posted("CAPTURE") == [0]
    assert bench.files == []


def test_not_primed_needs_nothing_when_lazy(bench: Bench) -> None:
    bench.settings("test", WRITE_MODE=STREAM, NUM_CAPTURE=5, FILE_LAZY_OPEN=1)
    bench.events.clear()
    bench.put(CAPTURE=1)
    assert bench.state() == [1, 0, 0, "Lazy Open...", 0]
    assert bench.state("FULL_FILE_NAME", "WRITE_FILE") == ["", 1]
    assert bench.files == []
    bench.feed(5)
    assert bench.state() == [0, 5, 0, "", 1]
    assert bench.state("FULL_FILE_NAME", "ARRAY_COUNTER") == [bench.full("test_0000.h5"), 5]
    order = bench.order("ARRAY_COUNTER", "NUM_CAPTURED", "CAPTURE", "WRITE_FILE")
    assert order == [
        ("CAPTURE", 1), ("WRITE_FILE", 1),
        *((p, n) for n in (1, 2, 3, 4, 5) for p in ("ARRAY_COUNTER", "NUM_CAPTURED")),
        ("CAPTURE", 0), ("WRITE_FILE", 0),
    ]  # fmt: skip
    assert bench.shape("test_0000.h5") == ((5, *SIZE), (5, *SIZE))


def test_lazy_when_primed(stream: Bench) -> None:
    stream.put(FILE_LAZY_OPEN=1, NUM_CAPTURE=2, CAPTURE=1)
    assert stream.state() == [1, 0, 0, "Lazy Open...", 0]
    assert stream.get("FULL_FILE_NAME") == ""
    stream.feed(2)
    assert stream.state() == [0, 2, 0, "", 1]


# ---- stream


def test_stream(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 1]
    assert stream.files == ["f_0000.h5"], "the file exists before the first frame"
    assert stream.order("CAPTURE", "FILE_NUMBER", "FULL_FILE_NAME", "WRITE_FILE")[0][0] == "CAPTURE"
    stream.events.clear()
    stream.feed(8)
    assert stream.state() == [0, 5, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [1, 2, 3, 4, 5]
    assert stream.posted("ARRAY_COUNTER") == [1, 2, 3, 4, 5]
    assert stream.posted("CAPTURE") == [0]
    assert stream.posted("WRITE_FILE") == [0]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5, 6]


def test_stop_early(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 2, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((2, *SIZE), (5, *SIZE))


def test_stop_without_a_frame(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((1, *SIZE), (5, *SIZE))


def test_any_number_of_frames(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=0, CAPTURE=1)
    stream.feed(3)
    assert stream.state() == [1, 3, 0, "", 1]
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 3, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((3, *SIZE), (None, *SIZE))


def test_capture_again_while_capturing(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=3, CAPTURE=1)
    stream.put(CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 2]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.feed(3)
    assert stream.state() == [0, 3, 0, "", 2]
    assert stream.files == ["f_0000.h5", "f_0001.h5"]


def test_settings_changed_while_capturing(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=10, CAPTURE=1)
    stream.feed(2)
    stream.put(NUM_CAPTURE=4, FILE_NAME="other")
    with pytest.raises(PortError, match="Compression cannot change while"):
        stream.put(HDF5_compressionType=3)
    assert stream.get("HDF5_compressionType") == 0
    stream.feed(2)
    assert stream.state() == [0, 4, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((4, *SIZE), (10, *SIZE))
    stream.put(HDF5_compressionType=3)
    assert stream.get("HDF5_compressionType") == 3


def test_mode_changed_while_streaming(stream: Bench) -> None:
    stream.put(CAPTURE=1, WRITE_MODE=SINGLE, AUTO_SAVE=1)
    stream.feed()
    assert stream.state() == [1, 1, 0, "", 2]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.put(CAPTURE=0)
    assert stream.state()[:4] == [0, 1, 0, "ERROR: capture not supported in Single mode"]
    assert stream.get("FULL_FILE_NAME") == stream.full("f_0001.h5")
    stream.put(WRITE_MODE=STREAM, CAPTURE=0)
    assert stream.state()[:4] == [0, 1, 0, ""]


# ---- single


def test_single_with_autosave(bench: Bench) -> None:
    bench.settings("single", AUTO_SAVE=1, FILE_NUMBER=14)
    bench.events.clear()
    bench.feed()
    assert bench.state() == [0, 1, 0, "", 15]
    assert bench.order("ARRAY_COUNTER", "WRITE_FILE", "NUM_CAPTURED", "FULL_FILE_NAME") == [
        ("ARRAY_COUNTER", 1), ("WRITE_FILE", 1), ("NUM_CAPTURED", 1),
        ("FULL_FILE_NAME", bench.full("single_0014.h5")), ("WRITE_FILE", 0),
    ]  # fmt: skip
    assert bench.shape("single_0014.h5") == (SIZE, SIZE)


def test_single_on_command(bench: Bench) -> None:
    bench.settings("single")
    bench.feed(2)
    assert bench.files == []
    assert bench.get("ARRAY_COUNTER") == 0
    bench.put(WRITE_FILE=1)
    assert bench.state("WRITE_FILE", "FULL_FILE_NAME") == [0, bench.full("single_0000.h5")]
    assert bench.ids("single_0000.h5") == [2], "the last array"


def test_write_without_an_array(bench: Bench) -> None:
    bench.settings()
    bench.put(WRITE_FILE=1)
    assert bench.state() == [0, 0, 0, "", 0]
    assert bench.get("WRITE_FILE") == 0


def test_capture_in_single_mode(bench: Bench) -> None:
    bench.settings()
    bench.feed()
    bench.put(CAPTURE=1)
    assert bench.state() == [0, 0, 0, "ERROR: capture not supported in Single mode", 0]
    assert bench.get("FULL_FILE_NAME") == ""


def test_reading_is_not_possible(bench: Bench) -> None:
    bench.put(READ_FILE=1)
    assert bench.get("READ_FILE") == 0
    assert bench.posted("READ_FILE") == [1, 0]


# ---- capture to memory


def test_capture_then_write(stream: Bench) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=4, CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 0]
    stream.events.clear()
    stream.feed(5)
    assert stream.state() == [0, 4, 0, "", 0]
    assert stream.files == []
    stream.events.clear()
    stream.put(WRITE_FILE=1)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [3, 2, 1, 0]
    assert stream.posted("ARRAY_COUNTER") == [5, 6, 7, 8, 4]
    assert stream.posted("WRITE_FILE") == [1, 0]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5]
    stream.put(WRITE_FILE=1)
    assert stream.state() == [0, 0, 1, "ERROR, no capture buffer present", 1]


def test_capture_with_autosave(stream: Bench) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=4, AUTO_SAVE=1, CAPTURE=1)
    stream.events.clear()
    stream.feed(4)
    assert stream.state() == [0, 0, 0, "", 1]
    assert stream.posted("NUM_CAPTURED") == [1, 2, 3, 4, 3, 2, 1, 0]
    assert stream.posted("ARRAY_COUNTER") == [1, 2, 3, 4, 5, 6, 7, 8, 4]
    assert stream.order("WRITE_FILE", "CAPTURE") == [
        ("WRITE_FILE", 1), ("WRITE_FILE", 0), ("CAPTURE", 0),
    ]  # fmt: skip


def test_capture_freed(stream: Bench) -> None:
    stream.put(WRITE_MODE=CAPTURE, NUM_CAPTURE=2, CAPTURE=1)
    stream.feed(2)
    stream.put(FREE_CAPTURE=1)
    assert stream.get("NUM_CAPTURED") == 0
    stream.put(WRITE_FILE=1)
    assert stream.get("WRITE_MESSAGE") == "ERROR, no capture buffer present"


# ---- errors


@pytest.mark.parametrize("path", ["{}/does/not/exist", "/proc"])
def test_file_that_cannot_be_made(path: str, stream: Bench) -> None:
    path = path.format(stream.directory)
    stream.put(FILE_PATH=path, FILE_NUMBER=16)
    stream.events.clear()
    stream.put(CAPTURE=1)
    full = f"{path}/f_0016.h5"
    assert stream.state() == [0, 0, 1, f"Error opening file {full}, status=3", 17]
    assert stream.get("FULL_FILE_NAME") == full
    assert stream.get("WRITE_FILE") == 1, "it stays, as recorded"
    stream.feed(2)
    assert stream.state()[:2] == [0, 0]
    stream.put(FILE_PATH=str(stream.directory), CAPTURE=1)
    assert stream.state() == [1, 0, 0, "", 18]
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 18]


def test_single_file_that_cannot_be_made(stream: Bench) -> None:
    stream.put(WRITE_MODE=SINGLE, AUTO_SAVE=1, FILE_PATH=stream.full("nope"))
    stream.events.clear()
    stream.feed()
    message = f"Error opening file {stream.full('nope/f_0000.h5')}, status=3"
    assert stream.state() == [0, 1, 1, message, 1]
    assert stream.get("WRITE_FILE") == 0


def test_lazy_file_that_cannot_be_made(stream: Bench) -> None:
    stream.put(FILE_PATH=stream.full("nope"), FILE_LAZY_OPEN=1, FILE_NUMBER=18, CAPTURE=1)
    for number in (18, 19, 20):
        stream.feed()
        message = f"Error opening file {stream.full(f'nope/f_{number:04}.h5')}, status=3"
        assert stream.state() == [1, 0, 1, message, number + 1]
    assert stream.get("ARRAY_COUNTER") == 3
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 0, 0, "Lazy Open...", 21]
    assert stream.get("FULL_FILE_NAME") == stream.full("nope/f_0020.h5")


def test_full_disk(stream: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)

    def refuse(file: HDF5File, _: NDArray) -> None:
        raise HDF5FileError(f"cannot write HDF5 file {file.path}: disk full")

    with monkeypatch.context() as patch:
        patch.setattr(HDF5File, "write", refuse)
        stream.feed()
    assert stream.state() == [0, 2, 1, "Error writing file, status=3", 1]
    assert stream.state("WRITE_FILE", "ARRAY_COUNTER") == [0, 3]
    stream.put(CAPTURE=0)
    assert stream.state() == [0, 2, 0, "", 1]
    stream.put(CAPTURE=1)
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 2]


def test_endless_stream_stops_when_its_first_frame_fails(
    stream: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.put(NUM_CAPTURE=0, FILE_LAZY_OPEN=1, FILE_PATH=stream.full("nope"), CAPTURE=1)
    stream.feed()
    assert stream.get("CAPTURE") == 0


def test_frames_of_another_size(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=6, CAPTURE=1)
    stream.feed(3)
    stream.feed(2, shape=(20, 15))
    assert stream.state() == [1, 3, 1, "Invalid frame. Ignoring.", 1]
    assert stream.get("ARRAY_COUNTER") == 5
    stream.feed()
    assert stream.state() == [1, 4, 0, "", 1]
    stream.feed(2)
    assert stream.state() == [0, 6, 0, "", 1]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 7, 8, 9]


def test_frames_of_another_type(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=4, CAPTURE=1)
    stream.feed(2)
    stream.feed(dtype="uint16")
    assert stream.state() == [1, 2, 1, "Invalid frame. Ignoring.", 1]
    stream.feed(dtype="int8")
    assert stream.state() == [1, 3, 0, "", 1]
    stream.feed(shape=(*SIZE, 3), color_mode=ColorMode.RGB1)
    assert stream.state() == [0, 4, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((4, *SIZE), (4, *SIZE))


def test_primed_with_another_size(stream: Bench) -> None:
    stream.put(NUM_CAPTURE=3, CAPTURE=1)
    stream.feed(3, shape=(20, 15))
    assert stream.state() == [1, 0, 1, "Invalid frame. Ignoring.", 1]
    stream.put(CAPTURE=0)
    assert stream.shape("f_0000.h5") == ((1, *SIZE), (3, *SIZE))
    stream.put(FILE_LAZY_OPEN=1, CAPTURE=1)
    stream.feed(3, shape=(20, 15))
    assert stream.state() == [0, 3, 0, "", 2]
    assert stream.shape("f_0001.h5") == ((3, 20, 15), (3, 20, 15))


# ---- what HDF5 adds


@pytest.mark.parametrize(
    ("columns", "rows", "frames", "auto", "readback"),
    [
        (0, 0, 0, 1, [30, 20, 1]),
        (12, 10, 0, 0, [12, 10, 1]),
        (30, 5, 4, 0, [30, 5, 4]),
        (200, 200, 1, 0, [30, 20, 1]),
    ],
)
def test_chunk_sizes_are_shown(
    columns: int, rows: int, frames: int, auto: int, readback: list, stream: Bench
) -> None:
    stream.put(HDF5_nColChunks=columns, HDF5_nRowChunks=rows, HDF5_nFramesChunks=frames,
               HDF5_chunkSizeAuto=auto, CAPTURE=1)  # fmt: skip
    shown = stream.state("HDF5_nColChunks", "HDF5_nRowChunks", "HDF5_nFramesChunks")
    assert shown == readback
    stream.feed(5)
    with h5py.File(stream.directory / "f_0000.h5") as file:
        assert list(file[IMAGE].chunks) == readback[::-1]
        np.testing.assert_array_equal(file[IMAGE][:, 0, 0], [2, 3, 4, 5, 6])


def test_extra_dimensions(stream: Bench) -> None:
    stream.put(HDF5_nExtraDims=1, HDF5_extraDimSizeN=3, HDF5_extraDimSizeX=2)
    assert stream.get("NUM_CAPTURE") == 6
    stream.put(NUM_CAPTURE=9)
    assert stream.get("NUM_CAPTURE") == 6
    stream.put(CAPTURE=1)
    stream.feed(6)
    assert stream.state() == [0, 6, 0, "", 1]
    assert stream.shape("f_0000.h5") == ((2, 3, *SIZE), (2, 3, *SIZE))
    stream.put(NUM_CAPTURE=0)
    assert stream.get("HDF5_nExtraDims") == 0


def test_three_extra_dimensions_slowest_first(stream: Bench) -> None:
    stream.put(HDF5_nExtraDims=3, HDF5_extraDimSizeN=2, HDF5_extraDimSizeX=3,
               HDF5_extraDimSizeY=1, HDF5_extraDimSize3=2, CAPTURE=1)  # fmt: skip
    stream.feed(12)
    assert stream.state()[:3] == [0, 12, 0]
    with h5py.File(stream.directory / "f_0000.h5") as file:
        numbers = file[IMAGE][..., 0, 0]
    np.testing.assert_array_equal(numbers, np.arange(2, 14).reshape(2, 1, 3, 2))


def test_swmr(stream: Bench) -> None:
    stream.put(HDF5_SWMRMode=1, NUM_CAPTURE=3, CAPTURE=1)
    assert stream.state("HDF5_SWMRRunning", "HDF5_SWMRCbCounter") == [1, 0]
    stream.feed(3)
    assert stream.state("HDF5_SWMRRunning", "HDF5_SWMRCbCounter") == [0, 8]
    assert stream.shape("f_0000.h5") == ((3, *SIZE), (3, *SIZE))


def test_flush_now(stream: Bench) -> None:
    stream.put(HDF5_SWMRMode=1, HDF5_flushNthFrame=100, CAPTURE=1)
    stream.feed()
    stream.put(HDF5_SWMRFlushNow=1)
    assert stream.state("HDF5_SWMRFlushNow", "HDF5_SWMRCbCounter") == [0, 1]
    stream.put(CAPTURE=0)
    stream.put(HDF5_SWMRFlushNow=1)
    assert stream.get("HDF5_SWMRFlushNow") == 0


@pytest.mark.parametrize("value", range(7))
def test_compressions(value: int, stream: Bench) -> None:
    stream.put(HDF5_compressionType=value, CAPTURE=1)
    stream.feed(5)
    assert stream.state() == [0, 5, 0, "", 1]
    assert stream.ids("f_0000.h5") == [2, 3, 4, 5, 6]


def test_compression_without_its_filter(stream: Bench) -> None:
    with pytest.raises(PortError, match=r"filter \(32019\) not available"):
        stream.put(HDF5_compressionType=7)
    assert stream.get("HDF5_compressionType") == 0


@pytest.mark.parametrize(
    ("param", "good", "bad"),
    [
        ("NUM_CAPTURE", 3, -1),
        ("HDF5_zCompressLevel", 9, 10),
        ("HDF5_szipNumPixels", 32, 33),
        ("HDF5_jpegQuality", 100, 0),
        ("HDF5_extraDimSizeX", 2, 0),
        ("HDF5_nExtraDims", 9, 10),
        ("HDF5_bloscCompressLevel", 0, -1),
    ],
)
def test_limits(param: str, good: int, bad: int, bench: Bench) -> None:
    bench.put(**{param: good})
    with pytest.raises(PortError):
        bench.put(**{param: bad})
    assert bench.get(param) == good


@pytest.mark.parametrize(
    "param", ["HDF5_nRowChunks", "HDF5_storeAttributes", "HDF5_zCompressLevel", "HDF5_nExtraDims"]
)
def test_fixed_while_a_file_is_open(param: str, stream: Bench) -> None:
    before = stream.get(param)
    stream.put(CAPTURE=1)
    with pytest.raises(PortError, match="cannot change while"):
        stream.put(**{param: 1})
    stream.put(CAPTURE=0)
    assert stream.get(param) in (before, 20), "unchanged, or set by opening"
    stream.put(**{param: 1})
    assert stream.get(param) == 1


def test_runtime_and_speed(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    stream.feed(5)
    runtime, speed = stream.state("HDF5_totalRuntime", "HDF5_totalIoSpeed")
    assert runtime > 0
    assert speed == pytest.approx(5 * 8 * 600 / 2**20 / runtime)


def test_layout_file_that_is_not_there(stream: Bench) -> None:
    layout = stream.full("none.xml")
    stream.put(HDF5_layoutFilename=layout)
    shown = stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg")
    assert shown == [0, "XML description file cannot be opened"]
    stream.put(CAPTURE=1)
    message = f"Error opening file {stream.full('f_0000.h5')}, status=3"
    assert stream.state() == [0, 0, 1, message, 1]
    stream.put(HDF5_layoutFilename="")
    assert stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg") == [1, "Default layout selected"]


def test_layouts_that_cannot_be_used(stream: Bench) -> None:
    stream.put(HDF5_layoutFilename="<?xml version='1.0'?><hdf5_layout>")
    shown = stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg")
    assert shown == [0, "XML description file parser error"]
    (stream.directory / "layout.xml").write_text("<hdf5_layout/>")
    stream.put(HDF5_layoutFilename=stream.full("layout.xml"))
    shown = stream.state("HDF5_layoutValid", "HDF5_layoutErrorMsg")
    assert shown == [0, "only the default layout is simulated"]


# ---- what arrays tell the plugin


def test_driver_file_is_deleted(stream: Bench) -> None:
    raw = stream.directory / "raw.dat"
    raw.touch()
    attributes = (NDAttribute("DriverFileName", str(raw)),)
    stream.put(CAPTURE=1)
    stream.feed(attributes=attributes)
    assert raw.exists()
    stream.put(DELETE_DRIVER_FILE=1)
    stream.feed(attributes=attributes)
    assert not raw.exists()
    stream.feed(attributes=attributes)
    assert stream.state()[:3] == [1, 3, 0]


def test_destination(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    for name in ("other", "FILEHDF1", "all"):
        stream.feed(attributes=(NDAttribute("FilePluginDestination", name),))
    assert stream.get("NUM_CAPTURED") == 2


def test_close_on_demand(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    stream.feed(attributes=(NDAttribute("FilePluginClose", 0),))
    stream.feed(attributes=(NDAttribute("FilePluginClose", 1),))
    assert stream.state()[:3] == [0, 2, 0]
    assert stream.ids("f_0000.h5") == [2, 3]


def test_names_from_arrays(stream: Bench) -> None:
    def feed(name: str, number: int) -> None:
        names = NDAttribute("FilePluginFileName", name), NDAttribute("FilePluginFileNumber", number)
        stream.feed(attributes=names)

    feed("a", 1)
    stream.put(CAPTURE=1)
    assert stream.files == []
    for name, number in (("a", 1), ("a", 1), ("b", 1), ("b", 2)):
        feed(name, number)
    stream.put(CAPTURE=0)
    assert stream.files == ["a_0001.h5", "b_0001.h5", "b_0002.h5"]
    assert stream.ids("a_0001.h5") == [3, 4]
    assert stream.get("AUTO_INCREMENT") == 0


# ---- end


def test_stop_closes_the_file(stream: Bench) -> None:
    stream.put(CAPTURE=1)
    stream.feed(2)
    stream.plugin.stop()
    assert stream.shape("f_0000.h5") == ((2, *SIZE), (5, *SIZE))
