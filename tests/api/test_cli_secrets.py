"""The requests that Coder's CLI makes about secrets of users are answered as it waits for.

They are those that the commands of the newest client send, as a user with a whole token, and with one that may read
secrets and do nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chalicelib.records import User
    from tests.api.conftest import Client, House

HEADERS = {
    "User-Agent": "coder-cli/v2.34.0 (linux/amd64; coder)",
    "Coder-CLI-Telemetry": "eyJjb21tYW5kIjoic2VjcmV0In0=",
}
PLACE = "/api/v2/users/me/secrets"
CAPABILITIES = "/api/v2/deployment/user-secrets/capabilities"
COLUMNS = {"id", "name", "created_at", "updated_at", "env_name", "file_path", "enabled", "description"}
CREATED = {
    "name": "token",
    "value": "line one\nline two\n",
    "description": "d",
    "env_name": "TOKEN",
    "file_path": "~/t",
}
HELD = {"name": "held", "value": "x", "env_name": "HELD", "enabled": False}
COMMANDS: tuple[tuple[str, str, str, Any, int], ...] = (
    ("secret list (none)", "GET", "", None, 200),
    ("secret create token -d d --env TOKEN --file ~/t < file", "POST", "", CREATED, 201),
    ("secret create bare --value x", "POST", "", {"name": "bare", "value": "x"}, 201),
    ("secret update token --value y", "PATCH", "/token", {"value": "y"}, 200),
    ("secret update token --env ''", "PATCH", "/token", {"env_name": ""}, 200),
    ("secret create held --value x --env HELD --enabled=false", "POST", "", HELD, 201),
    ("secret create bare2 --value x --enabled", "POST", "", {"name": "bare2", "value": "x", "enabled": True}, 400),
    ("secret enable held", "PATCH", "/held", {"enabled": True}, 200),
    ("secret disable held", "PATCH", "/held", {"enabled": False}, 200),
    ("secret enable bare", "PATCH", "/bare", {"enabled": True}, 400),
    ("secret update token", "PATCH", "/token", {}, 400),
    ("secret import a.env", "POST", "/batch", {"format": "env", "content": "A_B=1\n"}, 201),
    ("secret import a.env (again)", "POST", "/batch", {"format": "env", "content": "A_B=1\n"}, 409),
    ("secret import - --input-format JSON", "POST", "/batch", {"format": "json", "content": '{"c-d": "2"}'}, 201),
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
    # A list with a file in it asks whether files are given.
    assert as_ann.get(CAPABILITIES, headers=HEADERS).json == {"file_path_delivery_enabled": True}
    assert [(row["name"], row["enabled"]) for row in as_ann.get(PLACE).json] == [
        ("A_B", True),
        ("bare", False),
        ("c-d", False),
        ("held", False),
    ]


@pytest.mark.usefixtures("keeps_secrets")
def test_a_token_that_reads_secrets_lists_them_and_changes_none(house: House, ann: User, as_ann: Client) -> None:
    made = as_ann.post(PLACE, CREATED, headers=HEADERS).json
    narrow = house.client(ann, scopes=("user_secret:read",))
    assert narrow.get(PLACE, headers=HEADERS).json == [made]
    assert narrow.get(f"{PLACE}/token", headers=HEADERS).json == made
    for command, method, end, body, _ in COMMANDS:
        if method != "GET":
            status = narrow.send(method, PLACE + end, body, headers=HEADERS).status
            assert status in {400, 403, 404}, f"{command}: {status}"
    assert as_ann.get(PLACE).json == [made]
