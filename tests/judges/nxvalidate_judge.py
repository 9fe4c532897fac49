"""What nexusformat's nxvalidate says of a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import pytest

from .nxdl_rules import children_of

__all__ = ["Verdict", "judge_application", "judge_file"]

#: NXstxm's words require these attributes; nxvalidate would rather have none of them.
REQUIRED_HERE = (
    'Using "signal" as a field attribute is no longer valid',
    'Using "axis" as a field attribute is no longer valid',
)


@dataclass
class Verdict:
    """Its complaints, a sentence each with the place before it."""

    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int]:
        """How many warnings and errors."""
        return len(self.warnings), len(self.errors)

    @property
    def all(self) -> list[str]:
        """Warnings and errors."""
        return self.warnings + self.errors


def judge_file(path: Path | str) -> Verdict:
    """Judge all groups of a file by their base classes."""
    return _listen(lambda validate: validate.validate_file(str(path), path="/"))


def judge_application(path: Path | str) -> Verdict:
    """Judge each entry of a file by the application definition that it names.

    Complaints about ``@signal`` and ``@axis`` on fields are left out.
    """
    with h5py.File(path) as file:
        entries = [entry.name for entry in children_of(file, "NXentry")]
    verdict = Verdict()
    for entry in entries:
        found = _listen(
            lambda validate, entry=entry: validate.validate_application(str(path), path=entry)
        )
        verdict.warnings += [
            each for each in found.warnings if not any(ours in each for ours in REQUIRED_HERE)
        ]
        verdict.errors += found.errors
    return verdict


class _Listener(logging.Handler):
    """Gathers complaints; lines at the highest level say where nxvalidate is."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = Verdict()
        self.place = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage().strip()
        if record.levelno >= logging.CRITICAL:
            self.place = text
        elif record.levelno == logging.ERROR:
            self.verdict.errors.append(f"{self.place}: {text}")
        elif record.levelno == logging.WARNING:
            self.verdict.warnings.append(f"{self.place}: {text}")


def _listen(judge: Callable[..., object]) -> Verdict:
    validate = pytest.importorskip("nexusformat.nexus.validate")
    listener = _Listener()
    before = validate.logger.handlers[:]
    validate.logger.handlers[:] = [listener]
    try:
        judge(validate)
    finally:
        validate.logger.handlers[:] = before
    return listener.verdict
