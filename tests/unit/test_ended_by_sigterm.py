"""Commands that SIGTERM ends as Ctrl-C does, and what is left of that."""

from __future__ import annotations

import signal
import threading

import pytest

from adsupport.cli.ended_by_sigterm import ended_by_sigterm


def test_sigterm_is_ctrl_c_and_is_noted() -> None:
    with pytest.raises(KeyboardInterrupt), ended_by_sigterm() as came:
        signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM]


def test_the_handler_of_before_is_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ended_by_sigterm():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_thread_of_its_own_gets_no_signals() -> None:
    found: list[object] = []

    def work() -> None:
        with ended_by_sigterm() as came:
            found.append((came, signal.getsignal(signal.SIGTERM)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert found == [([], before)]
