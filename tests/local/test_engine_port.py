"""The embedded engine answers over HTTP what it answers in this process, to any botocore client."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from scripts.local.engine import EmbeddedEngine, EngineError
from scripts.local.engine_port import served
from tests.local.conftest import EVENTS, new_client


def test_what_is_written_through_the_port_is_in_the_engine(local: EmbeddedEngine) -> None:
    with served(local) as url:
        client = new_client(endpoint_url=url)
        item = {"id": {"S": "a"}, "raw": {"B": b"\x00\xff"}, "user": {"S": "änn"}}
        client.put_item(TableName=EVENTS, Item=item)
        assert client.get_item(TableName=EVENTS, Key={"id": {"S": "a"}})["Item"] == item
    assert new_client().get_item(TableName=EVENTS, Key={"id": {"S": "a"}})["Item"] == item


def test_a_refusal_is_told_as_dynamodb_tells_it(local: EmbeddedEngine) -> None:
    with served(local) as url:
        client = new_client(endpoint_url=url)
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_item(TableName="nothing", Key={"id": {"S": "a"}})


def test_many_may_ask_at_once(local: EmbeddedEngine) -> None:
    with served(local) as url, ThreadPoolExecutor(8) as pool:
        client = new_client(endpoint_url=url)
        list(pool.map(lambda n: client.put_item(TableName=EVENTS, Item={"id": {"S": str(n)}}), range(40)))
    assert len(local.items(EVENTS)) == 40


def test_nobody_answers_when_the_engine_has_stopped(local: EmbeddedEngine) -> None:
    stopped = EmbeddedEngine()
    assert local.running
    with pytest.raises(EngineError, match="not running"):
        stopped.answer("DynamoDB_20120810.ListTables", b"{}")


def test_the_port_is_closed_afterwards(local: EmbeddedEngine) -> None:
    with served(local) as url, closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
        connection.request("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables"})
        assert json.loads(connection.getresponse().read()) == {"TableNames": local.tables()}
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection, pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system has it
        connection.request("GET", "/")
