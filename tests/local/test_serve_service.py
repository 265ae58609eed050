"""The serve command says how to use the service, and what it says works, until a signal ends it in time."""

from __future__ import annotations

import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.local.served import Started, ongoing, paste, started


@pytest.fixture(scope="module")
def token_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("token") / "token"


@pytest.fixture(scope="module")
def service(token_file: Path) -> Iterator[Started]:
    with started("--token-file", str(token_file)) as running:
        yield running
        running.end()


def test_it_prints_its_real_address_and_a_token_that_works(service: Started) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", service.url)
    user = paste(f"curl -H 'Coder-Session-Token: {service.token}' {service.url}/api/v2/users/me")
    assert [role["name"] for role in user["roles"]] == ["owner"]


def test_the_three_curl_lines_work_when_pasted(service: Started) -> None:
    assert len(service.curls) == 3
    assert paste(service.curls[0])["connection_logs"], "a small lively sample is loaded by default"
    before = len(ongoing(service))
    paste(service.curls[2])
    assert len(ongoing(service)) == before + 1


def test_the_token_file_holds_the_printed_token(service: Started, token_file: Path) -> None:
    assert token_file.read_text() == service.token + "\n"
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_it_says_when_nothing_is_kept(service: Started) -> None:
    assert "Nothing is kept" in service.text


@pytest.mark.parametrize(
    ("host", "prefix", "number"),
    [("127.0.0.1", "http://127.0.0.1:", signal.SIGINT), ("::1", "http://[::1]:", signal.SIGTERM)],
)
def test_it_serves_ipv4_and_ipv6_until_a_signal_ends_it_in_time_with_an_idle_connection_open(
    host: str, prefix: str, number: int
) -> None:
    with started("--no-sample", "--host", host) as service:
        assert service.url.startswith(prefix)
        with socket.create_connection((host, urlsplit(service.url).port or 0)) as idle:
            assert paste(service.curls[0])["connection_logs"] == []
            service.end(number)
            assert idle.recv(1) == b""
