"""What a report says, in each of its forms."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from adsupport.devices import CheckReport, Finding
from adsupport.devices.preflight.report import SEVERITIES
from adsupport.errors import ConfigurationError

FINDINGS = st.builds(
    Finding, st.sampled_from(SEVERITIES), st.text(), st.text(), st.text(), st.text()
)


@given(st.lists(FINDINGS))
def test_json_holds_all(findings: list[Finding]):
    report = CheckReport("det", "ad:", tuple(findings))
    read = json.loads(report.to_json())
    assert tuple(Finding(**each) for each in read["findings"]) == report.findings
    assert read["ok"] == report.ok == all(each.severity != "error" for each in findings)


@given(st.lists(FINDINGS))
def test_the_worst_comes_first_and_nothing_is_lost(findings: list[Finding]):
    report = CheckReport("det", "ad:", tuple(findings))
    order = [SEVERITIES.index(each.severity) for each in report.worst_first()]
    assert order == sorted(order, reverse=True)
    assert sorted(map(repr, report.worst_first())) == sorted(map(repr, findings))


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ([], "ad: is ready: nothing to complain about."),
        (["ok", "info"], "ad: is ready: nothing to complain about."),
        (["warning", "warning", "ok"], "ad: is ready: 2 warnings."),
        (["error", "warning"], "ad: is not ready: 1 error, 1 warning."),
    ],
)
def test_verdict(severities: list[str], verdict: str):
    findings = tuple(Finding(each, "pv", "it is") for each in severities)
    assert CheckReport("ad:", "ad:", findings).verdict == verdict
    assert CheckReport("det", "ad:", findings).verdict == f"det ({verdict.replace(' ', ') ', 1)}"


def test_the_table_shows_brackets_as_they_are():
    finding = Finding("error", "ad:[red]", "found [bold]", "do [/x]")
    console = Console(file=io.StringIO(), width=100)
    console.print(CheckReport("det", "ad:", (finding,)))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "ad:[red]" in shown
    assert "found [bold]" in shown
    assert "do [/x]" in shown


@given(st.lists(FINDINGS))
def test_every_finding_has_a_line_of_its_own(findings: list[Finding]):
    text = str(CheckReport("det", "ad:", tuple(findings)))
    assert len(text.splitlines()) == len(findings) + 1


def test_repr_leaves_out_what_is_well():
    findings = Finding("ok", "a", "well"), Finding("warning", "b", "bad", "cure it")
    text = repr(CheckReport("det", "ad:", findings))
    assert "well" not in text
    assert "warning b  bad -> cure it" in text


def test_an_unknown_severity_names_the_known():
    with pytest.raises(ConfigurationError, match="ok, info, warning, error"):
        Finding("fatal", "pv", "it is")
