"""How much a live view that somebody looks at slows an acquisition.

The simulated camera takes frames of 1024² into a file, by turns without a view and with one, whose
page a Chromium without a window shows.  The time is that from the start of the camera until the
file is closed.  Run ``python -m tests.bench.live_view``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from adsupport.launch import IOCProcess, client_environment

from .frame_consumers import PREFIX, Camera

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextlib.contextmanager
def looking(address: str, profile: Path) -> Iterator[Any]:
    """Show a page in Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1500,1200"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.get(address)
        yield driver
    finally:
        driver.quit()


def measure(camera: Camera, frames: int, view: Any = None, source: Any = None) -> float:
    """Time one acquisition, with a view of its frames or without."""
    from adsupport.imaging.frames.bus import FrameBus
    from adsupport.imaging.frames.frame import StreamAbout

    camera.arm(frames, swmr=False)
    with contextlib.ExitStack() as stack:
        if view is not None:
            bus = stack.enter_context(FrameBus(source, [view], missing="log"))
            bus.begin(StreamAbout(stream="primary", expected=frames))
        began = monotonic()
        camera.take()
        took = monotonic() - began
        if view is not None:
            bus.end(frames)
    return took


def main() -> None:
    """Measure, and print the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--exposure", type=float, default=0.09, help="seconds")
    parser.add_argument("--size", type=int, default=1024, help="pixels")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as profile,
        IOCProcess("adsim", PREFIX) as ioc,
    ):
        os.environ.update(client_environment(ioc.port, pva_ports=[ioc.pva_port]))
        import epicscorelibs.path.pyepics  # noqa: F401

        from adsupport.imaging.frames.pva import PVASource
        from adsupport.imaging.view import LiveView

        camera = Camera(Path(folder), given.exposure, given.size)
        source = PVASource(f"{PREFIX}Pva1:", queue=2, timeout=30)
        view = LiveView()
        pairs: list[tuple[float, float, float]] = []
        with view.serve() as page, looking(page.address, Path(profile)) as driver:
            measure(camera, given.frames, view, source)  # warms up
            for turn in range(given.rounds):
                found = {}
                shown = 0
                for seen in (False, True) if turn % 2 else (True, False):
                    if seen:
                        driver.get(page.address)
                        before = page.drawn
                        found[seen] = measure(camera, given.frames, view, source)
                        shown = page.drawn - before
                    else:
                        driver.get("about:blank")
                        found[seen] = measure(camera, given.frames)
                pairs.append((found[False], found[True], shown / found[True]))
        source.close()
    print(f"{given.frames} frames of {given.size}², {given.exposure} s each, into a file")
    for alone, viewed, rate in pairs:
        print(
            f"alone {alone:6.3f} s  with a view {viewed:6.3f} s ({viewed / alone:.3f} times)  "
            f"{rate:4.1f} pictures/s shown"
        )
    ratio = statistics.median(viewed / alone for alone, viewed, _ in pairs)
    rate = statistics.median(each[2] for each in pairs)
    print(f"median {ratio:.3f} times, {rate:.1f} pictures/s; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
