from __future__ import annotations

import pytest

from chalicelib.logs.line_prefixes import Line, Part, bare

LINE = '{"msg": "audit_log"}'


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "2026-11-20T10:00:00Z stderr F ",
        "2026-11-20T10:00:00.123456789+01:00 stdout F ",
        "2026-11-20T10:00:00.123456789Z ",
        "<13>Nov 27 10:00:00 host coder[123]: ",
        "Nov  7 10:00:00 host.example.com coder: ",
        "2026-11-20T10:00:00.000+00:00 host coder[1]: ",
        "<14>1 2026-11-20T10:00:00.000Z host coder 123 - - ",
        '<14>1 2026-11-20T10:00:00Z host coder - ID47 [a@1 b="c]\\"d"][e f="g"] \ufeff',
        "214 <14>1 2026-11-20T10:00:00Z host coder - - - ",
        "<13>",
        "coder-1  | ",
        "[pod/coder-7d9f/coder] ",
        "[API] ",
        "<13>Nov 27 10:00:00 coder: ",
        "<13>Nov 27 10:00:00 host coder[123]: @cee: ",
        "<13>Nov 27 2026 10:00:00 host coder[123]: ",
        "Nov 27 10:00:00.123456 host coder[123]: ",
        "Fri 2026-11-20 10:00:00 UTC host coder[1]: ",
        "[  123.456789] host coder[1]: ",
        "1763632800.123456 host coder[1]: ",
        "2026-11-20T10:00:00.1Z stderr F:x ",
        "coder-1  | 2026-11-20T10:00:00.1Z ",
        "20 <13>",
        "20 <13>Nov 27 10:00:00 host coder: ",
        "\x1e",
        "data: ",
        "MESSAGE=",
        "\ufeff",
        "<13>Nov 27 10:00:00 host docker/coder[9]: coder-1 | 2026-11-20T10:00:00Z stderr F ",
    ],
)
def test_what_a_collector_puts_before_a_line_is_taken_off(prefix: str) -> None:
    assert bare(prefix + LINE).text == LINE
    line = '{"ts": "2026-11-20T10:00:00Z", "level": "INFO", "msg": "audit_log"}'
    assert bare(prefix + line).text == line, "a blank behind a colon is none of a collector's"


@pytest.mark.parametrize(
    "text",
    [
        'GET /?q={"msg": "audit_log"}',
        'error: {"msg": "audit_log"}',
        '200 {"msg": "audit_log"}',
        'user said {"msg": "audit_log"}',
        'MESSAGE= {"msg": "audit_log"}',
        '10.0.0.1 - - [20/Nov/2026] "GET /" {"msg": "audit_log"}',
        "2026-10-07 11:34:37.428 [info]  coderd: audit_log",
        '["a"]',
        '[{"a": 1}]',
    ],
)
def test_nothing_else_is_taken_for_a_prefix(text: str) -> None:
    assert bare(text) == Line(text)


def test_a_part_of_a_line_says_that_it_is_one() -> None:
    assert bare("2026-11-20T10:00:00Z stderr P {") == Line("{", Part.BEGINNING, "stderr")
    assert bare("2026-11-20T10:00:00Z stdout F }") == Line("}", Part.WHOLE, "stdout")
    assert bare("2026-11-20T10:00:00Z stderr F") == Line("", Part.WHOLE, "stderr")
