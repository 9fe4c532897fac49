"""File plugins: staging, names, documents, and errors that come before a frame is lost."""

from __future__ import annotations

import datetime
import pathlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import bluesky.plans as bp
import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    HDF5FileWriterPlugin,
    ad_creator,
    file_target,
)
from adsupport.errors import (
    ConfigurationError,
    FileExistsRefusedError,
    FileWriteError,
    FrameCountError,
    NamingError,
    PathMapError,
    UnprimedError,
)


def test_stage_signals_are_those_of_the_seed(make_detector: Any, adsim: Any) -> None:
    det = make_detector(adsim)
    det.cam.stage_sigs["wait_for_plugins"] = "Yes"
    det.hdf1.stage_sigs["blocking_callbacks"] = "No"
    det.hdf1.stage_sigs.move_to_end("capture", last=True)
    assert repr(det.hdf1.stage_sigs) == repr(
        OrderedDict(
            [
                ("enable", 1),
                ("file_write_mode", "Stream"),
                ("blocking_callbacks", "No"),
                ("parent.cam.array_callbacks", 1),
                ("capture", 1),
            ]
        )
    )


def test_staging_writes_and_unstaging_restores_everything(det: Any, unchanged: Any) -> None:
    det.hdf1.num_capture.set(7, timeout=5).wait()
    det.cam.num_images.set(5, timeout=5).wait()
    with unchanged(det):
        det.stage()
        assert det.hdf1.num_capture.get() == 0
        assert det.hdf1.capture.get() == 1
        det.trigger().wait(10)
        det.unstage()
    assert det.hdf1.num_captured.get() == 5
    with h5py.File(AD_full_file_name_local(det.hdf1)) as file:
        assert file["entry/data/data"].shape == (5, 1024, 1024)


def test_frames_per_point_is_what_one_trigger_makes_not_num_capture(
    engine: Any, documents: Any, det: Any
) -> None:
    det.cam.num_images.set(3, timeout=5).wait()
    det.hdf1.num_capture.set(100, timeout=5).wait()
    engine(bp.count([det], num=4))
    (resource,) = documents.of("resource")
    assert resource["resource_kwargs"] == {"frame_per_point": 3}
    points = [d["datum_kwargs"]["point_number"] for d in documents.of("datum")]
    assert points == [0, 1, 2, 3]
    assert det.hdf1.num_captured.get() == 12


def test_a_num_capture_asked_for_in_stage_sigs_is_used(det: Any) -> None:
    det.hdf1.stage_sigs["num_capture"] = 2
    det.hdf1.stage_sigs.move_to_end("capture")
    det.cam.num_images.set(2, timeout=5).wait()
    det.stage()
    det.trigger().wait(10)
    with pytest.raises(FileWriteError, match="isn't capturing any more after 2 frames"):
        det.trigger()
    det.unstage()
    assert det.hdf1.num_capture.get() == 1


def test_the_resource_is_what_the_ioc_wrote_as_seen_from_here(
    engine: Any, documents: Any, det: Any, disk: pathlib.Path
) -> None:
    engine(bp.count([det]))
    (resource,) = documents.of("resource")
    path = pathlib.Path(resource["root"] + resource["resource_path"])
    assert resource["spec"] == "AD_HDF5"
    assert resource["root"] == "/"
    assert path == AD_full_file_name_local(det.hdf1)
    assert det.hdf1.full_file_name.get() == str(path).replace("/local/", "/ioc/")
    assert path.is_file()
    assert path.is_relative_to(disk / "local")


def test_the_image_is_recorded_without_editing_read_attrs(
    engine: Any, documents: Any, det: Any
) -> None:
    assert "hdf1" in det.read_attrs
    engine(bp.count([det]))
    (descriptor,) = documents.of("descriptor")
    key = descriptor["data_keys"]["det_image"]
    assert key["shape"] == [1, 1024, 1024]
    assert (key["dtype"], key["dtype_numpy"]) == ("array", "|u1")
    assert key["external"] == "FILESTORE:"
    (event,) = documents.of("event")
    assert event["data"]["det_image"] == documents.of("datum")[0]["datum_id"]


def test_the_seeds_way_of_recording_the_image_still_works(
    engine: Any, documents: Any, det: Any
) -> None:
    det.read_attrs.append("hdf1")
    engine(bp.count([det]))
    assert list(documents.of("event")[0]["data"]) == ["det_image"]


def test_the_image_is_described_before_the_first_trigger(
    engine: Any, documents: Any, det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # bluesky can ask for the descriptor before it takes the first point.
    monkeypatch.setenv("BLUESKY_PREDECLARE", "1")
    engine(bp.count([det]))
    (descriptor,) = documents.of("descriptor")
    assert descriptor["data_keys"]["det_image"]["shape"] == [1, 1024, 1024]
    assert list(documents.of("event")[0]["data"]) == ["det_image"]


def test_two_writers_have_two_names(
    adsim: Any, det: Any, disk: pathlib.Path, engine: Any, documents: Any
) -> None:
    class Second(AD_EpicsFileNameHDF5Plugin):
        """Stands for another file plugin: this IOC has one only."""

        def _stage_writer(self) -> list[object]:
            self.is_writing = True
            self._open_resource("/", "second.h5", {"frame_per_point": 1}, "posix")
            return [self]

        def prepare_point(self, frames: int, captured: int, capture: Any) -> bool:
            return False

        def finish_point(self, frames: int) -> None:
            pass

        def unstage(self) -> list[object]:
            return [self]

    spec = {"class": AD_EpicsFileNameHDF5Plugin, "write_path_template": f"{disk}/ioc/%Y/%m/"}
    both = ad_creator(
        adsim.prefix,
        name="both",
        plugins=["cam", {"hdf1": spec}, {"hdf2": {"class": Second, "suffix": "HDF1:"}}],
    )
    both.wait_for_connection(timeout=15)
    engine(bp.count([both]))
    (event,) = documents.of("event")
    assert set(event["data"]) == {"both_image", "both_hdf2_image"}


def test_a_writer_that_is_not_read_makes_no_data_key(engine: Any, documents: Any, det: Any) -> None:
    det.hdf1.kind = "omitted"
    engine(bp.count([det]))
    assert "det_image" not in documents.of("descriptor")[0]["data_keys"]


@pytest.mark.parametrize(
    ("color", "data_type", "shape", "dtype"),
    [
        ("Mono", "UInt16", [2, 64, 96], "<u2"),
        ("RGB1", "UInt8", [2, 64, 96, 3], "|u1"),
        ("RGB2", "UInt8", [2, 64, 3, 96], "|u1"),
        ("RGB3", "Float64", [2, 3, 64, 96], "<f8"),
    ],
)
def test_the_described_shape_and_type_are_those_in_the_file(
    engine: Any, documents: Any, det: Any, color: str, data_type: str, shape: list[int], dtype: str
) -> None:
    from adsupport.devices import ensure_AD_plugin_primed

    for name, value in {"size.size_x": 96, "size.size_y": 64}.items():
        getattr(det.cam, name).put(value)
    det.cam.color_mode.set(color, timeout=5).wait()
    det.cam.data_type.set(data_type, timeout=5).wait()
    det.cam.num_images.set(2, timeout=5).wait()
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(bp.count([det]))
    key = documents.of("descriptor")[0]["data_keys"]["det_image"]
    assert (key["shape"], key["dtype_numpy"]) == (shape, dtype)
    with h5py.File(AD_full_file_name_local(det.hdf1)) as file:
        assert list(file["entry/data/data"].shape) == shape
        assert file["entry/data/data"].dtype.str == dtype


# -- not primed


def test_an_unprimed_plugin_is_refused_at_once_with_both_remedies(
    fresh_adsim: Any, make_detector: Any, disk: pathlib.Path, unchanged: Any
) -> None:
    det = make_detector(fresh_adsim)
    _name_files(det)
    begun = time.monotonic()
    with unchanged(det), pytest.raises(UnprimedError) as caught:
        det.stage()
    assert time.monotonic() - begun < 5
    for part in (f"{fresh_adsim.prefix}HDF1:", "ensure_AD_plugin_primed(det.hdf1", "lazy_open"):
        assert part in str(caught.value)
    assert not list(disk.rglob("*.h5"))


def test_lazy_open_needs_no_priming(
    fresh_adsim: Any, make_detector: Any, engine: Any, documents: Any, unchanged: Any
) -> None:
    # Stock ophyd raises UnprimedPlugin here.
    det = make_detector(fresh_adsim)
    _name_files(det)
    det.hdf1.stage_sigs["lazy_open"] = "Yes"
    det.hdf1.stage_sigs.move_to_end("capture")
    det.cam.num_images.set(2, timeout=5).wait()
    det.cam.image_mode.set("Multiple", timeout=5).wait()
    with unchanged(det):
        engine(bp.count([det], num=2))
    (resource,) = documents.of("resource")
    path = pathlib.Path("/" + resource["resource_path"])
    assert path == AD_full_file_name_local(det.hdf1)
    key = documents.of("descriptor")[0]["data_keys"]["det_image"]
    assert (key["shape"], key["dtype_numpy"]) == ([2, 1024, 1024], "|u1")
    with h5py.File(path) as file:
        assert file["entry/data/data"].shape == (4, 1024, 1024)


def test_primed_for_frames_of_another_size_says_prime_again(
    det: Any, disk: pathlib.Path, unchanged: Any
) -> None:
    # The IOC would open a file of the old size and refuse every frame.
    det.cam.size.size_x.set(512, timeout=5).wait()
    with unchanged(det), pytest.raises(UnprimedError, match="1024 x 1024.*512 x 1024") as caught:
        det.stage()
    assert "again" in str(caught.value) or "Prime it" in str(caught.value)
    assert not list(disk.rglob("*.h5"))


def test_primed_for_another_data_type_or_colour_says_prime_again(det: Any) -> None:
    # The IOC takes these frames for the old ones and writes nonsense.
    det.cam.data_type.set("Int8", timeout=5).wait()
    with pytest.raises(UnprimedError, match="UInt8.*Int8"):
        det.stage()
    det.cam.data_type.set("UInt8", timeout=5).wait()
    det.cam.color_mode.set("RGB1", timeout=5).wait()
    with pytest.raises(UnprimedError, match="Mono.*RGB1"):
        det.stage()


def test_a_disabled_plugin_needs_nothing_and_writes_nothing(
    fresh_adsim: Any, make_detector: Any, engine: Any, documents: Any, unchanged: Any
) -> None:
    det = make_detector(fresh_adsim)
    det.hdf1.disable_on_stage()
    det.cam.image_mode.set("Single", timeout=5).wait()
    with unchanged(det):
        engine(bp.count([det]))
    assert not documents.of("resource")
    assert "det_image" not in documents.of("descriptor")[0]["data_keys"]


# -- names and places


def test_dates_are_filled_in_before_the_path_is_put(det: Any, disk: pathlib.Path) -> None:
    # The peer's plan puts the template itself: a directory named %Y is left on the disk.
    det.hdf1.file_path.put("")
    _wait(lambda: det.hdf1.file_path.get() == "")
    det.stage()
    det.unstage()
    now = datetime.datetime.now()
    assert det.hdf1.file_path.get() == f"{disk}/ioc/{now:%Y/%m}/"
    assert not list(disk.rglob("*%*"))


def test_the_date_is_filled_in_anew_at_stage_time(
    det: Any, disk: pathlib.Path, monkeypatch: pytest.MonkeyPatch, engine: Any, documents: Any
) -> None:
    class Yesterday(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime.datetime:
            return datetime.datetime(2020, 1, 31)

    with monkeypatch.context() as patch:
        patch.setattr(file_target, "datetime", Yesterday)
        det.hdf1.file_path.set(det.hdf1.expand_path(), timeout=5).wait()
    assert det.hdf1.file_path.get() == f"{disk}/ioc/2020/01/"
    engine(bp.count([det]))
    today = datetime.datetime.now()
    assert det.hdf1.file_path.get() == f"{disk}/ioc/{today:%Y/%m}/"
    (resource,) = documents.of("resource")
    assert f"/local/{today:%Y/%m}/" in resource["resource_path"]


def test_a_path_put_by_hand_is_honoured_and_mapped(
    engine: Any, documents: Any, det: Any, disk: pathlib.Path
) -> None:
    # The peer's documents name the template's directory, whatever was put.
    (disk / "ioc/by-hand").mkdir()
    det.hdf1.file_path.set(f"{disk}/ioc/by-hand", timeout=5).wait()
    engine(bp.count([det]))
    (resource,) = documents.of("resource")
    assert resource["resource_path"] == f"{disk}/local/by-hand/image_0000.h5".lstrip("/")
    assert (disk / "ioc/by-hand/image_0000.h5").is_file()


def test_a_path_outside_the_map_is_refused(det: Any, unchanged: Any) -> None:
    det.hdf1.file_path.set("/elsewhere/", timeout=5).wait()
    _wait(lambda: det.hdf1.file_path.get() == "/elsewhere/")
    with unchanged(det), pytest.raises(PathMapError, match="/elsewhere/"):
        det.stage()


@pytest.mark.parametrize(
    ("attr", "pv"), [("file_name", "FileName"), ("file_template", "FileTemplate")]
)
def test_an_empty_name_or_template_is_named(det: Any, attr: str, pv: str, unchanged: Any) -> None:
    getattr(det.hdf1, attr).set("", timeout=5).wait()
    with unchanged(det), pytest.raises(NamingError, match=f"ad:HDF1:{pv} is empty"):
        det.stage()


def test_an_empty_path_without_a_template_names_both(det: Any, unchanged: Any) -> None:
    det.hdf1.write_path_template = det.hdf1.read_path_template = None
    det.hdf1.file_path.put("")
    _wait(lambda: det.hdf1.file_path.get() == "")
    with unchanged(det), pytest.raises(NamingError, match="FilePath.*write_path_template"):
        det.stage()


@pytest.mark.parametrize("template", ["%s%s_%d_%d.h5", "%s.h5", "image.h5", "%s%s_%f.h5"])
def test_a_template_that_can_not_work_is_explained(det: Any, template: str, unchanged: Any) -> None:
    det.hdf1.file_template.set(template, timeout=5).wait()
    with unchanged(det), pytest.raises(NamingError, match="ad:HDF1:FileTemplate.*expected"):
        det.stage()


def test_a_template_without_number(engine: Any, det: Any, disk: pathlib.Path) -> None:
    det.hdf1.file_template.set("%s%s.h5", timeout=5).wait()
    engine(bp.count([det]))
    assert AD_full_file_name_local(det.hdf1).name == "image.h5"


def test_a_directory_that_is_not_there_is_an_error_before_capture(
    det: Any, disk: pathlib.Path, unchanged: Any
) -> None:
    det.hdf1.create_directory.set(0, timeout=5).wait()
    det.hdf1.file_path.set(f"{disk}/ioc/absent/", timeout=5).wait()
    with unchanged(det), pytest.raises(FileWriteError, match="FilePathExists_RBV.*absent") as e:
        det.stage()
    assert "create_directory.put(-5)" in str(e.value)
    assert det.hdf1.file_number.get() == 0


def test_a_file_that_can_not_be_opened_is_an_error_with_the_iocs_words(
    det: Any, disk: pathlib.Path, unchanged: Any
) -> None:
    # A directory stands where the file is to go: the IOC can't create it, root or not.
    det.hdf1.if_exists = "allow"
    det.hdf1.file_path.set(f"{disk}/ioc/", timeout=5).wait()
    (disk / "ioc/image_0000.h5").mkdir()
    begun = time.monotonic()
    with unchanged(det), pytest.raises(FileWriteError, match="WriteStatus.*Error opening file"):
        det.stage()
    assert time.monotonic() - begun < 5


def test_an_existing_file_is_not_overwritten(engine: Any, det: Any, unchanged: Any) -> None:
    det.hdf1.auto_increment.set("No", timeout=5).wait()
    engine(bp.count([det]))
    path = AD_full_file_name_local(det.hdf1)
    content = path.read_bytes()
    taken = det.cam.array_counter.get()
    with unchanged(det), pytest.raises(FileExistsRefusedError, match="image_0000.h5"):
        engine(bp.count([det]))
    assert path.read_bytes() == content
    assert det.cam.array_counter.get() == taken


def test_bump_takes_the_next_free_number(engine: Any, det: Any) -> None:
    det.hdf1.if_exists = "bump"
    engine(bp.count([det]))
    first = AD_full_file_name_local(det.hdf1)
    first.with_name("image_0001.h5").touch()
    det.hdf1.file_number.set(0, timeout=5).wait()
    engine(bp.count([det]))
    assert AD_full_file_name_local(det.hdf1).name == "image_0002.h5"
    assert first.with_name("image_0001.h5").stat().st_size == 0


def test_bump_can_not_help_a_template_without_number(engine: Any, det: Any) -> None:
    det.hdf1.if_exists = "bump"
    det.hdf1.file_template.set("%s%s.h5", timeout=5).wait()
    engine(bp.count([det]))
    with pytest.raises(FileExistsRefusedError, match="no file number"):
        engine(bp.count([det]))


def test_allow_overwrites(engine: Any, det: Any) -> None:
    det.hdf1.if_exists = "allow"
    det.hdf1.auto_increment.set("No", timeout=5).wait()
    det.cam.num_images.set(1, timeout=5).wait()
    engine(bp.count([det]))
    engine(bp.count([det], num=2))
    with h5py.File(AD_full_file_name_local(det.hdf1)) as file:
        assert file["entry/data/data"].shape[0] == 2


def test_an_unknown_policy_is_refused(det: Any) -> None:
    with pytest.raises(ConfigurationError, match="refuse, bump, allow"):
        det.hdf1.if_exists = "overwrite"


def test_a_root_below_the_file_system_root(
    engine: Any, documents: Any, det: Any, disk: Any
) -> None:
    det.hdf1.reg_root = disk / "local"
    engine(bp.count([det]))
    (resource,) = documents.of("resource")
    assert resource["root"] == str(disk / "local")
    assert (disk / "local" / resource["resource_path"]).is_file()


def test_a_root_that_does_not_hold_the_file_is_refused(det: Any, unchanged: Any) -> None:
    det.hdf1.reg_root = "/srv/nowhere"
    with unchanged(det), pytest.raises(PathMapError, match="/srv/nowhere"):
        det.stage()


# -- while it runs, and the end


def test_a_capture_that_somebody_stops_is_an_error_at_the_next_point(det: Any) -> None:
    det.stage()
    det.trigger().wait(10)
    det.hdf1.capture.set(0, timeout=5).wait()
    with pytest.raises(FileWriteError, match="isn't capturing any more after 1 frames"):
        det.trigger()
    det.unstage()


def test_frames_between_the_points_are_found_out_at_the_end(det: Any) -> None:
    det.stage()
    det.trigger().wait(10)
    det.cam.acquire.put(1)
    _wait(lambda: det.hdf1.num_captured.get() == 2)
    with pytest.raises(FrameCountError, match="holds 2 frames, expected 1"):
        det.unstage()
    assert det.hdf1.capture.get() == 0
    assert det.hdf1.num_capture.get() == 1


def test_a_changed_number_of_images_during_a_run_is_refused(det: Any) -> None:
    det.stage()
    det.cam.num_images.set(4, timeout=5).wait()
    with pytest.raises(ConfigurationError, match="staged for 1 frames a point.*4"):
        det.trigger()
    det.unstage()


def test_after_a_torn_point_the_run_goes_on_in_another_file(det: Any, disk: pathlib.Path) -> None:
    det.cam.num_images.set(20, timeout=5).wait()
    det.cam.acquire_time.set(0.05, timeout=5).wait()
    det.cam.acquire_period.set(0.05, timeout=5).wait()
    det.stage()
    det.trigger()
    _wait(lambda: det.hdf1.num_captured.get() > 2)
    det.pause()
    det.cam.acquire_time.set(0.001, timeout=5).wait()
    det.cam.acquire_period.set(0.001, timeout=5).wait()
    det.trigger().wait(10)
    documents = list(det.collect_asset_docs())
    det.unstage()
    resources = [d for kind, d in documents if kind == "resource"]
    datums = [d for kind, d in documents if kind == "datum"]
    assert len(resources) == 2
    assert datums[-1]["resource"] == resources[-1]["uid"]
    assert datums[-1]["datum_kwargs"] == {"point_number": 0}
    with h5py.File("/" + resources[-1]["resource_path"]) as file:
        assert file["entry/data/data"].shape[0] == 20


def test_a_capture_left_on_by_somebody_is_ended_first(det: Any) -> None:
    det.hdf1.file_write_mode.set("Stream", timeout=5).wait()
    det.hdf1.enable.set(1, timeout=5).wait()
    det.hdf1.num_capture.set(0, timeout=5).wait()
    det.hdf1.capture.put(1)
    _wait(lambda: det.hdf1.capture.get() == 1)
    det.stage()
    assert det.hdf1.num_captured.get() == 0
    assert det.hdf1.full_file_name.get().endswith("image_0001.h5")
    det.unstage()


def test_a_setting_that_is_refused_is_named_and_the_others_restored(
    det: Any, unchanged: Any
) -> None:
    from adsupport.errors import PutError

    det.hdf1.put_timeout = 1.0
    det.hdf1.stage_sigs["file_number"] = -(2**31) - 5
    det.hdf1.stage_sigs.move_to_end("capture")
    with unchanged(det), pytest.raises((PutError, ConfigurationError, OverflowError)):
        det.stage()


def test_single_mode_needs_auto_save(det: Any, unchanged: Any) -> None:
    det.hdf1.stage_sigs["file_write_mode"] = "Single"
    with unchanged(det), pytest.raises(ConfigurationError, match="ad:HDF1:AutoSave"):
        det.stage()


def test_single_mode_writes_one_file_a_frame(engine: Any, documents: Any, det: Any) -> None:
    det.hdf1.stage_sigs["file_write_mode"] = "Single"
    det.hdf1.auto_save.set("Yes", timeout=5).wait()
    det.cam.num_images.set(2, timeout=5).wait()
    det.hdf1.file_number.set(1, timeout=5).wait()
    engine(bp.count([det], num=2))
    (resource,) = documents.of("resource")
    assert resource["spec"] == "AD_HDF5_SINGLE"
    kwargs = resource["resource_kwargs"]
    assert kwargs["frame_per_point"] == 2
    # The number is raised to a multiple of the frames per point: that's where readers look.
    numbers = [d["datum_kwargs"]["point_number"] for d in documents.of("datum")]
    assert numbers == [1, 2]
    for number in (2, 3, 4, 5):
        name = kwargs["template"] % (
            "/" + resource["resource_path"] + "/",
            kwargs["filename"],
            number,
        )
        with h5py.File(name) as file:
            assert file["entry/data/data"].shape == (1024, 1024)


def test_a_failing_writer_fails_the_run(engine: Any, documents: Any, det: Any) -> None:
    det.stage()
    account = det._account
    true_read = account.read
    account.read = lambda: (
        true_read()
        | {
            ("det_hdf1", "write_status"): 1,
            ("det_hdf1", "write_message"): "Error writing file, status=3",
        }
    )
    with pytest.raises(FileWriteError, match="ad:HDF1:WriteStatus.*status=3"):
        det.trigger().wait(10)
    det.unstage()


# -- unique names


def test_unique_names_in_the_templates_directory(
    adsim: Any, det: Any, make_detector: Any, engine: Any, documents: Any, disk: Any, unchanged: Any
) -> None:
    unique = make_detector(adsim, **{"class": HDF5FileWriterPlugin})
    unique.hdf1.stage_sigs["array_counter"] = 0
    with unchanged(unique):
        engine(bp.count([unique], num=2))
    path = AD_full_file_name_local(unique.hdf1)
    assert path == pathlib.Path("/" + documents.of("resource")[0]["resource_path"])
    stem = path.stem.rpartition("_")[0]
    assert len(stem.split("-")) == 4
    with h5py.File(path) as file:
        assert file["entry/data/data"].shape[0] == 2
    assert det.hdf1.file_template.get() == "%s%s_%4.4d.h5"


def test_unique_names_have_the_peers_stage_signals(adsim: Any, make_detector: Any) -> None:
    unique = make_detector(adsim, **{"class": HDF5FileWriterPlugin})
    assert dict(unique.hdf1.stage_sigs) == {
        "enable": 1,
        "blocking_callbacks": "No",
        "parent.cam.array_callbacks": 1,
        "create_directory": -3,
        "auto_increment": "Yes",
        "array_counter": 0,
        "auto_save": "Yes",
        "num_capture": 0,
        "file_template": "%s%s_%6.6d.h5",
        "file_write_mode": "Stream",
        "capture": 1,
    }
    assert list(unique.hdf1.stage_sigs)[-1] == "capture"


def test_unique_names_need_a_template_only_to_stage(
    adsim: Any, det: Any, disk: Any, unchanged: Any
) -> None:
    plain = ad_creator(adsim.prefix, name="plain", plugins=["cam", "hdf1"])
    assert plain.hdf1.write_path_template is None
    plain.cam.image_mode.set("Single", timeout=5).wait()
    with pytest.raises(ConfigurationError, match="plain_hdf1 has no write_path_template"):
        plain.stage()
    assert plain.hdf1.capture.get() == 0


# -- templates


@pytest.mark.parametrize("given", ["/data/%Y/", "/data/%Y", pathlib.Path("/data/%Y/")])
def test_the_template_keeps_its_trailing_separator(given: Any) -> None:
    # ophyd strips it.
    plugin = AD_EpicsFileNameHDF5Plugin("X:", name="hdf1", write_path_template=given)
    assert plugin.write_path_template == "/data/%Y/"
    assert plugin.read_path_template == "/data/%Y/"


@pytest.mark.parametrize(
    ("write", "read", "full", "local"),
    [
        ("/data", "/mnt/ioc/", "/data/f.h5", "/mnt/ioc/f.h5"),
        ("/", "/mnt/a/", "/data/f.h5", "/mnt/a/data/f.h5"),
        ("/tmp/%Y/", "/mnt/tmp/%Y/", "/tmp/2020/f.h5", "/mnt/tmp/2020/f.h5"),
        ("C:\\data\\%Y\\", "/mnt/c/%Y/", "C:\\data\\2020\\f.h5", "/mnt/c/2020/f.h5"),
        (None, None, "/data/f.h5", "/data/f.h5"),
    ],
)
def test_local_names_map_whole_prefixes(write: Any, read: Any, full: str, local: str) -> None:
    plugin = _Plugin(write, read, full)
    assert AD_full_file_name_local(plugin) == pathlib.Path(local)


def test_no_file_no_name() -> None:
    assert AD_full_file_name_local(_Plugin("/data/", "/mnt/", "")) is None


def test_a_file_outside_the_map_has_no_local_name() -> None:
    with pytest.raises(PathMapError, match="/elsewhere/f.h5"):
        AD_full_file_name_local(_Plugin("/data/", "/mnt/", "/elsewhere/f.h5"))


class _Plugin:
    """Stands for a file plugin that has written a file."""

    name = "hdf1"

    def __init__(self, write: str | None, read: str | None, full: str) -> None:
        self.write_path_template, self.read_path_template = write, read
        self.full_file_name = self
        self._full = full

    def get(self) -> str:
        return self._full


def _name_files(det: Any) -> None:
    det.hdf1.create_directory.set(-5, timeout=5).wait()
    det.hdf1.file_name.set("image", timeout=5).wait()
    det.hdf1.file_template.set("%s%s_%4.4d.h5", timeout=5).wait()
    det.hdf1.auto_increment.set("Yes", timeout=5).wait()
    det.hdf1.file_path.set(det.hdf1.expand_path(), timeout=5).wait()


def _wait(condition: Callable[[], bool], timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_run_engine_reports_a_stage_error_as_it_is(engine: Any, det: Any) -> None:
    det.hdf1.file_name.set("", timeout=5).wait()
    with pytest.raises(NamingError):
        engine(bp.count([det]))
    det.hdf1.file_name.set("image", timeout=5).wait()
    engine(bp.count([det]))
    with pytest.raises(FailedStatus):
        det.acquire_timeout = 0.05
        det.cam.acquire_time.set(5, timeout=5).wait()
        engine(bp.count([det]))
    assert det.hdf1.capture.get() == 0
