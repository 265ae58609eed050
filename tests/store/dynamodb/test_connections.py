"""Connections are kept, are given up in time, and go by the proxy and the certificates that botocore would use."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import SSLError
from urllib3 import Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

from chalicelib.store.dynamodb.connections import Connections, Reply
from tests.store.dynamodb.conftest import HANGS_UP, Answer, Endpoint


def connections(url: str, ca_bundle: str | None = None, read: float = 3.0) -> Connections:
    return Connections(url, ca_bundle, Timeout(connect=1, read=read))


def test_a_connection_is_used_again(endpoint: Endpoint) -> None:
    post = connections(endpoint.url).post
    assert [post({}, b"{}") for _ in range(5)] == [Reply(200, b"{}")] * 5
    assert len({request.connection for request in endpoint.received}) == 1


def test_a_redirection_is_an_answer_and_not_followed(endpoint: Endpoint) -> None:
    endpoint.answer_with(Answer(307))
    assert connections(endpoint.url).post({}, b"{}").status == 307


def test_an_answer_that_is_too_late_is_not_waited_for(endpoint: Endpoint) -> None:
    endpoint.answer_with(Answer(200, after_seconds=30))
    with pytest.raises(ReadTimeoutError):
        connections(endpoint.url, read=0.05).post({}, b"{}")
    assert len(endpoint.received) == 1


def test_a_request_is_sent_once(endpoint: Endpoint) -> None:
    endpoint.answer_with(HANGS_UP)
    with pytest.raises(HTTPError):
        connections(endpoint.url).post({}, b"{}")
    assert len(endpoint.received) == 1


def test_an_endpoint_that_is_not_there_is_told() -> None:
    with pytest.raises((NewConnectionError, ConnectTimeoutError)):
        connections("http://127.0.0.1:1").post({}, b"{}")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_requests_go_by_the_proxy_of_the_environment(
    name: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(name, endpoint.url.replace("http://", "http://user:password@"))
    reply = connections("http://dynamodb.eu-central-1.amazonaws.com/").post({"X-Amz-Target": "Query"}, b"{}")
    assert reply.status == 200
    (request,) = endpoint.received
    assert request.path == "http://dynamodb.eu-central-1.amazonaws.com/"
    assert request.headers["Proxy-Authorization"] == "Basic dXNlcjpwYXNzd29yZA=="


def test_what_no_proxy_names_is_reached_without_it(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert connections(endpoint.url).post({}, b"{}").status == 200


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, signed by itself, and its key."""
    place = tmp_path_factory.mktemp("authority")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2"
    command += " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(command.split(), cwd=place, check=True, capture_output=True)  # noqa: S603 - ours
    return place


def test_certificates_are_checked_against_the_bundle(
    authority: Path, endpoint: Endpoint, tls_endpoint: Endpoint
) -> None:
    assert endpoint.url
    trusted = str(authority / "certificate.pem")
    assert connections(tls_endpoint.url, trusted).post({}, b"{}").status == 200
    with pytest.raises(HTTPError, match="CERTIFICATE_VERIFY_FAILED"):
        connections(tls_endpoint.url).post({}, b"{}")


def test_a_bundle_that_is_not_there_is_told_as_botocore_tells_it() -> None:
    with pytest.raises(SSLError):
        connections("https://127.0.0.1:1", os.devnull + "/none")
