"""The app behind the local server gets and gives the events and answers of API Gateway."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import threading
from contextlib import closing

import pytest

from scripts.gateway.codings import accepts_gzip
from scripts.gateway.limits import MAX_ANSWER_BYTES, answer_bytes
from scripts.local.server import LocalServer
from tests.local.toy_app import APP, ENTERED, MAY_FINISH, ask, ask_json, assert_refused, port_of, raw, served


def test_a_concrete_route_wins_over_a_variable_one(http_client: http.client.HTTPConnection) -> None:
    assert ask_json(http_client, "GET", "/users/me/keys/tokens") == {
        "user": "me",
        "parameters": {"user": "me"},
        "route": "/users/{user}/keys/tokens",
    }


def test_path_parameters_are_those_of_the_matched_route_still_percent_encoded(
    http_client: http.client.HTTPConnection,
) -> None:
    assert ask_json(http_client, "GET", "/users/a%20b/keys/x;y")["parameters"] == {"user": "a%20b", "key": "x%3By"}
    assert ask_json(http_client, "GET", "/users/ann")["parameters"] == {"name": "ann"}


def test_a_slash_at_the_end_makes_no_difference(http_client: http.client.HTTPConnection) -> None:
    assert ask_json(http_client, "GET", "/users/me/")["name"] == "me"


def test_query_parameters_are_decoded_and_repeatable(http_client: http.client.HTTPConnection) -> None:
    event = ask_json(http_client, "GET", "/event?q=status%3Aongoing+type:ssh&a=1&a=2&empty=")
    assert event["multiValueQueryStringParameters"] == {
        "q": ["status:ongoing type:ssh"],
        "a": ["1", "2"],
        "empty": [""],
    }
    assert event["queryStringParameters"] == {"q": "status:ongoing type:ssh", "a": "2", "empty": ""}


def test_absent_parts_are_null_as_in_the_gateway(http_client: http.client.HTTPConnection) -> None:
    event = ask_json(http_client, "GET", "/event")
    assert event["multiValueQueryStringParameters"] is None
    assert event["queryStringParameters"] is None
    assert event["pathParameters"] is None
    assert event["body"] is None
    assert event["isBase64Encoded"] is False


def test_the_request_context_tells_who_asked_for_what(http_client: http.client.HTTPConnection) -> None:
    context = ask_json(http_client, "GET", "/event?x=1", User_Agent="probe/1")["requestContext"]
    assert context["httpMethod"] == "GET"
    assert context["resourcePath"] == context["path"] == "/event"
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "probe/1"}
    assert context["stage"]
    assert context["requestId"]


def test_header_names_are_lower_case_and_repeated_ones_are_joined(server: LocalServer) -> None:
    _, _, body = raw(server, b"GET /event HTTP/1.1\r\nHost: h\r\nX-Tag: one\r\nx-tag: two\r\nConnection: close\r\n\r\n")
    event = json.loads(body)
    assert event["headers"]["x-tag"] == "one, two"
    assert event["multiValueHeaders"]["x-tag"] == ["one, two"]


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("application/json", b'{"a":1}', False),
        ("application/x-ndjson", "é\n".encode(), False),
        ("application/octet-stream", b"abc", True),
        ("application/octet-stream; charset=binary", b"abc", True),
    ],
)
def test_a_body_is_text_unless_it_is_binary(
    http_client: http.client.HTTPConnection,
    content_type: str,
    body: bytes,
    encoded: bool,
) -> None:
    event = ask_json(http_client, "POST", "/event", body, Content_Type=content_type)
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


def test_what_is_no_text_is_replaced_unless_its_type_is_binary(http_client: http.client.HTTPConnection) -> None:
    event = ask_json(http_client, "POST", "/event", b'"\xff"', Content_Type="application/json")
    assert (event["body"], event["isBase64Encoded"]) == ('"\N{REPLACEMENT CHARACTER}"', False)


def test_the_lambda_context_has_an_id_and_counts_down_from_29_seconds(http_client: http.client.HTTPConnection) -> None:
    context = ask_json(http_client, "GET", "/time")
    assert context["id"]
    assert 0 < context["ms"] <= 29_000


@pytest.mark.parametrize("path", ["/unknown", "/users/a/b", "/event/more", "/", "/event;x"])
def test_an_unknown_path_is_404_and_the_connection_lives_on(http_client: http.client.HTTPConnection, path: str) -> None:
    response, body = ask(http_client, "POST", path, b"ignored")
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 404, "Route not found.")
    assert "connection" not in headers
    assert ask(http_client, "GET", "/event")[0].status == 200


def test_an_absolute_target_is_matched_by_its_path(server: LocalServer) -> None:
    request = b"GET http://any.example/users/ann?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert json.loads(raw(server, request)[2])["name"] == "ann"


@pytest.mark.parametrize("method", ["PUT", "BREW", "HEAD"])
def test_a_method_the_path_lacks_is_for_the_app_to_answer(http_client: http.client.HTTPConnection, method: str) -> None:
    response, body = ask(http_client, method, "/event")
    assert response.status == 405
    assert response.getheader("Allow") == "GET, POST"
    assert (body == b"") is (method == "HEAD")
    assert int(response.getheader("Content-Length", "0")) > 0
    assert ask(http_client, "GET", "/event")[0].status == 200


def test_answers_carry_status_and_repeated_headers_and_one_true_length(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "GET", "/headers")
    assert (response.status, body) == (201, b"ok")
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("Content-Length") == ["2"]
    assert response.headers["X-One"] == "1"
    assert response.headers["Content-Type"] == "application/json"


def test_an_answer_to_head_keeps_the_length_that_the_app_names(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "HEAD", "/head")
    assert (response.status, body, response.headers.get_all("Content-Length")) == (200, b"", ["1234"])
    assert ask(http_client, "GET", "/event")[0].status == 200


def test_no_content_has_neither_body_nor_length(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "DELETE", "/nothing")
    assert (response.status, body) == (204, b"")
    assert response.getheader("Content-Length") is None
    assert ask(http_client, "GET", "/event")[0].status == 200


def test_binary_answers_are_decoded(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "GET", "/binary", Accept="application/octet-stream")
    assert (response.status, body) == (200, b"\x00\xff")


@pytest.mark.parametrize("path", ["/unserialisable", "/split", "/bytes", "/letters/6500000"])
def test_what_the_app_lets_escape_is_a_502_for_the_client_and_a_traceback_on_stderr(
    http_client: http.client.HTTPConnection, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    response, body = ask(http_client, "GET", path)
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert_refused((response.status, headers, body), 502, "An internal server error occurred.")
    assert "set-cookie" not in headers
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert printed.out == ""


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
    http_client: http.client.HTTPConnection,
    count: int,
    accept: str,
    compressed: bool,
) -> None:
    http_client.request("GET", f"/letters/{count}", headers={"Accept-Encoding": accept})
    response = http_client.getresponse()
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


def test_preflight_is_made_from_the_cors_of_the_route(http_client: http.client.HTTPConnection) -> None:
    response, body = ask(http_client, "OPTIONS", "/cors", Origin="https://portal.example")
    assert (response.status, body) == (200, b"")
    assert response.getheader("Access-Control-Allow-Origin") == "https://portal.example"
    assert response.getheader("Access-Control-Allow-Methods") == "GET,PUT,OPTIONS"
    assert response.getheader("Access-Control-Max-Age") == "60"
    assert response.getheader("X-Content-Type-Options") == "nosniff"


def test_preflight_of_a_route_without_cors_allows_options_alone(http_client: http.client.HTTPConnection) -> None:
    response, _ = ask(http_client, "OPTIONS", "/event")
    assert response.status == 200
    assert response.getheader("Access-Control-Allow-Methods") == "OPTIONS"
    assert response.getheader("Access-Control-Allow-Origin") is None


def test_a_route_may_answer_options_itself(http_client: http.client.HTTPConnection) -> None:
    assert ask_json(http_client, "OPTIONS", "/own-options") == {"own": True}


@pytest.mark.parametrize(
    ("body", "fits"),
    [("x" * (MAX_ANSWER_BYTES - 200), True), ("x" * MAX_ANSWER_BYTES, False), ("é" * 1_050_000, False)],
)
def test_an_answer_counts_as_lambda_sends_it(body: str, fits: bool) -> None:
    answer = {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": body}
    assert (answer_bytes(answer) <= MAX_ANSWER_BYTES) is fits


def test_what_is_answered_too_late_is_504() -> None:
    ENTERED.clear()
    MAY_FINISH.clear()
    with (
        served(APP, {"X-Content-Type-Options": "nosniff"}, max_seconds=0.01) as server,
        closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as client,
    ):
        client.request("GET", "/slow")
        assert ENTERED.wait(10)
        threading.Event().wait(0.02)
        MAY_FINISH.set()
        response = client.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        assert_refused((response.status, headers, response.read()), 504, "The request took too long.")


def test_two_slashes_in_front_are_a_path_and_no_host(http_client: http.client.HTTPConnection) -> None:
    assert ask_json(http_client, "GET", "/event")["path"] == "/event"
    for path in ("//host.example/event", "//event", "/x/event"):
        response, body = ask(http_client, "GET", path)
        headers = {name.lower(): value for name, value in response.getheaders()}
        assert_refused((response.status, headers, body), 404, "Route not found.")


def test_under_a_stage_paths_begin_with_it_and_the_app_does_not_see_it() -> None:
    with (
        served(APP, {"X-Content-Type-Options": "nosniff"}, stage="prod") as server,
        closing(http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=10)) as client,
    ):
        event = ask_json(client, "GET", "/prod/event?x=1")
        assert event["path"] == "/event"
        assert (event["requestContext"]["path"], event["requestContext"]["stage"]) == ("/prod/event", "prod")
        for path in ("/event", "/prod", "/production/event", "/dev/event"):
            response, body = ask(client, "GET", path)
            headers = {name.lower(): value for name, value in response.getheaders()}
            assert_refused((response.status, headers, body), 403, "Forbidden.")
