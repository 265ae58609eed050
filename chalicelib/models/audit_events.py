"""Audit logs on the wire: an event that comes in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.casing import lowered
from chalicelib.errors import Invalid, Validation
from chalicelib.logs import audit_event
from chalicelib.logs.addresses import address
from chalicelib.logs.audit_event import USER_AGENT_LENGTH, AuditEvent
from chalicelib.logs.nesting import DEEPEST, too_deep
from chalicelib.logs.vocabulary import OWN_RESOURCE_TYPES
from chalicelib.models.audit_logs import sourced_json
from chalicelib.models.base import (
    LONG_TEXT,
    EventTime,
    Int32,
    Model,
    OptionalText,
    OptionalUuid,
    ShortText,
    Uuid,
    checked,
)
from chalicelib.models.directory import Beside
from chalicelib.models.sending import bytes_sent, json_text
from chalicelib.records import AuditLog

MAX_SIDE_BYTES = 300 * 1_024
"""The limit of one side of a diff (all old values, or all new ones), with the names of the fields, as JSON."""
MAX_ADDITIONAL_BYTES = 64 * 1_024
MAX_ROW_BYTES = 4_900_000
"""Of a row as Lambda sends it, which answers with six million bytes in all: a byte of a diff can take seven of them."""
_SURELY_SENT_BYTES = 300_000
"""Of diff and additional fields as JSON; with no more than these a row is far below `MAX_ROW_BYTES`."""
MAX_TARGET = LONG_TEXT
"""Characters. The target stands in every lane, because queries check it; an SSH key of 8,192 bits has 1,400."""


def _resource_type(value: str) -> str:
    if lowered(value) in OWN_RESOURCE_TYPES:
        raise ValueError("must not be a type of the rows that Gatebook writes of itself")
    return value


def _object(value: object) -> object:
    """A JSON object that can be stored and sent again; null is none."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004 - what a client sent is a value
    if too_deep(value):
        raise ValueError(f"must not nest deeper than {DEEPEST} levels")
    try:
        _bytes(value)
    except UnicodeEncodeError as error:
        raise ValueError("must not hold half a surrogate pair") from error
    except ValueError as error:
        raise ValueError("must not hold a number that is infinite or has thousands of digits") from error
    return value


def _additional_fields(value: object) -> object:
    if isinstance(value, dict) and audit_event.OWN_MARK in value:
        raise ValueError(f"must not have {audit_event.OWN_MARK!r}, which marks the rows that Gatebook writes of itself")
    return value


Word = Annotated[ShortText, Field(min_length=1)]
ResourceType = Annotated[Word, AfterValidator(_resource_type)]
"""Any word: what a newer server audits is answered under the name that it has there, and found whatever its case."""
Object = Annotated[Mapping[str, Any] | None, BeforeValidator(_object)]

AdditionalFields = Annotated[Object, BeforeValidator(_additional_fields)]

UserAgent = Annotated[str | None, AfterValidator(lambda text: text[:USER_AGENT_LENGTH] if text else None)]
"""Cut where Coder's table cuts it, and where Gatebook's own rows are."""


class AuditEventIn(Model):
    """One event of `POST /api/v2/audit`; instead of `diff` it may carry the resource before and after."""

    id: OptionalUuid = None
    time: EventTime
    user_id: Uuid
    organization_id: OptionalUuid = None
    ip: Annotated[str | None, BeforeValidator(address)] = None
    user_agent: UserAgent = None
    resource_type: ResourceType
    resource_id: Uuid
    resource_target: Annotated[str, Field(max_length=MAX_TARGET)]
    resource_icon: OptionalText = None
    action: Word
    status_code: Int32
    request_id: OptionalUuid = None
    additional_fields: AdditionalFields = None
    diff: Object = None
    old: Object = None
    new: Object = None


class GenerateIn(Model):
    """The body of `POST /api/v2/audit/testgenerate`."""

    action: Word = "write"
    resource_type: ResourceType = "user"
    resource_id: OptionalUuid = None
    additional_fields: AdditionalFields = None
    time: EventTime | None = None
    organization_id: OptionalUuid = None
    request_id: OptionalUuid = None
    build_reason: ShortText = ""


def parse_row(value: Mapping[str, Any]) -> AuditLog:
    """The row of an event as a sender wrote it.

    Raises:
        Invalid: values in it are wrong; names each.
    """
    event = checked(AuditEventIn, value)
    try:
        made = audit_event.row(AuditEvent(**{name: getattr(event, name) for name in AuditEventIn.model_fields}))
    except ValueError as error:
        raise Invalid([Validation("diff", str(error))]) from error
    check_sizes(made)
    return made


def check_sizes(made: AuditLog) -> None:
    """Make sure that a row fits an item and an answer.

    Raises:
        Invalid: its diff or its additional fields are too large, by themselves or in an answer.
    """
    wrong = []
    total = 0
    for side in ("old", "new"):
        # A field that has no such side has a name all the same, and null is as short as anything.
        size = _bytes({name: change.get(side) for name, change in made.diff.items()})
        total += size
        if size > MAX_SIDE_BYTES:
            wrong.append(Validation(f"diff.{side}", f"must have at most {MAX_SIDE_BYTES} bytes as JSON, not {size}"))
    size = _bytes(made.additional_fields)
    if size > MAX_ADDITIONAL_BYTES:
        problem = f"must have at most {MAX_ADDITIONAL_BYTES} bytes as JSON, not {size}"
        wrong.append(Validation("additional_fields", problem))
    if not wrong and total + size > _SURELY_SENT_BYTES:
        sent = bytes_sent(json_text(sourced_json(made, Beside({}, {}))))
        if sent > MAX_ROW_BYTES:
            wrong.append(Validation("diff", f"makes a row of {sent} bytes as it is sent, and may of {MAX_ROW_BYTES}"))
    if wrong:
        raise Invalid(wrong)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _bytes(value: Mapping[str, Any]) -> int:
    return len(_ENCODER.encode(value).encode()) if value else len("{}")
