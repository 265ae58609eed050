"""The requests that Coder's CLI makes about secrets of users are answered as it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Client

HEADERS = {
    "User-Agent": "coder-cli/v2.34.0 (linux/amd64; coder)",
    "Coder-CLI-Telemetry": "eyJjb21tYW5kIjoic2VjcmV0In0=",
}
PLACE = "/api/v2/users/me/secrets"
COLUMNS = {"name", "created_at", "updated_at", "env_name", "file_path", "description"}
CREATED = {
    "name": "token",
    "value": "line one\nline two\n",
    "description": "d",
    "env_name": "TOKEN",
    "file_path": "~/t",
}
COMMANDS: tuple[tuple[str, str, str, Any, int], ...] = (
    ("secret list (none)", "GET", "", None, 200),
    ("secret create token -d d --env TOKEN --file ~/t < file", "POST", "", CREATED, 201),
    ("secret create bare --value x", "POST", "", {"name": "bare", "value": "x"}, 201),
    ("secret update token --value y", "PATCH", "/token", {"value": "y"}, 200),
    ("secret update token --env ''", "PATCH", "/token", {"env_name": ""}, 200),
    ("secret list", "GET", "", None, 200),
    ("secret list token -o json", "GET", "/token", None, 200),
    ("secret delete token -y", "DELETE", "/token", None, 204),
    ("secret list token", "GET", "/token", None, 404),
)


@pytest.mark.usefixtures("keeps_secrets")
def test_every_command_hears_what_it_waits_for(as_ann: Client) -> None:
    for command, method, end, body, status in COMMANDS:
        reply = as_ann.send(method, PLACE + end, body, headers=HEADERS)
        assert reply.status == status, f"{command}: {reply.status} {reply.text}"
        match reply.json if reply.text else None:
            case list() as rows:
                assert all(row.keys() >= COLUMNS for row in rows)
            case {"message": _}:
                assert status >= 400
            case dict() as row:
                assert row.keys() >= COLUMNS
                assert "value" not in row
    assert [row["name"] for row in as_ann.get(PLACE).json] == ["bare"]
