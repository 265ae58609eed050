"""Checkouts are served from one engine and measured in turns, by what any version has: a command and the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import beside
from bench.beside import OWN, Checkout, NotServed, in_turns, requests, served
from chalicelib.settings import current
from scripts.local import engine_port
from scripts.local.engine import EmbeddedEngine


@pytest.fixture(scope="module")
def endpoint(engine: EmbeddedEngine) -> Iterator[str]:
    with engine_port.served(engine) as url:
        yield url
    engine.clear()


@pytest.fixture(scope="module")
def checkout(endpoint: str) -> Iterator[Checkout]:
    with served(OWN, endpoint, current().table_prefix) as checkout:
        yield checkout


@pytest.mark.parametrize("name", requests())
def test_the_processor_time_of_a_request_is_measured(
    name: str, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "ROUNDS", 1)
    monkeypatch.setattr(beside, "REQUESTS", 2)
    one, other, ratio = in_turns([checkout, checkout], *requests()[name])
    assert 0 < one < 10_000
    assert ratio == one / other


def test_a_request_that_is_refused_is_not_measured(checkout: Checkout) -> None:
    with pytest.raises(RuntimeError, match="was answered 404"):
        checkout.send("GET", "/api/v2/nothing")


def test_a_checkout_that_does_not_start_says_why(endpoint: str, tmp_path: Path) -> None:
    command = tmp_path / "scripts" / "serve"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\necho 'no Python here' >&2\nexit 2\n")
    command.chmod(0o755)
    with pytest.raises(NotServed, match="no Python here"), served(tmp_path, endpoint, ""):
        raise AssertionError("it was served")
