"""Dates in path templates."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.errors import NamingError
from adsupport.naming import expand_dates, has_date_codes

MOMENT = datetime(2026, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("/data/%Y/%m/%d/", "/data/2026/01/02/"),
        ("/data/%Y/%m/%d", "/data/2026/01/02"),
        ("/data", "/data"),
        ("C:\\data\\%Y\\%m\\", "C:\\data\\2026\\01\\"),
        ("/100%%/%j", "/100%/002"),
        ("/%%Y/", "/%Y/"),
        ("/%F/%H%M%S/", "/2026-01-02/030405/"),
        ("", ""),
    ],
)
def test_known_results(template, expected):
    assert expand_dates(template, MOMENT) == expected


@given(
    st.lists(st.sampled_from(["a", "%Y", "%m", "%d", "%H", "run%j", "%%"]), max_size=6),
    st.datetimes(min_value=datetime(1000, 1, 1)),
)
def test_agrees_with_strftime_and_keeps_the_number_of_components(parts, when):
    template = "/" + "/".join(parts) + "/"
    assert expand_dates(template, when) == when.strftime(template)
    assert expand_dates(template, when).count("/") == template.count("/")


@pytest.mark.parametrize(
    "template", ["/%x/", "/%c/", "/%D/", "/%Q/", "/50%", "/%s/", "/%-%/", "/%4Y"]
)
def test_other_codes_are_refused(template):
    with pytest.raises(NamingError, match="date code"):
        expand_dates(template, MOMENT)


def test_a_zone_is_kept_as_given():
    assert expand_dates("/%H", datetime(2026, 1, 1, 23, tzinfo=UTC)) == "/23"


def test_has_date_codes():
    assert has_date_codes("/data/%Y")
    assert not has_date_codes("/data")
