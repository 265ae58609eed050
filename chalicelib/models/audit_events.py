"""Audit logs on the wire: an event that comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.casing import lowered
from chalicelib.errors import Invalid, Validation
from chalicelib.logs import audit_event
from chalicelib.logs.addresses import address
from chalicelib.logs.audit_event import USER_AGENT_LENGTH, AuditEvent
from chalicelib.logs.fitting import fitted, fitted_diff, json_bytes, with_fitting_texts
from chalicelib.logs.nesting import DEEPEST, too_deep
from chalicelib.logs.vocabulary import OWN_RESOURCE_TYPES
from chalicelib.models.audit_logs import sourced_json
from chalicelib.models.base import (
    SHORT_TEXT,
    EventTime,
    Int32,
    Model,
    OptionalUuid,
    ShortText,
    Uuid,
    absent,
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
MAX_TARGET = 64 * 1_024
"""Characters of a target, and of an icon, which may be the image itself."""


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
        json_bytes(value)
    except UnicodeEncodeError as error:
        raise ValueError("must not hold half a surrogate pair") from error
    except ValueError as error:
        raise ValueError("must not hold a number that is infinite or has thousands of digits") from error
    return value


def _additional_fields(value: object) -> object:
    if isinstance(value, dict) and audit_event.OWN_MARK in value:
        raise ValueError(f"must not have {audit_event.OWN_MARK!r}, which marks the rows that Gatebook writes of itself")
    return value


Word = Annotated[str, Field(min_length=1)]
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
    resource_target: str
    resource_icon: Annotated[str | None, BeforeValidator(absent)] = None
    action: Word
    status_code: Int32
    request_id: OptionalUuid = None
    additional_fields: AdditionalFields = None
    diff: Object = None
    old: Object = None
    new: Object = None


class GenerateIn(Model):
    """The body of `POST /api/v2/audit/testgenerate`."""

    action: Annotated[Word, Field(max_length=SHORT_TEXT)] = "write"
    resource_type: Annotated[ResourceType, Field(max_length=SHORT_TEXT)] = "user"
    resource_id: OptionalUuid = None
    additional_fields: AdditionalFields = None
    time: EventTime | None = None
    organization_id: OptionalUuid = None
    request_id: OptionalUuid = None
    build_reason: ShortText = ""


_LONGEST: Mapping[str, int] = {
    **dict.fromkeys(("resource_type", "action", "user_agent"), SHORT_TEXT),
    **dict.fromkeys(("resource_target", "resource_icon"), MAX_TARGET),
}


def parse_row(value: Mapping[str, Any]) -> AuditLog:
    """The row of an event as a sender wrote it; what is too long in it is cut.

    Raises:
        Invalid: values in it are wrong; names each.
    """
    event = checked(AuditEventIn, with_fitting_texts(value, _LONGEST))
    try:
        made = audit_event.row(AuditEvent(**{name: getattr(event, name) for name in AuditEventIn.model_fields}))
    except ValueError as error:
        raise Invalid([Validation("diff", str(error))]) from error
    return _fitting(made)


def _fitting(made: AuditLog) -> AuditLog:
    """The row, with as much of its diff and its additional fields as can be stored and sent again."""
    most = MAX_SIDE_BYTES
    row = made
    while _wrong_sizes(row):
        fields = fitted(made.additional_fields, MAX_ADDITIONAL_BYTES)
        row = replace(made, diff=fitted_diff(dict(made.diff), most), additional_fields=fields)
        most //= 2
    return row


def check_sizes(made: AuditLog) -> None:
    """Make sure that a row fits an item and an answer.

    Raises:
        Invalid: its diff or its additional fields are too large, by themselves or in an answer.
    """
    if wrong := _wrong_sizes(made):
        raise Invalid(wrong)


def _wrong_sizes(made: AuditLog) -> list[Validation]:
    wrong = []
    total = 0
    for side in ("old", "new"):
        # A field that has no such side has a name all the same, and null is as short as anything.
        size = json_bytes({name: change.get(side) for name, change in made.diff.items()})
        total += size
        if size > MAX_SIDE_BYTES:
            wrong.append(Validation(f"diff.{side}", f"must have at most {MAX_SIDE_BYTES} bytes as JSON, not {size}"))
    size = json_bytes(made.additional_fields)
    if size > MAX_ADDITIONAL_BYTES:
        problem = f"must have at most {MAX_ADDITIONAL_BYTES} bytes as JSON, not {size}"
        wrong.append(Validation("additional_fields", problem))
    size = len(made.resource_target) + len(made.resource_icon)
    if not wrong and total + size > _SURELY_SENT_BYTES:
        sent = bytes_sent(json_text(sourced_json(made, Beside({}, {}))))
        if sent > MAX_ROW_BYTES:
            wrong.append(Validation("diff", f"makes a row of {sent} bytes as it is sent, and may of {MAX_ROW_BYTES}"))
    return wrong
