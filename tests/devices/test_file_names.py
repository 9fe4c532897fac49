"""Names and places of files: honoured, mapped, and never overwritten."""

from __future__ import annotations

import datetime
import pathlib
import time
from typing import Any

import bluesky.plans as bp
import h5py
import pytest
from ophyd import Signal

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
)
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import (
    ConfigurationError,
    FileExistsRefusedError,
    FileWriteError,
    NamingError,
    PathMapError,
)
from adsupport.plans import prepare_count


def test_dates_are_filled_in_before_the_path_is_put(det: Any, disk: pathlib.Path) -> None:
    # The peer's plan puts the template itself: a directory named %Y is left on the disk.
    det.hdf1.file_path.put("")
    assert wait_for(lambda: det.hdf1.file_path.get() == "", 5)
    det.stage()
    det.unstage()
    now = datetime.datetime.now()
    assert det.hdf1.file_path.get() == f"{disk}/ioc/{now:%Y/%m}/"
    assert not list(disk.rglob("*%*"))


def test_a_run_after_midnight_goes_to_the_new_day_here_and_on_the_ioc(
    det: Any, disk: pathlib.Path, engine: Any, documents: Any
) -> None:
    midnight = datetime.datetime(2020, 2, 1)
    det.hdf1.clock = lambda: midnight - datetime.timedelta(seconds=1)
    engine(prepare_count(det.hdf1, "late", 0.001, 0.002))
    assert det.hdf1.file_path.get() == f"{disk}/ioc/2020/01/"
    engine(bp.count([det]))
    det.stage()
    det.hdf1.clock = lambda: midnight  # it strikes during a run: that one stays together
    det.trigger().wait(10)
    det.unstage()
    engine(bp.count([det]))
    assert det.hdf1.file_path.get() == f"{disk}/ioc/2020/02/"
    before, after = documents.of("resource")
    assert before["resource_path"].endswith("/local/2020/01/late_0000.h5")
    assert after["resource_path"].endswith("/local/2020/02/late_0002.h5")
    assert sorted(path.relative_to(disk).as_posix() for path in disk.glob("ioc/*/*/*.h5")) == [
        "ioc/2020/01/late_0000.h5",
        "ioc/2020/01/late_0001.h5",
        "ioc/2020/02/late_0002.h5",
    ]


def test_a_percent_sign_of_a_template_is_no_date_code_at_stage_time(
    engine: Any, det: Any, disk: pathlib.Path
) -> None:
    path = f"{disk}/ioc/100%%c/"
    engine(prepare_count(det.hdf1, "percent", 0.001, 0.002, file_path=path))
    engine(bp.count([det]))
    assert AD_full_file_name_local(det.hdf1).parent == disk / "local" / "100%c"


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
    assert wait_for(lambda: det.hdf1.file_path.get() == "/elsewhere/", 5)
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
    assert wait_for(lambda: det.hdf1.file_path.get() == "", 5)
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


def test_a_directory_too_deep_to_be_created_is_not_explained_by_what_stands_already(
    det: Any, disk: pathlib.Path, unchanged: Any
) -> None:
    det.hdf1.file_path.set(f"{disk}/ioc/1/2/3/4/5/6/7/", timeout=5).wait()
    with unchanged(det), pytest.raises(FileWriteError, match="last 5 levels.*or more miss") as e:
        det.stage()
    assert "put(-5)" not in str(e.value)


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
    assert time.monotonic() - begun < 20


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


def test_the_name_is_asked_of_the_ioc_not_of_a_monitor_that_may_be_late(
    engine: Any, det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(bp.count([det]))
    monkeypatch.setattr(det.hdf1.full_file_name, "get", lambda **_: "/data/before.h5")
    assert AD_full_file_name_local(det.hdf1).name == "image_0000.h5"


def test_no_file_no_name() -> None:
    assert AD_full_file_name_local(_Plugin("/data/", "/mnt/", "")) is None


def test_a_file_outside_the_map_has_no_local_name() -> None:
    with pytest.raises(PathMapError, match="/elsewhere/f.h5"):
        AD_full_file_name_local(_Plugin("/data/", "/mnt/", "/elsewhere/f.h5"))


class _Plugin:
    """Stands for a file plugin that has written a file."""

    name, prefix = "hdf1", "X:HDF1:"

    def __init__(self, write: str | None, read: str | None, full: str) -> None:
        self.write_path_template, self.read_path_template = write, read
        self.full_file_name = Signal(name="full_file_name", value=full)
