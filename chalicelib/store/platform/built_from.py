"""Which templates workspaces are built from: those whose lanes a query by version reads.

A workspace is outdated by what its template says now, so that nothing is to be written for a template's workspaces when
it has another active version.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chalicelib.platform.facts import UNBUILT
from chalicelib.platform.kinds import TEMPLATE, WORKSPACE
from chalicelib.platform.section import Section, just_after
from chalicelib.store.platform import distinct
from chalicelib.store.platform.rows import Known, get_many

_HOLDER: Final = "templates"
_MOST: Final = 1_000


def note(organization_id: str, template_id: str) -> None:
    """Note that an organization has a workspace of a template.

    Raises:
        Unavailable: the store did not answer.
    """
    distinct.note(_HOLDER, f"{organization_id}:{template_id}")


def template_ids(organization_ids: Iterable[str] | None) -> list[str] | None:
    """The templates of an organization's workspaces, or, for None, of all; None where they are too many."""
    listed = distinct.listed(_HOLDER, _MOST)
    if listed is None:
        return None
    wanted = None if organization_ids is None else frozenset(organization_ids)
    pairs = (text.split(":", 1) for text in listed)
    return sorted(
        {template_id for organization_id, template_id in pairs if wanted is None or organization_id in wanted}
    )


def sections(template_ids: Iterable[str], *, outdated: bool) -> list[Section]:
    """The sections of the lane `version` that have the workspaces of templates which are outdated, or which are not.

    Raises:
        Unavailable: the store did not answer.
    """
    ids = list(template_ids)
    known = Known(get_many((TEMPLATE, template_id) for template_id in ids))
    made: list[Section] = []
    for template_id in ids:
        template = known.get(TEMPLATE, template_id)
        key = WORKSPACE.key("version", template_id)
        if key is None:
            continue
        active = template.get("active_version_id") if template else None
        if active and outdated:
            made += [Section(key, "", f"{active}"), Section(key, just_after(f"{active}#"), UNBUILT)]
        elif active:
            made += [Section(key, f"{active}#", just_after(f"{active}#")), Section(key, UNBUILT)]
        elif not outdated:
            made += [Section(key)]
    return made
