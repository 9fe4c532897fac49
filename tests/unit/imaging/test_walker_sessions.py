"""Several sessions number their scans below one root."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from adsupport.imaging.storage.walker import DirectoryWalker

SESSION = """
import sys
from adsupport.imaging.storage.walker import DirectoryWalker
root, me = sys.argv[1:]
walker = DirectoryWalker(root)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    with walker.scan() as scan:
        with open(scan / "owner", "x") as file:
            file.write(me)
        walker.data_set("darks")
    print(scan.name, flush=True)
"""


@pytest.mark.slow
def test_two_processes_of_50_scans_never_share_one(tmp_path):
    sessions = [
        subprocess.Popen(
            [sys.executable, "-c", SESSION, str(tmp_path), str(me)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(2)
    ]
    try:
        for each in sessions:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        told = [each.communicate("go\n", timeout=60) for each in sessions]
    finally:
        for each in sessions:
            each.kill()
            each.wait()
    scans = [out.split() for out, _ in told]
    assert [len(each) for each in scans] == [50, 50], told
    assert sorted(scans[0] + scans[1]) == [f"scan_{n:04d}" for n in range(100)]
    for me, names in enumerate(scans):
        assert {(tmp_path / name / "owner").read_text() for name in names} == {str(me)}


def test_threads_with_a_walker_each_never_share_a_scan(tmp_path):
    taken: list[str] = []
    start = threading.Barrier(4)

    def session():
        walker = DirectoryWalker(tmp_path)
        start.wait(10)
        for _ in range(25):
            with walker.scan() as scan:
                taken.append(scan.name)

    threads = [threading.Thread(target=session) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sorted(taken) == [f"scan_{n:04d}" for n in range(100)]
