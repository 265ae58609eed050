from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import pytest

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.models import broken_json, hec, json_values
from chalicelib.models import sent as models_sent
from chalicelib.models.bodies import read_events
from chalicelib.models.sent import MAX_BYTES, MAX_READ, Event, Sent, Unreadable

EVENT = {"time": "2025-07-10T10:14:38Z", "type": "ssh", "agent_name": "main"}
OTHER = {"time": "2025-07-10T11:14:38Z", "type": "vscode", "agent_name": "main"}
FIELDS = {"Type": "ssh", "Time": EVENT["time"], "AgentName": "main"}
LINE = {"ts": "t", "level": "INFO", "msg": "connection_log", "fields": FIELDS}
FOREIGN = {"ts": "t", "level": "INFO", "msg": "audit_log", "fields": {"Type": "ssh"}}
HUMAN = (
    '2025-07-03 06:57:16.157 [info]  coderd: connection_log  Type=ssh  Time="2025-07-10T10:14:38Z"'
    "  AgentName=main  UserID=<nil>"
)
HUMAN_FOREIGN = "2025-07-03 06:57:16.157 [info]  coderd: audit_log  Type=ssh"


def sent(body: str | bytes) -> Sent:
    return read_events(body if isinstance(body, bytes) else body.encode(), (CONNECTION_LOG,))


def lines(*values: object) -> str:
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in values)


FORMS: list[tuple[str, list[dict[str, Any]]]] = [
    (json.dumps({"events": [EVENT, OTHER]}), [EVENT, OTHER]),
    (json.dumps([EVENT, OTHER]), [EVENT, OTHER]),
    (json.dumps(EVENT), [EVENT]),
    (json.dumps(EVENT, indent=1), [EVENT]),
    (lines(EVENT, OTHER), [EVENT, OTHER]),
    (lines(EVENT, OTHER).replace("\n", "\r\n"), [EVENT, OTHER]),
    (json.dumps(LINE), [EVENT]),
    (json.dumps({"events": [LINE, OTHER]}), [EVENT, OTHER]),
    (lines(LINE, LINE), [EVENT, EVENT]),
    (HUMAN, [EVENT]),
    (lines(HUMAN, EVENT, LINE), [EVENT, EVENT, EVENT]),
    (json.dumps([HUMAN]), [EVENT]),
    (json.dumps({"events": []}), []),
    ("[]", []),
    (json.dumps([[EVENT], [[OTHER]]]), [EVENT, OTHER]),
]


@pytest.mark.parametrize(("body", "events"), FORMS)
def test_every_form_gives_its_events_in_order(body: str, events: list[dict[str, Any]]) -> None:
    read = sent(body)
    assert [entry.value for entry in read.entries if isinstance(entry, Event)] == events
    assert [entry.index for entry in read.entries] == [*range(len(events))]
    assert (read.skipped, read.stopped_at) == (0, None)


@pytest.mark.parametrize(
    ("body", "indices", "skipped"),
    [
        (lines(FOREIGN, LINE, HUMAN_FOREIGN, HUMAN), [1, 3], 2),
        (json.dumps(FOREIGN), [], 1),
        (HUMAN_FOREIGN, [], 1),
        (json.dumps({"events": [FOREIGN, EVENT]}), [1], 1),
        (lines("", EVENT, "", "  ", FOREIGN, "", EVENT, ""), [0, 2], 1),
    ],
)
def test_other_messages_are_skipped_and_keep_their_place(body: str, indices: list[int], skipped: int) -> None:
    read = sent(body)
    assert [entry.index for entry in read.entries] == indices
    assert read.skipped == skipped


BROKEN = "It is not JSON: "
CUT = json.dumps(LINE)[:-9]
GOOD = json.dumps(LINE)


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (lines(EVENT, CUT, OTHER), ["", BROKEN, ""]),
        (lines(CUT, EVENT), [BROKEN, ""]),
        (lines(LINE, '{"connection_status": NaN}'), ["", BROKEN]),
        ("{audit_log", [BROKEN]),
        (json.dumps(LINE)[:60], [BROKEN]),
        (f"[{GOOD},{CUT}", ["", BROKEN]),
        (f"[{GOOD},{CUT},{GOOD}]", ["", BROKEN]),
        (f'[{GOOD},{{"workspace_id": NaN}},{GOOD}]', ["", BROKEN, ""]),
        (f'{{"events": [{GOOD}, {{"connection_status": 1, {{]}}, {GOOD}]}}', ["", BROKEN, ""]),
        (f"[\n{GOOD},\n{CUT}\n{GOOD}\n", ["", BROKEN, ""]),
        (json.dumps([LINE, LINE], indent=1)[:-40], ["", BROKEN]),
        (json.dumps({"events": [LINE, LINE]}, indent=1)[:-40], ["", BROKEN]),
        (json.dumps(LINE, indent=1) + "\n" + json.dumps(LINE, indent=1)[:-40], ["", BROKEN]),
        ('{\n"connection_status": 1,\n"type": }', [BROKEN]),
        ('[{\n"connection_status": 1,\n"type": }', [BROKEN]),
    ],
)
def test_a_part_that_is_no_event_says_why_and_costs_no_other(body: str, problems: list[str]) -> None:
    entries = sent(body).entries
    assert [entry.index for entry in entries] == sorted(entry.index for entry in entries)
    for entry, problem in zip(entries, problems, strict=True):
        assert isinstance(entry, Unreadable) == bool(problem)
        assert not isinstance(entry, Unreadable) or entry.problem.startswith(problem)


BANNER = "Coder v2.31.0 - Your Self-Hosted Remote Development Platform"
TRACE = "    error= execute: \n           main.go:17\ngoroutine 1 [running]:\n\tmain.main()"


@pytest.mark.parametrize(
    ("body", "events", "skipped"),
    [
        (BANNER, 0, 1),
        (TRACE, 0, 4),
        ("Started HTTP listener at http://[::]:3000", 0, 1),
        (lines(BANNER, LINE, TRACE, HUMAN), 2, 5),
        (lines(LINE, json.dumps(LINE)[9:]), 1, 1),
        (json.dumps([BANNER, LINE, EVENT]), 2, 1),
        ("{", 0, 1),
        ("[{", 0, 1),
        ("{broken", 0, 1),
        (lines("{", '"a": 1', "}", LINE), 1, 3),
        (lines("[{", '"a": 1', "}]", LINE), 1, 3),
        (lines(EVENT, '{"a": NaN}', OTHER), 2, 1),
        (json.dumps([EVENT, 1, None, [], 1.5, True, {}, {"events": 7}, "x"]), 1, 8),
        ('[{"a":1},', 0, 1),
        ("[[[[", 0, 1),
        ('{"a":', 0, 1),
        ('{"events": [', 0, 1),
        ('{"events": [{"time": 1}, {]}', 0, 2),
        ('{"events": [NaN]}', 0, 1),
        ('[{"time": 1},\n{"time": 2}\n', 0, 2),
        (f'[{GOOD}, "x", {{"a": NaN}}, {{"b": [}}, nonsense, {GOOD}', 2, 4),
        (json.dumps({"error": "x"}), 0, 1),
        (json.dumps({"level": "info", "msg": "x"}), 0, 1),
        (
            json.dumps({"kind": "Event", "auditID": "x", "verb": "get", "user": {}, "objectRef": {"resource": "pods"}}),
            0,
            1,
        ),
        (b"caf\xe9", 0, 1),
        (b"x" + b"\x00" * 1_000, 0, 1),
        ("", 0, 0),
        ("\n \n", 0, 0),
    ],
)
def test_what_is_no_event_is_skipped_whatever_it_is(body: str | bytes, events: int, skipped: int) -> None:
    read = sent(body)
    assert [type(entry) for entry in read.entries] == [Event] * events
    assert read.skipped == skipped


@pytest.mark.parametrize(
    "value",
    ["9" * 5_000, "-" + "9" * 5_000, "[" * 250 + "]" * 250, '{"a":' * 250 + "1" + "}" * 250, '"\\ud800"', "1e999"],
    ids=["digits", "negative", "lists", "objects", "half a pair", "infinite"],
)
def test_what_is_too_much_for_one_event_costs_no_other(value: str) -> None:
    good = json.dumps(EVENT)
    batch = f'[{good}, {{"agent_name": "x", "a": {value}}}, {good}]'
    for form in (batch, f'{{"events": {batch}}}'):
        first, second, third = sent(form).entries
        assert (first, third) == (Event(0, EVENT), Event(2, EVENT))
        assert isinstance(second, Event)
    (alone,) = sent(f'{{"type": "ssh", "agent_name": "x", "a": {value}}}').entries
    assert isinstance(alone, Event)
    assert alone.value["type"] == "ssh"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_is_read_in_utf_8_alone(encoding: str) -> None:
    with pytest.raises(BadRequest):
        sent(json.dumps(EVENT).encode(encoding))


@pytest.mark.parametrize("missing", ["connection_status", "workspace_id", "agent_name", "resource_type"])
def test_an_object_with_a_field_that_events_alone_have_is_an_event_however_wrong(missing: str) -> None:
    assert [type(entry) for entry in sent(json.dumps({missing: 7})).entries] == [Event]


OPENED = 300_000
PARTS = 20_000


@pytest.mark.parametrize(
    "body",
    [
        "[" * OPENED,
        '{"a":' * OPENED,
        '[{"events":' * OPENED,
        "[\n" * OPENED,
        '["' * OPENED,
        '["' + '\\"' * OPENED,
        "[{" * OPENED,
        '[{"a":1},' + "x{}" * PARTS,
        '[{"a":1},' + '{"a"}' * PARTS,
        '[{"a":1},' + "[x]" * PARTS,
        '[{"a":1},' + '"a{}' * PARTS,
    ],
    ids=["lists", "objects", "batches", "lines", "texts", "escapes", "both", "words", "keys", "no list", "no text"],
)
def test_no_place_of_a_broken_body_is_read_often(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of json's reader counts too: it counts the lines of all that the reader was given."""
    looked_at = 0
    end_of = broken_json.end_of
    failed = json.JSONDecodeError.__init__

    def failing(error: json.JSONDecodeError, message: str, document: str, place: int) -> None:
        nonlocal looked_at
        looked_at += place
        failed(error, message, document, place)

    monkeypatch.setattr(json.JSONDecodeError, "__init__", failing)

    def counted(text: str, start: int) -> int:
        nonlocal looked_at
        end = end_of(text, start)
        looked_at += end - start
        return end

    monkeypatch.setattr(broken_json, "end_of", counted)
    read = sent(f"{body}connection_log")
    assert read.skipped + len(read.entries) > 0
    assert looked_at <= 4 * len(body)


def test_the_limit_of_bytes() -> None:
    text = json.dumps(EVENT)
    assert len(sent(text.ljust(MAX_BYTES)).entries) == 1
    with pytest.raises(TooLarge, match="too large") as caught:
        sent(text.ljust(MAX_BYTES + 1))
    assert str(MAX_BYTES + 1) in caught.value.detail


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"log": "{\n" * 1_000_000}),
        json.dumps(["{\n" * 1_000_000]),
        json.dumps({"log": "{\n" * 9_000}) + "\n",
    ],
)
def test_of_the_lines_in_one_text_no_more_are_read_than_a_text_may_have(
    body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    sequence = json_values.sequence

    def counted(text: str) -> list[Any]:
        nonlocal read
        read += 1
        return sequence(text)

    monkeypatch.setattr(json_values, "sequence", counted)
    entries = sent(body * (30 if body.endswith("\n") else 1)).entries
    assert all(isinstance(entry, Unreadable) for entry in entries)
    assert len(entries) == (not body.endswith("\n"))
    assert read <= MAX_READ + 30


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\x00"])
def test_a_line_in_a_wrapper_is_read_whatever_ends_it(end: str) -> None:
    wrapped = json.dumps({"log": json.dumps(LINE) + end, "stream": "stderr"})
    assert [type(entry) for entry in sent(lines(wrapped, {"log": "{a" + end}, wrapped)).entries] == [Event, Event]


PREFIXED = "2026-11-20T10:00:00.1Z "
PRETTY = json.dumps(LINE, indent=2)


@pytest.mark.parametrize(
    "body",
    [
        "\n".join([json.dumps(LINE) + ","] * 2 + [json.dumps(LINE)]),
        f"[{json.dumps(LINE)}]\n[{json.dumps(LINE)},{json.dumps(LINE)}]\n",
        f"{PRETTY}\n{PRETTY}\n{PRETTY}\n",
        f"{PRETTY},\n{PRETTY},\n{PRETTY}".replace("\n", "\r\n"),
        "".join(f"\x1e{json.dumps(LINE)}\n" for _ in range(3)),
        "\n".join([PREFIXED + json.dumps(LINE)] * 3),
        "\n".join(["\ufeff" + json.dumps(LINE)] * 3),
        "\n".join([json.dumps(json.dumps(LINE))] * 3),
        "\n".join([json.dumps({"event": {"original": json.dumps(LINE)}})] * 3),
        "\n".join([json.dumps({"jsonPayload": LINE, "severity": "INFO"})] * 3),
        json.dumps({"messageType": "DATA", "logEvents": [{"id": "1", "message": json.dumps(LINE)}] * 3}),
        json.dumps({"records": [LINE] * 3}),
    ],
)
def test_an_event_is_found_in_whatever_collectors_make_of_lines(body: str) -> None:
    read = sent(body)
    assert [(type(entry), read.skipped) for entry in read.entries] == [(Event, 0)] * 3
    assert {str(entry.value) for entry in read.entries if isinstance(entry, Event)} == {
        str({"type": "ssh", "time": EVENT["time"], "agent_name": "main"})
    }


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [lines(LINE, LINE), HUMAN, json.dumps([LINE, LINE])])
def test_lines_in_another_encoding_are_refused_and_not_skipped(text: str, encoding: str) -> None:
    encoded = text.encode(encoding)
    for body in (encoded, encoded.decode(errors="replace").encode()):
        with pytest.raises(BadRequest) as caught:
            sent(body)
        assert "no text in UTF-8" in caught.value.detail


def test_a_compressed_body_that_does_not_say_so_is_refused_and_not_skipped() -> None:
    gzipped, by_zstd = gzip.compress(json.dumps(LINE).encode()), b"\x28\xb5\x2f\xfd\x04\x00\x59"
    for body in (gzipped, by_zstd, *(one.decode(errors="replace").encode() for one in (gzipped, by_zstd))):
        with pytest.raises(BadRequest) as caught:
            sent(body)
        assert "Content-Encoding" in caught.value.detail


@pytest.mark.parametrize("text", ['"', '"{', '"a" {', '"\\ud800{"', '"{}" "{}"'])
def test_a_text_that_holds_no_event_is_skipped(text: str) -> None:
    assert (sent(text).entries, sent(text).skipped) == ((), 1)


@pytest.mark.parametrize("unit", ["= ", "x ", "1 ", "[] ", "{} ", '"" ', "[]", "null ", "{x}", '"a\n'])
@pytest.mark.parametrize("read", [read_events, hec.read_events, hec.read_lines])
def test_no_body_has_more_parts_looked_at_than_a_request_may_have(
    unit: str, read: Callable[[bytes, Collection[str]], Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = 0
    end_of = broken_json.end_of

    def counted(text: str, start: int) -> int:
        nonlocal parts
        parts += 1
        return end_of(text, start)

    most = 1_000
    monkeypatch.setattr(broken_json, "end_of", counted)
    for module in (models_sent, hec):
        monkeypatch.setattr(module, "MAX_READ", most)
    with suppress(BadRequest):
        read(('[{"a":1},' + unit * (10 * most) + "connection_log").encode(), (CONNECTION_LOG,))
    assert 0 < parts <= 3 * (most + 2)
