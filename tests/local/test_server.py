from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from chalice.app import Chalice, CORSConfig, Response

from scripts.local import server as server_module
from scripts.local.gateway import MAX_BODY_BYTES, accepts_gzip
from scripts.local.server import MAX_HEADER_BYTES, LocalServer, listen, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GATEWAY_HEADERS = {"X-Content-Type-Options": "nosniff"}
BOTH_ARRIVED = threading.Barrier(2)
ENTERED, MAY_FINISH = threading.Event(), threading.Event()


# Shows what reached it, and misbehaves in each way that an app can.
APP = Chalice("toy", configure_logs=False)


def event() -> dict[str, Any]:
    request = APP.current_request
    assert request is not None
    original: dict[str, Any] = request.to_original_event()
    return original


CONTENT_TYPES = ["application/json", "application/x-ndjson", "application/octet-stream", "text/plain"]


@APP.route("/event", methods=["GET", "POST"], content_types=CONTENT_TYPES)
def show_event() -> dict[str, Any]:
    return event()


@APP.route("/users/{user}/keys/{key}", methods=["GET"])
def show_key(user: str, key: str) -> dict[str, Any]:
    return {"user": user, "key": key, "parameters": event()["pathParameters"], "route": event()["resource"]}


@APP.route("/users/{user}/keys/tokens", methods=["GET"])
def show_tokens(user: str) -> dict[str, Any]:
    return {"user": user, "parameters": event()["pathParameters"], "route": event()["resource"]}


@APP.route("/users/{name}", methods=["GET"])
def show_user(name: str) -> dict[str, Any]:
    return {"name": name, "parameters": event()["pathParameters"]}


@APP.route("/size", methods=["POST"], content_types=CONTENT_TYPES)
def show_size() -> dict[str, int]:
    assert APP.current_request is not None
    return {"bytes": len(APP.current_request.raw_body)}


@APP.route("/letters/{count}", methods=["GET"])
def letters(count: str) -> Response:
    return Response("x" * int(count), {"Content-Type": "text/plain"})


@APP.route("/headers", methods=["GET"])
def headers() -> Response:
    return Response("ok", {"X-One": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Length": "99"}, status_code=201)


@APP.route("/nothing", methods=["DELETE"])
def nothing() -> Response:
    return Response("", status_code=204)


@APP.route("/binary", methods=["GET"])
def binary() -> Response:
    return Response(b"\x00\xff", {"Content-Type": "application/octet-stream"})


@APP.route("/bytes", methods=["GET"])
def plain_bytes() -> Response:
    return Response(b"text", {"Content-Type": "text/plain"})


@APP.route("/split", methods=["GET"])
def split_header() -> Response:
    return Response("", {"X-Name": "a\rSet-Cookie: stolen"})


@APP.route("/unserialisable", methods=["GET"])
def unserialisable() -> Response:
    return Response({"secret": object()})


@APP.route("/meet", methods=["GET"])
def meet() -> dict[str, Any]:
    BOTH_ARRIVED.wait(10)
    return {}


@APP.route("/slow", methods=["GET"])
def slow() -> dict[str, bool]:
    ENTERED.set()
    MAY_FINISH.wait(10)
    return {"finished": True}


@APP.route("/time", methods=["GET"])
def remaining() -> dict[str, Any]:
    return {"id": APP.lambda_context.aws_request_id, "ms": APP.lambda_context.get_remaining_time_in_millis()}


@APP.route("/cors", methods=["GET", "PUT"], cors=CORSConfig(allow_origin="https://portal.example", max_age=60))
def with_cors() -> dict[str, Any]:
    return {}


@APP.route("/own-options", methods=["OPTIONS"])
def own_options() -> dict[str, bool]:
    return {"own": True}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    local = LocalServer("127.0.0.1", 0, APP, GATEWAY_HEADERS)
    local.start()
    yield local
    local.shutdown()


@pytest.fixture
def client(server: LocalServer) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        yield connection


def ask(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    client.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = client.getresponse()
    return response, response.read()


def ask_json(
    client: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None, **headers: str
) -> Any:
    response, text = ask(client, method, path, body, **headers)
    assert response.status == 200, text
    return json.loads(text)


def raw(server: LocalServer, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are on a connection of their own; the one answer on it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def assert_refused(answer: tuple[int, dict[str, str], bytes], status: int, message: str | None = None) -> None:
    got, headers, body = answer
    assert got == status, body
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    shape = json.loads(body)
    assert body == json.dumps(shape, separators=(",", ":")).encode() + b"\n"
    assert set(shape) <= {"message", "detail"}
    assert message is None or shape["message"] == message
    assert b"Traceback" not in body


def test_a_concrete_route_wins_over_a_variable_one(client: http.client.HTTPConnection) -> None:
    assert ask_json(client, "GET", "/users/me/keys/tokens") == {
        "user": "me",
        "parameters": {"user": "me"},
        "route": "/users/{user}/keys/tokens",
    }


def test_path_parameters_are_those_of_the_matched_route_still_percent_encoded(
    client: http.client.HTTPConnection,
) -> None:
    assert ask_json(client, "GET", "/users/a%20b/keys/x;y")["parameters"] == {"user": "a%20b", "key": "x%3By"}
    assert ask_json(client, "GET", "/users/ann")["parameters"] == {"name": "ann"}


def test_a_slash_at_the_end_makes_no_difference(client: http.client.HTTPConnection) -> None:
    assert ask_json(client, "GET", "/users/me/")["name"] == "me"


def test_query_parameters_are_decoded_and_repeatable(client: http.client.HTTPConnection) -> None:
    event = ask_json(client, "GET", "/event?q=status%3Aongoing+type:ssh&a=1&a=2&empty=")
    assert event["multiValueQueryStringParameters"] == {
        "q": ["status:ongoing type:ssh"],
        "a": ["1", "2"],
        "empty": [""],
    }
    assert event["queryStringParameters"] == {"q": "status:ongoing type:ssh", "a": "2", "empty": ""}


def test_absent_parts_are_null_as_in_the_gateway(client: http.client.HTTPConnection) -> None:
    event = ask_json(client, "GET", "/event")
    assert event["multiValueQueryStringParameters"] is None
    assert event["queryStringParameters"] is None
    assert event["pathParameters"] is None
    assert event["body"] is None
    assert event["isBase64Encoded"] is False


def test_the_request_context_tells_who_asked_for_what(client: http.client.HTTPConnection) -> None:
    context = ask_json(client, "GET", "/event?x=1", User_Agent="probe/1")["requestContext"]
    assert context["httpMethod"] == "GET"
    assert context["resourcePath"] == context["path"] == "/event"
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "probe/1"}
    assert context["stage"]
    assert context["requestId"]


def test_header_names_are_lower_case_and_the_last_value_wins(server: LocalServer) -> None:
    _, _, body = raw(server, b"GET /event HTTP/1.1\r\nHost: h\r\nX-Tag: one\r\nx-tag: two\r\nConnection: close\r\n\r\n")
    event = json.loads(body)
    assert event["headers"]["x-tag"] == "two"
    assert event["multiValueHeaders"]["x-tag"] == ["one", "two"]


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", b'{"a":1}', False),
        ("application/x-ndjson", "é\n".encode(), False),
        ("application/json", b"\xff\xfe", True),
        ("application/octet-stream", b"abc", True),
        ("application/octet-stream; charset=binary", b"abc", True),
    ],
)
def test_a_body_is_text_unless_it_is_binary(
    client: http.client.HTTPConnection,
    content_type: str,
    body: bytes,
    encoded: bool,
) -> None:
    event = ask_json(client, "POST", "/event", body, Content_Type=content_type)
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


def test_the_lambda_context_has_an_id_and_counts_down_from_29_seconds(client: http.client.HTTPConnection) -> None:
    context = ask_json(client, "GET", "/time")
    assert context["id"]
    assert 0 < context["ms"] <= 29_000


@pytest.mark.parametrize("path", ["/unknown", "/users/a/b", "/event/more", "/", "/event;x"])
def test_an_unknown_path_is_404_and_the_connection_lives_on(client: http.client.HTTPConnection, path: str) -> None:
    response, body = ask(client, "POST", path, b"ignored")
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 404, "Route not found.")
    assert headers["connection"] == "keep-alive"
    assert ask(client, "GET", "/event")[0].status == 200


def test_an_absolute_target_is_matched_by_its_path(server: LocalServer) -> None:
    request = b"GET http://any.example/users/ann?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert json.loads(raw(server, request)[2])["name"] == "ann"


@pytest.mark.parametrize("method", ["PUT", "BREW", "HEAD"])
def test_a_method_the_path_lacks_is_for_the_app_to_answer(client: http.client.HTTPConnection, method: str) -> None:
    response, body = ask(client, method, "/event")
    assert response.status == 405
    assert response.getheader("Allow") == "GET, POST"
    assert (body == b"") is (method == "HEAD")
    assert int(response.getheader("Content-Length", "0")) > 0
    assert ask(client, "GET", "/event")[0].status == 200


def test_answers_carry_status_and_repeated_headers_and_one_true_length(client: http.client.HTTPConnection) -> None:
    response, body = ask(client, "GET", "/headers")
    assert (response.status, body) == (201, b"ok")
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("Content-Length") == ["2"]
    assert response.headers["X-One"] == "1"
    assert response.headers["Content-Type"] == "application/json"


def test_no_content_has_neither_body_nor_length(client: http.client.HTTPConnection) -> None:
    response, body = ask(client, "DELETE", "/nothing")
    assert (response.status, body) == (204, b"")
    assert response.getheader("Content-Length") is None
    assert ask(client, "GET", "/event")[0].status == 200


def test_binary_answers_are_decoded(client: http.client.HTTPConnection) -> None:
    response, body = ask(client, "GET", "/binary", Accept="application/octet-stream")
    assert (response.status, body) == (200, b"\x00\xff")


@pytest.mark.parametrize("path", ["/unserialisable", "/split", "/bytes"])
def test_what_the_app_lets_escape_is_a_500_for_the_client_and_a_traceback_on_stderr(
    client: http.client.HTTPConnection, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    response, body = ask(client, "GET", path)
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 500, "An internal server error occurred.")
    assert "set-cookie" not in headers
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert printed.out == ""


def post(body_head: bytes, rest: bytes = b"") -> bytes:
    return b"POST /size HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n" + body_head + b"\r\n\r\n" + rest


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
        post(b"Content-Encoding: gzip\r\nContent-Length: 15", gzip.compress(b"some text")[:15]),
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


def test_a_body_of_exactly_10_mb_passes(client: http.client.HTTPConnection) -> None:
    body = b"a" * MAX_BODY_BYTES
    assert ask_json(client, "POST", "/size", body, Content_Type="text/plain") == {"bytes": MAX_BODY_BYTES}


def test_a_longer_body_is_413_though_the_client_sends_all_of_it_first(client: http.client.HTTPConnection) -> None:
    response, body = ask(client, "POST", "/size", b"a" * (MAX_BODY_BYTES + 1), Content_Type="text/plain")
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
        ("gzip", gzip.compress(b"some text")),
        ("GZIP", gzip.compress(b"some ") + gzip.compress(b"text")),
        ("deflate", zlib.compress(b"some text")),
        ("identity", b"some text"),
    ],
)
def test_compressed_bodies_reach_the_app_decompressed(
    client: http.client.HTTPConnection, coding: str, body: bytes
) -> None:
    event = ask_json(client, "POST", "/event", body, Content_Encoding=coding, Content_Type="text/plain")
    assert event["body"] == "some text"
    assert "content-encoding" not in event["headers"]


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
def test_the_limit_of_10_mb_holds_for_the_decompressed_body(
    client: http.client.HTTPConnection, size: int, status: int
) -> None:
    bomb = gzip.compress(bytes(size), compresslevel=1)
    assert ask(client, "POST", "/size", bomb, Content_Encoding="gzip", Content_Type="text/plain")[0].status == status


def test_expect_100_continue_is_answered_before_the_body(server: LocalServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(post(b"Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"12345")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert json.loads(response.read()) == {"bytes": 5}


def test_a_bodytoo_large_is_refused_without_asking_for_it(server: LocalServer) -> None:
    request = post(b"Content-Length: 99999999\r\nExpect: 100-continue")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("count", "accept", "compressed"),
    [
        (1024, "gzip", False),
        (1025, "gzip", True),
        (1025, "br, gzip;q=0.5", True),
        (1025, "gzip;q=0", False),
        (1025, "", False),
    ],
)
def test_answers_over_1_kb_are_compressed_for_who_accepts_it(
    client: http.client.HTTPConnection,
    count: int,
    accept: str,
    compressed: bool,
) -> None:
    client.request("GET", f"/letters/{count}", headers={"Accept-Encoding": accept})
    response = client.getresponse()
    body = response.read()
    assert (response.getheader("Content-Encoding") == "gzip") is compressed
    assert int(response.getheader("Content-Length", "0")) == len(body)
    assert (gzip.decompress(body) if compressed else body) == b"x" * count


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("*", True),
        ("deflate", False),
        ("gzip; q=0.0", False),
        ("gzip;q=0.01", True),
        ("deflate, GZIP", True),
    ],
)
def test_accept_encoding_is_read_by_its_weights(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_preflight_is_made_from_the_cors_of_the_route(client: http.client.HTTPConnection) -> None:
    response, body = ask(client, "OPTIONS", "/cors", Origin="https://portal.example")
    assert (response.status, body) == (200, b"")
    assert response.getheader("Access-Control-Allow-Origin") == "https://portal.example"
    assert response.getheader("Access-Control-Allow-Methods") == "GET,PUT,OPTIONS"
    assert response.getheader("Access-Control-Max-Age") == "60"
    assert response.getheader("X-Content-Type-Options") == "nosniff"


def test_preflight_of_a_route_without_cors_allows_options_alone(client: http.client.HTTPConnection) -> None:
    response, _ = ask(client, "OPTIONS", "/event")
    assert response.status == 200
    assert response.getheader("Access-Control-Allow-Methods") == "OPTIONS"
    assert response.getheader("Access-Control-Allow-Origin") is None


def test_a_route_may_answer_options_itself(client: http.client.HTTPConnection) -> None:
    assert ask_json(client, "OPTIONS", "/own-options") == {"own": True}


def test_one_connection_carries_many_requests_without_delay_of_small_packets(server: LocalServer) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        ask(client, "GET", "/event")
        first = client.sock
        for _ in range(20):
            assert ask(client, "GET", "/event")[0].status == 200
        assert client.sock is first
    assert server_module._Connection.disable_nagle_algorithm


def test_http_1_0_is_answered_and_closed(server: LocalServer) -> None:
    status, headers, _ = raw(server, b"GET /event HTTP/1.0\r\n\r\n")
    assert status == 200
    assert headers["connection"] == "close"


def test_requests_run_in_parallel(server: LocalServer) -> None:
    statuses: list[int] = []

    def meet() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
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
    server: LocalServer, client: http.client.HTTPConnection, partial: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(partial)
        # Unread data or not, the linger of zero resets the connection instead of closing it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(client, "GET", "/event")[0].status == 200
    deadline = time.monotonic() + 10
    while len(server._open) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(server._open) == 1
    assert capsys.readouterr().err == ""


def test_shutdown_finishes_the_request_under_way_and_ends_idle_connections() -> None:
    ENTERED.clear()
    MAY_FINISH.clear()
    server = LocalServer("127.0.0.1", 0, APP)
    server.start()
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    busy = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with closing(idle), closing(busy):
        assert ask(idle, "GET", "/event")[0].status == 200
        busy.request("GET", "/slow")
        assert ENTERED.wait(10)
        stopping = threading.Thread(target=server.shutdown, args=(10.0,))
        stopping.start()
        MAY_FINISH.set()
        assert json.loads(busy.getresponse().read()) == {"finished": True}
        stopping.join(10)
        assert not stopping.is_alive()
        assert idle.sock.recv(1) == b""
        assert server.answered == 2


def test_shutdown_waits_no_longer_than_its_grace() -> None:
    ENTERED.clear()
    MAY_FINISH.clear()
    server = LocalServer("127.0.0.1", 0, APP)
    server.start()
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as busy:
        busy.request("GET", "/slow")
        assert ENTERED.wait(10)
        stopping = threading.Thread(target=server.shutdown, args=(0.05,))
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
        server = LocalServer("127.0.0.1", 0, APP, listener=listener)
        server.start()
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        server.shutdown()


def test_a_server_that_never_started_can_be_shut_down() -> None:
    LocalServer("127.0.0.1", 0, APP).shutdown()


def test_a_taken_port_is_an_error_at_once(server: LocalServer) -> None:
    with pytest.raises(OSError, match="in use"):
        LocalServer("127.0.0.1", server.port, APP)


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
    server = LocalServer("::1", 0, APP)
    server.start()
    with closing(http.client.HTTPConnection("::1", server.port, timeout=10)) as client:
        assert ask_json(client, "GET", "/event")["requestContext"]["identity"]["sourceIp"] == "::1"
    server.shutdown()
