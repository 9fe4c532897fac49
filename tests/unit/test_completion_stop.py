"""The end of the thread that follows acquisitions: nothing that it began goes on behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.acquisition import completion
from adsupport.devices.acquisition.completion import Completion
from adsupport.devices.acquisition.settings import Acquisition

_SETTINGS = ("acquire_time", "acquire_period", "num_images", "num_exposures", "image_mode")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], Any]:
    """Begin an acquisition whose frames are counted by a function; give its Completion."""

    def answered(_signal: Any, _value: int, done: Callable[[], None]) -> None:
        done()

    monkeypatch.setattr(completion, "put_with_answer", answered)

    def begin(compare: Callable[..., Any]) -> Completion:
        cam = SimpleNamespace(**dict.fromkeys(_SETTINGS))
        cam.acquire = SimpleNamespace(cl=SimpleNamespace(thread_class=threading.Thread))
        detector = SimpleNamespace(name="det", cam=cam, acquire_timeout=10.0, acquire_allowance=5.0)
        account: Any = SimpleNamespace(signals={}, writers={}, compare=compare)
        status: Any = SimpleNamespace(frames=1, set_exception=lambda _: None)
        made = Completion(detector, account, threading.RLock(), lambda: None)
        made.begin(Acquisition(status, {}, 0.0))
        return made

    return begin


def test_a_stop_waits_until_the_account_is_done(begun: Any) -> None:
    engaged, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def compare(*_: Any) -> None:
        engaged.set()
        go_on.wait(20)
        done.set()
        raise RuntimeError("nothing is there")

    following = begun(compare)
    assert engaged.wait(20)
    stopping = threading.Thread(target=following.stop, daemon=True)
    stopping.start()
    stopping.join(0.1)
    assert stopping.is_alive()
    go_on.set()
    stopping.join(20)
    assert not stopping.is_alive()
    assert done.is_set()


def test_a_stop_does_not_wait_for_ever(
    begun: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(completion, "_STOP_TIMEOUT", 0.05)
    go_on = threading.Event()

    def compare(*_: Any) -> None:
        go_on.wait(20)
        raise RuntimeError("nothing is there")

    following = begun(compare)
    following.stop()
    go_on.set()
    assert "det: the account of the last acquisition isn't done after 0.05 s" in caplog.text


def test_a_stop_on_the_thread_itself_waits_for_nothing(begun: Any) -> None:
    stopped: list[bool] = []
    done, ready = threading.Event(), threading.Event()

    def compare(*_: Any) -> None:
        ready.wait(20)
        following.stop()
        stopped.append(True)
        done.set()
        raise RuntimeError("nothing is there")

    following = begun(compare)
    ready.set()
    assert done.wait(20)
    assert stopped == [True]


def test_the_account_is_told_when_nobody_wants_it_any_more(begun: Any) -> None:
    asked: list[bool] = []
    engaged, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def compare(_before: Any, _expected: int, has_ended: Callable[[], bool]) -> None:
        asked.append(has_ended())
        engaged.set()
        go_on.wait(20)
        asked.append(has_ended())
        done.set()
        raise RuntimeError("nothing is there")

    following = begun(compare)
    acquisition = following._acquisition
    assert engaged.wait(20)
    acquisition.end(threading.RLock())
    go_on.set()
    assert done.wait(20)
    following.stop()
    assert asked == [False, True]
