"""Documents through bluesky's 0MQ proxy, and the parts of example 14, of which one is killed."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from bluesky.callbacks.zmq import Bluesky0MQDecodeError, Publisher, RemoteDispatcher
from event_model import compose_run

from adsupport.documents.json_text import decode, encode
from adsupport.imaging.reconstruction import reconstruct
from adsupport.launch import example_file, free_port

PIECE = 0.05  # s
PROJECTIONS = 40
CAN_MAKE_NETWORKS = os.geteuid() == 0 and shutil.which("ip") is not None


@pytest.fixture
def proxy() -> Iterator[tuple[str, str]]:
    """Bluesky's own proxy: where documents go, and where they come from."""
    into, out = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = [sys.executable, "-m", "bluesky.commandline.zmq_proxy"]
    with subprocess.Popen(
        [*command, "--in-address", into, "--out-address", out], stdout=subprocess.DEVNULL
    ) as process:
        yield into, out
        process.kill()


class Listener:
    """What a host elsewhere hears, until what comes is no document."""

    def __init__(self, address: str) -> None:
        self.documents: list[tuple[str, Any]] = []
        self._heard = threading.Condition()
        self.error: BaseException | None = None
        self._address = address
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        dispatcher = RemoteDispatcher(self._address, deserializer=decode, strict=True)
        dispatcher.subscribe(self._take)
        try:
            dispatcher.start()
        except BaseException as error:
            self.error = error

    def _take(self, name: str, document: Any) -> None:
        with self._heard:
            self.documents.append((name, document))
            self._heard.notify_all()

    def heard(self, name: str, timeout: float) -> bool:
        def came() -> bool:
            return any(each == name for each, _ in self.documents)

        with self._heard:
            return self._heard.wait_for(came, timeout)

    def ended(self, timeout: float) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()


class Harmful:
    """Makes a file when it's unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


def test_documents_through_the_proxy_without_pickle(proxy: Any, tmp_path: Path) -> None:
    """They arrive as they were; a pickled one is refused, and nothing of it is executed."""
    into, out = proxy
    listener = Listener(out)
    publisher = Publisher(into, serializer=encode)
    harm = Harmful(tmp_path / "harm")
    pickling = Publisher(into, serializer=lambda document: pickle.dumps([document, harm]))
    try:
        hello = compose_run()
        for _ in range(400):  # PUB and SUB are connected some time, and nobody says when
            publisher("start", hello.start_doc)
            if listener.heard("start", PIECE):
                break

        run = compose_run(metadata={"matrix": np.eye(2), "gain": float("nan"), "who": "Zoë"})
        stream = run.compose_descriptor(
            name="primary", data_keys={"x": {"source": "", "dtype": "number", "shape": []}}
        )
        event = stream.compose_event(data={"x": np.float64(0.1)}, timestamps={"x": 1.0})
        sent = [("start", run.start_doc), ("descriptor", stream.descriptor_doc)]
        sent += [("event", event), ("stop", run.compose_stop())]
        for name, document in sent:
            publisher(name, document)
        assert listener.heard("stop", 30)

        for _ in range(400):
            pickling("start", run.start_doc)
            if listener.ended(PIECE):
                break
        assert isinstance(listener.error, Bluesky0MQDecodeError)
        assert "can't be read as JSON" in str(listener.error.__cause__)
    finally:
        for each in (publisher, pickling):
            each.close()
    assert not harm.path.exists()
    names = [each for each, document in listener.documents if document != hello.start_doc]
    assert names == [name for name, _ in sent]
    came = dict(listener.documents)
    assert came["start"]["who"] == "Zoë" and np.isnan(came["start"]["gain"])
    np.testing.assert_array_equal(came["start"]["matrix"], np.eye(2))
    assert came["event"]["data"] == {"x": 0.1}
    assert came["stop"]["run_start"] == run.start_doc["uid"]


def demo(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    """Start example 14, small."""
    command = [sys.executable, str(example_file("14_distributed")), "--demo", "--out",
               str(tmp_path), "--projections", str(PROJECTIONS), *options]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"ADSUPPORT_TEST": str(tmp_path)},
    )  # fmt: skip


def left_running(tmp_path: Path) -> list[str]:
    """Find processes of a demo."""
    mark = f"ADSUPPORT_TEST={tmp_path}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (each / "environ").read_bytes().split(b"\0"):
                found.append((each / "cmdline").read_text())
    return found


def difference(dx: Path, slices: Path) -> float:
    """Compare slices with those of the DX file: other frames, other documents, one process.

    The file's images come from the detector's own file, the slices' by pvAccess, ZeroMQ and dask.
    """
    with h5py.File(dx) as file:
        exchange: Any = file["exchange"]
        _, height, width = exchange["data"].shape
        expected = reconstruct(
            exchange["data"], exchange["theta"][()],
            darks=exchange["data_dark"], flats=exchange["data_white"],
            rows=np.linspace(0, height - 1, 10).astype(int)[1:-1], centre=(width - 1) / 2,
        )  # fmt: skip
    with h5py.File(slices) as file:
        found: Any = file["slices"]
        assert found.attrs["projections"] == PROJECTIONS
        return float(np.sqrt(np.mean((found[()] - expected) ** 2) / np.mean(expected**2)))


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("victim", "options"),
    [
        ("compute", ()),
        ("writer", ()),
        pytest.param(
            "compute", ("--namespaces",),
            marks=pytest.mark.skipif(not CAN_MAKE_NETWORKS, reason="needs root and iproute2"),
        ),
    ],
)  # fmt: skip
def test_all_parts_and_a_kill(tmp_path: Path, victim: str, options: tuple[str, ...]) -> None:
    """Each part does its work; who is killed costs what it would have made, and nothing else."""
    process = demo(tmp_path, "--kill", victim, *options)
    output, errors = process.communicate()
    if options:
        listed = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True)
        assert f"adsupport-{process.pid}-" not in listed.stdout
    assert process.returncode == 0, output + errors
    assert errors == ""
    assert left_running(tmp_path) == []
    pids = re.findall(r"^ *(\S+): process (\d+) on host '(.*)',", output, re.MULTILINE)
    assert len(pids) == 9 and len({pid for _, pid, _ in pids}) == 9
    seconds = re.search(rf"^{victim} killed; acquisition knew it after ([\d.]+) s: Consumer "
                        rf"'{victim}' of frames is lost", output, re.MULTILINE)  # fmt: skip
    assert seconds and float(seconds[1]) <= 2.0

    out = tmp_path / "distributed"
    second = f"head-without-{victim}"
    for scan in sorted((out / "images").glob("scan_*")):  # of both runs
        (images,) = (scan / "radios").glob("*.h5")
        with h5py.File(images) as file:
            assert len(file["entry/data/data"]) == PROJECTIONS
    samples = {path.stem for path in (out / "files").glob("*.h5")}
    assert samples == ({"head"} if victim == "writer" else {"head", second})
    for sample in samples:
        with h5py.File(out / "files" / f"{sample}.h5") as file:
            assert file["exchange/data"].shape[0] == PROJECTIONS
        assert (out / "files" / f"{sample}.nxs").exists()
    pictures = {path.name for path in (out / "compute").glob("*.png")}
    names = ["head"] if victim == "compute" else ["head", second]
    assert pictures == {f"{name}-slices.png" for name in names}
    assert difference(out / "files" / "head.h5", out / "compute" / "head-slices.h5") < 1e-4


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_all_parts(tmp_path: Path, how: signal.Signals) -> None:
    process = demo(tmp_path)
    stdout: Any = process.stdout
    for line in stdout:
        if "head: 10 of" in line:
            process.send_signal(how)
            break
    output, errors = process.communicate()
    assert process.returncode == 1, output + errors
    assert errors == "interrupted\n"
    assert left_running(tmp_path) == []
    (scan,) = (tmp_path / "distributed" / "images").glob("scan_*")
    assert (scan / "experiment_finish.json").exists()  # written when all has been put back
