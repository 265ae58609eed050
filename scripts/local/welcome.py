"""The lines that greet a newcomer: the address, the token, where rows are, and three commands to paste."""

from __future__ import annotations

import json
import shlex
import uuid
from datetime import UTC, datetime
from pathlib import Path


def curl_lines(url: str, token: str, organization_id: str, owner_id: str) -> list[str]:
    """Three commands to paste: list the connection log, ask it a question, add an event that answers the question."""
    header = "-H " + shlex.quote(f"Coder-Session-Token: {token}")
    logs = shlex.quote(f"{url}/api/v2/connectionlog")
    event = {
        "time": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "connection_status": "connected",
        "connection_id": str(uuid.uuid4()),
        "organization_id": organization_id,
        "workspace_owner_id": owner_id,
        "workspace_id": str(uuid.uuid4()),
        "workspace_name": "first-workspace",
        "agent_name": "main",
        "type": "ssh",
        "ip": "192.0.2.1",
    }
    line = shlex.quote(json.dumps(event, separators=(",", ":")))
    return [
        f"curl {header} {shlex.quote(url + '/api/v2/connectionlog?limit=3')}",
        f"curl -G {header} --data-urlencode 'q=status:ongoing type:ssh' {logs}",
        f"curl {header} -H 'Content-Type: application/x-ndjson' --data-binary {line} {logs}",
    ]


def where_rows_are(endpoint: str | None, data: Path | None) -> str:
    """One sentence about where rows are, and whether they outlive this process."""
    if endpoint:
        return f"Rows are in the engine at {endpoint}."
    if data:
        return f"Rows are kept in {data} for the next start."
    return "Nothing is kept: all rows are gone when this ends. Give --data DIR to keep them."
