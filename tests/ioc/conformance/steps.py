"""Carrying out a rule's steps, and noting what was seen beside what was expected.

======================================  ===========================================================
step                                    meaning
======================================  ===========================================================
``put NAME VALUE``                      write, wait for the put-callback
``plain NAME VALUE``                    write without a put-callback
``start LABEL NAME VALUE``              write with a put-callback, go on at once
``wait LABEL``                          wait for that put-callback
``took LABEL SECONDS``                  how long it took
``pending LABEL``                       it has not come yet
``acquire N``                           N frames, to the end of the put-callback
``prime``                               let the HDF5 plugin see one frame
``elsewhere NAME VALUE SECONDS``        write by another client; the put-callback takes so long
``processed PLUGIN``                    wait until a plugin has had the camera's last frame
``until NAME VALUE``                    wait for a value
``pause SECONDS``                       let the IOC work
``clock``                               the time line begins here
``values {NAME = VALUE}``               values now, which may take a moment to arrive
``values_now {NAME = VALUE}``           values now, without delay
``alarms {NAME = [severity, status]}``  alarms now
``range NAME LOW HIGH``                 a value within limits
``sum [NAMES] TOTAL``                   values that make up a total
``image {n, dtype, min, max, mean, first}``  pixels of ``image1:ArrayData``
``formula GAIN GAINX GAINY``            the ramp's pixels, by formula
``shape FILE SHAPE MAXSHAPE [PATH]``    shape of the image dataset, or another; 0 is unlimited
``chunks FILE CHUNKS [PATH]``           its chunks
``filters FILE FILTERS``                its filters: number, flags and values of each
``files NAMES``                         files in the directory that match the rule's names
======================================  ===========================================================
"""

from __future__ import annotations

import fnmatch
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .client import Client, Event, Monitors
from .rule import DIRECTORY, Rule, placed
from .timeline import complete, differences, parse, same, without_repetition

SETTLE = 3.0
"""Seconds a value may take to become the expected one."""

LONGEST = 10.0
"""Seconds a step may take on a busy machine."""

QUIET = 0.05
"""Seconds to listen on for events that should not come."""

IMAGE = "/entry/data/data"


class Run:
    """One rule, carried out.

    Parameters
    ----------
    rule : Rule
        The rule.
    client : Client
        Connected to the IOC.
    places : mapping of str to str
        Directories of the IOC by what rules call them.

    Attributes
    ----------
    found : list of tuple
        (observed, expected, agree) of every comparison.
    written : set of str
        PVs that were written and are to be restored.
    """

    def __init__(self, rule: Rule, client: Client, places: Mapping[str, str]) -> None:
        self.rule = rule
        self.client = client
        self.places = places
        self.local = Path(places[DIRECTORY])
        self.found: list[tuple[str, str, bool]] = []
        self.written: set[str] = set()
        self._done: dict[str, tuple[threading.Event, list[float]]] = {}
        self._recorded = parse(placed(rule.timeline, places))
        names = {event.name for event in self._recorded if not event.name.startswith("--")}
        self._monitors = Monitors(client, sorted(names))

    def carry_out(self) -> None:
        """Do everything and compare."""
        for name, value in placed(self.rule.before, self.places).items():
            self._put(name, value)
        with self._monitors:
            self._monitors.restart()
            for step in self.rule.steps:
                what, *arguments = placed(step, self.places)
                getattr(self, f"_{what}")(*arguments)
            if self._recorded:
                self._compare_events()
        self._values(placed(self.rule.values, self.places))
        self._alarms(self.rule.alarms)

    def _note(self, observed: object, expected: object, agree: bool) -> None:
        self.found.append((str(observed), str(expected), agree))

    def _compare_events(self) -> None:
        # a PV that has the first recorded value already posts no event for it
        first, start = self._monitors.first, self.rule.start
        already = {name: value for name, value in first.items() if name not in start}
        recorded = without_repetition(self._recorded, already)

        def enough(events: list[Event]) -> bool:
            return complete(without_repetition(events, start), recorded)

        self._monitors.wait(enough, SETTLE)
        time.sleep(QUIET)
        events = without_repetition(self._monitors.events(), start)
        wrong = differences(events, recorded, any_time=self.rule.any_time)
        for observed, expected in wrong:
            self._note(observed, expected, False)
        if not wrong:
            last = recorded[-1]
            text = f"{len(recorded)} events in {last.time:.2f} s"
            self._note(f"{len(events)} events in {events[-1].time:.2f} s", text, True)

    # ---- writing

    def _put(self, name: str, value: object) -> None:
        self.written.add(name)
        self.client.put(name, value)

    def _plain(self, name: str, value: object) -> None:
        self.written.add(name)
        self.client.put_plainly(name, value)

    def _start(self, label: str, name: str, value: object) -> None:
        self.written.add(name)
        times = [time.monotonic()]

        def ended() -> None:
            times.append(time.monotonic())
            self._monitors.note(label)

        self._done[label] = (self.client.start(name, value, ended), times)

    def _wait(self, label: str) -> None:
        came = self._done[label][0].wait(LONGEST)
        if not came:
            self._note(f"no end of {label} in {LONGEST:.0f} s", f"put-callback of {label}", False)

    def _took(self, label: str, seconds: float) -> None:
        began, ended = self._done[label][1]
        elapsed = ended - began
        agree = 0.9 * seconds - 0.02 <= elapsed <= 1.25 * seconds + 0.4
        self._note(f"{label} took {elapsed:.3f} s", f"{seconds:.3f} s", agree)

    def _pending(self, label: str) -> None:
        came = self._done[label][0].is_set()
        state = f"put-callback of {label}"
        self._note(f"{state} {'came' if came else 'pending'}", f"{state} pending", not came)

    def _acquire(self, frames: int) -> None:
        self._put("cam1:ImageMode", "Multiple")
        self._put("cam1:NumImages", frames)
        self._put("cam1:Acquire", 1)

    def _prime(self) -> None:
        self._acquire(1)
        self._processed("HDF1")

    def _processed(self, plugin: str) -> None:
        self._until(f"{plugin}:UniqueId_RBV", self.client.get("cam1:ArrayCounter_RBV"))

    def _elsewhere(self, name: str, value: object, seconds: float) -> None:
        self.written.add(name)
        elapsed = self.client.put_elsewhere(name, value)
        text = f"{name}={value} of another client took"
        self._note(f"{text} {elapsed:.3f} s", f"{seconds:.3f} s", elapsed < seconds + 0.5)

    def _until(self, name: str, value: object) -> None:
        observed = self._settled(name, value, LONGEST)
        if not same(observed, value):
            self._note(f"{name}={observed}", f"{name}={value}", False)

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def _clock(self) -> None:
        self._monitors.restart()

    # ---- reading

    def _settled(self, name: str, value: object, seconds: float = SETTLE) -> object:
        deadline = time.monotonic() + seconds
        while True:
            observed = self.client.get(name)
            if same(observed, value) or time.monotonic() > deadline:
                return observed
            time.sleep(0.005)

    def _values(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            observed = self._settled(name, value)
            self._note(f"{name}={observed}", f"{name}={value}", same(observed, value))

    def _values_now(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            observed = self.client.get(name)
            self._note(f"{name}={observed}", f"{name}={value}", same(observed, value))

    def _alarms(self, alarms: dict[str, list[int]]) -> None:
        for name, expected in alarms.items():
            observed = list(self.client.alarm(name))
            self._note(f"{name} {observed}", f"{name} {expected}", observed == expected)

    def _range(self, name: str, low: float, high: float) -> None:
        observed = self.client.get(name)
        agree = low <= float(observed) <= high  # type: ignore[arg-type]
        self._note(f"{name}={observed}", f"{name} from {low} to {high}", agree)

    def _sum(self, names: list[str], total: int) -> None:
        deadline = time.monotonic() + SETTLE
        while True:
            values = [self.client.get(name) for name in names]
            observed = sum(values)  # type: ignore[arg-type]
            if observed == total or time.monotonic() > deadline:
                break
            time.sleep(0.01)
        what = "+".join(names)
        self._note(f"{what}={observed}", f"{what}={total}", observed == total)

    # ---- pixels and files

    def _image(self, facts: dict[str, Any]) -> None:
        """Compare the newest image; ``mean`` within a hundredth of the pixels' range."""
        self._processed("image1")
        pixels = self.client.pixels("image1:ArrayData").view(np.uint8)
        known: dict[str, Any] = {
            "n": pixels.size,
            "min": int(pixels.min()),
            "max": int(pixels.max()),
            "mean": round(float(pixels.mean()), 3),
            "first": pixels[: len(facts.get("first", ()))].tolist(),
        }
        for fact, expected in facts.items():
            tolerance = facts.get("tolerance", 0.002) if fact == "mean" else 0
            if fact == "tolerance":
                continue
            agree = (
                abs(known[fact] - expected) <= tolerance if tolerance else known[fact] == expected
            )
            self._note(f"pixels' {fact} {known[fact]}", f"{fact} {expected}", agree)

    def _formula(self, gain: int, gain_x: int, gain_y: int) -> None:
        pixels = self.client.pixels("image1:ArrayData").view(np.uint8)
        y, x = np.indices((1024, 1024))
        expected = (gain * (gain_x * x + gain_y * y)).astype(np.uint8).ravel()
        agree = np.array_equal(pixels, expected)
        self._note("ramp" if agree else f"{pixels[:8]}", "gain*(gainX*x+gainY*y) mod 256", agree)

    def _dataset(self, name: str, path: str = IMAGE) -> tuple[h5py.File, h5py.Dataset]:
        file = h5py.File(self.local / name, "r")
        if path not in file:
            file.close()
            raise OSError(f"{name} has no {path}")
        return file, file[path]

    def _shape(self, name: str, shape: list[int], limits: list[int], path: str = IMAGE) -> None:
        file, dataset = self._dataset(name, path)
        with file:
            maximum = [size or 0 for size in dataset.maxshape]
            observed, expected = (list(dataset.shape), maximum), (shape, limits)
            self._note(f"{name} {observed}", f"{name} {expected}", observed == expected)

    def _chunks(self, name: str, chunks: list[int], path: str = IMAGE) -> None:
        file, dataset = self._dataset(name, path)
        with file:
            observed = list(dataset.chunks or ())
            self._note(f"{name} chunks {observed}", f"chunks {chunks}", observed == chunks)

    def _filters(self, name: str, filters: list[list[Any]]) -> None:
        file, dataset = self._dataset(name)
        with file:
            plist = dataset.id.get_create_plist()
            entries = [plist.get_filter(index) for index in range(plist.get_nfilters())]
            observed = [[code, flags, list(values)] for code, flags, values, _ in entries]
            self._note(f"{name} filters {observed}", f"filters {filters}", observed == filters)

    def _files(self, pattern: str, names: list[str]) -> None:
        present = (path.name for path in self.local.iterdir())
        observed = sorted(fnmatch.filter(present, pattern))
        self._note(f"files {observed}", f"files {names}", observed == names)
