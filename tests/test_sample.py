"""The sample answers the queries that the README shows, and is quick to load."""

from __future__ import annotations

import re

import pytest

from chalicelib import times
from chalicelib.lanes.plan import plan
from chalicelib.records import AuditLog
from chalicelib.search.criteria import criteria
from chalicelib.search.filters import AUDIT_FILTERS
from chalicelib.search.parser import parse
from chalicelib.store.directory import people
from chalicelib.store.dynamodb.budget import Budget
from chalicelib.store.logs.page import Window, read_page
from chalicelib.store.logs.tables import AUDIT_LOGS
from scripts.docs.reference import README
from scripts.local import owner, sample
from tests.transport import ObservedTransport

pytestmark = pytest.mark.usefixtures("tables")


def matches(query: str) -> list[AuditLog]:
    asked = parse(query, AUDIT_FILTERS, me="", organization=people.organization_id)
    wanted = criteria(
        asked, AUDIT_FILTERS, lambda reference: people.user_ids(reference.by, reference.text), times.now()
    )
    return [*read_page(AUDIT_LOGS, [plan(wanted, AUDIT_LOGS.kept().read, 1)], Budget(), Window(1_000)).rows]


def test_the_audit_query_of_the_documents_has_an_answer() -> None:
    sample.load()
    (query,) = re.findall(r"'q=(resource_type:[^']+)'", (README.parent / "docs" / "audit.md").read_text())
    assert len(matches(query)) >= 5
    for other in ("resource_type:workspace action:create", "action:login", "username:linus", "organization:acme"):
        assert matches(other), other
    assert any(row.diff for row in matches("resource_type:template"))


def test_the_sample_is_one_write_an_event(transport: ObservedTransport) -> None:
    events = sample.load()
    directory_writes = transport.operations.count("TransactWriteItems")
    assert len(transport.operations) - directory_writes <= events < 1_000


def test_the_first_owner_and_its_token_are_in_the_audit_log() -> None:
    owner.ensure_owner(None)
    assert {(row.resource_type, row.action) for row in matches("")} == {
        ("organization", "create"),
        ("user", "create"),
        ("organization_member", "create"),
        ("api_key", "create"),
    }
