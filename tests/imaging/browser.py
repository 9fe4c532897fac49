"""Chromium without a window, for the pages that adsupport serves."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
TIMEOUT = 20.0


def chromium(profile: Path, width: int = 1200, height: int = 900) -> Any:
    """Start it; the test is skipped where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(driver))


class Page:
    """A live view as somebody sees it who has a keyboard."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        driver.get(address)

    def find(self, name: str) -> Any:
        """Return an element by its id."""
        return self.driver.find_element("id", name)

    def text(self, name: str) -> str:
        """Return what an element says, whether it's seen or not."""
        return str(self.find(name).get_property("textContent"))

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script of the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Any) -> Any:
        """Wait until a function gives something true."""
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, TIMEOUT, 0.05).until(lambda _: condition())

    def pixel(self, x: float = 0.5, y: float = 0.5) -> list[int]:
        """Return the colour at a part of the canvas's width and height."""
        return self.run(
            "const c = document.getElementById('image');"
            "return [...c.getContext('2d').getImageData(arguments[0] * c.width,"
            " arguments[1] * c.height, 1, 1).data].slice(0, 3)",
            *(x, y),
        )

    def wait_for_gray(self, level: int, x: float = 0.5, y: float = 0.5) -> None:
        """Wait until a pixel has a gray level."""
        self.wait(lambda: self.pixel(x, y) == [level] * 3)

    def press(self, *keys: str) -> None:
        """Press keys while the image has the focus."""
        self.find("image").send_keys(*keys)

    def choose(self, name: str, value: str) -> None:
        """Choose an option."""
        from selenium.webdriver.support.select import Select

        Select(self.find(name)).select_by_value(value)

    def type(self, name: str, text: str) -> None:
        """Type into a field, and Enter."""
        field = self.find(name)
        field.clear()
        field.send_keys(text, "\ue007")

    def complaints(self) -> list[str]:
        """Return what the browser had to say about the page: nothing, as a rule."""
        found = [each["message"] for each in self.driver.get_log("browser")]
        return [each for each in found if "willReadFrequently" not in each]  # tests do, it doesn't
