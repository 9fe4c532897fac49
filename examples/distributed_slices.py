"""The compute host of example 14: slices of some rows, summed up by the workers of a dask cluster.

    DASK_SCHEDULER_ADDRESS=tcp://127.0.0.1:8786 \
    adsupport consume tcp://127.0.0.1:5701 distributed_slices:SharedSlices --name compute

A filtered back-projection is a sum over projections.  So some projections at a time are a task for
any worker, and the tasks' results are added here.  A task has all that it needs: when its worker
dies, another one does it.
"""

import logging
import pathlib
from concurrent.futures import CancelledError

import h5py
import matplotlib
import numpy as np
from distributed import Client, get_worker
from matplotlib import pyplot as plt

from adsupport.imaging.addons import Addon
from adsupport.imaging.reconstruction import FilteredBackprojection

matplotlib.use("Agg")
logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # this says what matters
SLICES = 8
TOGETHER = 6  # projections in a task
PATIENCE = 60  # s
CLUSTER_IS_GONE = (OSError, TimeoutError, CancelledError)


def partial_sum(rows, angles, dark, flat):
    """Back-project some projections, on a worker.

    Parameters
    ----------
    rows : numpy.ndarray
        (K, slices, width), counts.
    angles : sequence of float
        (K,), degrees.
    dark, flat : numpy.ndarray
        (slices, width), mean counts.

    Returns
    -------
    str
        Name of the worker.
    numpy.ndarray
        (slices, width, width), K times the mean.
    """
    width = rows.shape[2]
    some = FilteredBackprojection(width, rows.shape[1], centre=(width - 1) / 2, threads=1)
    some.add_dark(dark)
    some.add_flat(flat)
    some.add_many(rows, angles)
    return str(get_worker().name), len(angles) * some.picture()


class SharedSlices(Addon):
    """Hands projections to workers as they come, and writes the slices at the end of the run."""

    def __init__(self):
        super().__init__(streams={"darks", "flats", "primary"})
        self._client = None
        self._sample = ""
        self._reset()

    def begin(self, about):
        """Expect frames; at the beginning of a run find the workers."""
        if self._client is None:
            self._client = Client(timeout=PATIENCE)  # at DASK_SCHEDULER_ADDRESS
            self._client.wait_for_workers(1, timeout=PATIENCE)
            self._sample = about.md.get("sample", "")
            self._reset()

    def frame(self, frame):
        """Keep a frame until there are enough for a task."""
        if frame.stream == "primary" and frame.angle is None:
            self._unknown += 1  # frames were lost, and this may be any
            return
        height = frame.data.shape[0]
        rows = frame.data[np.linspace(0, height - 1, SLICES + 2).astype(int)[1:-1]]
        self._frames[frame.stream].append(rows)
        if frame.stream == "primary":
            self._angles.append(frame.angle)
            if len(self._angles) == TOGETHER:
                self._hand_out()

    def end(self, ended):
        """Hand out the rest, add all up, and write them."""
        if ended.about.stream != "primary":
            return
        if self._angles and not ended.reason:
            self._hand_out()
        while self._tasks and not ended.reason:
            self._add(*self._tasks.pop(0))
        problem = ended.reason or self._problem
        if problem or not self._count:
            print(f"{self._sample}: no slices: {problem or 'no projections'}")
            self._client.cancel([task for task, _ in self._tasks])
            return
        workers = " and ".join(sorted(self._by))
        print(f"{self._sample}: {SLICES} slices of {self._count} projections, by {workers}")
        if self._unknown:
            print(f"{self._sample}: nobody knows the angles of {self._unknown} projections")
        self._write()

    def close(self):
        """Let the workers go."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _reset(self):
        self._frames = {"darks": [], "flats": [], "primary": []}
        self._angles, self._tasks, self._by = [], [], set()
        self._sum, self._count, self._unknown = 0.0, 0, 0
        self._problem = ""

    def _hand_out(self):
        dark, flat = (np.mean(self._frames[name], axis=0) for name in ("darks", "flats"))
        given = np.array(self._frames["primary"]), self._angles, dark, flat
        self._frames["primary"], self._angles = [], []
        if self._problem:
            return
        try:
            # images go with the task: what lies on a worker is lost with it
            task = self._client.submit(partial_sum, *given, pure=False)
        except CLUSTER_IS_GONE as error:
            self._give_up(error)
            return
        self._tasks.append((task, len(given[1])))
        while self._tasks and self._tasks[0][0].done():
            self._add(*self._tasks.pop(0))

    def _add(self, task, projections):
        if self._problem:
            return
        try:
            worker, sums = task.result(timeout=PATIENCE)
        except CLUSTER_IS_GONE as error:
            self._give_up(error)
            return
        self._by.add(worker)
        self._sum = self._sum + sums
        self._count += projections

    def _give_up(self, error):
        self._problem = f"the dask cluster is gone ({type(error).__name__})"
        print(f"{self._sample}: {self._problem}")

    def _write(self):
        slices = self._sum / self._count
        path = pathlib.Path(f"{self._sample}-slices.h5").resolve()
        with h5py.File(path, "w") as file:
            file["slices"] = slices
            file["slices"].attrs["projections"] = self._count
            file["slices"].attrs["units"] = "1/pixel"
        plt.imsave(path.with_suffix(".png"), slices[SLICES // 2], cmap="gray")
        print(f"{self._sample}: wrote {path} and a picture of it")
