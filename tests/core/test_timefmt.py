"""Moments: what programs may send, and how each reader gets them back (RFC 3339, RFC 7519)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import timefmt

AT = datetime(2026, 11, 24, 14, 0, 5, 123456, tzinfo=UTC)


@pytest.mark.compliance("RFC 3339", "5.6")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00.5+02:00", datetime(2027, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2027-01-31T12:00:00-15:59", datetime(2027, 2, 1, 3, 59, tzinfo=UTC)),
        ("2027-01-31T12:00:00+15:59", datetime(2027, 1, 30, 20, 1, tzinfo=UTC)),
    ],
)
def test_moment_with_an_offset_is_read(text, moment):
    assert timefmt.parse_moment(text) == moment


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "with its offset"),
        (" ", "with its offset"),
        ("tomorrow", "with its offset"),
        ("2027-01-31", "with its offset"),
        ("2027-01-31T12:00:00", "with its offset"),
        ("2027-02-30T12:00:00Z", "with its offset"),
        ("2027-01-31T12:00:00+24:00", "with its offset"),
        ("2027-01-31T12:00:00+16:00", "less than 16 hours"),
        ("2027-01-31T12:00:00+17:00", "less than 16 hours"),
        ("2027-01-31T12:00:00-23:59", "less than 16 hours"),
        ("0001-01-01T00:00:00+01:00", "years 1 to 9999"),
        ("9999-12-31T23:59:59-01:00", "years 1 to 9999"),
        ("2027-01-31T12:00:00Z\0", "with its offset"),
    ],
)
def test_other_texts_are_faults_that_say_what_to_write(text, told):
    with pytest.raises(ValueError, match=told):
        timefmt.parse_moment(text)


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 12, 31),
        timezones=st.builds(
            timezone,
            st.timedeltas(timedelta(minutes=-959), timedelta(minutes=959)).map(
                lambda offset: timedelta(minutes=offset // timedelta(minutes=1))
            ),
        ),
    )
)
def test_what_is_written_for_programs_is_read_back(moment):
    text = timefmt.rfc3339(moment, "microseconds")
    assert text.endswith("Z")
    assert timefmt.parse_moment(text) == moment == timefmt.parse_moment(moment.isoformat())


def test_each_reader_gets_a_moment_in_one_form(time_machine):
    time_machine.move_to(AT)
    assert timefmt.rfc3339(AT) == "2026-11-24T14:00:05.123Z"
    assert timefmt.rfc3339(AT.astimezone(timezone(timedelta(hours=2))), "seconds") == "2026-11-24T14:00:05Z"
    assert timefmt.date_time(AT) == "24 November 2026 at 14:00 UTC"
    assert timefmt.weekday_date_time(AT) == "Tuesday 24 November 2026 at 14:00 UTC"
    assert timefmt.near_date_time(AT) == "Tuesday 24 November at 14:00 UTC"
    assert timefmt.near_date_time(AT + timedelta(days=60)) == "Saturday 23 January 2027 at 14:00 UTC"
    assert timefmt.short_date_time(AT) == "24 Nov 2026, 14:00"


@pytest.mark.compliance("RFC 7519", "2")
@pytest.mark.parametrize("value", [None, True, "1", -1, 2**40, float("nan"), float("inf"), [], {}])
def test_what_is_no_numeric_date(value):
    assert not timefmt.is_numeric_date(value)


def test_numeric_dates_count_seconds_since_1970():
    assert timefmt.is_numeric_date(0)
    assert timefmt.is_numeric_date(1.5)
    assert timefmt.from_numeric_date(AT.timestamp()) == AT
    assert timefmt.from_numeric_date(True) is None
    assert timefmt.from_numeric_date(2**60) is None
