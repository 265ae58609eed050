from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.api.specification import DOCUMENT

if TYPE_CHECKING:
    from tests.api.conftest import Client


def test_anybody_may_read_the_document(client: Client) -> None:
    reply = client.get("/api/v2/openapi.json")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.json == json.loads(DOCUMENT.read_text())
    assert reply.json["openapi"] == "3.1.0"
