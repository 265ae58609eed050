"""A new process loads the modules that its first request needs, and few others: counted, as times differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from scripts.gateway.events import proxy_event
from scripts.local.engine import EmbeddedEngine
from scripts.local.engine_port import served

if TYPE_CHECKING:
    from tests.api.conftest import House

ROOT = Path(__file__).parents[2]
PROCESS = """
import json, sys

def loaded():
    return sorted(name for name in sys.modules if name.partition(".")[0] in ("chalicelib", "pydantic"))

from app import app
started = loaded()
status = app(json.loads(sys.argv[1]), None)["statusCode"]
print(json.dumps([status, started, loaded()]))
"""
COPIES = """
import json, os, random, sys
from app import app
import snapshot_restore_py

copied = random.getstate()
for _ in range(2):
    reader, writer = os.pipe()
    if not os.fork():
        random.setstate(copied)  # a fork has other numbers by itself, a copy of a machine has not
        os.write(writer, random.randbytes(8).hex().encode())
        for restored in snapshot_restore_py.registered:
            restored()
        made = app(json.loads(sys.argv[1]), None)
        os.write(writer, json.dumps([made["statusCode"], made["body"], random.random()]).encode())
        os._exit(0)
    os.close(writer)
    os.wait()
    with os.fdopen(reader, "rb") as file:
        text = file.read().decode()
    print(json.dumps([text[:16], *json.loads(text[16:])]))
"""
"""A started process, and two copies of it that are restored as Lambda does and answer a request each."""
LAMBDAS_MODULE = """
registered = []

def register_after_restore(function):
    registered.append(function)
"""
LARGEST = {"/healthz": 115, "/api/v2/users/me": 125, "/api/v2/connectionlog": 165, "/api/v2/audit": 165}
"""The most modules of ours that are loaded once the first request of a process is answered."""


class First(NamedTuple):
    """The first request of a process: its status, and the modules that were loaded before it and after it."""

    status: int
    before: list[str]
    after: list[str]


def run(program: str, event: Mapping[str, Any], url: str, **more: str) -> list[Any]:
    """The lines of JSON that a program prints, run as Lambda runs the application."""
    variables = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_DYNAMODB": url,
        "AWS_LAMBDA_FUNCTION_NAME": "gatebook-api_handler",
        "AWS_SECRET_ACCESS_KEY": "local",
        **more,
    }
    text = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", program, json.dumps(event)],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=variables,
        text=True,
    ).stdout
    return [json.loads(line) for line in text.splitlines()]


def first(event: Mapping[str, Any], url: str) -> First:
    return First(*run(PROCESS, event, url)[-1])


def asked(path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event of a GET, as API Gateway makes it."""
    parameters = {"user": "me"} if path == "/api/v2/users/me" else None
    route = "/api/v2/users/{user}" if parameters else path
    return proxy_event("GET", path, route=route, parameters=parameters, headers=headers)


def ours(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith("chalicelib")]


@pytest.mark.parametrize("path", LARGEST)
def test_the_first_request_loads_what_it_needs(path: str, tables: EmbeddedEngine, house: House) -> None:
    headers = {"Coder-Session-Token": house.token(house.user("ann", "owner"))}
    with served(tables) as url:
        status, before, after = first(asked(path, headers), url)
    assert status == 200
    assert len(ours(before)) <= LARGEST["/healthz"]
    assert len(ours(after)) <= LARGEST[path]
    assert "pydantic" not in after, "only a body needs it, and it takes as long to load as all that is ours"


def test_no_view_is_loaded_before_its_first_request(tables: EmbeddedEngine, house: House) -> None:
    token = house.token(house.user("ann"))
    with served(tables) as url:
        started = first(asked("/api/v2/users/me", {"Coder-Session-Token": token}), url)
    assert "chalicelib.api.users" not in started.before
    assert "chalicelib.api.users" in started.after
    assert "chalicelib.api.connection_logs" not in started.after


def test_copies_of_a_started_process_make_different_tokens_and_random_numbers(
    tables: EmbeddedEngine, house: House, tmp_path: Path
) -> None:
    (tmp_path / "snapshot_restore_py.py").write_text(LAMBDAS_MODULE)
    route = "/api/v2/users/{user}/keys/tokens"
    headers = {"Coder-Session-Token": house.token(house.user("ann")), "Content-Type": "application/json"}
    event = proxy_event(
        "POST", route.replace("{user}", "me"), "{}", route=route, parameters={"user": "me"}, headers=headers
    )
    with served(tables) as url:
        path, kind = str(tmp_path), "snap-start"
        copies = run(COPIES, event, url, PYTHONPATH=path, AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    frozen, statuses, bodies, drawn = zip(*copies, strict=True)
    assert len(set(frozen)) == 1, "as they were copied, both go on with one sequence"
    assert statuses == (201, 201)
    assert len({json.loads(body)["key"] for body in bodies}) == 2
    assert len(set(drawn)) == 2
