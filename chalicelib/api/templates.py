"""Templates, their versions and presets: listed and looked up, by whoever may read the template."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib import times
from chalicelib.access import allow_list
from chalicelib.access.decide import reach
from chalicelib.api import lookup, platform_access, request_log
from chalicelib.api.authentication import authenticated
from chalicelib.api.caller import Caller
from chalicelib.api.directory_query import Asked, organization_id_of, user_id_of
from chalicelib.api.http import Answer, Call, Encoded
from chalicelib.api.id_pages import page_of
from chalicelib.api.parameters import boolean
from chalicelib.api.provisioners import budget_of, fitted, queue_beside
from chalicelib.api.template_names import is_named, templates_named
from chalicelib.casing import lowered
from chalicelib.errors import NotFound
from chalicelib.models.platform_answers import TemplateJSON, TemplateVersionJSON
from chalicelib.models.templates import access_json, presets_json, template_json, version_json
from chalicelib.platform import facts
from chalicelib.platform.kinds import DAEMON, JOB, TEMPLATE, VERSION, WORKSPACE
from chalicelib.search import values
from chalicelib.search.platform_filters import TEMPLATE_FILTERS
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.platform.joins import known_beside
from chalicelib.store.platform.lane_reader import Range
from chalicelib.store.platform.listing import Identified, Named, in_lane, in_state, read_listing
from chalicelib.store.platform.rows import Mirrored

_RESOLVED = frozenset({"organization", "author", "deleted"})
"""Keys that are answered by the choice of rows."""


@authenticated
def list_all(call: Call, caller: Caller) -> Answer:
    """The templates that `q` asks for and the caller may read, by name."""
    return _listed(call, caller, None)


@authenticated
def list_of_organization(call: Call, caller: Caller, organization: str) -> Answer:
    """The templates of an organization that `q` asks for and the caller may read, by name."""
    return _listed(call, caller, lookup.organization(caller, organization).id)


@authenticated
def show(_call: Call, caller: Caller, template: str) -> Answer:
    """One template."""
    return Answer(_json([platform_access.named(caller, TEMPLATE, "template", template)])[0])


@authenticated
def show_access(_call: Call, caller: Caller, template: str) -> Answer:
    """The access list of a template, for whoever may change it: everybody in its organization, unless it is closed."""
    of = platform_access.named(caller, TEMPLATE, "template", template)
    if not platform_access.may(caller.subject, "update", of):
        raise NotFound
    organization = people.get_organization(str(of.get("organization_id")))
    return Answer(access_json(of, organization))


@authenticated
def show_by_name(_call: Call, caller: Caller, organization: str, template: str) -> Answer:
    """The template of an organization with this name."""
    return Answer(_json([_by_name(caller, organization, template)])[0])


@authenticated
def version_by_names(_call: Call, caller: Caller, organization: str, template: str, version: str) -> Answer:
    """The version with this name, of the template of an organization with that name."""
    return Answer(_version_json(_version_by_name(_by_name(caller, organization, template), version)))


@authenticated
def versions(call: Call, caller: Caller, template: str) -> Answer:
    """The versions of a template, oldest first; archived ones where they are asked for."""
    of = platform_access.named(caller, TEMPLATE, "template", template)
    budget, archived = budget_of(call), boolean(call.query("include_archived"))
    of_template = in_lane(VERSION, "parent", (of.id,))
    listed = read_listing(of_template, budget, lambda version: archived or not version.get("archived"))
    request_log.note(RowsRead=budget.rows_read)
    return page_of(call, listed, _versions_json, partial=not budget.left)


@authenticated
def version_by_name(_call: Call, caller: Caller, template: str, version: str) -> Answer:
    """The version of a template with this name."""
    of = platform_access.named(caller, TEMPLATE, "template", template)
    return Answer(_version_json(_version_by_name(of, version)))


@authenticated
def show_version(_call: Call, caller: Caller, templateversion: str) -> Answer:
    """One version of a template."""
    return Answer(_version_json(platform_access.version_named(caller, templateversion)))


@authenticated
def presets(_call: Call, caller: Caller, templateversion: str) -> Answer:
    """The presets of a version; `null` where it has none."""
    listed = presets_json(platform_access.version_named(caller, templateversion))
    return fitted(listed) if listed else Answer(Encoded("null"))


def _version_by_name(template: Mirrored, name: str) -> Mirrored:
    of_name = in_lane(VERSION, "name", (template.id, lowered(name)))
    named = read_listing(of_name, Budget(), lambda row: row.get("name") == name)
    if not named:
        raise NotFound(f'No template version found by name "{values.cut(name)}".')
    return named[-1]


def _by_name(caller: Caller, organization: str, name: str) -> Mirrored:
    organization_id = lookup.organization(caller, organization).id
    named = read_listing(
        templates_named(lowered(name), (organization_id,), (False, True)),
        Budget(),
        lambda row: is_named(name, row) and platform_access.may(caller.subject, "read", row),
    )
    if not named:
        raise NotFound
    return max(named, key=lambda row: row.updated_at)


def _listed(call: Call, caller: Caller, organization_id: str | None) -> Answer:
    asked = Asked.of(call.query("q"), TEMPLATE_FILTERS)
    if organization_id is None and (name := asked.value("organization")) is not None:
        organization_id = organization_id_of(caller, name)
    author = asked.value("author")
    author_id = asked.value("author_id") if author is None else user_id_of(caller, author)
    deleted, deprecated = bool(asked.flag("deleted")), bool(asked.flag("deprecated"))

    def wanted(row: Mirrored) -> bool:
        fields = {
            **row.values,
            "is_deprecated": bool(row.get("deprecation_message")),
            "has_ai_task": False,
            "has_external_agent": bool(row.joined.get("has_external_agent")),
            "deleted": bool(row.get("deleted")),
        }
        return (
            fields["deleted"] is deleted
            and fields["is_deprecated"] is deprecated
            and (organization_id is None or row.get("organization_id") == organization_id)
            and (author_id is None or row.get("created_by_id") == author_id)
            and asked.matches(fields, _RESOLVED)
            and platform_access.may(caller.subject, "read", row)
        )

    budget = budget_of(call)
    ids = [] if asked.flag("has-ai-task") else asked.ids("ids")
    named = allow_list.ids(caller.subject.allow_list, TEMPLATE.resource)
    if ids is None and named is not None:
        ids = sorted(named)
    readable = _readable(caller, organization_id)
    source = _source(asked, readable, author_id) if ids is None else Identified(TEMPLATE, ids)
    listed = read_listing(source, budget, wanted)
    request_log.note(RowsRead=budget.rows_read)
    return fitted(_json(listed), partial=not budget.left)


def _readable(caller: Caller, organization_id: str | None) -> Sequence[str] | None:
    """The organizations whose templates are read; None for all."""
    if organization_id is not None:
        return (organization_id,)
    readable = reach(caller.subject, "read", TEMPLATE.resource)
    return None if readable.site else sorted({*readable.organizations, *caller.subject.organization_roles})


def _source(asked: Asked, organization_ids: Sequence[str] | None, author_id: str | None) -> Range | Named:
    """Where the templates are read, so that the fewest are read in vain."""
    if asked.flag("deleted"):
        return in_state(TEMPLATE, "by_use", [(facts.DELETED,)], organization_ids)
    deprecated = bool(asked.flag("deprecated"))
    if name := asked.value("exact_name"):
        return templates_named(name, organization_ids, (deprecated,))
    chosen = {"by_display_name": asked.value("exact_display_name"), "by_owner": author_id}
    for lane, value in chosen.items():
        if value:
            return in_state(TEMPLATE, lane, [(value, deprecated)], organization_ids)
    for field in TEMPLATE.named:
        if part := asked.value(field):
            return Named(TEMPLATE, field, part, str(deprecated), organization_ids)
    if (external := asked.flag("has_external_agent")) is not None:
        return in_state(TEMPLATE, "by_external_agent", [(external, deprecated)], organization_ids)
    return in_state(TEMPLATE, "by_use", [(facts.use(out_of_use=deprecated),)], organization_ids)


def _json(listed: Sequence[Mirrored]) -> list[TemplateJSON]:
    known = people.look_up(
        {str(row.get("created_by_id")) for row in listed if row.get("created_by_id")},
        {str(row.get("organization_id")) for row in listed},
    )
    return [template_json(row, times.wire(row.updated_at), known.organizations, known.users) for row in listed]


def _version_json(version: Mirrored) -> TemplateVersionJSON:
    return _versions_json([version], alone=True)[0]


def _versions_json(listed: Sequence[Mirrored], *, alone: bool = False) -> list[TemplateVersionJSON]:
    known = known_beside(listed, (JOB, TEMPLATE, VERSION, DAEMON, WORKSPACE))
    users = people.get_users({str(row.get("created_by_id")) for row in listed if row.get("created_by_id")})
    places, daemons = queue_beside(listed, known, alone=alone)
    return [version_json(row, times.wire(row.updated_at), known, users, places, daemons) for row in listed]
