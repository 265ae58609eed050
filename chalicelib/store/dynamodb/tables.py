"""The tables as pynamodb models: keys, indexes and attributes.

One table per kind of thing. The directory tables and `api_keys` also hold *claims*: small items beside the rows, one
per unique value (`username#alice`), written in the same transaction as the row, because DynamoDB has no unique index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, Lane
from chalicelib.platform import facts, kinds
from chalicelib.settings import current
from chalicelib.store.dynamodb.definitions import (
    DOC,
    FORGET_AT,
    PACKED_DOC,
    Table,
    TimeAttribute,
    index,
    lane_index,
    sorted_index,
)


class UserItem(Model):
    """A user, or a claim on a username or an e-mail address, or the one item that names the active owners.

    A claim has `holder`, the one user who has the value now, and `former`, the deleted users who had it last.
    """

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("users")

    listing = sorted_index("listing", "kind")
    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    username = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    avatar_url = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    login_type = UnicodeAttribute(null=True)
    roles = JSONAttribute(null=True)
    organization_roles = JSONAttribute(null=True)
    is_service_account = BooleanAttribute(null=True)
    github_com_user_id = NumberAttribute(null=True)
    created_at = TimeAttribute(null=True)
    updated_at = TimeAttribute(null=True)
    last_seen_at = TimeAttribute(null=True)
    deleted = BooleanAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    former = UnicodeSetAttribute(null=True)
    owners = UnicodeSetAttribute(null=True)


class OrganizationItem(Model):
    """An organization, or a claim on its name."""

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("organizations")

    listing = sorted_index("listing", "kind")
    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    display_name = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    icon = UnicodeAttribute(null=True)
    is_default = BooleanAttribute(null=True)
    created_at = TimeAttribute(null=True)
    updated_at = TimeAttribute(null=True)
    deleted = BooleanAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    former = UnicodeSetAttribute(null=True)


class APIKeyItem(Model):
    """A token, or an item beside the tokens, which the beginning of its id distinguishes.

    `name#<user id>#<token name>` is a claim on a name, `tokens#<user id>` counts the tokens of a user, and
    `operation#<hash>` is an operation that a client may send again, and `taken#<hash>` how far a request with too many
    events was taken; DynamoDB deletes both when their time is over.
    """

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("api_keys")

    of_user = sorted_index("user", "token_of")
    listing = sorted_index("listing", "kind")
    expiry = index("expiry", "expires", "expires_at", KeysOnlyProjection())
    id = UnicodeAttribute(hash_key=True)
    expires = UnicodeAttribute(null=True)
    token_of = UnicodeAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    sort = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    previous_secret = BinaryAttribute(null=True, legacy_encoding=False)
    previous_until = TimeAttribute(null=True)
    allowed_ips = JSONAttribute(null=True)
    hashed_secret = BinaryAttribute(null=True, legacy_encoding=False)
    user_id = UnicodeAttribute(null=True)
    login_type = UnicodeAttribute(null=True)
    token_name = UnicodeAttribute(null=True)
    scopes = JSONAttribute(null=True)
    allow_list = JSONAttribute(null=True)
    created_at = TimeAttribute(null=True)
    updated_at = TimeAttribute(null=True)
    expires_at = TimeAttribute(null=True)
    last_used = TimeAttribute(null=True)
    lifetime_seconds = NumberAttribute(null=True)
    retry_secret = BinaryAttribute(null=True, legacy_encoding=False)
    refused_at = TimeAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    live = NumberAttribute(null=True)
    fingerprint = BinaryAttribute(null=True, legacy_encoding=False)
    made = BinaryAttribute(null=True, legacy_encoding=False)
    forget_at = NumberAttribute(null=True)

    def __repr__(self) -> str:
        """The id alone: other attributes are hashes of secrets."""
        return f"APIKeyItem({self.id})"


class RetentionItem(Model):
    """The state of retention (`state`: lease, run, holds), the record of a run, or the rejected events of a day."""

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("retention_runs")

    listing = sorted_index("listing", "kind")
    id = UnicodeAttribute(hash_key=True)


class UserSecretItem(Model):
    """The shelf of a user's secrets, by the id of the user, or the encrypted value of one, by its own id."""

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("user_secrets")

    id = UnicodeAttribute(hash_key=True)


class NotificationItem(Model):
    """A row of an inbox, what is still to be sent, or what is chosen about notifications; keys and a packed doc."""

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("notifications")

    of_user = sorted_index("inbox", "inbox")
    unread_of_user = sorted_index("unread", "unread")
    waiting = index("due", "due", "due_at", AllProjection())
    id = UnicodeAttribute(hash_key=True)


class ExportItem(Model):
    """How far an export is, which DynamoDB deletes when its files go, or the exports of a user that may be running."""

    class Meta(Table):
        """Where it is kept."""

        table_name = current().table_name("exports")

    id = UnicodeAttribute(hash_key=True)


def _log_table(name: str, lanes: tuple[Lane, ...]) -> type[Model]:
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": f"The rows of {name}: keys and a packed rest, so they are read and written raw.",
        "Meta": type("Meta", (Table,), {"table_name": current().table_name(name)}),
        "id": UnicodeAttribute(hash_key=True),
    }
    attributes |= {f"{lane.name}_lane": lane_index(lane, lanes) for lane in lanes}
    return cast("type[Model]", type(name, (Model,), attributes))


ConnectionLogItem = _log_table("connection_logs", EVERY_CONNECTION_LANE)

AuditLogItem = _log_table("audit_logs", EVERY_AUDIT_LANE)


def _platform_table() -> type[Model]:
    projected = [DOC, PACKED_DOC, "updated_at", "joined", "logs", facts.PLACE]
    attributes: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": "What the platform mirrors in: one item per object, and what belongs to one beside it.",
        "Meta": type("Meta", (Table,), {"table_name": current().table_name("platform")}),
        "id": UnicodeAttribute(hash_key=True),
    }
    for lane, place in kinds.LANES.items():
        others = [name for name in projected if name != place]
        attributes[f"{lane}_lane"] = index(lane, lane, place, IncludeProjection(others))
    return cast("type[Model]", type("platform", (Model,), attributes))


PlatformItem = _platform_table()


TIMES_TO_LIVE: Mapping[type[Model], str] = {
    ConnectionLogItem: FORGET_AT,
    AuditLogItem: FORGET_AT,
    APIKeyItem: FORGET_AT,
    PlatformItem: FORGET_AT,
    NotificationItem: FORGET_AT,
    ExportItem: FORGET_AT,
}
"""The attribute by which DynamoDB deletes items of a table by itself."""

TABLES: tuple[type[Model], ...] = (
    UserItem,
    OrganizationItem,
    APIKeyItem,
    ConnectionLogItem,
    AuditLogItem,
    RetentionItem,
    UserSecretItem,
    PlatformItem,
    NotificationItem,
    ExportItem,
)
