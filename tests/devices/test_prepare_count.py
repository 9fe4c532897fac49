"""The plan stub that prepares a run: all checked first, then put in order, nothing twice."""

from __future__ import annotations

import datetime
import inspect
import pathlib
import time
from typing import Any

import bluesky.plans as bp
import h5py
import pytest

from adsupport.devices import AD_full_file_name_local, HDF5FileWriterPlugin
from adsupport.devices.signals.reading import read_with_times
from adsupport.errors import (
    ConfigurationError,
    FileExistsRefusedError,
    FileWriteError,
    NamingError,
    PathMapError,
    PutError,
)
from adsupport.plans import prepare_count, put


@pytest.fixture
def messages(engine: Any) -> list[Any]:
    """Collect all messages of the plans."""
    seen: list[Any] = []
    engine.msg_hook = seen.append
    return seen


@pytest.fixture
def puts(det: Any, engine: Any) -> list[tuple[str, Any]]:
    """Collect what the plans set: (process variable, value)."""
    seen: list[tuple[str, Any]] = []

    def note(message: Any) -> None:
        if message.command == "set":
            seen.append((message.obj.setpoint_pvname, message.args[0]))

    engine.msg_hook = note
    return seen


def result_of(engine: Any, plan: Any) -> Any:
    """Run a plan and return what it returns."""
    found = []

    def keep() -> Any:
        found.append((yield from plan))

    engine(keep())
    return found[0]


def test_the_signature_is_the_seeds() -> None:
    parameters = inspect.signature(prepare_count).parameters
    positional = {n: p.default for n, p in parameters.items() if p.kind != p.KEYWORD_ONLY}
    assert positional == {
        "plugin": inspect.Parameter.empty,
        "file_name": inspect.Parameter.empty,
        "acquire_time": inspect.Parameter.empty,
        "acquire_period": inspect.Parameter.empty,
        "n_images": 1,
        "auto_increment": "Yes",
        "auto_save": "Yes",
        "compression": None,
        "create_directory": -5,
        "file_path": None,
        "file_template": None,
    }


def test_it_returns_the_file_that_is_then_written(engine: Any, det: Any) -> None:
    predicted = result_of(engine, prepare_count(det.hdf1, "sample7", 0.001, 0.002, 5))
    assert not predicted.exists()
    engine(bp.count([det]))
    assert AD_full_file_name_local(det.hdf1) == predicted
    assert predicted.name == "sample7_0000.h5"
    with h5py.File(predicted) as file:
        data = file["entry/data/data"]
        assert data.shape == (5, 1024, 1024)
        assert data.compression == "gzip"
    assert det.hdf1.num_captured.get() == 5


def test_everything_is_set(engine: Any, det: Any) -> None:
    engine(
        prepare_count(
            det.hdf1,
            "x",
            0.25,
            0.5,
            n_images=3,
            auto_increment="No",
            auto_save="Yes",
            compression="LZ4",
            create_directory=-3,
            file_template="%s%s_%d.h5",
        )
    )
    cam, hdf1 = det.cam, det.hdf1
    assert (cam.acquire_time.get(), cam.acquire_period.get(), cam.num_images.get()) == (
        0.25,
        0.5,
        3,
    )
    assert cam.image_mode.get(as_string=True) == "Multiple"
    assert hdf1.auto_increment.get(as_string=True) == "No"
    assert hdf1.auto_save.get(as_string=True) == "Yes"
    assert hdf1.compression.get(as_string=True) == "LZ4"
    assert hdf1.create_directory.get() == -3
    assert (hdf1.file_name.get(), hdf1.file_template.get()) == ("x", "%s%s_%d.h5")


def test_one_image_is_single_mode(engine: Any, det: Any) -> None:
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02))
    assert det.cam.image_mode.get(as_string=True) == "Single"
    assert det.cam.num_images.get() == 1


def test_dates_are_filled_in_before_the_put(
    engine: Any, det: Any, puts: Any, disk: pathlib.Path
) -> None:
    # The peer's plan leaves a directory named %Y on the IOC's disk.
    det.hdf1.file_path.set(f"{disk}/ioc/", timeout=5).wait()
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02))
    today = datetime.datetime.now()
    assert ("ad:HDF1:FilePath", f"{disk}/ioc/{today:%Y/%m}/") in puts
    assert not [value for _, value in puts if "%Y" in str(value)]
    assert not list(disk.rglob("*%*"))


def test_the_directory_is_created_before_the_path_is_put(
    engine: Any, det: Any, messages: list[Any], disk: pathlib.Path
) -> None:
    # The peer starts both puts at once: the IOC may get the path first.
    det.hdf1.create_directory.set(0, timeout=5).wait()
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, file_path=f"{disk}/ioc/a/b/c/"))
    sets = {m.obj: i for i, m in enumerate(messages) if m.command == "set"}
    depth, path = sets[det.hdf1.create_directory], sets[det.hdf1.file_path]
    assert "wait" in [message.command for message in messages[depth:path]]
    assert (disk / "ioc/a/b/c").is_dir()


def test_a_value_that_the_ioc_changes_is_told(
    engine: Any, det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put, "PUT_TIMEOUT", 0.3)
    monkeypatch.setattr(det.cam.num_images, "get", lambda **_: 7)
    with pytest.raises(PutError, match="ad:cam1:NumImages: put 5, but ad:cam1:NumImages_RBV .* 7 "):
        engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 5))


def test_a_choice_that_the_ioc_refuses_is_told_within_seconds(engine: Any, det: Any) -> None:
    # This IOC lists JPEG and has no filter for it.
    begun = time.monotonic()
    with pytest.raises(PutError, match="ad:HDF1:Compression: put .*Compression_RBV shows"):
        engine(prepare_count(det.hdf1, "x", 0.01, 0.02, compression="JPEG"))
    assert time.monotonic() - begun < 20


def test_what_stands_is_not_put_again(engine: Any, det: Any, puts: Any) -> None:
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 3))
    assert puts
    puts.clear()
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 3))
    assert puts == []
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 4))
    assert puts == [("ad:cam1:NumImages", 4)]


def test_settings_that_stand_leave_no_trace_in_the_ioc(engine: Any, det: Any) -> None:
    # a record that is written gets a new time stamp, whatever its value
    signals = {
        signal.setpoint_pvname: signal
        for part in (det.cam, det.hdf1)
        for signal in (getattr(part, name) for name in part.component_names)
        if hasattr(signal, "setpoint_pvname")
    }

    def written() -> dict[str, float]:
        found = read_with_times(signals, setpoints=True)
        return {name: reading["timestamp"] for name, reading in found.items()}

    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 3))
    before = written()
    assert len(before) > 100
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 3))
    assert written() == before
    det.cam.num_images.put(3)
    after = written()
    assert [name for name in before if after[name] != before[name]] == ["ad:cam1:NumImages"]


def test_a_user_given_path_is_where_the_file_goes(
    engine: Any, documents: Any, det: Any, disk: pathlib.Path
) -> None:
    # The peer's documents point to the template's directory.
    path = f"{disk}/ioc/mine/%Y/"
    predicted = result_of(engine, prepare_count(det.hdf1, "x", 0.01, 0.02, file_path=path))
    assert predicted == disk / f"local/mine/{datetime.datetime.now():%Y}/x_0000.h5"
    engine(bp.count([det]))
    assert predicted.is_file()
    assert "/" + documents.of("resource")[0]["resource_path"] == str(predicted)


def test_without_a_template_the_path_that_stands_is_taken_each_time(
    engine: Any, det: Any, disk: pathlib.Path, puts: Any
) -> None:
    det.hdf1.read_path_template = det.hdf1.write_path_template = None
    det.hdf1.file_path.set(f"{disk}/local/", timeout=5).wait()
    for n in range(2):
        predicted = result_of(engine, prepare_count(det.hdf1, "x", 0.01, 0.02))
        assert predicted == disk / f"local/x_000{n}.h5"
        engine(bp.count([det]))
        assert predicted.is_file()
    assert "ad:HDF1:FilePath" not in [name for name, _ in puts]


def test_zero_period_means_as_fast_as_the_camera_goes(engine: Any, det: Any) -> None:
    engine(prepare_count(det.hdf1, "x", 0.01, 0))
    assert det.cam.acquire_period.get() == 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_images": 0}, ConfigurationError, "n_images=0"),
        ({"n_images": -2}, ConfigurationError, "n_images=-2"),
        ({"n_images": 2.5}, ConfigurationError, "n_images=2.5"),
        ({"n_images": float("nan")}, ConfigurationError, "n_images=nan"),
        ({"n_images": "5"}, ConfigurationError, "n_images='5'"),
        ({"n_images": 2**31}, ConfigurationError, "n_images=2147483648"),
        ({"n_images": True}, ConfigurationError, "n_images=True"),
        ({"create_directory": "deep"}, ConfigurationError, "create_directory='deep'"),
        ({"acquire_time": "0.01"}, ConfigurationError, "acquire_time='0.01'"),
        ({"acquire_period": 0.005}, ConfigurationError, "acquire_period=0.005.*acquire_time=0.01"),
        ({"acquire_time": -1}, ConfigurationError, "acquire_time=-1"),
        ({"acquire_time": float("nan")}, ConfigurationError, "acquire_time=nan"),
        ({"file_name": ""}, NamingError, "empty"),
        ({"file_name": "a/b"}, NamingError, "separator"),
        ({"file_name": "prob\u00e9"}, NamingError, "file_name='prob\u00e9'.*ASCII"),
        ({"file_template": "%s%s_\u00e9%d.h5"}, NamingError, "file_template=.*ASCII"),
        ({"file_template": "%s%s_%d_%d.h5"}, NamingError, "FileTemplate.*expected"),
        ({"file_template": "%s"}, NamingError, "expected"),
        ({"file_path": "/elsewhere/"}, PathMapError, "/elsewhere/"),
        ({"file_path": "relative/path"}, PathMapError, "relative/path"),
        ({"compression": "gzip"}, ConfigurationError, "ad:HDF1:Compression knows None, .*zlib"),
        ({"auto_save": "maybe"}, ConfigurationError, "auto_save='maybe'.*No, Yes"),
        ({"if_exists": "overwrite"}, ConfigurationError, "refuse, bump, allow"),
    ],
)
def test_what_can_not_be_is_refused_before_any_put(
    engine: Any, det: Any, puts: Any, change: dict[str, Any], error: type, message: str
) -> None:
    arguments = {"file_name": "x", "acquire_time": 0.01, "acquire_period": 0.02, **change}
    with pytest.raises(error, match=message):
        engine(prepare_count(det.hdf1, **arguments))
    assert puts == []


def test_an_existing_file_is_refused_before_any_put(engine: Any, det: Any, puts: Any) -> None:
    predicted = result_of(engine, prepare_count(det.hdf1, "x", 0.01, 0.02))
    predicted.touch()
    puts.clear()
    with pytest.raises(FileExistsRefusedError, match="x_0000.h5"):
        engine(prepare_count(det.hdf1, "x", 0.01, 0.02, 7))
    assert puts == []


def test_bump_raises_the_file_number(engine: Any, det: Any) -> None:
    first = result_of(engine, prepare_count(det.hdf1, "x", 0.01, 0.02))
    first.touch()
    second = result_of(engine, prepare_count(det.hdf1, "x", 0.01, 0.02, if_exists="bump"))
    assert second.name == "x_0001.h5"
    engine(bp.count([det]))
    assert second.is_file()
    assert first.stat().st_size == 0


def test_a_directory_that_can_not_be_created_is_named(
    engine: Any, det: Any, disk: pathlib.Path
) -> None:
    # Two levels are missing, and the IOC may create one.
    path = f"{disk}/ioc/absent/below/"
    with pytest.raises(FileWriteError, match="FilePathExists_RBV.*absent/below.*is -1"):
        engine(prepare_count(det.hdf1, "x", 0.01, 0.02, create_directory=-1, file_path=path))


def test_a_plugin_that_is_writing_is_refused(engine: Any, det: Any) -> None:
    det.stage()
    with pytest.raises(ConfigurationError, match="ad:HDF1:Capture_RBV"):
        engine(prepare_count(det.hdf1, "x", 0.01, 0.02))
    det.unstage()


def test_a_plugin_that_names_its_files_itself_is_refused(adsim: Any, make_detector: Any) -> None:
    unique = make_detector(adsim, **{"class": HDF5FileWriterPlugin})
    with pytest.raises(ConfigurationError, match="AD_EpicsFileNameHDF5Plugin"):
        list(prepare_count(unique.hdf1, "x", 0.01, 0.02))


@pytest.mark.parametrize("given", ["zlib", "ZLIB", "None", "none", "N-bit", "nbit"])
def test_compression_is_found_whatever_its_spelling(engine: Any, det: Any, given: str) -> None:
    # Older ADCore says 'nbit' where newer says 'N-bit'.
    engine(prepare_count(det.hdf1, "x", 0.01, 0.02, compression=given))
    found = det.hdf1.compression.get(as_string=True)
    assert found.lower().replace("-", "") == given.lower().replace("-", "")
