"""Every setting of a deployment, read from the environment once, as one frozen object.

A setting is declared in one place: its field below. The declaration makes the parser, the error that names a bad value,
and the table in the README (checked by a test). Options that Coder has keep Coder's names; ours begin with `GATEBOOK_`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from ipaddress import ip_network
from typing import Any, NamedTuple, cast

from chalicelib import durations
from chalicelib.lanes.catalogue import EVERY_AUDIT_LANE, EVERY_CONNECTION_LANE, KEPT, Lane, chosen

MAX_SHARDS = 64


class InvalidSetting(Exception):
    """A variable holds a value that is not accepted; the text names the variable, the value and what is accepted."""

    def __init__(self, env: str, value: str, accepts: str) -> None:
        super().__init__(f"{env}={value!r} is not accepted: it takes {accepts}.")
        self.env = env
        self.value = value


class WholeNumber(NamedTuple):
    """A text that is a whole number, from the least to the most."""

    least: int
    most: int


class Word(NamedTuple):
    """A text that is one of several words."""

    words: tuple[str, ...]


class Pattern(NamedTuple):
    """A text that a regular expression matches as a whole; what it lets through may yet be refused."""

    regex: str


Form = WholeNumber | Word | Pattern
"""The form of the text of a variable, for the constraints in a deployment's template."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a setting: the function from the text of its variable to its value.

    Attributes:
        parse: makes the value; raises ValueError, KeyError or OverflowError.
        accepts: what to tell who got it wrong.
        form: what every text that is accepted in a deployment looks like.
    """

    parse: Callable[[str], Any]
    accepts: str
    form: Form


def _duration(text: str) -> int:
    return durations.parse(text)


def _positive_duration(text: str) -> int:
    nanoseconds = durations.parse(text)
    if nanoseconds <= 0:
        raise ValueError(text)
    return nanoseconds


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _whole(low: int, high: int) -> Kind:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(parse, f"a whole number from {low} to {high}", WholeNumber(low, high))


class Lanes(NamedTuple):
    """The lanes that a deployment keeps.

    Attributes:
        written: those that rows are written to.
        read: those that queries may use; fewer than that while one is being filled.
    """

    written: tuple[Lane, ...]
    read: tuple[Lane, ...]


def _lanes(declared: tuple[Lane, ...]) -> Kind:
    names = {lane.name for lane in declared}

    def parse(text: str) -> Lanes:
        given = [name.strip() for name in text.split(",")]
        if not {name.removeprefix("+") for name in given} <= names | {"*"}:
            raise ValueError(text)
        read = chosen(declared, [*KEPT, *(name for name in given if not name.startswith("+"))])
        return Lanes(chosen(declared, [*KEPT, *(name.removeprefix("+") for name in given)]), read)

    named = ", ".join(lane.name for lane in declared if not lane.optional)
    optional = ", ".join(lane.name for lane in declared if lane.optional)
    accepts = f"names with commas between: * for all of {named}; and beside these {optional}"
    return Kind(parse, f"{accepts}; a + before a name has the lane written and not yet read", Pattern(_LANE_NAMES))


def _one_of(*words: str) -> Kind:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return Kind(parse, " or ".join(f"`{word}`" for word in words), Word(words))


def _text(pattern: str, accepts: str) -> Kind:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(text)
        return text

    return Kind(parse, accepts, Pattern(pattern))


def _header_names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not all(re.fullmatch(r"[A-Za-z0-9-]{1,64}", name) for name in names):
        raise ValueError(text)
    return names


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip())


_DURATION = r"(([0-9]+(\.[0-9]+)?|\.[0-9]+)(w|d|h|m|s|ms|us|ns))+"
_LANE_NAMES = r"\+?[a-z_*]+(,\+?[a-z_*]+)*"

RETENTION = Kind(_duration, "a duration such as 90d, 1w2d or 36h; 0 or less keeps for ever", Pattern(f"0|{_DURATION}"))
LIFETIME = Kind(_positive_duration, "a duration above zero, such as 24h or 7d", Pattern(_DURATION))
BOOLEAN = Kind(_boolean, "true or false", Word(("true", "false")))
UNUSED = Kind(_duration, "a duration such as 90d; 0 or less for never", Pattern(f"0|{_DURATION}"))
HEADER_NAMES = Kind(
    _header_names,
    "names of headers with commas between, such as X-Forwarded-For, or nothing",
    Pattern(r"([A-Za-z0-9-]{1,64}(, *[A-Za-z0-9-]{1,64})*)?"),
)
NETWORKS = Kind(
    _networks,
    "addresses and networks with commas between, such as 192.168.1.0/24, or nothing",
    Pattern(r"([0-9a-fA-F:.]+(/[0-9]+)?(, *[0-9a-fA-F:.]+(/[0-9]+)?)*)?"),
)
URL = _text(r"https?://[^\s/?#]+(/[^\s?#]*)?", "an address such as https://gatebook.example.com")
OPTIONAL_URL = _text(r"(https?://[^\s/?#]+(/[^\s?#]*)?)?", "an address such as https://coder.example.com, or nothing")
ORIGIN = _text(
    r"(\*|https?://[^\s/?#,]+)?", "one origin such as https://portal.example.com, * for any, or nothing for none"
)
OPTIONAL_BUCKET = _text(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?", "the name of a bucket, or nothing")
SECRETS_KEY = _text(
    r"(memory|file:.+|alias/[a-zA-Z0-9/_-]+|arn:[a-z-]+:kms:[a-zA-Z0-9:/_-]+)?",
    "the ARN of a KMS key, or `alias/` and its name; `file:` and the path of a file; `memory`; or nothing",
)
PREFIX = _text(r"[a-zA-Z0-9_.-]{1,64}", "1 to 64 letters, digits, dots, dashes and underscores")
USERNAME = _text(
    r"(?=.{1,31}$)(?!(?i:me)$)[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*",
    "up to 31 letters and digits, with single dashes between, and not `me`",
)
EMAIL = _text(r"[^\s@]+@[^\s@]+", "an e-mail address")


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
        _whole(1, 100_000),
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
        _whole(1, MAX_SHARDS),
        "1",
        "Shards of the coarse lanes, each good for 1,000 events a second. May grow, never shrink.",
    )
    connection_lanes: Lanes = setting(  # noqa: RUF009 - a field, as all of them
        "GATEBOOK_CONNECTION_LANES",
        _lanes(EVERY_CONNECTION_LANE),
        "*",
        "The lanes of the connection log; each costs a write unit per event. `all` is always kept.",
    )
    audit_lanes: Lanes = setting(  # noqa: RUF009 - as above
        "GATEBOOK_AUDIT_LANES",
        _lanes(EVERY_AUDIT_LANE),
        "*",
        "The lanes of the audit log; as above. `all` and `connection_event` are always kept.",
    )
    max_rows_read: int = setting(
        "GATEBOOK_MAX_ROWS_READ",
        _whole(100, 10_000_000),
        "20000",
        "How many rows one query may read before it answers with what it has, and a cursor.",
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
    request_log: str = setting(
        "GATEBOOK_REQUEST_LOG",
        _one_of("off", "json"),
        "off",
        "Print a line for each request, with CloudWatch metrics in it.",
    )
    service_log: str = setting(
        "GATEBOOK_SERVICE_LOG",
        _one_of("off", "json", "human"),
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
