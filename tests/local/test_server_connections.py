"""Connections to the local server: kept, parallel, and quiet when they break; shutdown ends all of them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import closing

import pytest

from scripts.gateway.application import Gateway
from scripts.local.server import LocalServer, listen, url_of
from tests.local.toy_app import APP, ENTERED, MAY_FINISH, ask, ask_json, port_of, post, raw, served


def test_one_connection_carries_many_requests_without_delay_of_small_packets(server: LocalServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as client:
        ask(client, "GET", "/event")
        first = client.sock
        for _ in range(20):
            assert ask(client, "GET", "/event")[0].status == 200
        assert client.sock is first


def test_http_1_0_is_answered_and_closed(server: LocalServer) -> None:
    status, headers, _ = raw(server, b"GET /event HTTP/1.0\r\n\r\n")
    assert status == 200
    assert headers["connection"] == "close"


def test_requests_run_in_parallel(server: LocalServer) -> None:
    statuses: list[int] = []

    def meet() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as client:
            statuses.append(ask(client, "GET", "/meet")[0].status)

    threads = [threading.Thread(target=meet) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200, 200]


@pytest.mark.parametrize(
    "partial",
    [
        b"",
        b"GET /ev",
        b"GET /event HTTP/1.1\r\n",
        post(b"Content-Length: 5", b"12"),
        post(b"Transfer-Encoding: chunked", b"5\r\nab"),
    ],
)
def test_a_client_that_goes_away_is_quiet(
    server: LocalServer, http_client: http.client.HTTPConnection, partial: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection:
        connection.sendall(partial)
        # Unread data or not, the linger of zero resets the connection instead of closing it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(http_client, "GET", "/event")[0].status == 200
    deadline = time.monotonic() + 10
    while len(server._channels()) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(server._channels()) == 1
    assert capsys.readouterr().err == ""


def test_shutdown_finishes_the_request_under_way_and_ends_idle_connections() -> None:
    ENTERED.clear()
    MAY_FINISH.clear()
    server = LocalServer(Gateway(APP, {}), listen("127.0.0.1", 0))
    server.start()
    idle = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)
    busy = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)
    with closing(idle), closing(busy):
        assert ask(idle, "GET", "/event")[0].status == 200
        busy.request("GET", "/slow")
        assert ENTERED.wait(10)
        stopping = threading.Thread(target=server.stop, args=(10.0,))
        stopping.start()
        MAY_FINISH.set()
        assert json.loads(busy.getresponse().read()) == {"finished": True}
        stopping.join(10)
        assert not stopping.is_alive()
        assert idle.sock.recv(1) == b""


def test_shutdown_waits_no_longer_than_its_grace() -> None:
    ENTERED.clear()
    MAY_FINISH.clear()
    server = LocalServer(Gateway(APP, {}), listen("127.0.0.1", 0))
    server.start()
    with closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as busy:
        busy.request("GET", "/slow")
        assert ENTERED.wait(10)
        stopping = threading.Thread(target=server.stop, args=(0.05,))
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            busy.getresponse()
        MAY_FINISH.set()


def test_a_client_that_comes_early_waits_until_the_server_starts() -> None:
    listener = listen("127.0.0.1", 0)
    with socket.create_connection(listener.getsockname(), timeout=10) as connection:
        connection.sendall(b"GET /event HTTP/1.0\r\n\r\n")
        server = LocalServer(Gateway(APP, {}), listener)
        server.start()
        assert connection.recv(1000).startswith(b"HTTP/1.0 200 ")
        server.stop()


def test_a_server_that_never_started_can_be_shut_down() -> None:
    LocalServer(Gateway(APP, {}), listen("127.0.0.1", 0)).stop()


def test_a_taken_port_is_an_error_at_once(server: LocalServer) -> None:
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port_of(server))


@pytest.mark.parametrize(
    ("host", "prefix"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("0.0.0.0", "http://127.0.0.1:"),  # noqa: S104 - what is tested
        ("::1", "http://[::1]:"),
        ("::", "http://[::1]:"),
    ],
)
def test_the_address_can_be_called_as_printed(host: str, prefix: str) -> None:
    with closing(listen(host, 0)) as listener:
        assert url_of(listener) == f"{prefix}{listener.getsockname()[1]}"


def test_ipv6_is_served() -> None:
    with (
        served(APP, host="::1") as server,
        closing(http.client.HTTPConnection("::1", port_of(server), timeout=10)) as client,
    ):
        assert ask_json(client, "GET", "/event")["requestContext"]["identity"]["sourceIp"] == "::1"
