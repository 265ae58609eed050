"""The Chalice application: every route of every resource, and nothing else."""

from __future__ import annotations

from chalicelib.api import connection_logs, organizations, service, tokens, users
from chalicelib.api.application import Gatebook
from chalicelib.store.engine import connection

app = Gatebook(app_name="gatebook")

for resource in (service, users, organizations, tokens, connection_logs):
    app.register_blueprint(resource.routes)

# A client made while Lambda starts costs the first request 20 ms less than one made by it.
connection()
