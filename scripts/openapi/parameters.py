"""The parameters and headers of the document, each declared once: what they are, and how a value looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from chalicelib.api.arrivals import SETTLED_TO
from chalicelib.api.authentication import EXPIRY_HEADER
from chalicelib.api.http import RESPONSE_HEADERS
from chalicelib.api.idempotency import HEADER as IDEMPOTENCY_KEY
from chalicelib.api.log_files import KEPT_SINCE, ROWS
from chalicelib.api.log_summary import MAX_BUCKETS
from chalicelib.export.formats import PAGE_FORMATS
from chalicelib.lanes.catalogue import ARRIVAL
from chalicelib.notifications.inbox_row import READ_STATUSES
from chalicelib.platform import daemons, jobs
from chalicelib.search.filters import AUDIT_FILTERS, CONNECTION_FILTERS, FilterTable
from chalicelib.search.platform_filters import TEMPLATE_FILTERS, WORKSPACE_FILTERS
from chalicelib.search.user_filters import MEMBER_FILTERS, PAGED_MEMBER_FILTERS, USER_FILTERS, UserTable

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_ID = {"type": "string", "format": "uuid"}
_NUMBER = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1}


class Parameter(NamedTuple):
    """A parameter of a path or of a query.

    Attributes:
        about: one sentence.
        schema: of its value.
        name: in the request, where that is another than its name in the table.
    """

    about: str
    schema: Mapping[str, Any]
    name: str = ""


def _language(table: FilterTable | UserTable, about: str, form: str) -> Parameter:
    keys = "\n".join(f"- `{key.key}:` {key.about}" for key in table.keys)
    text = f"{about} `key:value` pairs with spaces between, all of which must hold. The keys:\n\n{keys}"
    return Parameter(text, {"type": "string", "format": form}, "q")


PATH: Final[Mapping[str, Parameter]] = {
    "user": Parameter("A user: an id, a username, or `me` for whoever asks.", _TEXT),
    "organization": Parameter("An organization: an id or a name.", _TEXT),
    "keyid": Parameter("The id of a token or of a session key: the first ten characters of it.", _TEXT),
    "keyname": Parameter("The name of a token.", _TEXT),
    "name": Parameter("The name of a hold, or of a secret.", _TEXT),
    **{
        name: Parameter(f"The id of a {what}.", _ID)
        for name, what in {
            "template": "template",
            "templateversion": "version of a template",
            "workspace": "workspace",
            "workspacebuild": "build of a workspace",
            "workspaceagent": "workspace agent",
            "daemon": "provisioner daemon",
            "job": "provisioner job",
            "file": "file of a template",
            "license": "licence of the platform",
        }.items()
    },
    "id": Parameter("The id of a row.", _ID),
    "version": Parameter("The name of a version: of a template, or of the page's files.", _TEXT),
    "workspacename": Parameter("The name of a workspace.", _TEXT),
    "buildnumber": Parameter("The number of a build.", _NUMBER),
    "provider": Parameter("The id of a provider of external authentication.", _TEXT),
    "agent": Parameter("The name of an agent.", _TEXT),
    "os": Parameter("An operating system, such as `linux`.", _TEXT),
    "arch": Parameter("An architecture, such as `amd64`.", _TEXT),
    "group": Parameter("The name or id of a group.", _TEXT),
    "provisionerkey": Parameter("The name of a key of provisioners.", _TEXT),
    "proxy": Parameter("The name or id of a proxy of workspaces.", _TEXT),
    "asset": Parameter("The name of a file of the page.", _TEXT),
}

QUERY: Final[Mapping[str, Parameter]] = {
    "connections": _language(CONNECTION_FILTERS, "Which rows of the connection log.", "gatebook-connections"),
    "audits": _language(AUDIT_FILTERS, "Which rows of the audit log.", "gatebook-audits"),
    "users": _language(USER_FILTERS, "Which users.", "gatebook-users"),
    "members": _language(MEMBER_FILTERS, "Which members.", "gatebook-members"),
    "paged members": _language(PAGED_MEMBER_FILTERS, "Which members.", "gatebook-paged-members"),
    "limit": Parameter("How many rows at the most; 0 means what is meant where nothing is said.", _NUMBER),
    "offset": Parameter("How many rows to leave out before the first.", _NUMBER),
    "after_id": Parameter("The id of the row after which to begin.", _ID),
    "after_key": Parameter("The id of the token after which to begin.", _TEXT, "after_id"),
    "cursor": Parameter("The `next_cursor` of the answer before; goes with neither `offset` nor `after_id`.", _TEXT),
    "count": Parameter("`false` leaves the count out.", _FLAG),
    "explain": Parameter("Say how the rows were read, to those who may read the whole log.", _FLAG),
    "conflicts": Parameter("Show what events contradicted a row, to those who may read the whole log.", _FLAG),
    "from": Parameter("The first moment that is summed up: a time, a day, or how long ago, such as `-24h`.", _TEXT),
    "to": Parameter("The moment at which it ends, in the same forms.", _TEXT),
    "buckets": Parameter("Into how many spans the time is cut; 0 means 60.", {**_NUMBER, "maximum": MAX_BUCKETS}),
    "facets": Parameter("The keys by whose values rows are counted, with commas between.", _TEXT),
    "results": Parameter(
        "`problems` lists rejected and failed events alone.", {"type": "string", "enum": ["problems"]}
    ),
    "queue": Parameter("Queue the events where the deployment has a queue; the answer says so.", _FLAG),
    "format": Parameter("How the rows are written.", {"type": "string", "enum": ["json", *PAGE_FORMATS]}),
    "order": Parameter(
        "`arrival` for rows in the order of their latest write, oldest first.", {"type": "string", "enum": [ARRIVAL]}
    ),
    "first_day": Parameter("The first day, `YYYY-MM-DD`; 29 days before the last by default.", _TEXT, "from"),
    "last_day": Parameter("The last day, `YYYY-MM-DD`; today by default.", _TEXT, "to"),
    "job_status": Parameter(f"Words with commas between, of: {', '.join(jobs.STATUSES)}.", _TEXT, "status"),
    "daemon_status": Parameter(f"Words with commas between, of: {', '.join(daemons.STATUSES)}.", _TEXT, "status"),
    "templates": _language(TEMPLATE_FILTERS, "Which templates.", "gatebook-templates"),
    "workspaces": _language(WORKSPACE_FILTERS, "Which workspaces.", "gatebook-workspaces"),
    "log_format": Parameter("`text` for lines as people read them.", _TEXT, "format"),
    "follow": Parameter("Wait for more lines: `false` alone is taken.", _FLAG),
    "after": Parameter("The id of the line after which to begin.", _TEXT),
    "include_archived": Parameter("List archived versions, too.", _FLAG),
    "include_deleted": Parameter("Answer a deleted workspace, too.", _FLAG),
    "since": Parameter("From which moment on.", _TEXT),
    "ids": Parameter("Ids, with commas between.", _TEXT),
    "tags": Parameter("Tags as a JSON object of texts.", _TEXT),
    "initiator": Parameter("Who has begun it, by id.", _ID),
    "offline": Parameter("List those that are silent, too.", _FLAG),
    "max_age": Parameter("How long ago they were seen at the most, such as `1h`.", _TEXT),
    "targets": Parameter("Ids of which a notification must have all, with commas between.", _TEXT),
    "notification_templates": Parameter("Ids of templates, with commas between.", _TEXT, "templates"),
    "read_status": Parameter("Whether it was read.", {"type": "string", "enum": [*READ_STATUSES]}),
    "starting_before": Parameter("The id of the row before which to begin.", _ID),
    "watch_format": Parameter("How texts are written.", _TEXT, "format"),
    "details": Parameter("Say of each scope what it stands for.", _FLAG),
    "include_all": Parameter("List the tokens of everybody, as far as the caller may read them.", _FLAG),
    "include_expired": Parameter("List tokens that have ended, too.", _FLAG),
}

REQUEST_HEADERS: Final[Mapping[str, Parameter]] = {
    IDEMPOTENCY_KEY: Parameter(
        "Makes a request safe to send again: it is done once.",
        {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/+=~-]{0,254}$"},
    ),
}

HEADERS: Final[Mapping[str, Parameter]] = {
    **{
        name: Parameter("On every answer.", {"type": "string"})
        for name in RESPONSE_HEADERS
        if name.startswith("X-Coder")
    },
    EXPIRY_HEADER: Parameter("When what the request brought ends, where that is soon.", _TEXT),
    "Gatebook-Accepted-Lines": Parameter(
        "How many lines or objects, from the first, need not be sent again.", {"type": "string", "pattern": "^[0-9]+$"}
    ),
    KEPT_SINCE: Parameter("From which moment on rows are kept, of each data set of the log.", _TEXT),
    ROWS: Parameter("How many rows a file has.", {"type": "string", "pattern": "^[0-9]+$"}),
    SETTLED_TO: Parameter("Up to which moment a file has every row that arrived.", _TEXT),
    "Gatebook-Partial": Parameter("`true` where the list has fewer than there are.", _TEXT),
    "Link": Parameter("Names the next page, where there is one.", _TEXT),
    "Location": Parameter("Where the page is, or what was made.", _TEXT),
    "Retry-After": Parameter("After how many seconds to send the request again.", {"type": "string"}),
    "Set-Cookie": Parameter("The cookie of the page.", _TEXT),
    "WWW-Authenticate": Parameter("Why the token opens nothing.", _TEXT),
}
