from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.durations import MAX_NS, MIN_NS, InvalidDuration, format_go, parse

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-0", 0),
        ("+0", 0),
        ("0s", 0),
        ("1d", DAY),
        ("7d", 7 * DAY),
        ("1w", 7 * DAY),
        ("2w", 14 * DAY),
        ("1d12h", 36 * HOUR),
        ("1w2d", 9 * DAY),
        ("2w3d4h5m6s", 17 * DAY + 4 * HOUR + 5 * MINUTE + 6 * SECOND),
        ("365d", 365 * DAY),
        ("876600h", 3_155_760_000_000_000_000),
        ("168h0m0s", 7 * DAY),
        ("1.5h", 90 * MINUTE),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("0.5d", 12 * HOUR),
        ("250ms", SECOND // 4),
        ("3us", 3000),
        ("3µs", 3000),
        ("3\u03bcs", 3000),
        ("7ns", 7),
        ("1.9ns", 1),
        ("1m1m", 2 * MINUTE),
        ("-1.5h", -90 * MINUTE),
        ("-1d", -DAY),
        ("+3s", 3 * SECOND),
        ("9223372036854775807ns", MAX_NS),
        ("-9223372036854775808ns", MIN_NS),
        ("0.100000000000000000000h", 6 * MINUTE),
    ],
)
def test_a_duration_is_read_as_nanoseconds(text: str, expected: int) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("invalid", 'invalid duration "invalid"'),
        ("", 'invalid duration ""'),
        ("-", 'invalid duration "-"'),
        ("+-1h", 'invalid duration "+-1h"'),
        (".", 'invalid duration "."'),
        (".s", 'invalid duration ".s"'),
        ("h", 'invalid duration "h"'),
        (" 1h", 'invalid duration " 1h"'),
        ("\u0661h", 'invalid duration "\u0661h"'),
        ("30", 'missing unit in duration "30"'),
        ("1h30", 'missing unit in duration "1h30"'),
        ("1.5.5h", 'missing unit in duration "1.5.5h"'),
        ("1h ", 'unknown unit "h " in duration "1h "'),
        ("1y", 'unknown unit "y" in duration "1y"'),
        ("2mo", 'unknown unit "mo" in duration "2mo"'),
        ("1D", 'unknown unit "D" in duration "1D"'),
        ("1h-5m", 'unknown unit "h-" in duration "1h-5m"'),
        ("9223372036854775808ns", 'invalid duration "9223372036854775808ns": out of range'),
        ("20000w", 'invalid duration "20000w": out of range'),
        ("-20000w", 'invalid duration "-20000w": out of range'),
    ],
)
def test_what_is_no_duration_is_named_in_the_error(text: str, message: str) -> None:
    with pytest.raises(InvalidDuration) as caught:
        parse(text)
    assert str(caught.value) == message


def test_a_text_without_end_is_refused_and_not_repeated_whole() -> None:
    with pytest.raises(InvalidDuration) as caught:
        parse("9" * 100_000 + "h")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("nanoseconds", "expected"),
    [
        (0, "0s"),
        (1, "1ns"),
        (-1, "-1ns"),
        (1100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (250_000_000, "250ms"),
        (999_999_999, "999.999999ms"),
        (SECOND, "1s"),
        (SECOND + 1, "1.000000001s"),
        (3_300_000_000, "3.3s"),
        (10 * SECOND, "10s"),
        (MINUTE, "1m0s"),
        (90 * SECOND, "1m30s"),
        (4 * MINUTE + 5_001_000_000, "4m5.001s"),
        (HOUR, "1h0m0s"),
        (5 * HOUR + 6 * MINUTE + 7_001_000_000, "5h6m7.001s"),
        (HOUR + SECOND // 2, "1h0m0.5s"),
        (7 * DAY, "168h0m0s"),
        (30 * DAY, "720h0m0s"),
        (3_155_760_000_000_000_000, "876600h0m0s"),
        (-90 * MINUTE, "-1h30m0s"),
        (MAX_NS, "2562047h47m16.854775807s"),
        (MIN_NS, "-2562047h47m16.854775808s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(nanoseconds: int, expected: str) -> None:
    assert format_go(nanoseconds) == expected


@settings(deadline=None)
@given(st.integers(MIN_NS, MAX_NS) | st.integers(-2 * SECOND, 2 * SECOND))
def test_what_is_written_reads_back(nanoseconds: int) -> None:
    assert parse(format_go(nanoseconds)) == nanoseconds


@settings(deadline=None)
@given(st.text("0123456789.-+hmsuµndw x", max_size=12))
def test_no_text_fails_in_another_way(text: str) -> None:
    try:
        nanoseconds = parse(text)
    except InvalidDuration:
        return
    assert MIN_NS <= nanoseconds <= MAX_NS
