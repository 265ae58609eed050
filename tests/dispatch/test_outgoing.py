"""An address is asked once, within bounds, and only where it may be connected to, whatever stands at the other end."""

from __future__ import annotations

import re
import shlex
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.access import networks
from chalicelib.dispatch import outgoing
from chalicelib.dispatch.outgoing import Limits, NoAnswer, Reply, ask

if TYPE_CHECKING:
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\n"
LIMITS = Limits(seconds=10, most_bytes=1_000)
SHORT = Limits(seconds=0.3, most_bytes=1_000)
Talk = Callable[[socket.socket], None]


@contextmanager
def serving(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads one request, says what it is told to, and hangs up; its port, and what it got."""
    heard: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection, tls.wrap_socket(connection, server_side=True) if tls else connection as talking:
                heard.append(_request(talking))
                talk(talking)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
        assert not thread.is_alive(), "the connection was left open"


def _request(connection: socket.socket) -> bytes:
    """A request with as much of a body as it says; whatever else comes, as it comes."""
    text = b""
    while block := connection.recv(65_536):
        text += block
        head, end, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if not text.startswith(b"POST") or (end and len(body) >= int(length[1] if length else 0)):
            break
    return text


def silent(connection: socket.socket) -> None:
    """Says nothing for as long as the other side stays."""
    while connection.recv(65_536):
        pass


def says(text: bytes) -> Talk:
    return lambda connection: connection.sendall(text)


def drips(begin: bytes, drop: bytes) -> Talk:
    """Never ends, and never lets a wait for the next byte take long."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(begin)
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(drop)

    return talk


def test_a_request_arrives_whole_and_its_answer_is_read() -> None:
    with serving(says(OK + b"Content-Length: 5\r\n\r\nhello")) as (port, heard):
        url = f"http://127.0.0.1:{port}/hook?at=1"
        assert ask("POST", url, b"body", {"X-Message-Id": "7"}, LIMITS) == Reply(200, b"hello")
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?at=1 HTTP/1.1\r\n")
    assert {b"X-Message-Id: 7", f"Host: 127.0.0.1:{port}".encode(), b"Content-Length: 4"} <= {*head.split(b"\r\n")}
    assert body == b"body"


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (OK + b"\r\nuntil it hangs up", Reply(200, b"until it hangs up")),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Reply(200, b"hi")),
        (OK + b"Content-Length: 9\r\n\r\nhalf", Reply(200, b"half")),
        (OK + b"\r\n" + b"x" * 5_000, Reply(200, b"x" * 1_000)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", Reply(302, b"")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Reply(204, b"")),
    ],
    ids=["without a length", "chunked", "half of it", "too long", "a redirect", "empty"],
)
def test_the_status_counts_and_so_much_of_the_body_as_may_be_read(answer: bytes, reply: Reply) -> None:
    with serving(says(answer)) as (port, _):
        assert ask("POST", f"http://127.0.0.1:{port}", b"", {}, LIMITS) == reply


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 ", OK + b"X-A: "], ids=["at once", "status", "header"])
def test_an_answer_that_drips_is_cut(begin: bytes) -> None:
    with serving(drips(begin, b"a")) as (port, _), pytest.raises(NoAnswer, match=r"^TimeoutError$"):
        ask("POST", f"http://127.0.0.1:{port}/", b"", {}, SHORT)


def test_a_body_that_drips_is_what_has_come_of_it() -> None:
    with serving(drips(OK + b"\r\n", b"a")) as (port, _):
        reply = ask("POST", f"http://127.0.0.1:{port}/", b"", {}, SHORT)
    assert reply.status == 200
    assert {*reply.body} == {ord("a")}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://nobody.invalid/", "http://127.0.0.1:99999/", "http:///", "http://a b/"]
)
def test_where_nobody_answers_there_is_no_answer(url: str) -> None:
    with pytest.raises(NoAnswer, match=r"^\w+$"):
        ask("POST", url, b"", {}, LIMITS)


@pytest.mark.parametrize("header", ["a\r\nX-Other: 1", "a\nb"])
def test_a_header_is_one_line(header: str) -> None:
    with serving(says(OK)) as (port, heard):
        with pytest.raises(NoAnswer, match="ValueError"):
            ask("POST", f"http://127.0.0.1:{port}/", b"", {"X-Message-Id": header}, LIMITS)
        assert not any(heard)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.5"], ["169.254.169.254"], ["::1"], ["fd00:ec2::254"], ["93.184.215.14", "127.0.0.1"]],
)
def test_a_name_that_means_a_place_within_is_not_connected_to(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connected(*_: Any, **__: Any) -> None:
        pytest.fail("nothing is sent there")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connected)
    limits = LIMITS._replace(may_connect=networks.is_public)
    with pytest.raises(NoAnswer, match="not a public one"):
        ask("POST", "https://provider.example/revoke", b"", {}, limits)


def test_what_was_looked_at_is_connected_to_and_shows_a_certificate_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 2"
        " -subj /CN=provider.example -addext subjectAltName=DNS:provider.example"
    )
    subprocess.run(shlex.split(command), cwd=tmp_path, check=True, capture_output=True)  # noqa: S603 - ours
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    resolve, asked = socket.getaddrinfo, list[str]()

    def resolved(host: str, port: int, **more: Any) -> Any:
        asked.append(host)
        return resolve("127.0.0.1" if host.endswith(".example") else host, port, **more)

    def connect(address: tuple[str, int], seconds: float) -> socket.socket:
        assert address[0] == "127.0.0.1", "and no name that could mean another one by now"
        connection = socket.socket()
        connection.settimeout(seconds)
        connection.connect(address)
        return connection

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connect)
    outgoing._tls.cache_clear()
    try:
        with serving(says(OK + b"Content-Length: 0\r\n\r\n"), tls) as (port, heard):
            assert ask("POST", f"https://provider.example:{port}/revoke", b"t", {}, LIMITS) == Reply(200, b"")
            assert f"Host: provider.example:{port}".encode() in heard[0]
        assert asked == ["provider.example"], "it is resolved once"
        with serving(says(OK), tls) as (port, _), pytest.raises(NoAnswer, match="SSLCertVerificationError"):
            ask("POST", f"https://other.example:{port}/revoke", b"t", {}, LIMITS)
    finally:
        outgoing._tls.cache_clear()


def test_a_handshake_that_never_ends_is_cut() -> None:
    with serving(silent) as (port, _), pytest.raises(NoAnswer, match="Timeout"):
        ask("POST", f"https://127.0.0.1:{port}/", b"", {}, SHORT)
