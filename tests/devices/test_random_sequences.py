"""Whatever happens, in whatever order: files whole, documents valid, frames accounted, idle.

Hypothesis draws sequences of what happens to a detector in a shift: it is prepared, it counts,
a run is aborted, a fault strikes at some stage, the IOC is restarted.  After each of these the
same is checked.  What happens is drawn beforehand: hardware isn't to decide what is drawn.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import event_model
import h5py
import pytest
from bluesky import RunEngine
from bluesky.utils import FailedStatus, RequestAbort, RunEngineInterrupted
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ophyd.device import Staged

from adsupport.devices import ensure_AD_plugin_primed
from adsupport.errors import AdsupportError, FileExistsRefusedError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

from .fault_stages import FAULTS, STAGES, striking

#: Longest time for anything that a user does, in seconds: nothing may hang.
LONGEST = 45.0


class Run:
    """What one plan said, and how it ended."""

    def __init__(self) -> None:
        self.documents: list[tuple[str, dict[str, Any]]] = []
        self.error: BaseException | None = None

    def of(self, name: str) -> list[dict[str, Any]]:
        return [document for kind, document in self.documents if kind == name]

    @property
    def succeeded(self) -> bool:
        return self.error is None and [d["exit_status"] for d in self.of("stop")] == ["success"]


def _what(event: str, **arguments: Any) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(event), st.fixed_dictionaries(arguments))


#: What may happen in a shift: the name of a method of Shift, and its arguments.
EVENTS = st.one_of(
    _what("prepare", frames=st.integers(1, 3), name=st.sampled_from(["a", "b"])),
    _what("count", points=st.integers(1, 3)),
    _what("abort", points=st.integers(1, 3), aborted_after=st.integers(0, 2)),
    _what("fault", fault=st.sampled_from(sorted(FAULTS)), stage=st.sampled_from(sorted(STAGES))),
)
#: Channel Access takes some ten seconds to find an IOC again: too long for `make test`.
RESTARTS = _what("restart", during=st.booleans())


class Shift:
    """A detector on an IOC, and what a shift does with it."""

    def __init__(self, ioc: IOCProcess, det: Any) -> None:
        self.ioc = ioc
        self.det = det
        self.det.acquire_allowance = 1.0
        self.prepared = False
        self.whole: dict[pathlib.Path, str] = {}
        ensure_AD_plugin_primed(self.det.hdf1, True)

    # -- what happens

    def happen(self, event: str, arguments: dict[str, Any]) -> None:
        if event in ("count", "abort", "fault") and not self.prepared:
            self.prepare(1, "a")
        getattr(self, event)(**arguments)

    def prepare(self, frames: int, name: str) -> None:
        self.run(prepare_count(self.det.hdf1, name, 0.001, 0.003, frames, if_exists="bump"))
        self.prepared = True

    def count(self, points: int) -> None:
        run = self.run(bp.count([self.det], num=points))
        assert run.succeeded, repr(run.error)

    def abort(self, points: int, aborted_after: int) -> None:
        def plan() -> Any:
            def shot(detectors: list[Any]) -> Any:
                nonlocal aborted_after
                if not aborted_after:
                    raise RequestAbort
                aborted_after -= 1
                yield from bps.trigger_and_read(detectors)

            yield from bp.count([self.det], num=points, per_shot=shot)

        self.run(plan())

    def fault(self, fault: str, stage: str) -> None:
        with striking(self.ioc, self.det, fault, stage) as strike:
            self.run(bp.count([self.det], num=2), strike)
        self.make_ready()

    def restart(self, during: bool) -> None:
        if during and self.prepared:
            killer = threading.Timer(0.3, self.ioc.kill)
            killer.start()
            run = self.run(bp.count([self.det], num=200))
            killer.join()
            assert not run.succeeded
        self.ioc.restart()
        self.det.wait_for_connection(timeout=120)
        self.prepared = False
        self.make_ready()

    def make_ready(self) -> None:
        """Do what the messages tell a user to do: prime again."""
        ensure_AD_plugin_primed(self.det.hdf1, True)

    # -- what always holds

    def run(self, plan: Any, callback: Callable[..., Any] | None = None) -> Run:
        run = Run()
        engine = RunEngine({})
        engine.subscribe(lambda name, document: run.documents.append((name, document)))
        if callback is not None:
            engine.subscribe(callback)
        begun = time.monotonic()
        try:
            engine(plan)
        except (AdsupportError, FailedStatus, RunEngineInterrupted, RequestAbort) as error:
            run.error = error
        assert time.monotonic() - begun < LONGEST
        self.check(run)
        return run

    def check(self, run: Run) -> None:
        cause = run.error.__cause__ if isinstance(run.error, FailedStatus) else run.error
        if not isinstance(cause, None | RequestAbort | RunEngineInterrupted):
            assert isinstance(cause, AdsupportError), repr(run.error)
            assert not isinstance(cause, FileExistsRefusedError)
        for name, document in run.documents:
            schema = event_model.schema_validators[event_model.DocumentNames[name]]
            schema.validate(document)
        assert len(run.of("start")) == len(run.of("stop"))
        self.check_idle()
        self.check_files(run)

    def check_idle(self) -> None:
        det = self.det
        assert det._staged == Staged.no
        assert det.hdf1._staged == Staged.no
        if self.ioc.running:
            assert det.cam.acquire.get(use_monitor=False) == 0
            assert det.hdf1.capture.get(use_monitor=False) == 0

    def check_files(self, run: Run) -> None:
        for path, checksum in self.whole.items():
            # a directory that was renamed stays aside when the IOC has made it anew meanwhile
            aside = path.parent.parent.glob(f"{path.parent.name}.vanished*/{path.name}")
            found = [digest(each) for each in (path, *aside) if each.exists()]
            assert checksum in found, f"{path} was written again, or has gone"
        if not run.succeeded:
            return
        for resource in run.of("resource"):
            per_point = resource["resource_kwargs"]["frame_per_point"]
            points = sum(d["resource"] == resource["uid"] for d in run.of("datum"))
            path = pathlib.Path(resource["root"], resource["resource_path"])
            with h5py.File(path) as file:
                data = file["/entry/data/data"]
                ids = file["/entry/instrument/NDAttributes/NDArrayUniqueId"][()]
                assert data.shape[0] == points * per_point == len(ids)
                assert list(ids) == list(range(ids[0], ids[0] + len(ids)))
                (key,) = (d["data_keys"]["det_image"] for d in run.of("descriptor"))
                assert tuple(key["shape"]) == (per_point, *data.shape[1:])
                assert key["dtype_numpy"] == data.dtype.str
            self.whole[path] = digest(path)


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("sequences", "steps", "restarts"),
    [
        pytest.param(3, 6, False, marks=pytest.mark.timeout(300)),
        pytest.param(
            int(os.environ.get("ADSUPPORT_SEQUENCES", "40")),
            12,
            True,
            marks=[pytest.mark.slow, pytest.mark.timeout(7200)],
        ),
    ],
    ids=["few", "many"],
)
def test_random_sequences(
    fresh_adsim: IOCProcess, make_detector: Any, sequences: int, steps: int, restarts: bool
) -> None:
    events = st.one_of(EVENTS, RESTARTS) if restarts else EVENTS

    @settings(
        max_examples=sequences,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(events, min_size=steps // 2, max_size=steps))
    def check(happened: list[tuple[str, dict[str, Any]]]) -> None:
        det = make_detector(fresh_adsim)
        det.cam.size.size_x.set(64, timeout=5).wait()
        det.cam.size.size_y.set(48, timeout=5).wait()
        shift = Shift(fresh_adsim, det)
        try:
            for event, arguments in happened:
                shift.happen(event, arguments)
        finally:
            det.unstage()

    check()
