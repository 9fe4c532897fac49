"""Stored projections: the same numbers as online, in pieces, from files, on a cluster."""

from __future__ import annotations

import os
import signal

import h5py
import numpy as np
import pytest

from adsupport.errors import AdsupportError, ConfigurationError
from adsupport.imaging.reconstruction import FilteredBackprojection, reconstruct

from .discs import angles_of, made_discs, sinogram

W, ROWS = 48, 5
ANGLES = angles_of(50)


def made_run():
    """Return projections (50, 5, W), darks and flats of uint16."""
    rng = np.random.default_rng(8)
    lines = np.stack([sinogram(made_discs(W, row), ANGLES, W) for row in range(ROWS)], axis=1)
    dark = rng.uniform(90, 110, (ROWS, W))
    light = rng.uniform(20_000, 40_000, (ROWS, W))
    images = dark + light * np.exp(-lines / 20)
    return (
        images.astype(np.uint16),
        np.stack([dark, dark + 3]).astype(np.uint16),
        np.stack([light + dark] * 2).astype(np.uint16),
    )


def online(images, darks, flats, rows, **settings):
    found = FilteredBackprojection(W, len(rows), angles=ANGLES, **settings)
    for dark in darks:
        found.add_dark(dark[rows])
    for flat in flats:
        found.add_flat(flat[rows])
    for number, image in enumerate(images):
        found.add(image[rows], ANGLES[number], number, number)
    return found.finish()


@pytest.mark.parametrize("backend", ["numba", "numpy"])
def test_the_same_numbers_as_online(backend):
    images, darks, flats = made_run()
    rows = [3, 1]
    settings = {"centre": [24.0, 23.5], "filter": "hann", "backend": backend}
    found = reconstruct(images, ANGLES, darks=darks, flats=flats, rows=rows, **settings)
    assert found.shape == (2, W, W)
    np.testing.assert_array_equal(found, online(images, darks, flats, rows, **settings))


@pytest.mark.parametrize("lost", [(), (4, 30)])
def test_the_same_weights_as_online_where_it_turned_unevenly(lost):
    images, darks, flats = made_run()
    came = [number for number in range(len(ANGLES)) if number not in lost]
    real = ANGLES + np.random.default_rng(2).uniform(-1, 1, len(ANGLES))
    online = FilteredBackprojection(W, ROWS, angles=ANGLES)
    for number in came:
        online.add(images[number], real[number], place=number)
    for places in (None, came):
        found = reconstruct(images[came], real[came], planned=ANGLES, places=places)
        np.testing.assert_array_equal(found, online.finish())


def test_from_a_file(tmp_path):
    images, darks, flats = made_run()
    with h5py.File(tmp_path / "run.h5", "w") as file:
        for name, data in (("data", images), ("dark", darks), ("white", flats)):
            file[name] = data
        found = reconstruct(file["data"], ANGLES, darks=file["dark"], flats=file["white"])
    np.testing.assert_array_equal(found, online(images, darks, flats, list(range(ROWS))))


def test_on_the_workers_of_a_client():
    distributed = pytest.importorskip("distributed")
    images, darks, flats = made_run()
    wanted = reconstruct(images, ANGLES, darks=darks, flats=flats, centre=23.8)
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    ) as client:
        found = reconstruct(images, ANGLES, darks=darks, flats=flats, centre=23.8, client=client)
        alone = reconstruct(images, ANGLES, rows=[2], client=client)
        with pytest.raises(ConfigurationError, match="filter='butter'"):
            reconstruct(images, ANGLES, filter="butter", client=client)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(alone, reconstruct(images, ANGLES, rows=[2]))


class KillerOfWorkers:
    """Projections; reading some of them kills a worker."""

    def __init__(self, images, client, when):
        self.shape, self.dtype, self._images = images.shape, images.dtype, images
        self._client, self._when, self._read = client, when, 0

    def __getitem__(self, wanted):
        self._read += 1
        if self._read == self._when:
            os.kill(next(iter(self._client.run(os.getpid).values())), signal.SIGKILL)
        return self._images[wanted]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # processes of dask come with warnings of their own
def test_a_worker_that_dies_and_a_cluster_made_for_it():
    distributed = pytest.importorskip("distributed")
    images, darks, flats = made_run()
    wanted = reconstruct(images, ANGLES, darks=darks, flats=flats)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killer = KillerOfWorkers(images, client, 14)
        found = reconstruct(killer, ANGLES, darks=darks, flats=flats, client=client)
    np.testing.assert_array_equal(found, wanted)
    found = reconstruct(images, ANGLES, darks=darks, flats=flats, client="local")
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"angles": ANGLES[1:]}, "49 angles for 50 projections"),
        ({"darks": np.zeros((2, 5, 47))}, r"darks have rows and columns \(5, 47\)"),
        ({"places": [1, 2]}, "2 places for 50 projections"),
        ({"places": [0] * 50}, "given twice"),
        ({"rows": [0, 5]}, "0 to 4"),
        ({"rows": []}, "rows of the detector"),
        ({"projections": np.zeros(5)}, r"shape \(5,\)"),
        ({"angles": [np.nan] * 50}, "finite"),
        ({"client": "tcp://127.0.0.1:1"}, "expected a distributed.Client"),
        ({"darks": np.ones((2, 5, W)), "input": "absorption"}, "line integrals already"),
        ({"flats": np.ones((2, 5, W)), "input": "absorption"}, "line integrals already"),
    ],
)
def test_wrong_arguments_are_named(wrong, words):
    given = {"projections": np.ones((50, 5, W)), "angles": ANGLES, **wrong}
    with pytest.raises(AdsupportError, match=words):
        reconstruct(given.pop("projections"), given.pop("angles"), **given)
