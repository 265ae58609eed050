from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.errors import BadRequest, GatebookError, Invalid
from chalicelib.logs.service_log import CONNECTION_LOG
from chalicelib.models.base import Int32, Model, Moment, OptionalText, OptionalUuid, Uuid, parse, read, validations
from chalicelib.models.bodies import read_events
from chalicelib.models.connection_events import parse_row
from chalicelib.models.directory_bodies import PutOrganization, PutUser
from chalicelib.models.sent import Unreadable
from chalicelib.models.tokens import CreateToken

T = TypeVar("T")

SHAPES: list[type[Model]] = [PutOrganization, PutUser, CreateToken]
ID = "1a2bb67e-0117-4168-92e0-58138989a7f5"
NIL = "00000000-0000-0000-0000-000000000000"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
LINES = st.lists(st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode())), max_size=5)
BODIES = st.one_of(st.binary(max_size=200), LINES.map(b"\n".join))


class Sample(Model):
    """One field of each shared kind."""

    id: Uuid = ID
    other: OptionalUuid = None
    text: OptionalText = None
    number: Int32 = 0
    moment: Moment = datetime(2025, 1, 1, tzinfo=UTC)


def outcome(call: Callable[[], T]) -> T | GatebookError:
    """The result of a call, or the error that a client gets; there is nothing else."""
    try:
        return call()
    except GatebookError as error:
        return error


@given(BODIES)
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_events_or_an_error_a_client_may_hear(body: bytes) -> None:
    sent = outcome(lambda: read_events(body, (CONNECTION_LOG,)))
    if isinstance(sent, GatebookError):
        assert sent.status in (400, 413)
        return
    indices = [entry.index for entry in sent.entries]
    assert indices == sorted(indices)
    for entry in sent.entries:
        if isinstance(entry, Unreadable):
            assert entry.problem
            continue
        event = outcome(partial(parse_row, entry.value))
        assert not isinstance(event, GatebookError) or event.validations


@pytest.mark.parametrize("shape", SHAPES)
@given(body=BODIES)
@settings(deadline=None, max_examples=100)
def test_any_bytes_are_the_shape_or_an_error_a_client_may_hear(shape: type[Model], body: bytes) -> None:
    read_shape = outcome(lambda: parse(shape, body))
    assert isinstance(read_shape, shape) or (isinstance(read_shape, GatebookError) and read_shape.status == 400)


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_any_values_are_the_shape_or_named_one_by_one(shape: type[Model], data: st.DataObject) -> None:
    fields = data.draw(st.dictionaries(st.sampled_from(sorted(shape.model_fields)), JSON))
    read_shape = outcome(lambda: parse(shape, json.dumps(fields).encode()))
    if isinstance(read_shape, Invalid):
        assert {validation.field.partition(".")[0] for validation in read_shape.validations} <= set(shape.model_fields)
    else:
        assert isinstance(read_shape, shape)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"{}", {}), (b" [1, 2.5, null] ", [1, 2.5, None]), ('"é"'.encode(), "é"), (b'{"a": 1, "a": 2}', {"a": 2})],
)
def test_json_is_read(body: bytes, value: object) -> None:
    assert read(body) == value


@pytest.mark.parametrize(
    "body", [b"NaN", b"[Infinity]", b"-Infinity", b"{'a': 1}", b"01", b"\xff", b'"\\ud800"', b"[1,]", b"{} {}"]
)
def test_what_only_looks_like_json_is_not(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read(body)
    assert caught.value.message == "Request body must be valid JSON."
    assert caught.value.detail not in ("", "EOF")


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\t"])
def test_an_empty_body_ends_where_it_begins(body: bytes) -> None:
    with pytest.raises(BadRequest) as caught:
        read(body)
    assert caught.value.detail == "EOF"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", "an array"),
        ('"x"', "a string"),
        ("false", "a boolean"),
        ("7", "a number"),
        ("7.5", "a number"),
        ("null", "null"),
    ],
)
def test_a_shape_wants_an_object(body: str, kind: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(Sample, body.encode())
    assert caught.value.detail == f"a JSON object is expected, not {kind}"


@pytest.mark.parametrize("absent", [None, "", NIL])
@pytest.mark.parametrize("name", ["other", "text"])
def test_absent_has_three_spellings(name: str, absent: str | None) -> None:
    assert getattr(parse(Sample, json.dumps({name: absent}).encode()), name) is None


@pytest.mark.parametrize(
    ("name", "given_value", "read_value"),
    [
        ("id", ID.upper(), ID),
        ("id", f"{{{ID}}}", ID),
        ("other", ID.replace("-", ""), ID),
        ("text", "x" * 8_192, "x" * 8_192),
        ("number", -(2**31), -(2**31)),
        ("number", 2**31 - 1, 2**31 - 1),
        ("moment", "2025-07-10T10:14:38.942776145Z", datetime(2025, 7, 10, 10, 14, 38, 942_776, tzinfo=UTC)),
        ("moment", "2025-07-10T12:14:38+02:00", datetime(2025, 7, 10, 10, 14, 38, tzinfo=UTC)),
    ],
)
def test_values_are_read(name: str, given_value: object, read_value: object) -> None:
    assert getattr(parse(Sample, json.dumps({name: given_value, "unknown": 1}).encode()), name) == read_value


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("id", "x", "must be a valid uuid"),
        ("id", None, "Input should be a valid string"),
        ("other", "x", "must be a valid uuid"),
        ("other", 7, "Input should be a valid string"),
        ("text", "x" * 8_193, "String should have at most 8192 characters"),
        ("text", [], "Input should be a valid string"),
        ("number", "1", "Input should be a valid integer"),
        ("number", True, "Input should be a valid integer"),
        ("number", 1.0, "Input should be a valid integer"),
        ("number", 2**31, "Input should be less than 2147483648"),
        ("moment", "x", 'must be a valid date format (2006-01-02T15:04:05.999999999Z07:00): parsing time "X"'),
        ("moment", 7, "Input should be a valid datetime"),
    ],
)
def test_values_are_refused_by_name(name: str, value: object, detail: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(Sample, json.dumps({name: value}).encode())
    assert caught.value.message == "Validation failed."
    ((field, said),) = caught.value.validations
    assert field == name
    assert said.startswith(detail)


def test_findings_keep_their_order_and_their_place() -> None:
    body: dict[str, Any] = {"username": "me", "email": "x", "organization_roles": {ID: [None], "x": []}}
    with pytest.raises(ValidationError) as caught:
        PutUser.model_validate(body)
    problems = validations(caught.value.errors(include_url=False, include_input=False))
    assert [validation.field for validation in problems] == [
        "username",
        "email",
        f"organization_roles.{ID}.0",
        "organization_roles.x.[key]",
    ]
    assert problems[0].detail == '"me" means whoever asks'
