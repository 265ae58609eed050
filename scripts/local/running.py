"""The steps of a start that need an engine: tables, rows, owner, sample, gateway and schedules.

Tables take their names and clients their endpoint from the environment when the service is imported: import this module
once the environment is as it is to be and the engine runs.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from socket import socket
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from app import app
from chalicelib.api.http import RESPONSE_HEADERS
from chalicelib.errors import GatebookError
from chalicelib.store.dynamodb import schema, tables
from scripts.gateway.application import Gateway
from scripts.local import exports, owner, sample
from scripts.local.checks import ENDPOINT, asked
from scripts.local.data_directory import StartError
from scripts.local.engine import EmbeddedEngine
from scripts.local.linked_gateway import LinkedGateway
from scripts.local.persistence import Persistence
from scripts.local.schedule import Schedule, scheduled
from scripts.local.server import LocalServer, url_of

FORGET_EVERY_SECONDS = 3_600.0
"""How often the embedded engine deletes what is stamped."""


class Place(NamedTuple):
    """The address, organization and user id that the owner needs to call the service.

    Attributes:
        url: its address, with the stage.
        organization_id: of the first organization; all zeros where there is none.
        owner_id: the user's.
    """

    url: str
    organization_id: str
    owner_id: str


def create_tables(endpoint: str | None) -> bool:
    """Create what is missing; whether that was every table, so that nobody's rows can be in them.

    Args:
        endpoint: of an engine that is not ours; None for the embedded one.

    Raises:
        StartError: what is at the endpoint is no DynamoDB.
    """
    logging.disable(logging.WARNING)  # the store's own account of a failure would be a second line
    try:
        created = schema.create_missing_tables()
    except (GatebookError, BotoCoreError, ClientError) as error:
        if endpoint is None:
            raise
        raise StartError(
            f"The engine at {endpoint} does not work as DynamoDB does ({error}); check {ENDPOINT}"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
    return len(created) == len(tables.TABLES)


@contextmanager
def persisted(engine: EmbeddedEngine, directory: Path) -> Iterator[int]:
    """Keep what an engine holds in a directory meanwhile; gives the number of rows that were there.

    Raises:
        StartError: what is there cannot be taken in.
    """
    persistence = Persistence(engine, directory)
    count = persistence.restore()
    try:
        yield count
    finally:
        persistence.close()


def ensure_owner(kept_token: str | None) -> str:
    """A token of the owner; both are made where they are not there.

    Raises:
        StartError: the store does not take them, for example because its disk is full.
    """
    try:
        return owner.ensure_owner(kept_token)
    except GatebookError as error:
        raise StartError(f"The owner cannot be made: {error.message} {error.detail}") from error


def load_sample() -> int:
    """Write the sample; how many events it has.

    Raises:
        StartError: the store does not take it.
    """
    try:
        return sample.load()
    except GatebookError as error:
        raise StartError(f"The sample cannot be loaded: {error.message} {error.detail}; see --no-sample") from error


@contextmanager
def forgetting(engine: EmbeddedEngine) -> Iterator[None]:
    """Delete meanwhile what is stamped, as DynamoDB does by itself."""
    with Schedule(lambda _event, _context: engine.forget(time.time()), FORGET_EVERY_SECONDS, "forget"):
        yield


def exporting(engine: EmbeddedEngine, directory: Path | None) -> AbstractContextManager[None]:
    """A context that writes exports meanwhile, and keeps their files in a directory."""
    return exports.exporting(app, engine, directory)


@contextmanager
def answering(listener: socket, stage: str, token: str, *, has_bucket: bool) -> Iterator[Place]:
    """Answer requests and run the schedules meanwhile, once the service has answered its owner.

    Args:
        listener: the socket.
        stage: that paths begin with.
        token: the owner's.
        has_bucket: whether links of exports lead here.

    Raises:
        StartError: it does not accept the token.
    """
    if has_bucket:
        gateway: Gateway = LinkedGateway(app, RESPONSE_HEADERS, stage, url_of(listener))
    else:
        gateway = Gateway(app, RESPONSE_HEADERS, stage)
    server = LocalServer(gateway, listener)
    server.start()
    try:
        with scheduled(app):
            url = url_of(listener) + (f"/{stage}" if stage else "")
            owner_id = asked(url, token, "/api/v2/users/me")["id"]
            organizations = asked(url, token, "/api/v2/organizations")
            yield Place(url, organizations[0]["id"] if organizations else str(uuid.UUID(int=0)), owner_id)
    finally:
        server.stop()
