"""The Chalice application: every route of every resource, and nothing else."""

from __future__ import annotations

import gc

gc.disable()  # what is imported is no garbage, and looking for some would be a quarter of a cold start

from chalicelib.api import (  # noqa: E402
    audit_logs,
    connection_logs,
    keys,
    organizations,
    service,
    sessions,
    tokens,
    users,
)
from chalicelib.api.application import Gatebook  # noqa: E402
from chalicelib.api.cold_start import prepare  # noqa: E402

app = Gatebook(app_name="gatebook")

for resource in (service, sessions, users, organizations, tokens, keys, connection_logs, audit_logs):
    app.register_blueprint(resource.routes)

prepare()
