"""Records that tests of several rooms begin with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.records import ConnectionLog, User


@pytest.fixture
def session_row() -> ConnectionLog:
    return ConnectionLog(
        id="b3c3a1de-3c1f-5f0e-9a54-6f4f6d2f8f10",
        session=True,
        connect_time=datetime(2025, 7, 10, 10, 14, 38, 942776, tzinfo=UTC),
        organization_id="9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11",
        workspace_owner_id="0c9f6f0a-93a0-4d55-9d0e-21b0b7a54c12",
        workspace_id="4d1a2f6e-0d2b-4a0e-8a1d-7c3b2e5f6a13",
        workspace_name="billing-backend",
        agent_name="main",
        type="ssh",
        ip="203.0.113.7",
        connection_id="a7a1d3c5-5b0e-4c55-b7f6-52c1d9e0fb14",
    )


@pytest.fixture
def web_row(session_row: ConnectionLog) -> ConnectionLog:
    return ConnectionLog(
        id="5e0c8f72-64a4-4a8c-9b0d-3f2e1d0c9b15",
        session=False,
        connect_time=session_row.connect_time,
        organization_id=session_row.organization_id,
        workspace_owner_id=session_row.workspace_owner_id,
        workspace_id=session_row.workspace_id,
        workspace_name=session_row.workspace_name,
        agent_name=session_row.agent_name,
        type="workspace_app",
        ip="2001:db8:85a3::8a2e:370:7334",
        user_agent=(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
        ),
        user_id="1d7e6c5b-4a39-4827-b615-04f3e2d1c016",
        slug_or_port="code-server",
        code=200,
    )


@pytest.fixture
def alice() -> User:
    born = datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    return User(
        id="1d7e6c5b-4a39-4827-b615-04f3e2d1c016",
        username="alice",
        email="alice@example.com",
        name="Alice",
        avatar_url="",
        status="active",
        login_type="oidc",
        roles=("auditor",),
        organization_roles={"9f2b7c1e-6d3c-4a7a-8a58-0e5b5a3d1c11": ("organization-admin",)},
        created_at=born,
        updated_at=born,
    )
