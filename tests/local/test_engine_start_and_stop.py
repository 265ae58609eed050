"""The engine takes in every request of its process, and no other, from start to stop; then all is as before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from scripts.local.engine import EmbeddedEngine, EngineError
from scripts.local.moto_patches import PATCHES
from tests.local.conftest import EVENTS, PAIRS, make_tables, new_client

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("_none_running")
def test_a_second_start_says_that_one_is_running() -> None:
    with EmbeddedEngine() as first:
        for another in (first, EmbeddedEngine()):
            with pytest.raises(EngineError, match="is running in this process already"):
                another.start()
            assert another.running == (another is first)
    assert not first.running
    first.stop()


@pytest.mark.usefixtures("_none_running")
def test_moto_at_work_refuses_the_engine() -> None:
    with mock_aws(), pytest.raises(EngineError, match="is running in this process already"):
        EmbeddedEngine().start()


def replaced() -> list[Any]:
    patched = [vars(patch.owner)[patch.name] for patch in PATCHES]
    return [*patched, vars(BotocoreStubber)["process_request"], dict(os.environ)]


@pytest.mark.usefixtures("_none_running")
def test_stop_puts_everything_back_and_start_begins_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://elsewhere.example")
    before = replaced()
    engine = EmbeddedEngine()
    for _ in range(2):
        with engine:
            assert replaced() != before
            assert engine.tables() == []
            make_tables(new_client())
            assert engine.tables() == [EVENTS, PAIRS]
        assert replaced() == before
        with pytest.raises(EngineError, match="not running"):
            engine.tables()


@pytest.mark.usefixtures("_none_running")
def test_the_region_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with EmbeddedEngine() as engine:
        assert engine.region == os.environ["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_DEFAULT_REGION" not in os.environ
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with engine:
        assert engine.region == os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "nowhere-1")
    with pytest.raises(EngineError, match="'nowhere-1'"):
        engine.start()
    assert not engine.running


@pytest.mark.usefixtures("_none_running")
@pytest.mark.parametrize(("owner", "name"), [(Table, "query"), (Item, "project"), (BotocoreStubber, "process_request")])
def test_a_moto_that_is_not_as_known_is_refused_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    with monkeypatch.context() as other_version:
        other_version.setattr(owner, name, lambda *_: None)
        before = replaced()
        with pytest.raises(EngineError, match=f"{name} of moto .* is not as known; the engine is made for 5.2.5"):
            EmbeddedEngine().start()
        assert replaced() == before
    with EmbeddedEngine() as engine:
        assert engine.running


def test_nothing_leaves_this_machine(local: EmbeddedEngine) -> None:
    assert local.running
    elsewhere = new_client(endpoint_url="http://dynamodb.example")
    with pytest.raises(EngineError, match=r"dynamodb\.example would leave this machine"):
        elsewhere.list_tables()


class AnotherEngine(BaseHTTPRequestHandler):
    """A DynamoDB with one table, on a port of this machine."""

    def do_POST(self) -> None:
        answer = b'{"TableNames": ["of another engine"]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


def test_another_engine_on_this_machine_can_be_asked(local: EmbeddedEngine) -> None:
    server = HTTPServer(("127.0.0.1", 0), AnotherEngine)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        beside = new_client(endpoint_url=f"http://127.0.0.1:{server.server_port}")
        assert beside.list_tables()["TableNames"] == ["of another engine"]
        beside.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert local.tables() == [EVENTS, PAIRS]


FIRST_WRITE = """
import sys
from scripts.local.engine import EmbeddedEngine
from botocore.session import Session
with EmbeddedEngine():
    client = Session().create_client("dynamodb")
    client.create_table(
        TableName="first",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
    client.put_item(TableName="first", Item={"id": {"S": "a"}})
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("moto.")}))
"""


def test_no_other_service_of_moto_is_loaded() -> None:
    loaded = subprocess.run(  # noqa: S603 -- the code is above
        [sys.executable, "-c", FIRST_WRITE], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "dynamodb" in loaded
    assert set(loaded) <= {"backend_index", "backends", "core", "dynamodb", "moto_api", "settings", "utilities"}
