"""The local server reads HTTP/1.1 strictly: what is malformed or too large is refused in the shape of errors."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import zlib

import pytest

from scripts.local.connection import MAX_HEADER_BYTES
from scripts.local.gateway import MAX_BODY_BYTES
from scripts.local.server import LocalServer
from tests.local.toy_app import ask, ask_json, assert_refused, post, raw


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /event\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET / b HTTP/1.1\r\n\r\n",
        b"GET /event HTTP/x\r\n\r\n",
        b"GET /event HTTP/2.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /event HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /event HTTP/1.1\r\nX: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n",
        b"GET /event HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET /event HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /event HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        post(b"Content-Length: x"),
        post(b"Content-Length: -1"),
        post(b"Content-Length: +5", b"12345"),
        post(b"Content-Length: 1_0"),
        post(b"Content-Length : 5", b"12345"),
        post(b"Content-Length: 1\r\nContent-Length: 2", b"12"),
        post(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
        post(b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", b"x\r\n"),
        post(b"Transfer-Encoding: chunked", b"-1\r\n"),
        post(b"Transfer-Encoding: chunked", b"2\r\nabc\r\n0\r\n\r\n"),
        post(b"Transfer-Encoding: chunked", b"a" * 20_000),
        post(b"Transfer-Encoding: chunked", b"0\r\n" + b"X: a\r\n" * 5_000 + b"\r\n"),
        post(b"Content-Encoding: gzip\r\nContent-Length: 3", b"abc"),
        post(b"Content-Encoding: gzip\r\nContent-Length: 15", gzip.compress(b"some text", mtime=0)[:15]),
    ],
)
def test_what_is_not_http_is_a_400_in_the_shape_and_ends_the_connection(
    server: LocalServer, request_bytes: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = raw(server, request_bytes)
    assert_refused(answer, 400)
    assert answer[1]["connection"] == "close"
    assert capsys.readouterr().err == ""


def test_an_unknown_content_encoding_is_415(server: LocalServer) -> None:
    assert_refused(raw(server, post(b"Content-Encoding: br\r\nContent-Length: 3", b"abc")), 415)


def test_a_body_of_exactly_10_mb_passes(http_client: http.client.HTTPConnection) -> None:
    body = b"a" * MAX_BODY_BYTES
    assert ask_json(http_client, "POST", "/size", body, Content_Type="text/plain") == {"bytes": MAX_BODY_BYTES}


def test_a_longer_body_is_413_though_the_client_sends_all_of_it_first(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "POST", "/size", b"a" * (MAX_BODY_BYTES + 1), Content_Type="text/plain")
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 413)
    assert headers["connection"] == "close"


def test_a_declared_length_over_10_mb_is_413_before_anything_is_sent(server: LocalServer) -> None:
    assert_refused(raw(server, post(b"Content-Length: 99999999999")), 413)


def test_chunks_over_10_mb_are_413_at_the_chunk_that_is_too_much(server: LocalServer) -> None:
    assert_refused(raw(server, post(b"Transfer-Encoding: chunked", b"1\r\na\r\nA00000\r\n")), 413)


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
        ("identity", b"some text"),
    ],
)
def test_compressed_bodies_reach_the_app_decompressed(
    http_client: http.client.HTTPConnection, coding: str, body: bytes
) -> None:
    event = ask_json(http_client, "POST", "/event", body, Content_Encoding=coding, Content_Type="text/plain")
    assert event["body"] == "some text"
    assert "content-encoding" not in event["headers"]


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
def test_the_limit_of_10_mb_holds_for_the_decompressed_body(
    http_client: http.client.HTTPConnection, size: int, status: int
) -> None:
    bomb = gzip.compress(bytes(size), compresslevel=1)
    assert (
        ask(http_client, "POST", "/size", bomb, Content_Encoding="gzip", Content_Type="text/plain")[0].status == status
    )


def test_expect_100_continue_is_answered_before_the_body(server: LocalServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(post(b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"12345")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert json.loads(response.read()) == {"bytes": 5}


def test_a_body_too_large_is_refused_without_asking_for_it(server: LocalServer) -> None:
    request = post(b"Content-Length: 99999999\r\nExpect: 100-continue")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_multipart_body_reaches_the_app_as_any_other(
    http_client: http.client.HTTPConnection, content_type: str
) -> None:
    http_client.request("POST", "/event", b"--x\r\n\r\nhello\r\n--x--", {"Content-Type": content_type})
    response = http_client.getresponse()
    assert (response.status, b"hello" in response.read()) == (200, True)
