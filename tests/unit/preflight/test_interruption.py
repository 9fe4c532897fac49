"""Signals that come during a probe: what was changed is put back, then they have their way."""

from __future__ import annotations

import pathlib
import signal
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from adsupport.cli import check as command
from adsupport.devices.preflight import probe as probing
from adsupport.devices.preflight.directories import LocalView
from adsupport.devices.preflight.interruption import Interruption
from adsupport.devices.preflight.state import PartState

SIGNALS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
SIGNALS += [(signal.SIGHUP, SystemExit)]


@pytest.fixture(autouse=True)
def _as_in_a_shell() -> Iterator[None]:
    """Nobody handles or ignores signals, whatever this process was started with (nohup)."""
    given = (signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL)
    before = [
        signal.signal(number, handler) for (number, _), handler in zip(SIGNALS, given, strict=True)
    ]
    yield
    for (number, _), handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


class Probe(probing._Attempt):
    """A probe that a signal meets while it writes, and another while it cleans up."""

    arriving = signal.SIGTERM
    steps: list[str]

    def _write(self) -> None:
        self.steps.append("write")
        self.local.touch()
        signal.raise_signal(self.arriving)
        self.steps.append("went on")

    def restore(self) -> None:
        signal.raise_signal(self.arriving)  # an impatient user
        self.steps.append("restore")


@pytest.fixture
def steps(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a probe does, with nothing in its way."""
    done: list[str] = []
    Probe.steps = done
    monkeypatch.setattr(probing, "_Attempt", Probe)
    monkeypatch.setattr(probing, "_refusal", lambda *_: "")
    monkeypatch.setattr(probing, "planned_directory", lambda _: f"{tmp_path}/")
    view = LocalView(tmp_path, 1, 1, tmp_path)
    monkeypatch.setattr(probing, "look_for", lambda *_: view)
    return done


def writer(directory: pathlib.Path) -> PartState:
    path = f"{directory}/"
    plugin: Any = SimpleNamespace(write_path_template=path, read_path_template=path)
    return PartState("hdf1", "X:", {"file_template": "%s%s_%d.h5"}, {}, {}, plugin)


@pytest.mark.parametrize(("arriving", "raised"), SIGNALS)
def test_a_probe_is_taken_back(
    steps: list[str],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    arriving: signal.Signals,
    raised: type[BaseException],
) -> None:
    monkeypatch.setattr(Probe, "arriving", arriving)
    before = signal.getsignal(arriving)
    with pytest.raises(raised) as stop:
        probing.probe(writer(tmp_path), writer(tmp_path))
    assert steps == ["write", "restore"]
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(arriving) == before
    assert stop.value.__notes__ == ["the settings of X: are put back"]
    if isinstance(stop.value, SystemExit):
        assert stop.value.code == 128 + arriving


def test_a_signal_during_the_cleanup_waits_for_its_end() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert isinstance(interruption.pending(), SystemExit)
        with interruption.allowed():
            pass


def test_a_signal_that_is_ignored_or_handled_stays_so() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    other = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with Interruption() as interruption, interruption.allowed():
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
        assert interruption.pending() is None
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, other)


@pytest.mark.parametrize(
    ("stop", "notes", "said", "code"),
    [
        (KeyboardInterrupt(), [], "interrupted; nothing on the IOC is changed.", 130),
        (SystemExit(143), ["the settings of X: are put back"], "settings of X: are put back.", 143),
    ],
)
def test_the_command_says_it_in_one_line(
    capsys: pytest.CaptureFixture[str],
    stop: BaseException,
    notes: list[str],
    said: str,
    code: int,
) -> None:
    for note in notes:
        stop.add_note(note)
    with pytest.raises(typer.Exit) as end, command._one_line_when_interrupted():
        raise stop
    assert end.value.exit_code == code
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
