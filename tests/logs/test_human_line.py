"""Human entries as cdr.dev/slog prints them: bare and quoted values, maps, and texts that stand below the line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.logs import text_lines
from chalicelib.logs.go_quoting import quoted
from chalicelib.logs.human_line import INDENT, fields_of, message_of
from chalicelib.logs.service_log import AUDIT_LOG, Reported, read_human

HEAD = "2026-10-07 11:34:37.428 [info]  coderd: audit_log"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (HEAD, "audit_log"),
        ("2026-10-07 11:34:37.428 [info]  coderd.x: connection_log  ID=1", "connection_log"),
        ("2026-10-07 11:34:37.428 [warn]  connection_log", "connection_log"),
        ("2025-07-03 06:57:16.157 [info] coderd: connection_log request_id=1", "connection_log"),
        ("2026-10-07 11:34:37.428 [info]  coderd: audit_logs", None),
        ("2026-10-07 11:34:37.428 [info]  coderd: export audit_log  ID=1", None),
        ("audit_log  ID=1", None),
        ("    " + HEAD, None),
    ],
)
def test_an_entry_of_one_of_the_two_messages_is_told_by_its_head(line: str, message: str | None) -> None:
    assert message_of(line) == message


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ("ID=1  Ip=::1", {"ID": "1", "Ip": "::1"}),
        ("url=a=b  n=x:y", {"url": "a=b", "n": "x:y"}),
        (r'UserAgent="x\x1by \"q\" z"  Code=<nil>', {"UserAgent": 'x\x1by "q" z', "Code": "<nil>"}),
        ('list="[p q r]"', {"list": "[p q r]"}),
        ('Diff={"a": {"old":  "x  y=z"}}  Action=write', {"Diff": '{"a": {"old":  "x  y=z"}}', "Action": "write"}),
        ("Diff={broken b  Action=write", {"Diff": "{broken b", "Action": "write"}),
        ("ID=1  ID=2", {"ID": "2"}),
        ("words  that =are none  ID=1", {"ID": "1"}),
        ('ID="', {"ID": ""}),
        ("ID=", {"ID": ""}),
    ],
)
def test_fields_are_read_as_they_are_printed(values: str, fields: dict[str, str]) -> None:
    assert fields_of(f"{HEAD}  {values}") == fields


def entry(text: str) -> Reported | None:
    (only,) = list(text_lines.entries(text.encode()))
    return read_human(only.text, only.below)


BELOW = f"{HEAD}  ID=1  Action=write ...\n    ResourceTarget= multi\n                    line"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (BELOW, "multi\nline"),
        (BELOW.replace("line", "  two\n\n                    three"), "multi\n  two\n\nthree"),
        (f"{HEAD}  ID=1 ...\n    ResourceTarget=\n                    line", "\nline"),
        (f"\x1b[35m{HEAD}\x1b[0m  ID=1 ...\n    ResourceTarget= a\n                    b", "a\nb"),
    ],
)
def test_a_text_with_a_line_break_stands_below_its_entry(text: str, target: str) -> None:
    reported = entry(text)
    assert reported is not None
    assert (reported.event["id"], reported.event["resource_target"]) == ("1", target)


def test_lines_below_go_through_a_collector_one_by_one() -> None:
    prefix = "2026-11-20T10:00:00Z stderr F "
    reported = entry("\n".join(prefix + line for line in BELOW.split("\n")))
    assert reported is not None
    assert reported.event["resource_target"] == "multi\nline"


def test_an_entry_whose_lines_below_were_sent_apart_is_an_event_all_the_same() -> None:
    head, *below = BELOW.split("\n")
    reported = entry(head)
    assert reported is not None
    assert reported.event == {"id": "1", "action": "write", "resource_target": "..."}
    assert [entry(line) for line in below] == [None, None]


def test_no_text_of_a_user_passes_for_an_entry() -> None:
    forged = json.dumps({"msg": "audit_log", "fields": {"ID": "forged"}})
    value = f"x\n{forged}\n{HEAD}  ID=forged"
    indented = value.replace("\n", "\n" + " " * 20)
    text = f"{HEAD}  ID=1 ...\n    ResourceTarget= {indented}\n{HEAD}  ID=2"
    first, second = list(text_lines.entries(text.encode()))
    reported = read_human(first.text, first.below)
    assert reported is not None
    assert reported.event["resource_target"] == value
    assert read_human(second.text, second.below) == Reported(AUDIT_LOG, {"id": "2"})
    for line in indented.split("\n")[1:]:
        assert [alone.text for alone in text_lines.entries(line.encode())] == [""]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(
    st.dictionaries(st.sampled_from(["ID", "Ip", "Action", "UserAgent"]), TEXTS),
    st.lists(TEXTS.filter(lambda text: text.strip() == text), min_size=2, max_size=4),
)
def test_whatever_an_entry_says_is_read(values: dict[str, str], lines: list[str]) -> None:
    head = "  ".join([HEAD, *(f"{name}={quoted(value)}" for name, value in values.items())])
    indent = " " * len(f"{INDENT}ResourceTarget= ")
    below = [f"{INDENT}ResourceTarget= {lines[0]}", *(f"{indent}{line}" for line in lines[1:])]
    expected: dict[str, Any] = {**values, "ResourceTarget": "\n".join(lines)}
    assert fields_of(f"{head} ...", below) == expected


@pytest.mark.parametrize("text", ["{}", "{}%s=", '{"a":1}...', "{x", '{"a":"b  c"}', '{"a":1}{"b":2}', "{}..."])
@pytest.mark.parametrize("after", ["", "  Action=write", " ..."])
def test_a_text_that_begins_as_an_object_is_whole(text: str, after: str) -> None:
    fields = fields_of(f"{HEAD}  ResourceTarget={text}{after}")
    assert fields["ResourceTarget"] == text
    assert ("Action" in fields) == ("Action" in after)
