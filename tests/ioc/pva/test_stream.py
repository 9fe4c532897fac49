"""Frames that follow each other over pvAccess, and the life of the server."""

from __future__ import annotations

import time

import numpy as np

FRAMES = 100


def test_monitored_frames_are_whole_and_in_order(det):
    expected = np.add.outer(np.arange(1024), np.arange(1024)).astype(np.uint8)
    first_id = det.get("cam1:ArrayCounter_RBV") + 1
    with det.monitor() as seen:
        before = len(seen.frames)
        det.acquire(NumImages=FRAMES, AcquirePeriod=0.01)
        last_id = first_id + FRAMES - 1
        seen.wait(lambda frames: frames[-1].raw.uniqueId == last_id, f"frame {last_id}")
        frames = seen.frames[before:]
    ids = [frame.raw.uniqueId for frame in frames]
    # a monitor may leave out what a slow client cannot take, but never go back
    assert ids == sorted(set(ids))
    assert ids[0] >= first_id
    assert len(ids) > FRAMES // 2
    for frame in frames:
        step = np.uint8(frame.raw.uniqueId - first_id)  # the ramp rises by 1 from frame to frame
        assert np.array_equal(frame, expected + step)


def test_nothing_is_posted_without_callbacks(det):
    det.acquire(SizeX=16, SizeY=16)
    det.put("Pva1:EnableCallbacks", 0)
    with det.monitor() as seen:
        counted = det.get("Pva1:ArrayCounter_RBV")
        det.acquire(NumImages=5)
        det.put("Pva1:EnableCallbacks", 1)
        det.acquire(NumImages=1)
        last = det.get("cam1:ArrayCounter_RBV")
        seen.wait(lambda frames: frames[-1].raw.uniqueId == last, f"frame {last}")
        assert [frame.raw.uniqueId for frame in seen.frames] == [last - 6, last]
    assert det.get("Pva1:ArrayCounter_RBV") == counted + 1


def test_what_exceeds_the_byte_rate_is_neither_served_nor_counted(det):
    det.put("Pva1:MaxByteRate", 5e6)
    counted = det.get("Pva1:ArrayCounter_RBV")
    dropped = det.get("Pva1:DroppedOutputArrays_RBV")
    det.acquire(NumImages=20)
    served = det.get("Pva1:ArrayCounter_RBV") - counted
    assert 1 <= served < 20
    assert det.get("Pva1:DroppedOutputArrays_RBV") - dropped == 20 - served


def test_ends_at_once_with_a_client_connected(fresh_adsim, pva_client):
    frames: list[object] = []
    subscription = pva_client(fresh_adsim).monitor(f"{fresh_adsim.prefix}Pva1:Image", frames.append)
    until = time.monotonic() + 30
    while not frames and time.monotonic() < until:
        time.sleep(0.01)
    assert frames
    process = fresh_adsim._process
    began = time.monotonic()
    fresh_adsim.stop()
    subscription.close()
    assert process.returncode == 0
    assert time.monotonic() - began < 5


def test_without_p4p_everything_else_works(start_fresh, caget, monkeypatch, tmp_path):
    (tmp_path / "p4p.py").write_text("raise ImportError('not installed here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ioc = start_fresh()
    assert caget(f"{ioc.prefix}Pva1:PluginType_RBV", as_string=True) == "NDPluginPva"
    ioc.stop()
    told = [line for line in ioc._errors if "pvAccess" in line]
    assert len(told) == 1
    assert 'pip install "adsupport[pva]"' in told[0]
