"""The three ways in which the seed's program exports what its RunEngine did, called as there."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import pytest
from bluesky import RunEngine
from ophyd.sim import NullStatus, SynAxis

from adsupport import nxstxm as suit_nxstxm
from adsupport.nxstxm import scan_types

from .slow_params import mostly_slow
from .stxm_checks import check_file
from .stxm_metadata import metadata
from .stxm_scan import StxmScan

MAIN_OBJ: Any = SimpleNamespace(engine_widget=SimpleNamespace(db=None))


class Exporting:
    """What the seed's documents show of the acquisition program."""

    def __init__(self, scan_type: int) -> None:
        self.scan_type = scan_type

    def do_data_export(self, run_uids: Any, data_dir: str, fprefix: str) -> None:
        scan_type = self.scan_type
        first_uid = run_uids[0]

        if scan_type in [scan_types.SAMPLE_IMAGE_STACK, scan_types.TOMOGRAPHY_SCAN]:
            self.do_multi_entry_export(run_uids, data_dir, fprefix)

        elif scan_type in [
            scan_types.SAMPLE_POINT_SPECTRA,
            scan_type is scan_types.GENERIC_SCAN,
        ]:
            self.do_point_spec_export(run_uids, data_dir, fprefix)

        else:
            for _uid in run_uids:
                header = MAIN_OBJ.engine_widget.db[first_uid]
                md = json.loads(header["start"]["metadata"])
                assert md["scan_type"] == scan_type
                docs = header.documents(fill=True)
                suit_nxstxm.export(docs, data_dir, file_prefix=fprefix, first_uid=first_uid)

        suit_nxstxm.finish_export(data_dir, fprefix, first_uid)

    def do_point_spec_export(self, run_uids: Any, data_dir: str, fprefix: str) -> None:
        header = MAIN_OBJ.engine_widget.db[-1]
        first_uid = run_uids[0]
        header = MAIN_OBJ.engine_widget.db[first_uid]
        primary_docs = header.documents(fill=True)
        suit_nxstxm.export(primary_docs, data_dir, file_prefix=fprefix, first_uid=first_uid)

    def do_multi_entry_export(self, run_uids: Any, data_dir: str, fprefix: str) -> None:
        header = MAIN_OBJ.engine_widget.db[-1]
        idx = 0
        for uid in run_uids:
            if idx == 0:
                first_uid = uid
            idx += 1
        for uid in run_uids:
            header = MAIN_OBJ.engine_widget.db[uid]
            primary_docs = header.documents(fill=True)
            suit_nxstxm.export(primary_docs, data_dir, file_prefix=fprefix, first_uid=first_uid)


class Reader:
    """A device that is read."""

    parent = None

    def __init__(self, name: str, read: Callable[[], dict[str, Any]]) -> None:
        self.name, self._read = name, read

    def read(self) -> dict[str, Any]:
        now = time.time()
        return {key: {"value": each, "timestamp": now} for key, each in self._read().items()}

    def describe(self) -> dict[str, Any]:
        return {
            key: {
                "source": f"SIM:{key}",
                "dtype": "integer" if isinstance(each, int) else "number",
                "shape": [],
            }
            for key, each in self._read().items()
        }

    def read_configuration(self) -> dict[str, Any]:
        return {}

    describe_configuration = read_configuration


class Counters(Reader):
    """What counts at each point."""

    begin: Callable[[], None]

    def trigger(self) -> NullStatus:
        self.begin()
        return NullStatus()


class Microscope:
    """A microscope whose counters tell where they count."""

    def __init__(self, scan: StxmScan) -> None:
        self.scan = scan
        fast, slow = scan.positioners
        self.x, self.y = SynAxis(name=scan.key(fast)), SynAxis(name=scan.key(slow))
        self.energy = SynAxis(name="ENERGY", readback_func=lambda value: value + 0.0625)
        self.place: dict[str, int] = {}
        self.run, self.event = 0, -1
        self.counters = Counters("counters", self._count)
        self.counters.begin = self.begin
        self.around = Reader("around", self._baseline)

    def begin(self) -> None:
        """Begin another event."""
        self.event += 1

    def _count(self) -> dict[str, Any]:
        scan, e = self.scan, self.place["e"]
        j = int(abs(scan.x_setpoints(self.place["region"]) - self.x.position).argmin())
        rows = scan.y_setpoints(self.place["region"]) - self.y.position
        i = 0 if scan.scan_type == 8 else int(abs(rows).argmin())
        if scan.scan_type == 4:
            i, j, e = e, 0, 0
        found = {
            name: scan.value(n, i, j, **{**self.place, "e": e})
            for n, name in enumerate(scan.counters)
        }
        return {**found, "StorageRingCurrent": scan.ring_at(self.run, self.event)}

    def _baseline(self) -> dict[str, Any]:
        code, angle, offset = self.scan.polarizations[self.place["pol"]]
        return {
            "SampleX": 3.5, "SampleY": -4.5, "GoniTheta": self.scan.angles[self.place["angle"]],
            "EPUPolarization": float(code), "Epu_pol_angle": angle, "Epu_gap_offset": offset,
        }  # fmt: skip

    def one_run(self, inner: Callable[[], Any], index: dict[str, int]) -> Iterator[Any]:
        """A run with its metadata and baseline."""
        self.place, self.event = index, -1

        def plan() -> Iterator[Any]:
            yield from bps.mv(self.energy, self.scan.energies[index["e"]])
            return (yield from inner())

        told = {"metadata": json.dumps(metadata(self.scan, **index))}
        uid = yield from bpp.inject_md_wrapper(bpp.baseline_wrapper(plan(), [self.around]), told)
        self.run += 1
        return uid

    def image(self) -> Any:
        """x is fast."""
        scan, region, plans = self.scan, self.place["region"], cast(Any, bp)
        return plans.list_grid_scan(
            [self.counters, self.energy],
            self.y, list(scan.y_setpoints(region)), self.x, list(scan.x_setpoints(region)),
            snake_axes=scan.snaking,
        )  # fmt: skip

    def line(self) -> Any:
        """Of a generic scan."""
        points = list(self.scan.x_setpoints())
        return cast(Any, bp).list_scan([self.counters, self.energy], self.x, points)

    def point_spectra(self) -> Any:
        """At each energy the regions one after the other."""
        scan = self.scan

        @bpp.run_decorator(md={})
        def inner() -> Iterator[Any]:
            for e, region in itertools.product(range(len(scan.energies)), range(len(scan.regions))):
                self.place = {**self.place, "e": e, "region": region}
                yield from bps.mv(self.energy, scan.energies[e])
                yield from bps.mv(self.x, scan.x_setpoints(region)[0])
                yield from bps.mv(self.y, scan.y_setpoints(region)[0])
                devices: Any = [self.counters, self.energy, self.x, self.y]
                yield from bps.trigger_and_read(devices)

        return inner()

    def plan(self) -> Iterator[Any]:
        """All runs of the scan."""
        inner = {4: self.point_spectra, 8: self.line}.get(self.scan.scan_type, self.image)
        for index in self.scan.indexes():
            yield from self.one_run(inner, index)


@pytest.fixture(scope="module")
def engine() -> Any:
    databroker = pytest.importorskip("databroker")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *args, **kwargs: None)  # databroker's own
        db = databroker.Broker.named("temp")
        RE = RunEngine({})
        RE.subscribe(db.insert)
        MAIN_OBJ.engine_widget.db = db
        yield RE


def done(RE: Any, scan: StxmScan, directory: Path) -> None:
    """Scan, export as the seed does, and compare."""
    uids = RE(Microscope(scan).plan())
    Exporting(scan.scan_type).do_data_export(uids, str(directory), "C200101001")
    assert [each.name for each in directory.iterdir()] == ["C200101001.hdf5"]
    db = MAIN_OBJ.engine_widget.db
    sent = {n: list(db[uid].documents(fill=True)) for n, uid in enumerate(uids)}
    check_file(directory / "C200101001.hdf5", scan, sent)


@pytest.mark.parametrize("kind", mostly_slow((0, 1, 6, 9, 10, 12), quick=(6,)))
def test_basic_images(kind: int, engine: Any, tmp_path: Path) -> None:
    done(engine, StxmScan(kind, per_line=False), tmp_path)


def test_a_basic_image_that_snakes(engine: Any, tmp_path: Path) -> None:
    done(engine, StxmScan(9, snaking=True), tmp_path)


def test_a_generic_scan(engine: Any, tmp_path: Path) -> None:
    done(engine, StxmScan(8), tmp_path)


def test_point_spectra(engine: Any, tmp_path: Path) -> None:
    scan = StxmScan(4, energies=(700.0, 701.0, 703.0), regions=(3, 1, 2))
    done(engine, scan, tmp_path)


def test_a_stack_of_two_regions_and_polarizations(engine: Any, tmp_path: Path) -> None:
    scan = StxmScan(7, nx=2, ny=1, per_line=False, energies=(700.0, 701.0), regions=(2, 5),
                    polarizations=((0, 0.0, 0.0), (1, 0.0, 0.5)))  # fmt: skip
    done(engine, scan, tmp_path)


@pytest.mark.slow
def test_tomography(engine: Any, tmp_path: Path) -> None:
    scan = StxmScan(11, nx=3, ny=2, per_line=False, energies=(700.0, 701.0), angles=(-30.0, 40.0))
    done(engine, scan, tmp_path)


def test_a_scan_that_failed(engine: Any, tmp_path: Path) -> None:
    scan = StxmScan(6, per_line=False)
    microscope = Microscope(scan)

    def begin() -> None:
        microscope.begin()
        if microscope.event == 7:
            raise RuntimeError("the shutter is stuck")

    microscope.counters.begin = begin
    with pytest.raises(RuntimeError, match="shutter"):
        engine(microscope.plan())
    db = MAIN_OBJ.engine_widget.db
    uid = db[-1]["start"]["uid"]
    Exporting(6).do_data_export([uid], str(tmp_path), "C2")
    sent = list(db[uid].documents(fill=True))
    assert sent[-1][1]["exit_status"] == "fail"
    check_file(tmp_path / "C2.hdf5", scan, {0: sent})
