"""Which objects of the platform a row of the audit log speaks of, to be read with whom it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.logs import audit_text
from chalicelib.platform.kinds import BUILD, TEMPLATE, VERSION, WORKSPACE
from chalicelib.records import AuditLog
from chalicelib.store.platform import presence
from chalicelib.store.platform.rows import Mirrored

ATTRIBUTES: Final = ("id", "doc", "zdoc", "updated_at", "joined")
"""The attributes that are read of their items."""

_OWN: Final = {TEMPLATE.name: f"{TEMPLATE.name}#", VERSION.name: f"{VERSION.name}#"}
_OF_WORKSPACE: Final = frozenset({WORKSPACE.name, BUILD.name, "workspace_agent", "workspace_app"})

_BELONGS_TO: Final = {VERSION.name: {"template_id": TEMPLATE}, BUILD.name: {"workspace_id": WORKSPACE}}
"""Kind -> the field that names what an object belongs to, and of which kind that is."""


def ids_of(row: AuditLog) -> tuple[str, ...]:
    """The ids of the items of the objects that a row speaks of; none for most types."""
    if not presence.is_mirrored():
        return ()
    prefix = _OWN.get(row.resource_type)
    if prefix is not None:
        return (prefix + row.resource_id,)
    if row.resource_type not in _OF_WORKSPACE:
        return ()
    own = (BUILD.id(row.resource_id),) if row.resource_type == BUILD.name else ()
    about = audit_text.looked_up(row)
    return (*own, WORKSPACE.id(about.id)) if about else own


def beside(objects: Mapping[str, Mirrored]) -> set[str]:
    """The ids of the items that versions and builds among the objects belong to: these are gone with them."""
    named = {
        kind.id(str(object_id))
        for row in objects.values()
        for field, kind in _BELONGS_TO.get(row.kind.name, {}).items()
        if (object_id := row.get(field))
    }
    return named - objects.keys()
