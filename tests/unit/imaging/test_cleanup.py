"""What becomes of errors while things are put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bluesky import RunEngine

from adsupport.imaging.stubs.cleanup import with_cleanup


def broken(*errors: Exception | None) -> Callable[[], Any]:
    """A step that fails so each time it's tried."""
    left = list(errors)

    def step() -> Any:
        error = left.pop(0)
        if error is not None:
            raise error

    return step


def fails() -> Any:
    raise ValueError("no frames")
    yield


def run(plan: Any, *steps: Callable[[], Any]) -> Any:
    with pytest.raises(Exception) as raised:
        RunEngine({})(with_cleanup(plan, lambda: [("close it", each) for each in steps]))
    return raised.value


def test_beside_another_error_each_failure_is_noted() -> None:
    error = run(
        fails(),
        broken(OSError("late"), None),
        broken(OSError("stuck"), OSError("still stuck")),
        broken(None),
    )
    assert str(error) == "no frames"
    assert error.__notes__ == [
        "Besides, the first attempt to close it failed: late",
        "Besides, it was not possible to close it: still stuck",
    ]


def test_without_another_error_the_first_is_raised_and_the_others_are_noted() -> None:
    error = run(
        iter(()),
        broken(OSError("stuck"), OSError("still stuck")),
        broken(OSError("late"), None),
    )
    assert str(error) == "stuck"
    assert error.__notes__ == [
        "Besides, it was not possible to close it: still stuck",
        "Besides, the first attempt to close it failed: late",
    ]


def test_one_that_fails_once_is_raised_and_noted_nowhere() -> None:
    error = run(iter(()), broken(OSError("late"), None))
    assert str(error) == "late"
    assert not hasattr(error, "__notes__")
