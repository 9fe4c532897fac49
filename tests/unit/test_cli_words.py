"""What the command says is in the words of a shell, and its help flows."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from adsupport.cli.app import app, main
from adsupport.cli.shell_words import in_shell_words
from adsupport.errors import AdsupportError, PackError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("verify=False unpacks what can be read.", "--no-verify unpacks what can be read."),
        ("take it as it is, with strict=False.", "take it as it is, with --no-strict."),
        ("or exists='bump' or 'replace'.", "or --exists bump or replace."),
        ("Use images='copy'.", "Use --images copy."),
        ("(path_map tells where)", "(--map tells where)"),
        ("it here, give a path_map.", "it here, give --map."),
        ("path_map={} looks for it", "--map /=/ looks for it"),
        ("Choose by detector=<data key>.", "Choose by --option detector=<data key>."),
        ("With missing='drop' they", "With --option missing=drop they"),
        ("/data/theta=5/path_map/strict=False.h5", "/data/theta=5/path_map/strict=False.h5"),
    ],
)
def test_options_are_told_as_a_shell_has_them(text, expected):
    assert in_shell_words(text) == expected


def test_a_damaged_pack_is_told_in_the_words_of_a_shell(tmp_path, monkeypatch, capsys):
    (tmp_path / "manifest.json").write_text("{}")
    monkeypatch.setattr(sys, "argv", ["adsupport", "unpack", str(tmp_path), "--into", "folder:x"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().err
    assert "--no-verify unpacks" in told and "verify=False" not in told


@pytest.mark.parametrize("command", ["check", "export", "pack", "verify", "unpack", "demo"])
def test_the_help_is_wrapped_once(command):
    found = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "90"}).stdout
    lines = [each.strip() for each in found.split("╭")[0].splitlines()]
    for line, after in zip(lines, lines[1:], strict=False):
        if line and after:  # the first word of the next one had no room
            assert len(line) + 1 + len(after.split()[0]) > 86


def test_a_remedy_that_begins_a_sentence_stands_behind_a_full_stop():
    assert str(AdsupportError("It's lost", remedy="Is it there?")) == "It's lost. Is it there?"
    assert str(PackError("It's lost", path="x", remedy="look again.")) == "It's lost; look again."
