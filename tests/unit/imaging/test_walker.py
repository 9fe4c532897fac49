"""Where the files of scans go: names, numbers, rights, and the IOC's view."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import (
    ConfigurationError,
    NamingError,
    OutputError,
    OutputExistsError,
    PathMapError,
)
from adsupport.imaging.storage.data_set import directory_of
from adsupport.imaging.storage.numbered_name import NumberedName
from adsupport.imaging.storage.walker import DirectoryWalker
from adsupport.naming import FileTemplate, PathMap, format_file_name

HOSTILE = [
    "",
    ".",
    "..",
    "../up",
    "a/b",
    "/etc",
    "a\\b",
    "a\0b",
    "a\nb",
    "~root",
    "-rf",
    ".hidden",
    "C:",
    "con",
    "a" * 201,
    "\u202etxt",
    "\ud800",
]


@pytest.fixture
def read_only() -> Iterator[Path]:
    """Return a directory that nobody can write, not even the tests when root runs them."""
    with tempfile.TemporaryDirectory(dir="/tmp") as made:
        os.chmod(made, 0o755)
        path = Path(made) / "locked"
        path.mkdir(mode=0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield path
        finally:
            if root:
                os.seteuid(0)


def test_the_layout_of_an_experiment(tmp_path):
    walker = DirectoryWalker(tmp_path / "sample7")
    assert walker.root == walker.current == tmp_path / "sample7"
    with walker.scan() as scan:
        assert scan == walker.current == tmp_path / "sample7" / "scan_0000"
        for stream, n in {"darks": 2, "flats": 3, "primary": 4}.items():
            images = (np.full((3, 4), k, np.uint16) for k in range(n))
            assert walker.write(images, directory_of(stream)) == n
            assert walker.current == scan
    assert walker.current == walker.root
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.tif")) == [
        f"sample7/scan_0000/{name}/frame_{k:06d}.tif"
        for name, n in (("darks", 2), ("flats", 3), ("radios", 4))
        for k in range(n)
    ]
    assert tifffile.imread(scan / "radios" / "frame_000003.tif").tolist() == [[3] * 4] * 3
    with walker.scan() as scan:
        assert scan.name == "scan_0001"


def test_up_and_down(tmp_path):
    walker = DirectoryWalker(tmp_path)
    assert walker.descend("iteration_0000") == tmp_path / "iteration_0000"
    assert walker.descend("x") == walker.current == tmp_path / "iteration_0000" / "x"
    assert walker.ascend() == tmp_path / "iteration_0000"
    assert walker.exists("x") and not walker.exists("y") and walker.exists()
    walker.descend("x")  # it's there already
    assert walker.home() == walker.current == tmp_path
    assert walker.exists("iteration_0000", "x")
    with pytest.raises(ConfigurationError, match="stands at its root"):
        walker.ascend()


def test_the_root_is_the_current_directory_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert DirectoryWalker().root == tmp_path
    assert DirectoryWalker("a/../b").root == tmp_path / "b"


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_root(tmp_path, name):
    walker = DirectoryWalker(tmp_path / "root")
    for use in (walker.descend, walker.data_set):
        with pytest.raises(NamingError):
            use(name)
    with pytest.raises(NamingError):
        walker.data_set("darks", f"{name}/{{}}.tif")
    assert walker.current == walker.root
    assert sorted(tmp_path.rglob("*")) == [walker.root]


@given(name=st.text(max_size=20))
def test_whatever_the_name_is_the_walker_stays_below_its_root(tmp_path_factory, name):
    root = tmp_path_factory.getbasetemp() / "any"
    walker = DirectoryWalker(root)
    try:
        path = walker.descend(name)
    except (NamingError, OutputError):
        assert walker.current == root
    else:
        assert path.parent.resolve() == root.resolve() and path.name == name


def test_a_link_that_leads_away_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    walker = DirectoryWalker(tmp_path / "root")
    (walker.root / "darks").symlink_to(tmp_path / "elsewhere")
    for use in (walker.descend, walker.data_set, walker.exists):
        with pytest.raises(NamingError, match="leads out"):
            use("darks")
    with pytest.raises(NamingError):
        walker.exists("..", "elsewhere")


def test_a_file_in_place_of_a_directory(tmp_path):
    (tmp_path / "darks").write_text("")
    walker = DirectoryWalker(tmp_path)
    with pytest.raises(OutputError, match="there is a file of this name"):
        walker.descend("darks")
    with pytest.raises(OutputError, match="there is a file"):
        DirectoryWalker(tmp_path / "darks")
    with pytest.raises(OutputError, match="there is a file"):
        DirectoryWalker(tmp_path / "darks" / "below")


def test_scans_are_numbered_behind_the_highest(tmp_path):
    for name in ("scan_0002", "scan_0007", "scan_8", "scan_0009.old", "scan_", "other_0100"):
        (tmp_path / name).mkdir()
    (tmp_path / "scan_0010").write_text("a file has the number, too")
    walker = DirectoryWalker(tmp_path)
    assert walker.next_scan().name == "scan_0011"
    assert walker.next_scan("run{}").name == "run0"
    assert walker.current == tmp_path / "scan_0011" / "run0"


def test_a_scan_that_fails_leaves_its_directory_and_the_walker_where_it_stood(tmp_path):
    walker = DirectoryWalker(tmp_path)
    walker.descend("day1")
    with pytest.raises(ZeroDivisionError), walker.scan():
        walker.write([np.zeros((2, 2))], "darks")
        walker.descend("flats")
        raise ZeroDivisionError
    assert walker.current == tmp_path / "day1"
    with pytest.raises(ZeroDivisionError), walker, walker.scan():
        walker.home()
        raise ZeroDivisionError
    assert walker.current == tmp_path / "day1"
    with walker.scan() as scan:
        assert scan == tmp_path / "day1" / "scan_0002"
    assert (tmp_path / "day1" / "scan_0000" / "darks" / "frame_000000.tif").exists()


def test_another_thread_waits_at_its_with_and_may_not_begin_a_scan(tmp_path):
    walker = DirectoryWalker(tmp_path)
    refused, stood = [], []

    def other():
        try:
            with walker.scan():
                pass
        except ConfigurationError as error:
            refused.append(str(error))
        inside.set()
        with walker:
            stood.append(walker.current)

    inside = threading.Event()
    thread = threading.Thread(target=other)
    with walker.scan():
        thread.start()
        assert inside.wait(10)
        walker.data_set("darks")
    thread.join(10)
    assert stood == [tmp_path]
    assert "give each experiment a walker of its own" in refused[0]


def test_a_plan_that_is_closed_by_another_thread_gives_the_walker_back(tmp_path):
    walker = DirectoryWalker(tmp_path)

    def plan():
        with walker.scan():
            yield

    running = plan()
    next(running)
    thread = threading.Thread(target=running.close)
    thread.start()
    thread.join(10)
    with walker.scan() as scan:
        assert scan == tmp_path / "scan_0001"


def test_a_data_set_that_isnt_empty_is_refused(tmp_path):
    walker = DirectoryWalker(tmp_path, start_index=5)
    walker.write([np.zeros((2, 2))] * 2, "darks")
    (tmp_path / "darks" / "notes.txt").write_text("of somebody")
    with pytest.raises(OutputExistsError, match=r"isn't empty: it has 2 files.*frame_000006.tif"):
        walker.data_set("darks")
    with pytest.raises(OutputExistsError):
        walker.write([np.ones((2, 2))], "darks")
    assert walker.data_set("darks", "other_{}.tif").file(0).name == "other_5.tif"
    more = walker.data_set("darks", exists="continue")
    assert (more.start_index, more.file(0).name) == (7, "frame_000007.tif")
    assert walker.data_set("flats", exists="continue").start_index == 5
    with pytest.raises(ConfigurationError, match="'refuse' or 'continue'"):
        walker.data_set("darks", exists="replace")  # type: ignore[arg-type]


def test_a_walker_of_a_scan_stays_in_it(tmp_path):
    known = PathMap({"/ioc": tmp_path})
    walker = DirectoryWalker(tmp_path, "f{}.h5", 3, 10**6, "2770", known)
    with walker.scan() as scan:
        other = walker.from_here()
    walker.next_scan()
    assert other.current == other.root == scan
    darks = other.data_set("darks")
    assert (darks.file(0), darks.ioc_path) == (scan / "darks" / "f3.h5", "/ioc/scan_0000/darks/")
    assert stat.S_IMODE(darks.path.stat().st_mode) == 0o2770
    assert other.bytes_per_file == 10**6
    with pytest.raises(ConfigurationError, match="at its root"):
        other.ascend()


def test_rights_are_as_asked_for_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        walker = DirectoryWalker(tmp_path / "a" / "b", rights="2770")
        scan = walker.next_scan()
    finally:
        os.umask(before)
    for path in (tmp_path / "a", walker.root, scan):
        assert stat.S_IMODE(path.stat().st_mode) == 0o2770
    for rights in ("550", "77", "abc", "0o750", 0o750, "77777"):
        with pytest.raises(ConfigurationError, match="octal digits"):
            DirectoryWalker(tmp_path, rights=rights)  # type: ignore[arg-type]


def test_a_root_that_cant_be_written_is_told_before_anything(read_only):
    walker = DirectoryWalker(read_only)
    with pytest.raises(OutputError, match=r"scan_0000 can't be used.*Permission denied") as told:
        walker.next_scan()
    assert told.value.path == str(read_only / "scan_0000")
    with pytest.raises(OutputError), walker.scan():
        raise AssertionError
    assert walker.current == read_only
    with pytest.raises(OutputError, match="Permission denied"):
        DirectoryWalker(read_only / "below")
    with pytest.raises(OutputError, match="Permission denied"):
        walker.write([np.zeros((2, 2))])


def test_a_root_that_has_vanished_isnt_made_anew(tmp_path):
    walker = DirectoryWalker(tmp_path / "mount")
    (tmp_path / "mount").rmdir()
    for use in (walker.next_scan, lambda: walker.descend("a"), lambda: walker.data_set("a")):
        with pytest.raises(OutputError, match="No such file or directory"):
            use()
    assert not (tmp_path / "mount").exists()


def test_the_iocs_paths(tmp_path):
    walker = DirectoryWalker(tmp_path / "s", path_map=PathMap({"D:\\data": tmp_path}))
    assert walker.ioc_path == "D:\\data\\s\\"
    with walker.scan():
        assert walker.ioc_path == "D:\\data\\s\\scan_0000\\"
        darks = walker.data_set("darks")
        full = format_file_name(darks.ioc_template, darks.ioc_path, darks.ioc_name, 3)
        assert full == "D:\\data\\s\\scan_0000\\darks\\frame_000003.tif"
        assert PathMap({"D:\\data": tmp_path}).to_local(full) == darks.file(3)
    assert DirectoryWalker(tmp_path).ioc_path == f"{tmp_path}/"


def test_a_root_that_isnt_the_iocs_is_refused(tmp_path):
    known = PathMap({"/ioc/data": "/mnt/ioc"})
    with pytest.raises(PathMapError) as told:
        DirectoryWalker(tmp_path / "new", path_map=known)
    text = str(told.value)
    assert str(tmp_path / "new") in text and "/ioc/data (IOC) = /mnt/ioc (local)" in text
    assert "choose a root" in text
    assert not (tmp_path / "new").exists()
    deep = tmp_path / ("x" * 120)
    with pytest.raises(NamingError, match="the IOC keeps 255"):
        DirectoryWalker(deep, path_map=PathMap({"/" + "y" * 200: tmp_path}))


@pytest.mark.parametrize(
    "template",
    [
        "frame.tif",
        "{}{}.tif",
        "{0.__class__}",
        "{a}",
        "{1}",
        "{!r}",
        "{:4}",
        "{:*>4}",
        "{:{}}",
        "{:0999999}",
        "{:>04x}",
        "{:,}",
        "{",
        "a/{}",
        "../{}",
        "{}" + "a" * 201,
        "",
        7,
    ],
)
def test_a_name_that_isnt_one_with_a_number_is_refused(tmp_path, template):
    with pytest.raises(NamingError):
        NumberedName(template)
    with pytest.raises(NamingError):
        DirectoryWalker(tmp_path / "a", template)
    assert not (tmp_path / "a").exists()


@given(
    number=st.integers(0, 10**30),
    spec=st.sampled_from(["", ":d", ":04", ":>04", ":>06d", ":0>5", ":=03", ":99"][:7]),
    before=st.text("abc_-.%{ é", max_size=6).map(lambda text: "s" + text),
    after=st.text("abc_-.%} é", max_size=6).map(lambda text: text + "x"),
)
def test_numbers_are_read_back_and_an_ioc_writes_the_same_name(number, spec, before, after):
    template = f"{before.replace('{', '{{')}{{{spec}}}{after.replace('}', '}}')}"
    try:
        names = NumberedName(template)
        name = names.of(number)
    except NamingError:
        return
    assert name == template.format(number)
    assert names.number(name) == number
    assert names.number(f"{name}0") is None
    if number < 2**31:
        assert FileTemplate(names.ioc_template).format("", names.ioc_name, number) == name


def test_a_number_below_zero_and_a_name_without_text():
    with pytest.raises(NamingError, match="below 0"):
        NumberedName("a{}").of(-1)
    assert NumberedName("{:>04}.tif").ioc_template == "%s%s%4.4d.tif"
    with pytest.raises(NamingError, match="no text before its number"):
        _ = NumberedName("{:>04}.tif").ioc_name
    assert NumberedName("a{}").number("a") is None
    assert NumberedName("a{}a").number("a") is None
    assert NumberedName("a{}") == NumberedName("a{}") != NumberedName("b{}")
