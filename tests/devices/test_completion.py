"""The end of an acquisition: who is told, on which thread, and what is left when it goes wrong."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from adsupport.devices.acquisition import completion
from adsupport.devices.signals.requests import lost, put_with_answer
from adsupport.errors import ConnectionTimeoutError


def test_who_waits_for_the_end_may_ask_the_ioc(det: Any) -> None:
    """On libca's thread the answer could never come, nor any other that somebody waits for."""
    answers: list[Any] = []
    told = threading.Event()

    def ask(_: Any) -> None:
        try:
            answers.append(int(det.cam.num_images_counter.get(timeout=5)))
        except Exception as error:  # judged below
            answers.append(error)
        told.set()

    det.stage()
    status = det.trigger()
    status.add_callback(ask)
    status.wait(10)
    assert told.wait(20)
    det.unstage()
    assert answers == [1]


def test_who_waits_for_the_end_may_wait_for_a_stop(det: Any) -> None:
    stopped: list[bool] = []
    told = threading.Event()

    def stop(_: Any) -> None:
        thread = threading.Thread(target=det.stop, daemon=True)
        thread.start()
        thread.join(10)
        stopped.append(not thread.is_alive())
        told.set()

    det.stage()
    status = det.trigger()
    status.add_callback(stop)
    status.wait(10)
    assert told.wait(20)
    det.unstage()
    assert stopped == [True]


def test_a_put_that_could_not_be_sent_is_not_waited_for(
    det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: Any) -> None:
        raise lost("ad:cam1:Acquire", "isn't connected any more")

    det.stage()
    monkeypatch.setattr(completion, "put_with_answer", unable)
    with pytest.raises(ConnectionTimeoutError):
        det.trigger()
    det.unstage()
    monkeypatch.setattr(completion, "put_with_answer", put_with_answer)
    det.hdf1.file_number.put(1)
    det.stage()
    status = det.trigger()
    status.wait(10)
    det.unstage()
    assert status.success


def test_what_was_stopped_meanwhile_is_not_counted(
    det: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writers may have begun with the next point, or the next file."""
    det.stage()
    engaged, go_on, done = threading.Event(), threading.Event(), threading.Event()
    account = det._completion.account
    compare = account.compare

    def slow(*arguments: Any) -> Any:
        engaged.set()
        go_on.wait(20)
        try:
            return compare(*arguments)
        finally:
            done.set()

    monkeypatch.setattr(account, "compare", slow)
    monkeypatch.setattr(account, "confirm", lambda *_: None)
    status = det.trigger()
    assert engaged.wait(10)
    det.pause()
    assert status.done
    go_on.set()
    assert done.wait(20)
    monkeypatch.undo()
    again = det.trigger()
    again.wait(10)
    # the frame of the point that was taken again is in the file, too, and counted once
    assert int(det.hdf1.num_captured.get()) == det.hdf1._frames_done == 2
    det.unstage()
