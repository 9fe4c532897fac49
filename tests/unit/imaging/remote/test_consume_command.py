"""``adsupport consume``, as it is typed: options that are refused, and runs that end early."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from adsupport.cli.app import app
from adsupport.imaging.frames import Frame, StreamAbout, StreamEnd
from adsupport.imaging.remote import FramePublisher


def command(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["consume", *map(str, arguments)])


@pytest.mark.parametrize(
    ("addon", "option", "value"),
    [
        ("gaps", "--rows", "3"), ("gaps", "--centre", "auto"), ("benchmark", "--names", "x.h5"),
        ("gaps", "--out", "files"), ("write", "--rows", "3"), ("reconstruct", "--names", "x.tif"),
        ("json:JSONEncoder", "--out", "files"),
    ],
)  # fmt: skip
def test_an_option_of_another_addon_is_refused(addon: str, option: str, value: str) -> None:
    result = command("tcp://127.0.0.1:9", addon, option, value, "--wait", "0.01")
    assert result.exit_code == 2
    assert option in result.output and "no such option" in result.output


@pytest.mark.parametrize("reason", ["cut short: motor stuck", ""])
def test_a_run_that_ended_early_is_told(reason: str, tmp_path: Path) -> None:
    with FramePublisher(consumers=["write"]) as publisher:

        def experiment() -> None:
            told = StreamAbout("run", "primary", 3)
            publisher.begin(told)
            for number in range(3):
                publisher.frame(Frame(np.zeros((2, 2)), "primary", number, run_uid="run"))
            publisher.end(StreamEnd(told, 3, 3, reason=reason))
            publisher.close()

        running = threading.Thread(target=experiment)
        running.start()
        result = command(publisher.address, "write", "--out", tmp_path)
        running.join(10)
    assert result.exit_code == (1 if reason else 0)
    assert ("ended early: cut short: motor stuck" in result.output) is bool(reason)
    assert len(list(tmp_path.glob("scan_0000/radios/*.tif"))) == 3
