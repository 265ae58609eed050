"""The package itself, built once, and one execution environment of its API function with an engine behind it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.deployment.package import Built, build
from scripts.deployment.runtime_api import Function
from scripts.local.engine import EmbeddedEngine
from scripts.local.engine_port import served


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("out"), "prod")


@pytest.fixture(scope="session")
def tree(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built.archive) as archive:
        archive.extractall(place)
    return place


@pytest.fixture(scope="module")
def address(engine: EmbeddedEngine) -> Iterator[str]:
    with served(engine) as url:
        yield url


@pytest.fixture(scope="module")
def function(tree: Path, address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    variables = {
        "AWS_ENDPOINT_URL_DYNAMODB": address,
        "GATEBOOK_REQUEST_LOG": "json",
        "GATEBOOK_SECRETS_KEY": "memory",
        "GATEBOOK_SERVICE_LOG": "json",
    }
    with Function(tree, "app.app", tmp_path_factory.mktemp("run"), variables) as running:
        yield running
