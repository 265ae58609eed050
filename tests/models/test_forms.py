"""Each form in which a collector hands on a line of a service log gives the event of that line, once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest, TooLarge
from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG
from chalicelib.models import hec, otlp
from chalicelib.models.bodies import read_events
from chalicelib.models.sent import MAX_BYTES, MAX_EVENTS, MAX_READ, Event, Sent, Unreadable

BOTH = (CONNECTION_LOG, AUDIT_LOG)
FIELDS = {"ID": "x", "Action": "write", "Diff": {"a": {"Old": "1", "New": "{"}}}
EVENT = {"id": "x", "action": "write", "diff": {"a": {"Old": "1", "New": "{"}}}
LINE = json.dumps({"ts": "t", "level": "INFO", "msg": AUDIT_LOG, "fields": FIELDS})
DIFF = json.dumps(json.dumps(FIELDS["Diff"]))
HUMAN = f"2026-10-07 11:34:37.428 [info]  coderd: audit_log  ID=x  Action=write  Diff={DIFF}"
OTHER = json.dumps({"ts": "t", "level": "INFO", "msg": "started", "fields": {}})
STACKDRIVER = (
    '{"logging.googleapis.com/severity":"INFO","severity":"INFO","message":"audit_log","timestampSeconds":1795803459,'
    '"timestampNanos":5000000,"logging.googleapis.com/operation":{"producer":"coderd"},"message":"mine","severity":"x",'
    f'"OrganizationID":null,{json.dumps(FIELDS)[1:]}'
)
CRI = "2026-11-20T10:00:00Z stderr"

FORMS: dict[str, Callable[[str], str]] = {
    "alone": lambda line: line,
    "docker": lambda line: json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-11-20T10:00:00Z"}),
    "message": lambda line: json.dumps(
        {"@timestamp": "t", "message": line, "level": "INFO", "type": "python-logstash"}
    ),
    "journald": lambda line: json.dumps({"MESSAGE": line, "PRIORITY": "6", "_PID": "1"}),
    "journald, octets": lambda line: json.dumps({"MESSAGE": [*line.encode()]}),
    "CRI": lambda line: f"{CRI} F {line}",
    "CRI in parts": lambda line: f"{CRI} P {line[:49]}\n{CRI} P {line[49:60]}\n{CRI} F {line[60:]}",
    "syslog in JSON": lambda line: json.dumps({"MESSAGE": f"<13>Nov 27 10:00:00 host coder[1]: {line}", "HOST": "h"}),
    "wrapped twice": lambda line: json.dumps({"message": json.dumps({"log": line})}),
    "a list of texts": lambda line: json.dumps([line]),
    "logs": lambda line: json.dumps({"logs": [line]}),
    "events": lambda line: json.dumps({"events": [{"log": line}]}),
    "NULs before and after": lambda line: "\x00" * 100 + line + "\n" + "\x00" * 100,
    "filebeat": lambda line: json.dumps(
        {"@timestamp": "t", "log": {"offset": 1, "file": {"path": "/x"}}, "message": line, "input": {"type": "log"}}
    ),
    "logstash": lambda line: json.dumps(
        {"@timestamp": "t", "event": {"original": line}, "message": line, "log": {"file": {"path": "/x"}}}
    ),
    "fluent bit, read twice": lambda line: json.dumps(
        {"date": 1.5, "log": "a part of it", "log_processed": {"x": 1}, "message": line, "kubernetes": {}}
    ),
    "GELF": lambda line: json.dumps({"version": "1.1", "host": "h", "short_message": line[:20], "full_message": line}),
    "GELF, short": lambda line: json.dumps({"version": "1.1", "host": "h", "short_message": line}),
    "alloy": lambda line: json.dumps({"entry": line, "timestamp": "t"}),
    "lambda": lambda line: json.dumps([{"time": "t", "type": "function", "record": line}]),
    "fluentd's file": lambda line: f"2026-11-20T10:00:00+00:00\tcoder.log\t{json.dumps({'log': line})}",
    "a list in a list": lambda line: json.dumps([[line]]),
    "a batch that breaks off": lambda line: json.dumps([line])[:-1],
    "blanks after": lambda line: line + " \r\n",
}


def only(sent: Sent) -> Any:
    (entry,) = sent.entries
    assert isinstance(entry, Event)
    assert (entry.message, sent.skipped, sent.stopped_at) == (AUDIT_LOG, 0, None)
    return entry.value


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("line", [LINE, HUMAN, STACKDRIVER], ids=["json", "human", "stackdriver"])
def test_every_form_gives_the_event(form: str, line: str) -> None:
    assert only(read_events(FORMS[form](line).encode(), BOTH)) == EVENT


@pytest.mark.parametrize(
    "line", [STACKDRIVER, f"[{STACKDRIVER}]", f"{STACKDRIVER},", f"{STACKDRIVER} {{}}", f"[{STACKDRIVER},{{"]
)
def test_of_a_key_that_an_entry_for_stackdriver_has_twice_the_first_is_its_own(line: str) -> None:
    for body in (line, f"{OTHER}\n{line}", json.dumps({"log": line})):
        (entry,) = read_events(body.encode(), BOTH).entries
        assert isinstance(entry, Event)
        assert (entry.value, entry.message) == (EVENT, AUDIT_LOG)


@pytest.mark.parametrize("line", [LINE, HUMAN])
def test_a_field_of_journald_is_a_line(line: str) -> None:
    sent = read_events(f"__CURSOR=s=1;i=2\nPRIORITY=6\nMESSAGE={line}\n_PID=1\n\n".encode(), BOTH)
    assert [entry.value for entry in sent.entries if isinstance(entry, Event)] == [EVENT]


@pytest.mark.parametrize("key", ["fields", "extra", "meta", "metadata", "attributes"])
@pytest.mark.parametrize("name", ["msg", "message", "body"])
def test_a_logging_library_puts_the_fields_where_it_likes(key: str, name: str) -> None:
    assert only(read_events(json.dumps({"level": "info", name: AUDIT_LOG, key: FIELDS}).encode(), BOTH)) == EVENT


@pytest.mark.parametrize(
    "body",
    [
        "time=t level=info msg=audit_log ID=x Action=write ResourceTarget=a",
        f"payload={quote(LINE)}",
        json.dumps({"records": [{"data": b64encode(LINE.encode()).decode()}]}),
        json.dumps({"streams": [{"stream": {}, "values": [["1", LINE]]}]}),
        "".join(f"{len(frame)} {frame}" for frame in ("<13>1 - - - - - - a banner", f"<13>1 - - - - - - {LINE}")),
    ],
    ids=["logfmt", "form", "base64", "loki", "octets"],
)
def test_forms_that_the_page_calls_unread_are_skipped(body: str) -> None:
    sent = read_events(body.encode(), BOTH)
    assert (sent.entries, sent.skipped) == ((), 1)


def test_nobody_passes_for_an_event_in_a_field_of_another_program() -> None:
    for value in (LINE, json.loads(LINE), FIELDS):
        for name in ("user_agent", "error", "path", "request", "labels"):
            sent = read_events(json.dumps({"level": "info", "msg": "request", name: value}).encode(), BOTH)
            assert (sent.entries, sent.skipped) == ((), 1)


@pytest.mark.parametrize("form", FORMS)
def test_in_no_form_is_another_line_an_event(form: str) -> None:
    for line in (OTHER, "a banner", "    {" + LINE[1:]):
        sent = read_events(FORMS[form](line).encode(), BOTH)
        assert not sent.entries
        assert sent.skipped


def docker(text: str, stream: str = "stderr") -> str:
    """A line of Docker's own log file."""
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-20T10:00:00Z"}, separators=(",", ":"))


@pytest.mark.parametrize("length", [100, 16_384, 16_385, 40_000])
@pytest.mark.parametrize("line", [LINE, HUMAN], ids=["json", "human"])
def test_a_line_that_docker_divides_is_one_event(line: str, length: int) -> None:
    long = line.replace("write", "w" * length) + "\n"
    parts = [docker(long[start : start + 16_384]) for start in range(0, len(long), 16_384)]
    between = docker("a banner\n", "stdout")
    (entry,) = read_events("\n".join([docker(line + "\n"), *parts, docker(OTHER + "\n")]).encode(), BOTH).entries[1:]
    assert isinstance(entry, Event)
    assert entry.value["action"] == "w" * length
    mixed = read_events(f"\n{between}\n".join([between, *parts]).encode(), BOTH)
    assert ([entry.value for entry in mixed.entries if isinstance(entry, Event)], mixed.skipped) == (
        [entry.value],
        len(parts) + 1,
    )


def test_lines_of_docker_without_their_breaks_are_whole() -> None:
    sent = read_events("\n".join([docker(LINE), docker(HUMAN), docker("\\n"), docker(LINE)]).encode(), BOTH)
    assert [entry.value for entry in sent.entries if isinstance(entry, Event)] == [EVENT] * 3


@pytest.mark.parametrize("joint", ["", " ", "\n"])
def test_objects_may_stand_one_after_the_other(joint: str) -> None:
    sent = read_events(joint.join([LINE, OTHER, LINE]).encode(), BOTH)
    assert [entry.value for entry in sent.entries if isinstance(entry, Event)] == [EVENT, EVENT]
    assert sent.skipped == 1


def test_an_event_may_have_a_message_and_a_level_of_its_own() -> None:
    event = {"msg": "any", "level": 30, "connection_status": "connected", "workspace_id": "x"}
    for body in (json.dumps(event), json.dumps({"logs": [event]}), f"{OTHER}\n{json.dumps(event)}"):
        (entry,) = read_events(body.encode(), BOTH).entries
        assert isinstance(entry, Event)
        assert (entry.value, entry.message) == (event, "")


def hec_body(*events: object) -> bytes:
    return "".join(json.dumps({"time": 1, "host": "coder", "event": event}) for event in events).encode()


def otlp_body(*records: dict[str, Any]) -> bytes:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [*records]}]}]}).encode()


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": any_value(inner)} for key, inner in value.items()]}}
    return {"stringValue": value}


@pytest.mark.parametrize("event", [LINE, HUMAN, STACKDRIVER, json.loads(LINE), {"log": LINE}])
def test_a_client_of_splunk_sends_lines_or_objects(event: object) -> None:
    assert only(hec.read_events(hec_body(event), BOTH)) == EVENT
    assert hec.read_events(hec_body("a banner", OTHER), BOTH) == Sent((), 2)


@pytest.mark.parametrize(
    "record",
    [
        {"timeUnixNano": "1", "severityText": "INFO", "body": {"stringValue": LINE}},
        {"body": {"stringValue": HUMAN}},
        {"body": any_value({"msg": AUDIT_LOG, "fields": FIELDS})},
        {"body": {"stringValue": AUDIT_LOG}, "attributes": any_value(FIELDS)["kvlistValue"]["values"]},
        {"attributes": any_value({"msg": AUDIT_LOG, "fields": FIELDS})["kvlistValue"]["values"]},
    ],
)
def test_a_collector_of_opentelemetry_sends_lines_maps_or_attributes(record: dict[str, Any]) -> None:
    assert only(otlp.read_events(otlp_body(record), BOTH)) == EVENT
    assert otlp.read_events(otlp_body({"body": {"stringValue": "a banner"}}, {}), BOTH) == Sent((), 2)


@pytest.mark.parametrize(
    "body", [b"[", b"{", b"7", b'{"logs": []}', b'{"resourceLogs": 7}', b'{"resourceLogs": [7]}', b"\x0a\x12\x08"]
)
def test_what_no_collector_sends_is_told(body: bytes) -> None:
    with pytest.raises(BadRequest):
        otlp.read_events(body, BOTH)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", hec.NoData),
        (b" \n\x00", hec.NoData),
        (b"no json", BadRequest),
        (b"7", hec.NoEvent),
        (b'{"time": 1}', hec.NoEvent),
        (b'[{"time": 1}]', hec.NoEvent),
    ],
)
def test_what_no_client_of_splunk_sends_is_told(body: bytes, kind: type[BadRequest]) -> None:
    with pytest.raises(BadRequest) as caught:
        hec.read_events(body, BOTH)
    assert type(caught.value) is kind


def test_of_a_splunk_body_with_an_error_what_is_whole_is_read() -> None:
    body = hec_body(LINE, "a banner") + b'{"event": {"resource_type": NaN}}' + hec_body(LINE) + b'{"event": {'
    first, broken, last = hec.read_events(body, BOTH).entries
    assert isinstance(first, Event)
    assert isinstance(broken, Unreadable)
    assert isinstance(last, Event)
    assert [(first.value, first.index), broken.index, (last.value, last.index)] == [(EVENT, 0), 2, (EVENT, 3)]


def test_an_exporter_that_sends_protocol_buffers_is_told_to_send_json() -> None:
    with pytest.raises(BadRequest) as caught:
        otlp.read_events(b"\x0a\x12\x08\x01", BOTH)
    assert caught.value.detail == "Protocol Buffers are not read: set the encoding to json"


def test_an_event_that_a_collector_sends_shows_by_its_fields_of_which_log_it_is() -> None:
    connection = {"connection_status": "connected", "workspace_id": "x"}
    audit = {"resource_type": "user", "action": "write"}
    sent = hec.read_events(hec_body(connection, audit, {"a": 1}, 7, None), BOTH)
    assert [(entry.index, entry.message) for entry in sent.entries if isinstance(entry, Event)] == [
        (0, CONNECTION_LOG),
        (1, AUDIT_LOG),
    ]
    assert (len(sent.entries), sent.skipped) == (2, 3)


@pytest.mark.parametrize("reader", [hec.read_events, otlp.read_events])
def test_a_document_of_a_collector_has_the_limit_of_every_document(reader: Callable[..., Sent]) -> None:
    with pytest.raises(TooLarge):
        reader(hec_body("x" * MAX_BYTES), BOTH)


KEYS = (
    *(
        "log",
        "message",
        "MESSAGE",
        "msg",
        "event",
        "fields",
        "logs",
        "events",
        "resourceLogs",
        "scopeLogs",
        "logRecords",
    ),
    *("body", "stringValue", "kvlistValue", "arrayValue", "values", "key", "value", "attributes"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([LINE, HUMAN, AUDIT_LOG, OTHER]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
PIECES = st.sampled_from(
    [LINE, HUMAN, STACKDRIVER, f"{CRI} P ", f"{CRI} F ", "\n", "    ", "{", '"', " ...", "\x00", "<1>1 ", "[x] "]
)
BODIES = st.one_of(
    JSON.map(json.dumps),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(JSON.map(json.dumps), max_size=4).map("\n".join),
)


@pytest.mark.parametrize("reader", [read_events, hec.read_events, otlp.read_events])
@given(body=BODIES | st.text(max_size=80))
@settings(deadline=None, max_examples=300)
def test_any_body_is_events_or_an_error_a_client_may_hear(
    reader: Callable[[bytes, tuple[str, ...]], Sent], body: str
) -> None:
    try:
        sent = reader(body.encode(errors="replace"), BOTH)
    except BadRequest:
        return
    indexes = [entry.index for entry in sent.entries]
    assert indexes == sorted(indexes)
    for entry in sent.entries:
        assert isinstance(entry, Unreadable) or entry.message in ("", *BOTH)


# Amounts: what is read is paid for, and no more than a limit is read.


@pytest.mark.parametrize("before", [b"", b"{}\n"])
def test_lines_that_can_be_no_events_are_counted_and_not_looked_at(before: bytes) -> None:
    sent = read_events(before + b"x\n" * 1_200_000, BOTH)
    assert (sent.entries, sent.skipped, sent.stopped_at) == ((), 1_200_000 + len(before) // 3, None)


@pytest.mark.parametrize("line", [b'{"action":1,"resource_id":1}\n', b'{"msg":"audit_log"\n', b'[{"resource_type"\n'])
def test_no_more_is_read_than_a_body_of_events_can_have(line: bytes) -> None:
    sent = read_events(b"x\n" + line * (MAX_EVENTS + 10), BOTH)
    assert (len(sent.entries), sent.skipped, sent.stopped_at) == (MAX_EVENTS, 1, MAX_EVENTS + 1)


@pytest.mark.parametrize("line", [b"[\n", b"{\n", b"[{\n", b"{}\n"])
def test_no_more_is_looked_at_than_lines_of_a_log_can_be(line: bytes) -> None:
    sent = read_events(b"x\n" + line * (MAX_READ + 10), BOTH)
    assert (sent.entries, sent.stopped_at) == ((), MAX_READ)


def test_of_lines_beyond_the_limit_the_first_are_taken() -> None:
    lines = [LINE + " " * 5_000] * (MAX_BYTES // 5_000)
    sent = read_events("\n".join(lines).encode(), BOTH)
    assert 0 < len(sent.entries) < len(lines)
    assert sent.stopped_at == len(sent.entries)
    with pytest.raises(TooLarge):
        read_events(json.dumps([LINE + " " * 5_000] * 1_000).encode(), BOTH)
