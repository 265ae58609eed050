"""The Chalice application: every route of every resource, the schedules, the reader of the queue, and nothing else."""

from __future__ import annotations

import gc
from typing import Any

gc.disable()  # what is imported is no garbage, and looking for some would be a quarter of a cold start

from chalice.app import CloudWatchEvent  # noqa: E402

from chalicelib.api.application import Gatebook  # noqa: E402
from chalicelib.api.cold_start import prepare  # noqa: E402
from chalicelib.api.views import blueprint  # noqa: E402
from chalicelib.routes import ROUTES  # noqa: E402

app = Gatebook(app_name="gatebook")
app.register_blueprint(blueprint(ROUTES))


# Not in the blueprint: a schedule that is declared there is deployed without this module being imported.
@app.schedule("rate(10 minutes)", name="purge")
def purge(event: CloudWatchEvent) -> dict[str, Any]:
    """Delete what is past its time."""
    from chalicelib.api import retention  # noqa: PLC0415 - each function imports its own work alone

    return retention.scheduled(event.context)


@app.schedule("rate(1 minute)", name="dispatch")
def dispatch(event: CloudWatchEvent) -> dict[str, Any]:
    """Send the notifications and the usage events that wait."""
    from chalicelib.api import schedules  # noqa: PLC0415

    return schedules.dispatch(event.context)


@app.lambda_function(name="store_queued")
def store_queued(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Store the requests that a batch of the queue's messages holds."""
    from chalicelib.api import queued_ingest  # noqa: PLC0415

    return queued_ingest.store_batch(event, context)


@app.lambda_function(name="write_export")
def write_export(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Go on with an export."""
    from chalicelib.api import export_writer  # noqa: PLC0415

    return export_writer.write(event, context)


prepare()
