"""A store that answers what was recorded, and nothing else."""

from __future__ import annotations

from bench import replay
from chalicelib.store.dynamodb.connections import Connections

TARGET = "DynamoDB_20120810.Query"


def test_what_was_recorded_is_answered_and_nothing_else_is() -> None:
    with replay.serving({replay.name_of(TARGET, b'{"a": 1}'): '{"Count": 7}'}) as address:
        connections = Connections(address, None)
        assert connections.post({"X-Amz-Target": TARGET}, b'{"a": 1}') == (200, b'{"Count": 7}')
        assert connections.post({"X-Amz-Target": TARGET}, b'{"a": 2}').status == 404
        assert connections.post({"X-Amz-Target": f"{TARGET}s"}, b'{"a": 1}').status == 404
