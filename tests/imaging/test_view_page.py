"""The page of a live view in a browser."""

from __future__ import annotations

import http.server
import threading

import numpy as np
import pytest

from adsupport.imaging.view import LiveView

from .browser import Page, chromium

pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    made = chromium(tmp_path_factory.mktemp("chromium"))
    yield made
    made.quit()


@pytest.fixture
def view():
    made = LiveView(limits=(0, 255))
    image = np.zeros((100, 160), np.uint8)
    image[:, 80:] = 200
    image[40:60, 70:80] = 100
    made.show_image("camera", image, {"angle": 12.5})
    return made


@pytest.fixture
def page(driver, view):
    with view.serve() as served:
        page = Page(driver, served.address)
        page.served = served
        page.wait(lambda: not page.find("empty").is_displayed())
        yield page
        assert page.complaints() == []
        driver.get("about:blank")


def test_a_picture_its_limits_zoom_and_cursor_by_the_keyboard(view, page):
    from selenium.webdriver.common.keys import Keys

    page.wait_for_gray(0, 0.3)
    page.wait_for_gray(200, 0.7)
    view.show_image("camera", np.full((100, 160), 77, np.uint8))
    page.wait_for_gray(77)

    page.driver.find_element("css selector", "input[value=fixed]").send_keys(Keys.SPACE)
    page.type("low", "0")
    page.type("high", "154")
    page.wait_for_gray(128)

    page.press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    page.wait(lambda: page.text("cursor") == "x 81, y 51: 77")
    page.press("+", "+", "+", "r")
    page.wait(lambda: page.text("zoom").endswith("%"))
    page.wait(lambda: page.text("profile-low") == "lowest 77")
    page.press("0")
    page.wait(lambda: page.text("zoom") == "fit")


@pytest.mark.slow
def test_the_same_by_mouse(view, page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    image = page.find("image")
    page.wait_for_gray(100, 0.47)
    wheel = ActionChains(page.driver)
    for _ in range(12):
        wheel.scroll_from_origin(ScrollOrigin.from_element(image), 0, -100)
    wheel.perform()
    page.wait(lambda: page.text("zoom").endswith("%"))
    page.wait_for_gray(100, 0.3)  # the middle, twelve times as near
    ActionChains(page.driver).move_to_element(image).move_by_offset(-30, 0).perform()
    page.wait(lambda: page.text("cursor").endswith(": 100"))
    ActionChains(page.driver).drag_and_drop_by_offset(image, 400, 0).perform()
    page.wait_for_gray(100, 0.6)
    ActionChains(page.driver).double_click(image).perform()
    page.wait(lambda: page.text("zoom") == "fit")
    page.wait_for_gray(200, 0.7)


@pytest.mark.slow
def test_colours_channels_freezing_and_facts(view, page):
    page.choose("palette", "viridis")
    page.wait(lambda: page.pixel(0.3)[2] > page.pixel(0.3)[1])
    page.choose("palette", "gray")
    facts = {"unit": "1/mm", "detector_row": 7}
    view.show_image("slice z", np.full((20, 20), 50.0), facts)
    page.wait(lambda: "slice z" in page.text("channel"))
    page.choose("channel", "slice z")
    page.wait_for_gray(50)
    page.wait(lambda: page.text("shape") == "20 × 20, float64, of detector row 7")
    page.press("e")
    page.wait(lambda: page.text("cursor") == "x 10, y 10: 50 1/mm")
    page.press("n")
    assert page.driver.title == "slice z · Live view"
    assert page.driver.current_url.endswith("/#channel=slice+z")
    page.driver.refresh()
    page.wait_for_gray(50)
    page.wait(lambda: "camera" in page.text("channel"))
    page.choose("channel", "camera")
    page.wait_for_gray(200, 0.7)
    page.press("f")
    page.wait(lambda: page.text("announce") == "Frozen")
    assert page.find("frozen").is_displayed() and page.text("freeze") == "Go on"
    view.show_image("camera", np.full((100, 160), 10, np.uint8), {"angle": 20})
    page.wait_for_gray(200, 0.7)
    page.find("freeze").click()
    page.wait_for_gray(10, 0.7)
    page.driver.find_element("tag name", "summary").click()
    view.show_image("camera", np.full((100, 160), 11, np.uint8), {"angle": 20})
    page.wait(lambda: "20°" in page.text("facts"))


@pytest.mark.slow
def test_limits_that_cannot_be_are_told_and_not_used(view, page):
    page.driver.find_element("css selector", "input[value=percentile]").click()
    page.wait(lambda: page.text("limits-hint").endswith("now 0 to 200."))
    page.type("low", "99.5")
    page.wait(lambda: "Black has to be less than white" in page.text("limits-problem"))
    assert page.find("low").get_attribute("aria-invalid") == "true"
    page.type("low", "1")
    page.wait(lambda: page.text("limits-problem") == "")
    page.find("fit").click()
    page.wait(lambda: page.find("high").get_property("value") == "200")
    page.wait_for_gray(255, 0.7)


@pytest.mark.slow
def test_a_number_that_is_half_typed_is_not_used_yet(view, page):
    from selenium.webdriver.common.keys import Keys

    page.driver.find_element("css selector", "input[value=fixed]").click()
    page.type("low", "100")
    page.wait(lambda: page.text("limits-hint").startswith("In force: 100 to 255."))
    page.find("high").send_keys(Keys.BACKSPACE, Keys.BACKSPACE)  # 2, which is less than black
    view.show_image("camera", np.full((100, 160), 120, np.uint8))
    page.wait_for_gray(33)
    assert page.text("limits-hint").startswith("In force: 100 to 255.")
    assert page.text("limits-problem") == ""
    page.find("high").send_keys("00", Keys.ENTER)
    page.wait_for_gray(51)
    page.wait(lambda: page.text("limits-hint").startswith("In force: 100 to 200."))


@pytest.mark.slow
def test_a_source_that_brings_nothing_new_is_told_of(view, page):
    page.wait(lambda: page.text("age").startswith("No new image for "))
    assert page.find("link").get_attribute("data-state") == "idle"
    assert page.text("lost") == "–"
    assert (page.text("histogram-low"), page.text("histogram-high")) == ("0", "255")
    view.model.put("camera", np.ones((5, 5)), unique_id=3)
    page.wait(lambda: page.text("age") == "")
    assert page.find("link").get_attribute("data-state") == "good"
    assert page.text("lost") == "0"


@pytest.mark.slow
def test_a_profile_along_a_line_that_is_drawn(view, page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    image = page.find("image")
    chain = ActionChains(page.driver).move_to_element(image).move_by_offset(-200, 0)
    chain.key_down(Keys.SHIFT).click_and_hold().move_by_offset(400, 0).release()
    chain.key_up(Keys.SHIFT).perform()
    page.wait(lambda: page.text("profile-high") == "highest 200")
    assert page.find("profile-kind").get_property("value") == "line"
    label = page.find("profile").get_attribute("aria-label")
    assert label.startswith("Profile from") and label.endswith("0 to 200")
    page.press("n")
    page.wait(lambda: not page.find("profile-box").is_displayed())


@pytest.mark.slow
def test_everything_can_be_reached_by_tab_and_has_a_name(page):
    from selenium.webdriver.common.keys import Keys

    page.press("s")  # and so the image has the focus
    reached = ["image"]
    for _ in range(40):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        found = page.driver.switch_to.active_element
        if found.tag_name == "body":
            break
        reached.append(found.get_attribute("id") or found.get_attribute("value") or found.text)
        assert found.accessible_name, reached[-1]
        outline = found.value_of_css_property("outline-style")
        assert outline != "none", reached[-1]
    wanted = {"channel", "fixed", "low", "high", "fit", "palette", "zoom-out", "zoom-in",
              "whole", "freeze", "profile-kind", "line-start", "line-end"}  # fmt: skip
    assert wanted <= set(reached)


CONTRAST = """
const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const parts = (c) => c.match(/[\\d.]+/g).map(Number);
const ground = (e) => { for (; e; e = e.parentElement) {
  const c = parts(getComputedStyle(e).backgroundColor);
  if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
return [...document.querySelectorAll('h1,p,dt,dd,label,legend,button,summary,select,input,span')]
  .filter((e) => e.offsetParent && (e.textContent.trim() || e.value) && !e.closest('.stage'))
  .map((e) => { const a = light(parts(getComputedStyle(e).color).slice(0, 3));
    const b = light(ground(e));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.outerHTML.slice(0, 80)]; })
  .filter(([ratio]) => ratio < 4.5);
"""


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark_wide_and_narrow(page, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        assert page.run(CONTRAST) == []
        for width in (320, 700, 1200):
            page.driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 400},
            )
            assert page.run("return document.documentElement.scrollWidth") <= width
            page.wait_for_gray(200, 0.7)
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.slow
def test_it_comes_back_when_the_server_does(view, page):
    served = page.served
    page.wait_for_gray(200, 0.7)
    page.press("+")
    served.stop()
    page.wait(lambda: "trying again" in page.text("link-text"))
    assert page.find("link").get_attribute("data-state") == "bad"
    with view.serve(served.port):
        view.show_image("camera", np.full((100, 160), 33, np.uint8))
        page.wait_for_gray(33)
        assert page.text("link-text") == "Connected"
        assert page.text("zoom") != "fit"
        page.complaints()  # of connections that were refused meanwhile


@pytest.mark.slow
def test_one_viewer_too_many_is_told_so_until_there_is_room(driver, view):
    from websockets.sync.client import connect

    with view.serve(viewers=1) as served:
        origin = served.address.rstrip("/")
        address = f"{origin.replace('http', 'ws')}/pictures"
        with connect(address, origin=origin, proxy=None):  # type: ignore[arg-type]
            page = Page(driver, served.address)
            page.run(
                "window.said = []; new MutationObserver(() => said.push(arguments[0].textContent))"
                ".observe(arguments[0], {childList: true})",
                page.find("link-text"),
            )
            waits = "Not connected (1 others look already): trying again"
            page.wait(lambda: page.text("link-text") == waits)
            threading.Event().wait(2.0)  # and no word of a connection meanwhile
            assert page.run("return said.filter((each) => each === 'Connected')") == []
        page.wait_for_gray(200, 0.7)
        assert page.text("link-text") == "Connected"
        driver.get("about:blank")


@pytest.mark.slow
def test_names_and_facts_of_all_kinds(view, page):
    for each in page.driver.find_elements("tag name", "summary"):
        each.click()
    facts = {"timestamp": "yesterday", "angle": "12", "unit": "<b>", "<i>": "</script>"}
    names = ["a/b\\c", "<img src=x onerror=alert(1)>", "'\"&amp;", "#channel=x&y=%20+", "__proto__"]
    for level, name in enumerate(names, start=1):
        view.show_image(name, np.full((10, 10), level, np.uint8), facts)
    for level, name in enumerate(names, start=1):
        page.wait(lambda name=name: name in page.text("channel"))
        page.run(
            "const c = document.getElementById('channel'); c.value = arguments[0];"
            "c.dispatchEvent(new Event('change'))",
            name,
        )
        page.wait_for_gray(level)
        page.wait(lambda name=name: page.driver.title == f"{name} · Live view")
        page.wait(lambda: "yesterday" in page.text("facts") and "</script>" in page.text("facts"))
        page.driver.refresh()  # by the address
        page.wait_for_gray(level)
        for each in page.driver.find_elements("tag name", "summary"):
            each.click()
    view.show_image("__proto__", np.full((10, 10), 9, np.uint8), {"timestamp": 1e300})
    page.wait(lambda: "1e+300" in page.text("facts"))


@pytest.mark.slow
def test_the_cursor_stays_in_an_image_that_is_smaller_than_the_one_before(view, page):
    page.press("e")
    page.wait(lambda: page.text("cursor") == "x 80, y 50: 200")
    view.show_image("camera", np.full((4, 6), 7.5))
    page.wait(lambda: page.text("cursor") == "x 5, y 3: 7.5")
    page.press("n")


@pytest.mark.slow
def test_a_page_of_another_origin_gets_nothing(view, page, driver):
    """As a hostile page does: by fetch, by an image, by a frame, and by a web socket."""
    script = f"""
    <body><script>
    window.found = {{}};
    const there = '{page.served.address}';
    fetch(there).then(() => found.fetch = 'got', () => found.fetch = 'refused');
    fetch(there + 'palettes.json', {{mode: 'no-cors'}})
      .then(() => found.opaque = 'got', () => found.opaque = 'refused');
    const image = new Image();
    image.onload = () => found.image = 'got';
    image.onerror = () => found.image = 'refused';
    image.src = there + 'icon.svg';
    const socket = new WebSocket(there.replace('http', 'ws') + 'pictures');
    socket.onopen = () => found.socket = 'got';
    socket.onerror = () => found.socket = 'refused';
    </script></body>"""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(script.encode())

        def log_message(self, *given: object) -> None:
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    before = page.served.looking
    try:
        driver.get(f"http://127.0.0.1:{other.server_port}/")
        page.wait(lambda: len(page.run("return window.found")) == 4)
        found = page.run("return window.found")
        # an opaque answer is one that the page can't read, here 403
        assert found.pop("opaque") in ("got", "refused")
        assert set(found.values()) == {"refused"}
        page.wait(lambda: page.served.looking <= before)
        page.complaints()
    finally:
        other.shutdown()
        other.server_close()
