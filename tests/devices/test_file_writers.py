"""File plugins: staging, documents, and plugins that are not ready."""

from __future__ import annotations

import pathlib
import time
from collections import OrderedDict
from typing import Any

import bluesky.plans as bp
import h5py
import pytest

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    HDF5FileWriterPlugin,
    ad_creator,
)
from adsupport.errors import (
    ConfigurationError,
    FileWriteError,
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
    data = documents.of("event")[0]["data"]
    assert [name for name in data if "_frames_" not in name and "_id" not in name] == ["det_image"]


def test_the_image_is_described_before_the_first_trigger(
    engine: Any, documents: Any, det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # bluesky can ask for the descriptor before it takes the first point.
    monkeypatch.setenv("BLUESKY_PREDECLARE", "1")
    engine(bp.count([det]))
    (descriptor,) = documents.of("descriptor")
    assert descriptor["data_keys"]["det_image"]["shape"] == [1, 1024, 1024]
    data = documents.of("event")[0]["data"]
    assert [name for name in data if "_frames_" not in name and "_id" not in name] == ["det_image"]


def test_two_writers_have_two_names(
    adsim: Any, det: Any, disk: pathlib.Path, engine: Any, documents: Any
) -> None:
    class Second(AD_EpicsFileNameHDF5Plugin):
        """Stands for another file plugin: this IOC has one only."""

        def require_free(self) -> None:
            pass

        def _stage_writer(self, disabled: bool) -> list[object]:
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
    images = {name for name in event["data"] if name.endswith("_image")}
    assert images == {"both_image", "both_hdf2_image"}


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
    assert time.monotonic() - begun < 20
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


def test_unique_names_in_a_directory_that_staging_lets_the_ioc_create(
    adsim: Any, det: Any, make_detector: Any, engine: Any, disk: Any
) -> None:
    # ophyd puts the path first, and CreateDirectory, which the IOC obeys at that put, after it.
    det.hdf1.create_directory.set(0, timeout=5).wait()
    unique = make_detector(
        adsim,
        **{
            "class": HDF5FileWriterPlugin,
            "write_path_template": f"{disk}/ioc/new/%Y/",
            "read_path_template": f"{disk}/local/new/%Y/",
        },
    )
    engine(bp.count([unique]))
    assert AD_full_file_name_local(unique.hdf1).is_file()
    assert det.hdf1.create_directory.get() == 0


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


def _name_files(det: Any) -> None:
    det.hdf1.create_directory.set(-5, timeout=5).wait()
    det.hdf1.file_name.set("image", timeout=5).wait()
    det.hdf1.file_template.set("%s%s_%4.4d.h5", timeout=5).wait()
    det.hdf1.auto_increment.set("Yes", timeout=5).wait()
    det.hdf1.file_path.set(det.hdf1.expand_path(), timeout=5).wait()
