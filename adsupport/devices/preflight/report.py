"""What a check found: findings, and the report that holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ...errors import AdsupportError, ConfigurationError

__all__ = ["SEVERITIES", "CheckReport", "Finding"]

#: From good to bad.
SEVERITIES: tuple[str, ...] = ("ok", "info", "warning", "error")

#: Widest column of subjects: long enough for the names of records, not for every path.
_SUBJECT_WIDTH = 28

_STYLES = {"ok": "green", "info": "cyan", "warning": "yellow", "error": "bold red"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    severity : {"ok", "info", "warning", "error"}
        ``ok``: as it should be.  ``info``: worth knowing, nothing to do.  ``warning``: a run may
        fail or disturb somebody.  ``error``: a run would fail.
    subject : str
        The process variable or the path that it's about.
    what : str
        What was found.
    remedy : str
        What to do; empty when there's nothing to do.
    topic : str
        Which check found it, such as ``"ports"``.

    Raises
    ------
    ConfigurationError
        The severity is another word.
    """

    severity: str
    subject: str
    what: str
    remedy: str = ""
    topic: str = ""

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ConfigurationError(
                f"severity={self.severity!r} is unknown; expected one of {', '.join(SEVERITIES)}."
            )

    @classmethod
    def of_error(
        cls, subject: str, error: AdsupportError, otherwise: str, topic: str = ""
    ) -> Finding:
        """Make a finding of an error that a run would raise.

        Parameters
        ----------
        subject, topic
            See the class.
        error : AdsupportError
            The error.
        otherwise : str
            What to do when the error itself doesn't say it.

        Returns
        -------
        Finding
            Of severity ``error``.
        """
        if not error.remedy:
            return cls("error", subject, str(error), otherwise, topic)
        remedy = error.remedy[0].upper() + error.remedy[1:]
        return cls("error", subject, error.problem.rstrip(".:"), remedy, topic)

    def __str__(self) -> str:
        remedy = f" -> {self.remedy}" if self.remedy else ""
        # what an IOC says may have more lines
        return " ".join(f"{self.severity:7} {self.subject}  {self.what}{remedy}".splitlines())


@dataclass(frozen=True, repr=False)
class CheckReport:
    """All that a check of a detector found.

    Attributes
    ----------
    name : str
        Name of the detector.
    prefix : str
        Prefix of its process variables.
    findings : tuple of Finding
        In the order in which they were made.
    """

    name: str
    prefix: str
    findings: tuple[Finding, ...]

    def of(self, severity: str) -> list[Finding]:
        """List the findings of one severity.

        Parameters
        ----------
        severity : {"ok", "info", "warning", "error"}
            The severity.

        Returns
        -------
        list of Finding
            In the order in which they were made.
        """
        return [finding for finding in self.findings if finding.severity == severity]

    @property
    def errors(self) -> list[Finding]:
        """What would make a run fail."""
        return self.of("error")

    @property
    def warnings(self) -> list[Finding]:
        """What may make a run fail, or disturb somebody."""
        return self.of("warning")

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def title(self) -> str:
        """Name and prefix of the detector; the prefix alone when it has no other name."""
        named = self.name and self.name != self.prefix
        return f"{self.name} ({self.prefix})" if named else self.prefix

    @property
    def verdict(self) -> str:
        """One sentence that sums it up."""
        counts = [
            f"{len(found)} {severity}{'s' if len(found) > 1 else ''}"
            for severity in ("error", "warning")
            if (found := self.of(severity))
        ]
        outcome = "ready" if self.ok else "not ready"
        return f"{self.title} is {outcome}: {', '.join(counts) or 'nothing to complain about'}."

    def as_dict(self) -> dict[str, Any]:
        """Give all of it as plain dictionaries and lists.

        Returns
        -------
        dict
            ``name``, ``prefix``, ``ok``, ``verdict``, and ``findings``, a list of dictionaries
            with the attributes of :class:`Finding`.
        """
        return {
            "name": self.name,
            "prefix": self.prefix,
            "ok": self.ok,
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """Give all of it as JSON.

        Parameters
        ----------
        indent : int, optional
            Spaces for each level; None for one line.

        Returns
        -------
        str
            See :meth:`as_dict`.
        """
        return json.dumps(self.as_dict(), indent=indent, ensure_ascii=False)

    def table(self) -> Any:
        """Lay it out for a terminal.

        Returns
        -------
        rich.table.Table
            Severity, subject, what was found and what to do, the worst first.
        """
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
        longest = max((len(finding.subject) for finding in self.findings), default=0)
        width = min(longest, _SUBJECT_WIDTH)
        table.add_column("", no_wrap=True)
        table.add_column("where", width=max(width, len("where")), overflow="fold")
        table.add_column("found", ratio=4, overflow="fold")
        table.add_column("what to do", ratio=3, overflow="fold")
        for finding in self.worst_first():
            texts = (finding.subject, finding.what, finding.remedy)
            severity = Text(finding.severity, style=_STYLES[finding.severity])
            table.add_row(severity, *(Text(text) for text in texts))
        return table

    def worst_first(self) -> list[Finding]:
        """List the findings from bad to good.

        Returns
        -------
        list of Finding
            Those of the same severity keep their order.
        """
        return sorted(self.findings, key=lambda each: -SEVERITIES.index(each.severity))

    def __rich__(self) -> Any:
        return self.table()

    def __str__(self) -> str:
        return "\n".join([*map(str, self.worst_first()), self.verdict])

    def __repr__(self) -> str:
        lines: Iterable[str] = (
            f"  {finding}" for finding in self.worst_first() if finding.severity != "ok"
        )
        return "\n".join([f"<CheckReport: {self.verdict}", *lines]) + ">"
