"""Audit logs on the wire: an event that comes in, a row that goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from chalicelib import times
from chalicelib.casing import lowered
from chalicelib.errors import Invalid, Validation
from chalicelib.logs import audit_event, audit_text
from chalicelib.logs.addresses import address
from chalicelib.logs.audit_event import AuditEvent
from chalicelib.logs.nesting import DEEPEST, too_deep
from chalicelib.logs.vocabulary import OWN_RESOURCE_TYPES
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
from chalicelib.models.directory import Beside, MinimalOrganizationJSON, UserJSON
from chalicelib.models.sending import bytes_sent, json_text
from chalicelib.platform.kinds import BUILD, KINDS, TEMPLATE, VERSION, WORKSPACE
from chalicelib.records import AuditLog
from chalicelib.search.values import NIL_UUID

MAX_SIDE_BYTES = 300 * 1_024
"""The limit of one side of a diff (all old values, or all new ones), with the names of the fields, as JSON."""
MAX_ADDITIONAL_BYTES = 64 * 1_024
MAX_ROW_BYTES = 4_900_000
"""Of a row as Lambda sends it, which answers with six million bytes in all: a byte of a diff can take seven of them."""
_SURELY_SENT_BYTES = 300_000
"""Of diff and additional fields as JSON; with no more than these a row is far below `MAX_ROW_BYTES`."""
MAX_TARGET = LONG_TEXT
"""Characters. The target stands in every lane, because queries check it; an SSH key of 8,192 bits has 1,400."""
USER_AGENT_LENGTH = 256


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


class AuditLogJSON(TypedDict):
    """codersdk.AuditLog, and what owners and auditors see of where it comes from."""

    id: str
    request_id: str
    time: str
    ip: str
    user_agent: str
    resource_type: str
    resource_id: str
    resource_target: str
    resource_icon: str
    action: str
    diff: Mapping[str, Any]
    status_code: int
    additional_fields: Mapping[str, Any]
    description: str
    resource_link: str
    is_deleted: bool
    organization_id: str
    organization: NotRequired[MinimalOrganizationJSON]
    user: UserJSON | None
    received_at: NotRequired[str]
    written_by: NotRequired[str]
    revision: NotRequired[int]


def audit_log_json(row: AuditLog, beside: Beside) -> AuditLogJSON:
    """A row as clients read it: users and organizations are those of today, deleted users included."""
    organization = beside.organizations.get(row.organization_id) if row.organization_id else None
    deleted = is_deleted(row, beside)
    names = {"organization": organization.name} if organization else {}
    link = audit_text.resource_link(row, deleted=deleted, names={**names, **_names(row, beside)})
    body: AuditLogJSON = {
        "id": row.id,
        "request_id": row.request_id,
        "time": times.wire(row.time),
        "ip": row.ip or "",
        "user_agent": row.user_agent or "",
        "resource_type": row.as_sent("resource_type"),
        "resource_id": row.resource_id,
        "resource_target": row.resource_target,
        "resource_icon": row.resource_icon,
        "action": row.as_sent("action"),
        "diff": row.diff,
        "status_code": row.status_code,
        "additional_fields": audit_text.additional_fields(row),
        "description": audit_text.description(row),
        "resource_link": link,
        "is_deleted": deleted,
        "organization_id": row.organization_id or NIL_UUID,
        # What the platform did by itself has no user.
        "user": None if row.user_id == NIL_UUID else beside.user(row.user_id),
    }
    if row.organization_id:
        body["organization"] = beside.organization(row.organization_id)
    return body


def sourced_json(row: AuditLog, beside: Beside) -> AuditLogJSON:
    """A row as owners and auditors read it: with the token that wrote it, and when."""
    body = audit_log_json(row, beside)
    if row.receipt is not None:
        body["received_at"] = times.wire(row.receipt.received_at)
        body["written_by"] = row.receipt.written_by
    return body


def is_deleted(row: AuditLog, beside: Beside) -> bool:
    """Whether the resource is gone, as far as Gatebook knows without asking for each row.

    A user is looked up among those of the page, and a template, a version or a workspace among what the platform
    mirrors in. What is known of any other is that the row at hand deleted it.
    """
    if row.resource_type == VERSION.name:
        version = beside.mirrored.get(VERSION.id(row.resource_id))
        template = beside.mirrored.get(TEMPLATE.id(str(version.get("template_id")))) if version else None
        return any(one is not None and one.get("deleted") for one in (version, template))
    about = audit_text.looked_up(row)
    if about is None:
        return False
    if about.type == "user":
        user = beside.users.get(about.id)
        return user is None or user.deleted
    known = beside.mirrored.get(KINDS[about.type].id(about.id)) if about.type in KINDS else None
    return audit_text.deletes(row) if known is None else bool(known.get("deleted"))


def _names(row: AuditLog, beside: Beside) -> dict[str, str]:
    """The parts of a link that the platform's objects tell: of a build, of its workspace, of its owner."""
    if not beside.mirrored:
        return {}
    about = audit_text.looked_up(row)
    workspace = beside.mirrored.get(WORKSPACE.id(about.id)) if about and about.type == WORKSPACE.name else None
    build = beside.mirrored.get(BUILD.id(row.resource_id)) if row.resource_type == BUILD.name else None
    template = beside.mirrored.get(TEMPLATE.id(row.resource_id)) if row.resource_type == TEMPLATE.name else None
    parts: dict[str, object] = {}
    if build is not None:
        parts |= {**build.joined, "build_number": build.get("build_number")}
    if workspace is not None:
        owner = beside.username(str(workspace.get("owner_id"))) or workspace.joined.get("owner")
        parts |= {"owner": owner, "workspace_name": workspace.get("name")}
        if row.resource_type == WORKSPACE.name:
            parts["target"] = workspace.get("name")
    if template is not None:
        parts["target"] = template.get("name")
    return {name: str(part) for name, part in parts.items() if part}


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _bytes(value: Mapping[str, Any]) -> int:
    return len(_ENCODER.encode(value).encode()) if value else len("{}")
