"""The names of a connection, from every shape in which a server has named it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.logs.applications import Named, display_name, named, normalised, type_of


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "ssh"}, Named("ssh")),
        ({"type": "vscode"}, Named("vscode")),
        ({"type": "reconnecting_pty"}, Named("reconnecting_pty")),
        ({"type": "cursor"}, Named("vscode", "cursor")),
        ({"type": "goland"}, Named("jetbrains", "goland")),
        ({"type": "sftp"}, Named("ssh", "sftp")),
        ({"type": "Cursor Nightly"}, Named("ssh", "cursor nightly")),
        ({"type": "port_forwarding", "slug_or_port": "8080"}, Named("port_forwarding", None, "8080")),
        ({"type": "file_transfer", "user_agent": "x"}, Named("file_transfer")),
        ({"type": "file_transfer", "user_agent": "x", "connection_id": "x"}, Named("ssh", "file_transfer")),
        ({"connection_method": "ssh"}, Named("ssh")),
        ({"connection_method": "ssh", "type": "jetbrains"}, Named("ssh")),
        ({"connection_method": "ssh", "app_name": "Cursor"}, Named("vscode", "cursor")),
        ({"connection_method": "ssh", "app_name": "vscode"}, Named("vscode")),
        ({"connection_method": "ssh", "app_name_or_port": "tunnel"}, Named("ssh", "tunnel")),
        ({"connection_method": "reconnecting_pty", "app_name": "cursor"}, Named("reconnecting_pty", "cursor")),
        ({"connection_method": "workspace_app", "app_name_or_port": "cursor"}, Named("workspace_app", None, "cursor")),
        ({"connection_method": "port_forwarding", "app_name_or_port": "8080"}, Named("port_forwarding", None, "8080")),
        ({"connection_method": "tunnel"}, Named("tunnel")),
        ({"connection_method": "x11", "connection_status": "disconnected"}, Named("ssh", "x11")),
    ],
)
def test_every_shape_of_a_name_comes_to_a_type_and_an_application(event: dict[str, Any], expected: Named) -> None:
    assert named(event) == expected


@pytest.mark.parametrize("event", [{}, {"type": ""}, {"type": 7}, {"connection_method": ["ssh"]}])
def test_an_event_that_names_nothing_is_left_to_be_refused(event: dict[str, Any]) -> None:
    assert named(event) is None


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Cursor Nightly", "cursor nightly"),
        ("a" * 60 + " " * 5 + "tail", "a" * 60),
        (" \x00vs-code\x1b ", "vs_code"),
        ("\x07", "unknown"),
        ("", "unknown"),
        ("Ünï-Code", "ünï_code"),
    ],
)
def test_an_applications_name_is_a_short_label(name: str, stored: str) -> None:
    assert normalised(name) == stored


def test_the_registry_has_families_and_names_to_show() -> None:
    assert (type_of("windsurf"), type_of("pycharm"), type_of("zed"), type_of("anything")) == (
        "vscode",
        "jetbrains",
        "ssh",
        "ssh",
    )
    assert (display_name("cursor"), display_name("reconnecting_pty"), display_name("mine")) == (
        "Cursor",
        "Web Terminal",
        "mine",
    )
