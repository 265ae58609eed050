"""A single value is read in every form that the specification allows, and refused with the reason that it gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.search.values import WrongValue, date, enum, quoted, timestamp, uuid

if TYPE_CHECKING:
    from uuid import UUID

PLAIN = "4fe722f0-49bc-4a90-a3eb-4ac439bfce20"
DAY = "2006-01-02"
MOMENT = "2006-01-02T15:04:05.999999999Z07:00"


@settings(deadline=None)
@given(st.uuids(), st.booleans())
def test_a_uuid_is_read_in_all_four_forms_and_any_case(value: UUID, upper: bool) -> None:
    for form in (str(value), value.urn, f"{{{value}}}", value.hex):
        assert uuid(form.upper() if upper else form) == str(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "foo",
        PLAIN[:-1],
        f"{PLAIN}0",
        f"{{{PLAIN}",
        f"{PLAIN}}}",
        f"urn:uuid:{{{PLAIN}}}",
        f"uuid:{PLAIN}",
        f" {PLAIN}",
        f"{PLAIN}\n",
        PLAIN.replace("-", "_"),
        PLAIN.replace("4", "g"),
        PLAIN.replace("4", "٤"),
        "4fe722f049bc-4a90-a3eb-4ac439bfce20",
    ],
)
def test_anything_else_is_no_uuid(text: str) -> None:
    with pytest.raises(WrongValue, match=r"^must be a valid uuid$"):
        uuid(text)


def test_an_enum_takes_its_words_and_the_aliases_of_them() -> None:
    assert enum("ongoing", ("ongoing", "completed"), {"connected": "ongoing"}) == "ongoing"
    assert enum("connected", ("ongoing", "completed"), {"connected": "ongoing"}) == "ongoing"


def test_an_enum_refuses_any_other_word_in_go_quotes() -> None:
    with pytest.raises(WrongValue) as caught:
        enum('a"b', ("ongoing",), {})
    assert str(caught.value) == 'has invalid value: "a\\"b" is not a valid value'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '""'),
        (":foo", '":foo"'),
        ('say "hi" \\ there', '"say \\"hi\\" \\\\ there"'),
        ("\a\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'),
        ("\x00\x1f\x7f", '"\\x00\\x1f\\x7f"'),
        ("\x80\u00a0\u200b\u2028", '"\\u0080\\u00a0\\u200b\\u2028"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("é☃😀", '"é☃😀"'),
    ],
)
def test_quoting_is_that_of_go(text: str, expected: str) -> None:
    assert quoted(text) == expected


@pytest.mark.parametrize("text", ["2022-08-15", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_a_day_is_its_first_moment_in_utc(text: str) -> None:
    assert date(text) == datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", f'"" as "{DAY}": cannot parse "" as "2006"'),
        ("2006", f'"2006" as "{DAY}": cannot parse "" as "-"'),
        ("2022-8-5", f'"2022-8-5" as "{DAY}": cannot parse "8-5" as "01"'),
        ("2022-08-5", f'"2022-08-5" as "{DAY}": cannot parse "5" as "02"'),
        ("22-08-05", f'"22-08-05" as "{DAY}": cannot parse "22-08-05" as "2006"'),
        ("2022/08/05", f'"2022/08/05" as "{DAY}": cannot parse "/08/05" as "-"'),
        ("2022-13-01", '"2022-13-01": month out of range'),
        ("2022-00-01", '"2022-00-01": month out of range'),
        ("2023-02-29", '"2023-02-29": day out of range'),
        ("2022-08-00", '"2022-08-00": day out of range'),
        ("0000-01-01", '"0000-01-01": year out of range'),
        ("2022-08-15t00:00:00z", '"2022-08-15t00:00:00z": extra text: "t00:00:00z"'),
        ("2022-08-15 ", '"2022-08-15 ": extra text: " "'),
        ("٢٠٢٢-08-15", None),
        ('"\\é\n', f'"\\"\\\\\\xc3\\xa9\\x0a" as "{DAY}": cannot parse "\\"\\\\\\xc3\\xa9\\x0a" as "2006"'),
    ],
)
def test_anything_else_is_no_day_and_the_reason_is_that_of_go(text: str, reason: str | None) -> None:
    with pytest.raises(WrongValue) as caught:
        date(text)
    prefix = f"must be a valid date format ({DAY}): parsing time "
    assert str(caught.value).startswith(prefix)
    assert reason is None or str(caught.value) == prefix + reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-01-01T00:00:00Z", "2023-01-01T00:00:00"),
        ("2023-01-16t12:00:00+12:00", "2023-01-16T00:00:00"),
        ("2023-01-01t00:00:00z", "2023-01-01T00:00:00"),
        ("2023-01-01T00:00:00-05:30", "2023-01-01T05:30:00"),
        ("2023-01-01T00:00:00.1Z", "2023-01-01T00:00:00.100000"),
        ("2023-01-01T00:00:00.1234564999999999999Z", "2023-01-01T00:00:00.123456"),
        ("2023-01-01T00:00:00.1234565Z", "2023-01-01T00:00:00.123457"),
        ("2023-12-31T23:59:59.9999995Z", "2024-01-01T00:00:00"),
        (f"2023-01-01T00:00:00.{'0' * 10_000}Z", "2023-01-01T00:00:00"),
        ("2023-01-01T1:00:00Z", "2023-01-01T01:00:00"),
        ("2023-01-01T00:00:00,5Z", "2023-01-01T00:00:00.500000"),
        ("2023-01-02T00:00:00+24:00", "2023-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
    ],
)
def test_a_timestamp_is_its_moment_in_utc_to_the_microsecond(text: str, expected: str) -> None:
    assert timestamp(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2023-01-01", f'"2023-01-01" as "{MOMENT}": cannot parse "" as "T"'),
        ("2023-01-01 00:00:00z", f'"2023-01-01 00:00:00Z" as "{MOMENT}": cannot parse " 00:00:00Z" as "T"'),
        ("2023-01-01T00:00:00", f'"2023-01-01T00:00:00" as "{MOMENT}": cannot parse "" as "Z07:00"'),
        ("2023-01-01T00:00Z", f'"2023-01-01T00:00Z" as "{MOMENT}": cannot parse "Z" as ":"'),
        ("2023-01-01T00:00:00.Z", f'"2023-01-01T00:00:00.Z" as "{MOMENT}": cannot parse ".Z" as "Z07:00"'),
        ("2023-01-01T00:00:00+0100", f'"2023-01-01T00:00:00+0100" as "{MOMENT}": cannot parse "+0100" as "Z07:00"'),
        ("now", f'"NOW" as "{MOMENT}": cannot parse "NOW" as "2006"'),
        ("2023-01-01T24:00:00Z", '"2023-01-01T24:00:00Z": hour out of range'),
        ("2023-01-01T23:60:00Z", '"2023-01-01T23:60:00Z": minute out of range'),
        ("2023-01-01T23:59:60Z", '"2023-01-01T23:59:60Z": second out of range'),
        ("2023-02-29T00:00:00Z", '"2023-02-29T00:00:00Z": day out of range'),
        ("2023-01-01T00:00:00+25:00", '"2023-01-01T00:00:00+25:00": time zone offset hour out of range'),
        ("2023-01-01T00:00:00+00:61", '"2023-01-01T00:00:00+00:61": time zone offset minute out of range'),
        ("2023-01-01T00:00:00Zulu", '"2023-01-01T00:00:00ZULU": extra text: "ULU"'),
        ("0000-12-31T23:59:59Z", '"0000-12-31T23:59:59Z": year out of range'),
        ("0001-01-01T00:00:00+00:01", '"0001-01-01T00:00:00+00:01": year out of range'),
        ("9999-12-31T23:59:59-00:01", '"9999-12-31T23:59:59-00:01": year out of range'),
        ("9999-12-31T23:59:59.9999995Z", '"9999-12-31T23:59:59.9999995Z": year out of range'),
    ],
)
def test_anything_else_is_no_timestamp_and_the_reason_is_that_of_go(text: str, reason: str) -> None:
    with pytest.raises(WrongValue) as caught:
        timestamp(text)
    assert str(caught.value) == f"must be a valid date format ({MOMENT}): parsing time {reason}"


@settings(deadline=None)
@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001
    st.integers(-23 * 60, 23 * 60),
)
def test_a_moment_written_in_any_zone_comes_back_the_same(moment: datetime, offset_minutes: int) -> None:
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    local = (moment + timedelta(minutes=offset_minutes)).isoformat()
    assert timestamp(f"{local}{sign}{hours:02d}:{minutes:02d}") == moment.replace(tzinfo=UTC)
