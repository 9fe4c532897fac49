"""Names that would hold up who opens them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adsupport.sim.files.creation import create, require_file


def test_a_file_is_made_or_emptied(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"long", b"x"):
        with create(str(path)) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert path.stat().st_mode & 0o111 == 0
    require_file(str(path))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for action in (create, require_file):
        with pytest.raises(OSError):
            action(str(tmp_path / "pipe"))


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "none/a", "."])
def test_names_that_no_file_can_have(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for action in (create, require_file):
        with pytest.raises(OSError):
            action(name)


def test_a_device_is_not_read() -> None:
    with pytest.raises(FileNotFoundError):
        require_file("/dev/zero")
