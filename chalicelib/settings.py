"""Every setting of a deployment, read from the environment once, as one frozen object.

A setting is declared in one place: its field below. The declaration makes the parser, the error that names a bad value,
and the table in the README (checked by a test). Options that Coder has keep Coder's names; ours begin with `GATEBOOK_`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any, cast

from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE
from chalicelib.setting_kinds import (
    BOOLEAN,
    EMAIL,
    HEADER_NAMES,
    LIFETIME,
    NETWORKS,
    OPTIONAL_BUCKET,
    OPTIONAL_EMAIL,
    OPTIONAL_NAME,
    OPTIONAL_TEXT,
    OPTIONAL_URL,
    ORIGIN,
    PREFIX,
    RETENTION,
    SECRETS_KEY,
    SMARTHOST,
    UNUSED,
    URL,
    USERNAME,
    Kind,
    Lanes,
    lanes_of,
    one_of,
    whole_number,
)

MAX_SHARDS = 64


class InvalidSetting(Exception):
    """A variable holds a value that is not accepted; the text names the variable, the value and what is accepted."""

    def __init__(self, env: str, value: str, accepts: str) -> None:
        super().__init__(f"{env}={value!r} is not accepted: it takes {accepts}.")
        self.env = env
        self.value = value


def setting(env: str, kind: Kind, default: str, about: str) -> Any:  # noqa: ANN401 - a dataclass field of any type
    """Declare a setting: its variable, what it accepts, its default as text, and one sentence for the README."""
    return field(default=kind.parse(default), metadata={"env": env, "kind": kind, "default": default, "about": about})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment. Durations are nanoseconds, as on the wire."""

    access_url: str = setting(
        "CODER_ACCESS_URL", URL, "http://127.0.0.1:8000", "The address clients reach the service at."
    )
    audit_logs_retention: int = setting(
        "CODER_AUDIT_LOGS_RETENTION", RETENTION, "0", "How long audit log rows are kept."
    )
    connection_logs_retention: int = setting(
        "CODER_CONNECTION_LOGS_RETENTION", RETENTION, "0", "How long connection log rows are kept and shown."
    )
    api_keys_retention: int = setting(
        "CODER_API_KEYS_RETENTION", RETENTION, "7d", "How long an expired token is kept, to say when it expired."
    )
    keep_ongoing: bool = setting(
        "GATEBOOK_KEEP_ONGOING",
        BOOLEAN,
        "false",
        "Keep and show sessions that are still open, however long ago they began.",
    )
    default_token_lifetime: int = setting(
        "CODER_DEFAULT_TOKEN_LIFETIME", LIFETIME, "168h", "The lifetime of a token minted without one."
    )
    max_token_lifetime: int = setting(
        "CODER_MAX_TOKEN_LIFETIME", LIFETIME, "876600h", "The longest lifetime a token may be given."
    )
    max_admin_token_lifetime: int = setting(
        "CODER_MAX_ADMIN_TOKEN_LIFETIME", LIFETIME, "168h", "The same for tokens of users with the owner role."
    )
    max_tokens_per_user: int = setting(
        "GATEBOOK_MAX_TOKENS_PER_USER",
        whole_number(1, 100_000),
        "500",
        "How many tokens that have not ended a user may have.",
    )
    unused_tokens_end: int = setting(
        "GATEBOOK_UNUSED_TOKENS_END", UNUSED, "0", "How long a token may go unused before it ends by that."
    )
    proxy_trusted_headers: tuple[str, ...] = setting(
        "CODER_PROXY_TRUSTED_HEADERS",
        HEADER_NAMES,
        "",
        "Headers in which trusted proxies name the address of the client, in the order in which they are looked at.",
    )
    proxy_trusted_origins: tuple[str, ...] = setting(
        "CODER_PROXY_TRUSTED_ORIGINS", NETWORKS, "", "The proxies whose headers are trusted."
    )
    disable_session_expiry_refresh: bool = setting(
        "CODER_DISABLE_SESSION_EXPIRY_REFRESH",
        BOOLEAN,
        "false",
        "Let session keys end when they were to, however used.",
    )
    table_prefix: str = setting(
        "GATEBOOK_TABLE_PREFIX", PREFIX, "gatebook-", "What the names of all tables begin with."
    )
    log_shards: int = setting(
        "GATEBOOK_LOG_SHARDS",
        whole_number(1, MAX_SHARDS),
        "1",
        "Shards of the coarse lanes, each good for 1,000 events a second. May grow, never shrink.",
    )
    connection_lanes: Lanes = setting(  # noqa: RUF009 - a field, as all of them
        "GATEBOOK_CONNECTION_LANES",
        lanes_of(EVERY_CONNECTION_LANE),
        "*",
        "The lanes of the connection log; each costs a write unit per event. `all` is always kept.",
    )
    audit_lanes: Lanes = setting(  # noqa: RUF009 - as above
        "GATEBOOK_AUDIT_LANES",
        lanes_of(EVERY_AUDIT_LANE),
        "*",
        "The lanes of the audit log; as above. `all` and `connection_event` are always kept.",
    )
    max_rows_read: int = setting(
        "GATEBOOK_MAX_ROWS_READ",
        whole_number(100, 10_000_000),
        "20000",
        "How many rows one query may read before it answers with what it has, and a cursor.",
    )
    failures_per_minute: int = setting(
        "GATEBOOK_FAILURES_PER_MINUTE",
        whole_number(0, 1_000_000),
        "0",
        "How many requests of an address a minute may bring a token that opens nothing; 0 for any number.",
    )
    ingest_requests_per_minute: int = setting(
        "GATEBOOK_INGEST_REQUESTS_PER_MINUTE",
        whole_number(0, 1_000_000),
        "0",
        "How many requests with events a token may send in a minute; 0 for any number.",
    )
    allow_origin: str = setting(
        "GATEBOOK_ALLOW_ORIGIN", ORIGIN, "", "The web origin whose pages may call the API from a browser (CORS)."
    )
    dashboard_url: str = setting(
        "GATEBOOK_DASHBOARD_URL",
        OPTIONAL_URL,
        "",
        "The address of Coder's dashboard, where links of audit log rows lead; without one rows have no links.",
    )
    ingest_queue_url: str = setting(
        "GATEBOOK_INGEST_QUEUE_URL",
        OPTIONAL_URL,
        "",
        "The address of the SQS queue that takes events sent with `?queue=true`; without one they are stored at once.",
    )
    ingest_bucket: str = setting(
        "GATEBOOK_INGEST_BUCKET", OPTIONAL_BUCKET, "", "The bucket of those requests that are too large for the queue."
    )
    secrets_key: str = setting(
        "GATEBOOK_SECRETS_KEY",
        SECRETS_KEY,
        "",
        "The key that the values of user secrets are encrypted by; without one there are no user secrets.",
    )
    disable_user_secret_file_path: bool = setting(
        "CODER_DISABLE_USER_SECRET_FILE_PATH",
        BOOLEAN,
        "false",
        "Let no user secret have a new file path, and give none to agents.",
    )
    revocation_networks: tuple[str, ...] = setting(
        "GATEBOOK_REVOCATION_NETWORKS",
        NETWORKS,
        "",
        "Networks of one's own in which the tokens of external providers may be revoked; public addresses always may.",
    )
    usage_url: str = setting(
        "GATEBOOK_USAGE_URL",
        OPTIONAL_URL,
        "",
        "The address that usage events are sent on to, every 17 minutes; without one they are counted and kept.",
    )
    notifications_method: str = setting(
        "CODER_NOTIFICATIONS_METHOD",
        one_of("smtp", "webhook"),
        "smtp",
        "How notifications are sent beside the inbox, where that way is configured.",
    )
    inbox_enabled: bool = setting(
        "CODER_NOTIFICATIONS_INBOX_ENABLED", BOOLEAN, "true", "Put notifications into the inbox of their users."
    )
    inbox_retention: int = setting(
        "GATEBOOK_INBOX_RETENTION", RETENTION, "0", "How long rows of the inbox are kept and shown."
    )
    webhook_endpoint: str = setting(
        "CODER_NOTIFICATIONS_WEBHOOK_ENDPOINT", OPTIONAL_URL, "", "The address that notifications are posted to."
    )
    email_smarthost: str = setting(
        "CODER_EMAIL_SMARTHOST",
        SMARTHOST,
        "",
        "The mail server that notifications are sent by, or `ses` for Amazon SES with the role of the function.",
    )
    email_from: str = setting(
        "CODER_EMAIL_FROM", OPTIONAL_EMAIL, "", "The address that notifications are sent from by mail."
    )
    email_username: str = setting(
        "CODER_EMAIL_AUTH_USERNAME",
        OPTIONAL_TEXT,
        "",
        "The name to log in to the mail server with; nothing for no login.",
    )
    email_password_file: str = setting(
        "CODER_EMAIL_AUTH_PASSWORD_FILE", OPTIONAL_TEXT, "", "The file that holds the password of that login."
    )
    export_bucket: str = setting(
        "GATEBOOK_EXPORT_BUCKET",
        OPTIONAL_BUCKET,
        "",
        "The bucket that large exports are written to; without one there are none but those of `scripts/export`.",
    )
    export_function: str = setting(
        "GATEBOOK_EXPORT_FUNCTION", OPTIONAL_NAME, "", "The name of the function that writes them."
    )
    max_exports_per_user: int = setting(
        "GATEBOOK_MAX_EXPORTS_PER_USER",
        whole_number(1, 100),
        "5",
        "How many exports that are not written yet a user may have.",
    )
    request_log: str = setting(
        "GATEBOOK_REQUEST_LOG",
        one_of("off", "json"),
        "off",
        "Print a line for each request, with CloudWatch metrics in it.",
    )
    service_log: str = setting(
        "GATEBOOK_SERVICE_LOG",
        one_of("off", "json", "human"),
        "off",
        "Print each event that is taken in as a Coder server prints it.",
    )
    owner_username: str = setting(
        "GATEBOOK_OWNER_USERNAME", USERNAME, "owner", "The username of the owner made at the first start."
    )
    owner_email: str = setting(
        "GATEBOOK_OWNER_EMAIL", EMAIL, "owner@gatebook.invalid", "The e-mail address of that owner."
    )

    def table_name(self, table: str) -> str:
        """The full name of a table, for example `gatebook-connection_logs`."""
        return self.table_prefix + table


def declared() -> list[Field[Any]]:
    """The settings as declared, in order; `metadata` holds env, kind, default and about."""
    return list(fields(Settings))


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that an environment gives; an unset variable takes its default.

    Raises:
        InvalidSetting: the first bad value, in the order of declaration.
    """
    values = {}
    for declaration in declared():
        env, kind = declaration.metadata["env"], cast("Kind", declaration.metadata["kind"])
        text = environ.get(env)
        if text is None:
            continue
        try:
            values[declaration.name] = kind.parse(text.strip())
        except (ValueError, KeyError, OverflowError) as error:
            raise InvalidSetting(env, text, kind.accepts) from error
    return Settings(**values)


@cache
def current() -> Settings:
    """The settings of this process, read from its environment at the first call and never again."""
    return load(os.environ)
