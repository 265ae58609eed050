"""The Chalice application: every route of every resource, and nothing else."""

from __future__ import annotations

from chalicelib.api import audit_logs, connection_logs, keys, organizations, service, sessions, tokens, users
from chalicelib.api.application import Gatebook

app = Gatebook(app_name="gatebook")

for resource in (service, sessions, users, organizations, tokens, keys, connection_logs, audit_logs):
    app.register_blueprint(resource.routes)
