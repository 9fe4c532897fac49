"""Templates of file names: what they show, what they refuse, and that nothing leaves."""

from __future__ import annotations

import itertools
import math
import time
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.callbacks.output import OutputName, inside
from adsupport.errors import OutputNameError

START = {
    "uid": "0123456789abcdef",
    "scan_id": 42,
    "time": 1_700_000_000.25,
    "motors": ["m1", "m2"],
    "plan_args": {"num": 3, "deep": [{"x": 1.5}]},
    "md.sample": "Ni",
    "none": None,
    "energy": -7.125,
}


class _Mode(Enum):
    FAST = "fast"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch):
    """Local time is that of Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{start[scan_id]:05d}.h5", "00042.h5"),
        ("{start[uid]:.7}", "0123456"),
        ("{start[motors][0]}-{start[motors][-1]}", "m1-m2"),
        ("{start[motors]}", "m1-m2"),
        ("{start[plan_args][deep][0][x]:.2f}", "1.50"),
        ("{start[md.sample]:_>4}", "__Ni"),
        ("{start[none]}", "None"),
        ("E{start[energy]:+08.3f}", "E-007.125"),
        ("{{x}}{stream}", "{x}primary"),
        ("100%_{stream}", "100%_primary"),
        ("{number:.0%}", "700%"),
        ("{flag}", "True"),
        ("{mode}", "fast"),
        ("{path}", "_a_b"),
        ("{raw}", "é"),
        ("{array}", "1-2"),
        ("{array[1]}", "2"),
        ("{scalar:03d}", "005"),
        ("fixed.csv", "fixed.csv"),
    ],
)
def test_render(template: str, name: str) -> None:
    found = OutputName(template).render(
        start=START,
        stream="primary",
        number=7,
        flag=True,
        mode=_Mode.FAST,
        path=Path("/a/b"),
        raw="é".encode(),
        array=np.array([1, 2]),
        scalar=np.int64(5),
    )
    assert found == name


@pytest.mark.parametrize(
    ("moment", "name"),
    [(1_700_000_000.25, "20231114-231320"), (1_690_000_000, "20230722-062640")],
)
def test_seconds_become_local_time_in_summer_and_winter(
    berlin: None, moment: float, name: str
) -> None:
    assert OutputName("{t:%Y%m%d-%H%M%S}").render(t=moment) == name
    assert OutputName("{t:%Y%m%d-%H%M%S}").render(t=np.float64(moment)) == name


def test_a_datetime_is_shown_as_it_is() -> None:
    moment = datetime(2026, 11, 21, 22, 3, tzinfo=UTC)
    assert OutputName("{t:%Y-%m-%dT%H%M}").render(t=moment) == "2026-11-21T2203"
    assert OutputName("{t:%Y}").render(t=moment.date()) == "2026"


@pytest.mark.parametrize(
    "template",
    [
        "",
        "  ",
        "{",
        "}",
        "{}",
        "{0}",
        "{start.__class__}",
        "{start[uid].__class__}",
        "{start.uid}",
        "{start[uid]!r}",
        "{start[uid]:{start[scan_id]}}",
        "{start[]}",
        "{start[a]b}",
        "{start[uid}",
        "{start[scan_id]:1000000000d}",
        "{start[scan_id]:.99999999999f}",
        "a/b",
        "../{start[uid]}",
        "a\\b",
        "{start[time]:%Y/%m}",
    ],
)
def test_a_template_is_refused_at_once(template: str) -> None:
    with pytest.raises(OutputNameError, match="Name template"):
        OutputName(template)


def test_a_template_is_a_text() -> None:
    with pytest.raises(OutputNameError, match="must be a str, got int"):
        OutputName(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{start[scan]}", ["start has no 'scan'", "'scan_id'", "'uid'"]),
        ("{stop[uid]}", ["has no 'stop'", "'start'"]),
        ("{start[plan_args][x]}", ["start[plan_args] has no 'x'", "'num'"]),
        ("{start[motors][x]}", ["start[motors] is a list", "'x'", "index"]),
        ("{start[motors][2]}", ["start[motors] has 2 items", "number 2"]),
        ("{start[uid][0]}", ["start[uid] is of type str, without items"]),
        ("{start[plan_args]}", ["is a mapping", "num, deep"]),
        ("{start[uid]:05d}", ["{start[uid]:05d} can't show '0123456789abcdef', of type str"]),
        ("{start[none]:5}", ["can't show None"]),
        ("{start[uid]:%Y}", ["can't show"]),
        ("{start[time]:%x}", ["%x", "%Y"]),
        ("{start[time]:%Q}", ["%Q"]),
        ("{flag:%Y}", ["can't show True"]),
        ("{nan:%Y}", ["can't show nan"]),
        ("{far:%Y}", ["can't show 1e+300"]),
        ("{object}", ["is of type object", "isn't fit for a name"]),
        ("{huge}", ["can't show"]),
    ],
)
def test_the_error_names_what_is_missing_and_what_exists(template: str, words: list[str]) -> None:
    with pytest.raises(OutputNameError) as caught:
        OutputName(template).render(
            start=START,
            flag=True,
            nan=math.nan,
            far=1e300,
            object=object(),
            huge=10**5000,
        )
    for word in (template, *words):
        assert word in str(caught.value)


def test_an_error_lists_only_so_many_keys() -> None:
    with pytest.raises(OutputNameError, match="and 70 more"):
        OutputName("{start[x]}").render(start={f"key{n}": n for n in range(100)})


def test_an_objects_own_format_isnt_called() -> None:
    class Sly(str):
        def __format__(self, spec: str) -> str:
            return "../" + spec

        def __str__(self) -> str:
            return "/etc"

    assert OutputName("{x}").render(x=Sly("a")) == "a"


VALUES: list[Any] = [
    "../../../evil",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/../../b",
    "..\\..\\evil",
    "C:\\Windows",
    "\0",
    "a\0/../b",
    "\n",
    "-rf",
    "~root/x",
    "\ud800",
    "\udc2f\udc2e\udc2e",
    "\u202e",
    "／..／",
    "CON",
    "x" * 5000,
    "日" * 300,
    b"../x",
    Path("../../x"),
    ["..", "..", "x"],
    "{start.__class__}",
    "%2e%2e%2f",
    "$(touch x)",
    "`id`",
    "a;b|c&d",
    " ",
    "*",
    -1.5,
    math.inf,
    None,
]
TEMPLATES = ["{x}", "{x}.h5", ".{x}", "-{x}", "..{x}", "{x}{x}", "a{x}..", "{x:.3}", "{x:/<9}"]


def test_no_hostile_name_leaves_the_directory(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    tried = written = 0
    for template, value in itertools.product(TEMPLATES, VALUES):
        tried += 1
        try:
            name = OutputName(template).render(x=value)
        except OutputNameError:
            continue
        path = inside(root, name)
        path.write_text("x")
        written += 1
        assert path.resolve().parent == root.resolve()
    assert tried >= 200
    assert written >= 200
    assert sorted(each.name for each in tmp_path.iterdir()) == ["root"]
    # each is one plain file: no name was a directory, or led through the link
    assert all(each.is_file() for each in root.iterdir() if each.name != "link")


@given(st.text(max_size=40), st.one_of(st.text(max_size=300), st.integers(), st.floats()))
def test_any_template_is_refused_or_safe(template: str, value: Any) -> None:
    _refused_or_safe(template, value)


def _refused_or_safe(template: str, value: Any) -> None:
    try:
        name = OutputName(template).render(x=value, start={"uid": value})
    except OutputNameError:
        return
    assert inside("/data", name).parent == Path("/data")


@given(st.text("{}[]:.!x0startuid%Yd/\\", max_size=25))
def test_a_formats_own_characters(template: str) -> None:
    _refused_or_safe(template, "../x")
