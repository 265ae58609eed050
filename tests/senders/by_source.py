"""Requests of shippers that no package registry has, by their source: method, headers and body, per batch."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

TOKEN = "{token}"
"""In the place of the token of a served instance."""


class Request(NamedTuple):
    """One request of a shipper.

    Attributes:
        path: where it goes; empty for the address of the log.
        headers: as they are sent.
        body: its bytes.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


def fluent_bit(lines: Sequence[str]) -> Iterator[Request]:
    """The `http` output with `format json_lines`: plugins/out_http/http.c, records of the `tail` input."""
    records = [json.dumps({"date": 1_763_632_800.5, "log": line}) + "\n" for line in lines]
    headers = {"Content-Type": "application/json", "User-Agent": "Fluent-Bit", "Coder-Session-Token": TOKEN}
    yield Request("", headers, "".join(records).encode())


def fluent_bit_array(lines: Sequence[str]) -> Iterator[Request]:
    """The output with `format json` and `compress gzip`."""
    records = [{"date": 1_763_632_800.5, "log": line} for line in lines]
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "User-Agent": "Fluent-Bit"}
    yield Request("", {**headers, "Coder-Session-Token": TOKEN}, gzip.compress(json.dumps(records).encode(), mtime=0))


def fluent_bit_splunk(lines: Sequence[str]) -> Iterator[Request]:
    """The `splunk` output: plugins/out_splunk/splunk.c, objects with nothing between."""
    records = [json.dumps({"time": 1_763_632_800.5, "event": {"log": line}}) for line in lines]
    headers = {"Content-Type": "application/json", "User-Agent": "Fluent-Bit", "Authorization": f"Splunk {TOKEN}"}
    yield Request("/services/collector/event", headers, "".join(records).encode())


def vector(lines: Sequence[str]) -> Iterator[Request]:
    """The `http` sink with `encoding.codec = "json"`: src/sinks/http, an array of the events of the `file` source."""
    about = {"file": "/var/log/coder.log", "host": "h", "source_type": "file", "timestamp": "2026-11-20T10:00:00Z"}
    headers = {"content-type": "application/json", "user-agent": "Vector/0.50.0", "coder-session-token": TOKEN}
    yield Request("", headers, json.dumps([{**about, "message": line} for line in lines]).encode())


def vector_lines(lines: Sequence[str]) -> Iterator[Request]:
    """The sink with `framing.method = "newline_delimited"` and `compression = "gzip"`."""
    text = "".join(json.dumps({"message": line, "source_type": "file"}) + "\n" for line in lines)
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip", "coder-session-token": TOKEN}
    yield Request("", headers, gzip.compress(text.encode(), mtime=0))


def vector_splunk(lines: Sequence[str]) -> Iterator[Request]:
    """The `splunk_hec_logs` sink: src/sinks/splunk_hec/logs, after it has asked for the health."""
    records = [json.dumps({"event": {"message": line}, "fields": {}, "time": 1_763_632_800.5}) for line in lines]
    headers = {"content-type": "application/json", "authorization": f"Splunk {TOKEN}", "user-agent": "Vector/0.50.0"}
    yield Request("/services/collector/event", headers, "".join(records).encode())


def rsyslog(lines: Sequence[str]) -> Iterator[Request]:
    """The `omhttp` output with `batch.format="newline"` and a template of the raw message: contrib/omhttp/omhttp.c."""
    headers = {"Content-Type": "text/plain", "Coder-Session-Token": TOKEN, "Accept": "*/*"}
    yield Request("", headers, "\n".join(lines).encode())


def rsyslog_array(lines: Sequence[str]) -> Iterator[Request]:
    """The module with `batch.format="jsonarray"` and a template of JSON."""
    body = "[" + ",".join(json.dumps({"message": line, "hostname": "h"}) for line in lines) + "]"
    yield Request("", {"Content-Type": "application/json", "Coder-Session-Token": TOKEN}, body.encode())


def opentelemetry(lines: Sequence[str]) -> Iterator[Request]:
    """The collector's `otlphttp` exporter with `encoding: json`, gzip, records of the `filelog` receiver."""
    records = [
        {"observedTimeUnixNano": "1763632800500000000", "body": {"stringValue": line}, "traceId": "", "spanId": ""}
        for line in lines
    ]
    body = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": records}]}]}
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Coder-Session-Token": TOKEN}
    yield Request("/v1/logs", headers, gzip.compress(json.dumps(body).encode(), mtime=0))


def line_by_line(lines: Sequence[str]) -> Iterator[Request]:
    """A shipper without batches: syslog-ng with `batch-lines(1)`, Coder's own log through `curl --data-binary @-`."""
    for line in lines:
        yield Request("", {"Coder-Session-Token": TOKEN}, line.encode())


def logstash(lines: Sequence[str]) -> Iterator[Request]:
    """The `http` output with `format => "json_batch"`, of what Filebeat's `filestream` input has sent, with ECS."""
    about = {"@timestamp": "2026-11-20T10:00:00Z", "@version": "1", "input": {"type": "filestream"}, "tags": ["coder"]}
    events = [
        {
            **about,
            "log": {"offset": 1, "file": {"path": "/var/log/coder.log"}},
            "event": {"original": line},
            "message": line,
        }
        for line in lines
    ]
    headers = {"Content-Type": "application/json", "User-Agent": "Manticore 0.9.1", "Coder-Session-Token": TOKEN}
    yield Request("", headers, json.dumps(events).encode())


def fluentd(lines: Sequence[str]) -> Iterator[Request]:
    """The `http` output, lib/fluent/plugin/out_http.rb: a chunk as newline-delimited JSON, by its name of that type."""
    text = "".join(json.dumps({"message": line, "tag": "coder"}) + "\n" for line in lines)
    yield Request("", {"Content-Type": "application/x-ndjson", "Coder-Session-Token": TOKEN}, text.encode())


def line_by_line_with_others(lines: Sequence[str]) -> Iterator[Request]:
    """A shipper without batches that follows a file in which other programs print too, some of it cut."""
    others = ("{", '  "a": 1,', "}", '[{"a":1},', "[[[[", '{"a":', '{"level":"info","msg":"x"}', "panic: x", "", "null")
    for number, line in enumerate(lines):
        for text in (others[number % len(others)], line):
            yield Request("", {"Coder-Session-Token": TOKEN, "Content-Type": "application/json"}, text.encode())


BY_SOURCE: Mapping[str, Callable[[Sequence[str]], Iterator[Request]]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        fluent_bit,
        fluent_bit_array,
        fluent_bit_splunk,
        vector,
        vector_lines,
        vector_splunk,
        rsyslog,
        rsyslog_array,
        opentelemetry,
        logstash,
        fluentd,
        line_by_line,
        line_by_line_with_others,
    )
}
