"""The progress of a connection: a function's, a terminal's, nobody's."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from adsupport.devices.connection import progress as connection_progress
from adsupport.devices.connection.progress import shown


def test_a_function_hears_of_changes_only() -> None:
    heard: list[tuple[int, int]] = []
    with shown(lambda *numbers: heard.append(numbers), "det") as show:
        for connected in (0, 0, 3, 3, 5):
            show(connected, 5)
    assert heard == [(0, 5), (3, 5), (5, 5)]


def test_nothing_is_written_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(None, "det") as show:
        show(1, 2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("delay", "expected"), [(0.0, True), (1000.0, False)])
def test_a_bar_on_a_terminal_after_a_while(
    delay: float, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_progress, "DELAY", delay)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with shown(None, "det") as show:
            show(1, 2)
            show(2, 2)
        terminal.write("end")
        terminal.flush()
        written = ""
        while not written.endswith("end"):
            written += os.read(ours, 4096).decode(errors="replace")
    os.close(ours)
    assert ("connecting det" in written) is expected
    assert ("2/2" in written) is expected
