"""Exports on a laptop: written and fetched by links as on AWS, kept with `--data` through any end of the process."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import requests

from chalicelib.errors import Forbidden, NotFound, Unavailable
from chalicelib.settings import Settings
from chalicelib.store import clients
from chalicelib.store.exports import files
from scripts.local import bucket
from scripts.local.engine import EmbeddedEngine
from scripts.local.exports import Function
from scripts.local.schedule import Context
from tests.local.served import GIVE_UP_AFTER_SECONDS, Started, started

SECONDS = 30
LIVES = timedelta(minutes=10)


class Api(NamedTuple):
    """The exports of a served instance."""

    service: Started

    def ask(self, **body: str) -> str:
        reply = self._send("POST", "", json={"log": "connection", **body})
        assert reply.status_code == 202, reply.text
        return str(reply.json()["id"])

    def ended(self, export_id: str) -> dict[str, Any]:
        give_up_at = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while True:
            body: dict[str, Any] = self._send("GET", f"/{export_id}").json()
            if body["state"] != "running":
                return body
            assert time.monotonic() < give_up_at

    def delete(self, export_id: str) -> None:
        assert self._send("DELETE", f"/{export_id}").status_code == 204
        assert self._send("GET", f"/{export_id}").status_code == 404

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Coder-Session-Token": self.service.token}
        return requests.request(
            method, f"{self.service.url}/api/v2/exports{path}", headers=headers, timeout=SECONDS, **more
        )


def fetched(body: dict[str, Any]) -> bytes:
    manifest = requests.get(body["manifest_url"], timeout=SECONDS).json()
    assert manifest["status"] == body["state"] == "complete"
    (part,) = body["parts"]
    reply = requests.get(part["url"], timeout=SECONDS)
    assert reply.headers["content-disposition"] == f'attachment; filename="{part["name"]}"'
    assert hashlib.sha256(reply.content).hexdigest() == part["sha256"] == manifest["parts"][0]["sha256"]
    return reply.content


def test_an_export_is_written_fetched_and_kept_through_a_kill_and_deleted(tmp_path: Path) -> None:
    with started("--data", str(tmp_path), "--stage", "prod") as service:
        api = Api(service)
        first = api.ask(format="csv")
        body = api.ended(first)
        content = fetched(body)
        assert gzip.decompress(content).startswith("\ufeff".encode())
        link = body["parts"][0]["url"]
        for wrong in (f"{link}0", link.replace("part-00001.csv.gz?", "manifest.json?"), link.partition("?")[0]):
            refused = requests.get(wrong, timeout=SECONDS)
            assert (refused.status_code, refused.json()["message"]) == (403, "Forbidden.")
        second = api.ask(q="type:ssh")
        service.process.kill()
    with started("--data", str(tmp_path), "--stage", "prod") as service:
        api = Api(service)
        assert fetched(api.ended(first)) == content
        rows = [json.loads(line) for line in gzip.decompress(fetched(api.ended(second))).decode().splitlines()]
        assert {row["type"] for row in rows} == {"ssh"}
        assert {path.name for path in (tmp_path / "exports").iterdir()} == {first, second}
        api.delete(first)
        assert {path.name for path in (tmp_path / "exports").iterdir()} == {second}
        service.end()


@pytest.fixture
def name(shared: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a bucket of the engine, whose links lead to this machine."""
    assert shared.running
    made = f"exports-{uuid4().hex}"
    for variable in ("AWS_ENDPOINT_URL_S3", "MOTO_S3_CUSTOM_ENDPOINTS"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setattr(files, "current", lambda: Settings(export_bucket=made))
    clients.client.cache_clear()
    yield made
    clients.client.cache_clear()


def test_a_link_gives_one_file_for_ten_minutes(name: str) -> None:
    with bucket.bucket(name, None):
        files.put("one", "part-00001.csv.gz", b"rows")
        link, other = (files.link("one", f"part-0000{number}.csv.gz", LIVES) for number in (1, 2))
        now = datetime.now(UTC)
        assert bucket.opened(link, name, now).content == b"rows"
        for late, wrong in ((601, link), (0, f"{link}&more=1"), (0, link.replace("=600", "=6000")), (0, "http://x/")):
            with pytest.raises(Forbidden):
                bucket.opened(wrong, name, now + timedelta(seconds=late))
        with pytest.raises(NotFound):
            bucket.opened(other, name, now)


def test_files_are_on_disk_until_they_are_deleted_or_their_export_is_gone(name: str, tmp_path: Path) -> None:
    def kept() -> set[str]:
        return {path.relative_to(tmp_path / "exports").as_posix() for path in tmp_path.rglob("*") if path.is_file()}

    with bucket.bucket(name, tmp_path):
        for export_id in ("one", "two", "three"):
            files.put(export_id, "manifest.json", export_id.encode())
        files.clear("three")
    files.put("four", "manifest.json", b"outside of the context")
    (tmp_path / "exports/one/part-00001.csv.gz.unfinished").write_bytes(b"ro")
    assert kept() == {"one/manifest.json", "two/manifest.json", "one/part-00001.csv.gz.unfinished"}
    bucket.forget_but(tmp_path, ["one", "four"])
    with bucket.bucket(f"{name}-again", tmp_path):
        link = files.link("one", "manifest.json", LIVES).replace(name, f"{name}-again")
        assert kept() == {"one/manifest.json"}
        with pytest.raises(Forbidden):
            bucket.opened(link, f"{name}-again", datetime.now(UTC))


def test_a_function_that_fails_runs_again_and_the_next_export_is_not_held_up() -> None:
    runs: list[str] = []
    done = threading.Event()

    def run(event: dict[str, Any], context: Context) -> None:
        assert context.get_remaining_time_in_millis() > 800_000
        runs.append(event["id"])
        match event["id"]:
            case "broken":
                raise ValueError
            case "late" if runs.count("late") == 1:
                raise Unavailable("The bucket did not answer.")
            case "last":
                done.set()

    with Function(run, "write_export", pause_seconds=0.0) as writer:
        for export_id in ("broken", "late", "last"):
            writer.start("write_export", export_id)
        assert done.wait(GIVE_UP_AFTER_SECONDS)
    assert runs == ["broken", "broken", "broken", "late", "late", "last"]
