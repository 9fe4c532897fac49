"""Many scans of all kinds: every frame is there, and nobody cries wolf.

``ADSUPPORT_SOAK_SCANS`` is the number of scans, 500 by default; ``ADSUPPORT_SOAK_SEED`` another
random sequence.
"""

from __future__ import annotations

import logging
import os
import random
from typing import Any

import bluesky.plans as bp
import h5py
import hdf5plugin  # noqa: F401  registers the filters
import numpy as np
import pytest
from ophyd.sim import SynAxis

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.plans import prepare_count

SCANS = int(os.environ.get("ADSUPPORT_SOAK_SCANS", "500"))
SEED = int(os.environ.get("ADSUPPORT_SOAK_SEED", "1"))
COMPRESSIONS = ("None", "zlib", "szip", "Blosc", "BSLZ4", "LZ4")
SIZE_X, SIZE_Y = 48, 32

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + 4 * SCANS)]


@pytest.fixture
def watched(adsim: Any, disk: Any, make_ready: Any) -> Any:
    """A detector with viewer and statistics beside its writer, all enabled."""
    writer = {
        "class": AD_EpicsFileNameHDF5Plugin,
        "write_path_template": f"{disk}/ioc/%Y/%m/",
        "read_path_template": f"{disk}/local/%Y/%m/",
    }
    detector = ad_creator(
        adsim.prefix, name="det", plugins=["cam", "image", "stats1", {"hdf1": writer}]
    )
    detector.wait_for_connection(timeout=15)
    make_ready(detector, detector.hdf1, {}, {})
    detector.cam.size.size_x.put(SIZE_X)
    detector.cam.size.size_y.put(SIZE_Y)
    detector.stats1.nd_array_port.put(detector.cam.port_name.get())
    for plugin in (detector.image, detector.stats1):
        plugin.enable.put(1)
    detector.stats1.compute_statistics.put(1)
    detector.stats1.total.kind = "normal"
    detector.stats1.kind = "normal"
    detector.frame_policy = "warn"  # so that an alarm is counted, and the soak goes on
    ensure_AD_plugin_primed(detector.hdf1, True)
    yield detector
    detector.unstage()
    detector.stats1.compute_statistics.put(0)
    for plugin in (detector.image, detector.stats1):
        plugin.enable.put(0)


def _plan(choose: random.Random, det: Any, points: int) -> Any:
    motor = SynAxis(name="m1")
    return choose.choice(
        [
            lambda: bp.count([det], num=points),
            lambda: bp.scan([det], motor, -1, 1, points),
            lambda: bp.rel_scan([det], motor, -1, 1, points),
        ]
    )()


def test_no_frame_is_lost_and_none_is_missed_without_need(
    engine: Any,
    documents: Any,
    watched: Any,
    caplog: pytest.LogCaptureFixture,
    record_property: Any,
) -> None:
    choose = random.Random(SEED)
    det = watched
    total = {"scans": 0, "points": 0, "frames": 0, "alarms": 0}
    wrong = []
    caplog.set_level(logging.WARNING, "adsupport")
    for number in range(SCANS):
        frames, points = choose.randint(1, 5), choose.randint(1, 4)
        exposure = choose.uniform(0, 0.002)
        compression = choose.choice(COMPRESSIONS)
        engine(
            prepare_count(
                det.hdf1,
                f"soak{number}",
                exposure,
                choose.choice([0.0, exposure, 0.003]),
                frames,
                compression=compression,
            )
        )
        engine(_plan(choose, det, points))
        said = [record.getMessage() for record in caplog.records if "adsupport" in record.name]
        caplog.clear()
        report = det.hdf1.file_report
        problems = [p.message for r in det.frame_reports for p in r.problems] + said
        problems += [p.message for p in report.problems]
        with h5py.File(AD_full_file_name_local(det.hdf1), "r") as file:
            data = file["entry/data/data"][()]
            ids = file["entry/instrument/NDAttributes/NDArrayUniqueId"][()]
        expected = [each for r in det.frame_reports for each in r.unique_ids or ()]
        if data.shape != (points * frames, SIZE_Y, SIZE_X) or list(ids) != expected:
            problems.append(f"{data.shape} with ids {ids}, expected {expected}")
        # each frame of the ramp is the one before plus one, in 8 bits
        steps = np.diff(data[:, 0, 0].astype(int)) % 256
        if not (report.verified and report.ids_checked and set(steps) <= {1}):
            problems.append(f"{report}, steps {steps}")
        if problems:
            wrong.append((number, compression, frames, points, problems))
        total["scans"] += 1
        total["points"] += points
        total["frames"] += points * frames
        total["alarms"] += len(problems)
    counts = ", ".join(f"{number} {what}" for what, number in total.items())
    record_property("summary", f"soak with seed {SEED}: {counts}")
    assert not wrong, wrong
    assert len(documents.of("event")) == total["points"]
    lost = [e["data"]["det_frames_dropped"] for e in documents.of("event")]
    assert not any(lost)
    assert total["alarms"] == 0
