"""The local server reads HTTP/1.1 strictly: what is malformed or too large is refused in the shape of errors."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib

import pytest

from scripts.gateway.limits import MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_HEADER_BYTES, event_bytes
from scripts.local.server import LocalServer
from tests.local.toy_app import ask, ask_json, assert_refused, port_of, post, raw


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (400, b"nonsense\r\n\r\n"),
        (400, b"GET  HTTP/1.1\r\n\r\n"),
        (400, b"GET / b HTTP/1.1\r\n\r\n"),
        (400, b"GET /event HTTP/x\r\n\r\n"),
        (400, b"get /event HTTP/1.1\r\n\r\n"),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        (431, b"GET /" + b"a" * MAX_HEADER_BYTES + b" HTTP/1.1\r\n\r\n"),
        (431, b"GET /event HTTP/1.1\r\nX: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n"),
        (431, b"GET /event HTTP/1.1\r\n" + b"X: a\r\n" * 2_000 + b"\r\n"),
        (400, b"GET /event HTTP/1.1\r\nno colon\r\n\r\n"),
        (400, post(b"Content-Length: x")),
        (400, post(b"Content-Length: -1")),
        (400, post(b"Content-Length: +5", b"12345")),
        (400, post(b"Content-Length: 1_0")),
        (400, post(b"Content-Length : 5", b"12345")),
        (400, post(b"Content-Length: 1\r\nContent-Length: 2", b"12")),
        (501, post(b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n")),
        (400, post(b"Transfer-Encoding: chunked", b"x\r\n")),
        (400, post(b"Transfer-Encoding: chunked", b"-1\r\n")),
        (400, post(b"Transfer-Encoding: chunked", b"2\r\nabc\r\n0\r\n\r\n")),
    ],
)
def test_what_is_not_http_is_refused_in_the_shape_and_ends_the_connection(
    server: LocalServer, request_bytes: bytes, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = raw(server, request_bytes)
    assert_refused(answer, status)
    assert answer[1]["connection"] == "close"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("body", [b"abc", gzip.compress(b"some text", mtime=0)[:15]])
def test_a_body_that_is_not_what_its_coding_says_is_400(server: LocalServer, body: bytes) -> None:
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(body)}".encode()
    assert_refused(raw(server, post(head, body)), 400)


@pytest.mark.parametrize("value", ["T", "T ", " T", "\tT\t "])
def test_blanks_round_a_value_are_none_of_a_header(server: LocalServer, value: str) -> None:
    request = f"GET /event HTTP/1.1\r\nHost: h\r\nCoder-Session-Token:{value}\r\nConnection: close\r\n\r\n"
    event = json.loads(raw(server, request.encode())[2])
    assert event["headers"]["coder-session-token"] == "T"
    assert event["multiValueHeaders"]["coder-session-token"] == ["T"]


def test_an_unknown_content_encoding_is_415(server: LocalServer) -> None:
    assert_refused(raw(server, post(b"Content-Encoding: br\r\nContent-Length: 3", b"abc")), 415)


def bytes_beside_the_body(http_client: http.client.HTTPConnection) -> int:
    """Of the event of a text of a million bytes and more that is sent to /size."""
    event = ask_json(http_client, "POST", "/event", b"a" * 1_000_000, Content_Type="text/plain")
    return event_bytes(json.loads(json.dumps(event | {"body": ""}).replace("/event", "/size")))


@pytest.mark.parametrize(("beyond", "status"), [(0, 200), (1, 413)])
def test_a_text_of_lambdas_6_mb_passes_and_of_a_byte_more_is_413(
    http_client: http.client.HTTPConnection, beyond: int, status: int
) -> None:
    size = MAX_EVENT_BYTES - bytes_beside_the_body(http_client) + beyond
    response, body = ask(http_client, "POST", "/size", b"a" * size, Content_Type="text/plain")
    assert response.status == status, body[:200]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x00" * 4_900_000, "application/octet-stream"),
        (b'"\n' * 1_600_000, "text/plain"),
        ("é".encode() * 3_200_000, "text/plain"),
        (b"\xff" * 2_200_000, "text/plain"),
    ],
)
def test_base64_and_escapes_count_towards_lambdas_6_mb(
    http_client: http.client.HTTPConnection, body: bytes, content_type: str
) -> None:
    response, answer = ask(http_client, "POST", "/size", body, Content_Type=content_type)
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, answer), 413)
    assert str(MAX_EVENT_BYTES) in json.loads(answer)["detail"]
    assert ask(http_client, "GET", "/event")[0].status == 200


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
def test_a_body_of_more_is_413_though_the_client_sends_all_of_it_first(
    http_client: http.client.HTTPConnection, size: int
) -> None:
    response, body = ask(http_client, "POST", "/size", b"a" * size, Content_Type="text/plain")
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 413)
    assert ask(http_client, "GET", "/event")[0].status == 200


def test_a_declared_length_that_would_fill_the_disk_is_413_before_anything_is_sent(server: LocalServer) -> None:
    assert_refused(raw(server, post(b"Content-Length: 99999999999")), 413)


def test_chunks_over_the_limit_are_413(server: LocalServer) -> None:
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    assert_refused(raw(server, post(b"Transfer-Encoding: chunked", chunk * 11 + b"0\r\n\r\n")), 413)


def test_chunked_bodies_are_joined(server: LocalServer) -> None:
    chunks = b"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n"
    status, _, body = raw(server, post(b"Transfer-Encoding: chunked\r\nConnection: close", chunks))
    assert (status, json.loads(body)) == (200, {"bytes": 13})


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"some text", mtime=0)),
        ("GZIP", gzip.compress(b"some ", mtime=0) + gzip.compress(b"text", mtime=0)),
        ("deflate", zlib.compress(b"some text")),
        ("deflate", zlib.compress(b"some text")[2:-4]),
        ("identity", b"some text"),
        ("x-gzip", gzip.compress(b"some text", mtime=0)),
        ("identity, gzip", gzip.compress(b"some text", mtime=0)),
        ("deflate, , x-gzip", gzip.compress(zlib.compress(b"some text"), mtime=0)),
    ],
)
def test_compressed_bodies_reach_the_app_decompressed(
    http_client: http.client.HTTPConnection, coding: str, body: bytes
) -> None:
    event = ask_json(http_client, "POST", "/event", body, Content_Encoding=coding, Content_Type="text/plain")
    assert event["body"] == "some text"
    assert "content-encoding" not in event["headers"]


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"some text", 415),
        ("gzip, br", b"some text", 415),
        ("gzip, gzip, gzip, gzip", b"some text", 415),
        ("gzip", b"some text", 400),
        ("gzip", gzip.compress(b"some text")[:-9], 400),
        ("deflate", b"some text", 400),
        ("deflate", zlib.compress(b"some text")[:-6], 400),
        ("gzip, deflate", gzip.compress(b"some text"), 400),
    ],
)
def test_a_body_that_is_not_what_its_coding_says_is_refused(
    http_client: http.client.HTTPConnection, coding: str, body: bytes, status: int
) -> None:
    reply, _ = ask(http_client, "POST", "/event", body, Content_Encoding=coding, Content_Type="text/plain")
    assert reply.status == status


@pytest.mark.parametrize(("size", "status"), [(MAX_EVENT_BYTES // 2, 200), (MAX_EVENT_BYTES, 413), (1 << 30, 413)])
def test_the_limits_hold_for_the_decompressed_body(
    http_client: http.client.HTTPConnection, size: int, status: int
) -> None:
    bomb = gzip.compress(b"a" * size, compresslevel=1)
    assert (
        ask(http_client, "POST", "/size", bomb, Content_Encoding="gzip", Content_Type="text/plain")[0].status == status
    )


def test_expect_100_continue_is_answered_before_the_body(server: LocalServer) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as connection:
        connection.sendall(post(b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"12345")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert json.loads(response.read()) == {"bytes": 5}


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_multipart_body_reaches_the_app_as_any_other(
    http_client: http.client.HTTPConnection, content_type: str
) -> None:
    http_client.request("POST", "/event", b"--x\r\n\r\nhello\r\n--x--", {"Content-Type": content_type})
    response = http_client.getresponse()
    assert (response.status, b"hello" in response.read()) == (200, True)
