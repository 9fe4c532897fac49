"""The examples and the demo as a user runs them: programs of their own, on their own hardware."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.launch import IOCProcess, client_environment, example_file, free_port

ESCAPE = "\x1b"
PNG = b"\x89PNG\r\n\x1a\n"


def run_example(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(example_file(name)), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, env=os.environ | environment
    )


def processes_that_mention(text: str) -> list[str]:
    """Command lines of the running processes that have a text in them or in their environment."""
    found = []
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit() or directory.name == str(os.getpid()):
            continue
        try:
            about = (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or isn't ours
            continue
        if text.encode() in about:
            found.append((directory / "cmdline").read_bytes().decode().replace("\0", " "))
    return found


def check_facts_of_the_custom_file_name(output: str, out: Path) -> None:
    for fact in (
        "adsimdet.hdf1.num_captured.get()=5",
        "local_file_name.exists()=True",
        "fname.exists()=True",
        "(local_file_name == fname)=True",
        "dataset['adsimdet_image'].shape=(1, 5, 1024, 1024)",
        "data:NX_UINT8[5,1024,1024]",
    ):
        assert fact in output
    (file,) = (out / "ioc").rglob("*.h5")
    with h5py.File(file) as h5:
        assert h5["/entry/data/data"].shape == (5, 1024, 1024)
    assert (out / f"{file.stem}.png").read_bytes().startswith(PNG)


def check_facts_of_the_scan(output: str, out: Path) -> None:
    rows = re.findall(r"\|\s+[1-5] \| \S+ \|\s+(\S+) \|\s+(\S+) \|", output)
    rows = rows[:5]  # in the demo another scan follows
    assert [float(position) for position, _ in rows] == [-0.5, -0.25, 0, 0.25, 0.5]
    assert all(0 <= float(value) < 1 for _, value in rows)
    assert (out / "scan_random_numbers.png").read_bytes().startswith(PNG)


def check_facts_of_the_nexus_writer(output: str, out: Path) -> None:
    assert output.count("h5_file.exists()=True") == 2
    for line in (
        '    @default = "data"',
        '      @axes = ["motor"]',
        '      @signal = "sensor"',
        "      motor --> /entry/instrument/bluesky/streams/primary/motor/value",
        "          data --> /entry/instrument/bluesky/streams/primary/sensor",
    ):
        assert line in output.splitlines()
    with h5py.File(out / "nxwriter.h5") as live, h5py.File(out / "db_export.h5") as exported:
        for name in ("sensor", "motor", "motor_user_setpoint", "EPOCH"):
            one, other = live["entry/data"][name][()], exported["entry/data"][name][()]
            assert one.shape == (5,)
            assert one.tolist() == other.tolist()
        assert live["entry/title"][()] == exported["entry/title"][()]


def check_facts_of_the_tomogram(output: str, out: Path) -> None:
    """The sample's published densities came out of the slices, in 1/mm."""
    out = out / "online-reconstruction"
    assert (out / "slices.png").read_bytes().startswith(PNG)
    for name, true in ("brain", 0.2), ("ventricle", 0.0), ("tumour", 0.3), ("air", 0.0):
        (found,) = re.findall(rf"^{name}: {true} per mm is true, (\S+) ", output, re.M)
        assert float(found) == pytest.approx(true, abs=0.03)
    (path,) = out.glob("scans/scan_*/online-slices/tomogram.h5")
    slices = sorted(path.parent.glob("slice_*.tif"))
    with h5py.File(path) as file:
        volume = file["entry/data/data"][()]
    assert len(slices) == volume.shape[2]
    np.testing.assert_array_equal(tifffile.imread(slices[3]), volume[..., 3].T)


def check_facts_of_the_export(output: str, out: Path) -> None:
    files = sorted(path.name for path in (out / "export").iterdir())
    assert files == [
        "run_0001-baseline.csv",
        "run_0001-metadata.json",
        "run_0001-primary.csv",
        "run_0001.h5",
        "run_0001.json",
        "run_0001.jsonl",
        "run_0001.nxs",
        "scans.dat",
    ]
    assert "content['start']['title']='a first look'" in output
    assert "file['entry/data'].attrs['signal']='noisy'" in output
    with h5py.File(out / "export/run_0001.h5") as file:
        noisy = file["streams/primary/data/noisy"][()].tolist()
    with h5py.File(out / "export/run_0001.nxs") as file:
        assert file["entry/data/noisy"][()].tolist() == noisy
    with open(out / "export/run_0001-primary.csv", newline="") as text:
        assert [float(row["noisy"]) for row in csv.DictReader(text)] == noisy


def check_facts_of_the_tomography(output: str, out: Path) -> None:
    with h5py.File(out / "tomography.h5") as file:
        shapes = [file[f"exchange/{name}"].shape for name in ("data", "data_white", "data_dark")]
        assert shapes == [(7, 512, 512), (3, 512, 512), (3, 512, 512)]
        assert file["exchange/theta"][()].tolist() == [0, 30, 60, 90, 120, 150, 180]
        dark, white = file["exchange/data_dark"][()].mean(), file["exchange/data_white"][()].mean()
        middle = file["exchange/data"][3, 256, 256]
        assert dark < 0.9 * middle < 0.9 * white  # through the sample: between dark and light
        data = file["exchange/data"][()]
    with h5py.File(out / "tomography_nxtomo.nxs") as file:
        key = file["entry/instrument/detector/image_key"][()]
        assert key.tolist() == [2] * 3 + [1] * 3 + [0] * 7
        assert (file["entry/data/data"][6:] == data).all()
    assert "sinogram.shape=(7, 512)" in output
    assert (out / "sinogram.png").read_bytes().startswith(PNG)


def check_facts_of_the_pack(output: str, out: Path) -> None:
    assert "1 gold success\n2 silver success\n" in output
    assert "images.shape=(3, 2, 1024, 1024), images.dtype=dtype('uint8')" in output
    (sent,) = out.glob("sent-*/packed")
    lines = (sent / "SHA256SUMS").read_text().splitlines()
    names = {line.split(maxsplit=1)[1].lstrip("*") for line in lines}
    assert {"manifest.json", "catalog.yml"} < names
    for line in lines:
        digest, name = line.split(maxsplit=1)
        assert hashlib.sha256((sent / name).read_bytes()).hexdigest() == digest
    assert not list(out.glob("beamline-*"))
    assert (out / "sent.png").read_bytes().startswith(PNG)


def check_facts_of_the_stxm(output: str, out: Path) -> None:
    lines = output.splitlines()
    for fact in (
        "00_detector_image.hdf5: runs 1, entries 1, detector_y, detector_x (4, 6)",
        "02_osa_focus.hdf5: runs 1, entries 1, zoneplate_z, line_position (4, 6)",
        "04_sample_point_spectra.hdf5: runs 1, entries 2, energy (33,)",
        "05_sample_line_spectra.hdf5: runs 1, entries 1, energy, line_position (33, 12)",
        "07_sample_image_stack.hdf5: runs 16, entries 4, energy, sample_y, sample_x (4, 9, 12)",
        "08_generic_scan.hdf5: runs 1, entries 1, mirror_pitch (12,)",
        "13_ptychography.hdf5: runs 1, entries 1, energy, sample_y, sample_x (1, 2, 3)",
        '      stxm_scan_type:NX_CHAR[1] = ["sample image"]',
    ):
        assert fact in lines
    files = sorted((out / "stxm").glob("*.hdf5"))
    assert [int(path.name[:2]) for path in files] == list(range(14))
    assert all(path.with_suffix(".png").read_bytes().startswith(PNG) for path in files)
    assert len(list((out / "stxm").iterdir())) == 28
    with h5py.File(files[4]) as file:  # the L3 line of iron is in the energies' middle
        assert all(file[f"entry{each}/counter0/data"][()].argmin() == 16 for each in (0, 1))
    with h5py.File(files[7]) as file:  # magnetic domains turn over with the polarization
        left, right = (file[f"entry{each}/counter0/data"][()] for each in (0, 2))
        contrast = [image.std() for image in left / right]
        assert contrast[2] > 2 * contrast[0]
        stokes = [file[f"entry{each}/sample/beam/incident_polarization_stokes"] for each in (0, 2)]
        assert [each[0, 3] for each in stokes] == [-1, 1]
    with h5py.File(files[11]) as file:
        angles = [file[f"entry{each}/sample/rotation_angle"][0] for each in range(3)]
        assert angles == [-60, 0, 60]
    with h5py.File(files[13]) as file:
        assert file["entry0/instrument/ccd/data"].shape == (6, 32, 32)


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A text in the environment of every process that a test starts."""
    return f"ADSUPPORT_TEST={tmp_path}"


def environment_of(mark: str) -> dict[str, str]:
    name, _, value = mark.partition("=")
    return {name: value}


@pytest.mark.slow  # the demo runs all examples; alone they bring up their own hardware
def test_custom_file_name_with_its_own_hardware(tmp_path: Path, mark: str):
    result = run_example(
        "01_custom_file_name", "--demo", "--out", str(tmp_path), **environment_of(mark)
    )
    assert result.returncode == 0, result.stderr
    check_facts_of_the_custom_file_name(result.stdout, tmp_path)
    assert ESCAPE not in result.stdout
    wait_until_none_mentions(mark)


@pytest.mark.slow
def test_scan_with_its_own_hardware(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    result = run_example("02_scan_random_numbers", "--demo", **environment_of(mark))
    assert result.returncode == 0, result.stderr
    check_facts_of_the_scan(result.stdout, tmp_path / "demo-data")
    assert [path.name for path in tmp_path.iterdir()] == ["demo-data"]
    assert ESCAPE not in result.stdout  # no bar that moves
    wait_until_none_mentions(mark)


@pytest.mark.parametrize(
    ("name", "arguments", "check_facts"),
    [
        pytest.param(
            "03_nexus_writer", [], check_facts_of_the_nexus_writer, marks=pytest.mark.slow
        ),
        pytest.param("04_export", [], check_facts_of_the_export, marks=pytest.mark.slow),
        ("05_dx_and_nxtomo", ["--projections", "7"], check_facts_of_the_tomography),
        ("06_pack_and_send", [], check_facts_of_the_pack),
        pytest.param(
            "07_stxm", ["--points", "12"], check_facts_of_the_stxm, marks=pytest.mark.slow
        ),
    ],
)
def test_files_with_their_own_hardware(
    tmp_path: Path, mark: str, name: str, arguments: list[str], check_facts
):
    arguments = ["--demo", "--out", str(tmp_path), *arguments]
    result = run_example(name, *arguments, **environment_of(mark))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    check_facts(result.stdout, tmp_path)
    wait_until_none_mentions(mark)


@pytest.mark.parametrize(
    ("name", "pv"),
    [
        pytest.param("01_custom_file_name", "nobody:cam1:Acquire", marks=pytest.mark.slow),
        pytest.param("02_scan_random_numbers", "nobody:m10.RBV", marks=pytest.mark.slow),
    ],
)
def test_an_ioc_that_is_not_there_is_named(tmp_path: Path, name: str, pv: str):
    result = run_example(
        name, "--ioc", "nobody:", "--out", str(tmp_path), **client_environment(free_port())
    )
    assert result.returncode == 1
    assert pv in result.stderr
    assert "No process variable under 'nobody:" in result.stderr
    assert "Is the IOC running" in result.stderr


@pytest.mark.slow
def test_custom_file_name_with_the_ioc_of_a_user(tmp_path: Path):
    """Three times in a row, and once more right after the IOC was restarted."""
    port = free_port()
    arguments = ["--ioc", "mine:", "--ioc-mount", str(tmp_path), "--local-mount", str(tmp_path)]
    with IOCProcess("adsim", "mine:", port) as ioc:
        for turn in range(4):
            if turn == 3:
                ioc.restart()
            result = run_example(
                "01_custom_file_name",
                *arguments,
                "--out",
                str(tmp_path / "pictures"),
                **client_environment(port),
            )
            assert result.returncode == 0, result.stderr
            assert "(local_file_name == fname)=True" in result.stdout
    names = sorted(path.name for path in tmp_path.rglob("*.h5"))
    assert names == [f"test_file_{number:04d}.h5" for number in range(4)]


def test_demo(tmp_path: Path, mark: str):
    command = [sys.executable, "-m", "adsupport.cli", "demo", "--out", str(tmp_path / "data")]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=100,
        env=os.environ | environment_of(mark),
    )
    assert result.returncode == 0, result.stderr
    check_facts_of_the_custom_file_name(result.stdout, tmp_path / "data")
    check_facts_of_the_scan(result.stdout, tmp_path / "data")
    check_facts_of_the_nexus_writer(result.stdout, tmp_path / "data")
    check_facts_of_the_export(result.stdout, tmp_path / "data")
    check_facts_of_the_tomogram(result.stdout, tmp_path / "data")
    assert str(tmp_path / "data") in result.stdout.splitlines()[-1]
    wait_until_none_mentions(mark)


@pytest.mark.parametrize(
    "signum",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL],
)
def test_demo_that_is_interrupted_leaves_no_process(tmp_path: Path, mark: str, signum: int):
    command = [sys.executable, "-u", "-m", "adsupport.cli", "demo", "--out", str(tmp_path)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment_of(mark),
        # as in a terminal, also where the tests themselves run with Ctrl-C switched off
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        assert "IOC ready: adsim" in process.stdout.readline()
        assert len(processes_that_mention(mark)) == 4
        process.send_signal(signum)
        process.wait(timeout=60)
        assert process.returncode != 0
        process.stdout.read()  # ends when the last process that holds it has ended
    wait_until_none_mentions(mark)


def wait_until_none_mentions(mark: str) -> None:
    for _ in range(200):
        if not processes_that_mention(mark):
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(f"still running: {processes_that_mention(mark)}")
