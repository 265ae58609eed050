"""The log that shippers send: events of both logs in every form that a server prints, among other lines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from chalicelib.logs import service_line
from chalicelib.logs.service_log import AUDIT_LOG, CONNECTION_LOG, FIELDS

BANNER = "Coder v2.31.0 - Your Self-Hosted Remote Development Platform"
TRACE = "goroutine 1 [running]:\n\tmain.main()"

_NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)
_FORMS = ("json", "human", "stackdriver")
_NOISE_EVERY = 10


def made_id(kind: str, number: int) -> str:
    """The id of a thing, the same every time."""
    return str(uuid5(NAMESPACE_URL, f"https://gatebook.invalid/shipping/{kind}/{number}"))


def event(message: str, number: int) -> dict[str, Any]:
    """The event of a number, in the names of an event."""
    shared = {
        "id": made_id(message, number),
        "time": f"{_NOON + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S.%fZ}",
        "organization_id": made_id("organization", 0),
        "user_id": made_id("user", number % 5),
        "ip": f"192.0.2.{number % 250}",
        "user_agent": 'curl/8.0 ("quoted" \x1b, tab\t)',
    }
    if message == CONNECTION_LOG:
        return shared | {
            "workspace_owner_id": made_id("user", 1),
            "workspace_id": made_id("workspace", number % 7),
            "workspace_name": "dev",
            "agent_name": "main",
            "type": "workspace_app",
            "slug_or_port": "code-server",
            "code": 200,
            "connection_status": "connected",
        }
    return shared | {
        "resource_type": "template",
        "resource_id": made_id("template", number),
        "resource_target": f"template {number}",
        "action": "write",
        "status_code": 200,
        "diff": {"name": {"old": f"a={number}", "new": "\U0001f3f4 flag", "secret": False}},
        "additional_fields": {},
    }


def entries(events_per_log: int) -> Iterator[dict[str, Any]]:
    """The log entries of the server: form, message, and fields or an error; events of both logs take turns."""
    for number in range(events_per_log):
        form = _FORMS[number % len(_FORMS)]
        if number % _NOISE_EVERY == 0:
            yield {"form": form, "message": "cannot build", "error": "exit status 1\nline of a trace"}
            yield {"form": form, "message": "listening", "fields": [["addr", "http://[::]:3000"]]}
        for message in (AUDIT_LOG, CONNECTION_LOG):
            made = event(message, number)
            fields = [[name, made.get(field)] for name, field in FIELDS[message].items()]
            yield {"form": form, "message": message, "fields": fields}


def by_coder(program: Path, logged: Sequence[Mapping[str, Any]]) -> str:
    """The lines as Coder's own logger prints them.

    Args:
        program: what `programs/coder` is built to.
        logged: entries.
    """
    sent = "".join(json.dumps(entry) + "\n" for entry in logged)
    printed = subprocess.run([program], input=sent, capture_output=True, text=True, check=True)  # noqa: S603 - built here
    return f"{BANNER}\n{TRACE}\n{printed.stdout}"


def by_gatebook(logged: Sequence[Mapping[str, Any]]) -> str:
    """The entries as Gatebook prints them (`GATEBOOK_SERVICE_LOG`), where Coder's logger is missing."""
    lines = [BANNER, TRACE]
    for entry in logged:
        if entry["message"] not in FIELDS:
            lines.append(f"{_NOON:%Y-%m-%d %H:%M:%S}.000 [info]  coderd: {entry['message']}")
            continue
        names = FIELDS[entry["message"]]
        made = {names[name]: value for name, value in entry["fields"]}
        write = service_line.human_line if entry["form"] == "human" else service_line.json_line
        lines.append(write(entry["message"], made, _NOON))
    return "\n".join(lines) + "\n"
