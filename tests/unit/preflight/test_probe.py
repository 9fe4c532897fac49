"""The file of a probe, when its writing goes wrong."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from adsupport.devices.preflight import probe as probing
from adsupport.devices.preflight.directories import LocalView
from adsupport.devices.preflight.state import PartState
from adsupport.errors import FileWriteError

HERE = LocalView(pathlib.Path("/d"), 1, 1, pathlib.Path("/d"))


def record(value: Any = 0, put: Callable[..., None] = lambda *_, **__: None) -> Any:
    return SimpleNamespace(pvname="X", connected=True, get=lambda **_: value, put=put)


@pytest.fixture
def attempt(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A probe of an IOC that never answers."""
    monkeypatch.setattr(probing, "_WRITE_TIMEOUT", 0.02)
    plugin: Any = SimpleNamespace(
        write_path_template="/ioc/",
        read_path_template=str(tmp_path),
        write_file=record(),
        write_status=record("Write error"),
        write_message=record("no"),
        full_file_name=record(""),
    )
    writer = PartState("hdf1", "X:", {"file_template": "%s%s_%d.h5"}, {}, {}, plugin)
    return probing._Attempt(writer, "/ioc/")


def fail(attempt: Any, match: str) -> str:
    """Let it write; return what is to be done then."""
    with pytest.raises(FileWriteError, match=match) as failure:
        attempt._write_file()
    assert attempt.remove()
    return attempt.finding(failure.value, HERE).remedy


def test_a_probe_that_may_come_later_is_named(attempt: Any) -> None:
    remedy = fail(attempt, "wasn't written within")
    assert f"The probe {attempt.full} (here {attempt.local}) may be on the IOC's disk" in remedy


def test_a_probe_that_came_in_spite_of_all_is_removed(attempt: Any) -> None:
    attempt.local.touch()
    assert attempt.full not in fail(attempt, "wasn't written within")
    assert not attempt.local.exists()


def test_a_probe_that_the_ioc_could_not_write_is_not_looked_for(attempt: Any) -> None:
    attempt.plugin.write_file = record(put=lambda *_, callback, **__: callback())
    assert attempt.full not in fail(attempt, "could not write")
