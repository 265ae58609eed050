"""One engine for the whole session, with every table; each test finds the tables empty.

Handlers run under their policies: see `tests.rights`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import hypothesis
import pytest

from scripts.local.engine import EmbeddedEngine

if TYPE_CHECKING:
    from tests.rights import Watch
    from tests.second_engine import SecondEngine
    from tests.transport import ObservedTransport

pytest_plugins = ("tests.records",)

# A change lands or not by what it does: CI tries the same examples each time, and a developer's machine new ones.
hypothesis.settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")

# The service reads its settings once, at import: what a developer has set must not reach the tests.
for name in [name for name in os.environ if name.startswith(("GATEBOOK_", "CODER_", "AWS_"))]:
    del os.environ[name]

_WATCH = pytest.StashKey["Watch"]()
_WATCHED = pytest.StashKey[ExitStack]()
_USED = pytest.StashKey[set[tuple[str, str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-figures", action="store_true", help="write what is counted to docs/reliability.json")
    parser.addoption("--second-engine", action="store_true", help="test on dynalite: see tests/second_engine.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out, on the second engine, a test that needs what it lacks."""
    if item.config.option.second_engine:
        from tests.second_engine import LACKING  # noqa: PLC0415 - npm's is not there for every run

        needed = {ability for mark in item.iter_markers("needs") for ability in mark.args}
        assert needed <= LACKING.keys(), "tests/second_engine.py says what a test may need that the second engine lacks"
        if needed:
            pytest.skip(f"needs {', '.join(sorted(needed))}")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[EmbeddedEngine | SecondEngine]:
    with _started(second=request.config.option.second_engine) as running, pytest.MonkeyPatch.context() as patch:
        from chalicelib.store.dynamodb.schema import create_missing_tables  # noqa: PLC0415 - the engine must run first

        create_missing_tables()
        request.config.stash[_WATCH] = _watch(patch)
        with ExitStack() as request.config.stash[_WATCHED]:
            _put_under_watch(request.config)
            yield running


@pytest.fixture(scope="session")
def watch_again(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Watches the engine of the session again after a restart, whose transport stands before the watch."""
    return partial(_put_under_watch, request.config)


def _put_under_watch(config: pytest.Config) -> None:
    from chalicelib.store.dynamodb.transport import in_use, replaced_by  # noqa: PLC0415 - the engine must run first

    watched = config.stash[_WATCHED]
    watched.close()
    watched.enter_context(replaced_by(config.stash[_WATCH].before(in_use())))


@pytest.fixture
def tables(
    engine: EmbeddedEngine | SecondEngine, request: pytest.FixtureRequest
) -> Iterator[EmbeddedEngine | SecondEngine]:
    from chalicelib.store.dynamodb.transport import in_use  # noqa: PLC0415 - the engine must run first

    watch = request.config.stash[_WATCH]
    watch.refused.clear()
    assert watch.watches(in_use())
    yield engine
    engine.clear()
    from chalicelib.retention import holds  # noqa: PLC0415 - the engine must run first
    from chalicelib.store.directory import active_users  # noqa: PLC0415 - as above
    from chalicelib.store.platform import presence  # noqa: PLC0415 - as above

    # A process may go by what it read seconds ago; of tables that are gone it would be another test's.
    holds.forget()
    presence.forget()
    active_users.forget()
    assert watch.refused == [], "scripts/deployment/handlers.py says what each handler may call"


@pytest.fixture
def transport(tables: EmbeddedEngine, request: pytest.FixtureRequest) -> Iterator[ObservedTransport]:
    """The requests that the store sends, and the place for faults; see `tests.transport`."""
    from chalicelib.store.dynamodb.transport import in_use, replaced_by  # noqa: PLC0415 - the engine must run first
    from tests.transport import ObservedTransport  # noqa: PLC0415 - as above

    assert tables.running
    has_transactions = not request.config.option.second_engine
    if not has_transactions:
        from chalicelib.store.dynamodb.transaction import TRANSACTIONS  # noqa: PLC0415 - as above

        # What another test has learnt, that there are none, would hide from this one what it is to be left out for.
        TRANSACTIONS.is_lacking = False
    observed = ObservedTransport(in_use(), has_transactions=has_transactions)
    with replaced_by(observed):
        yield observed


@pytest.fixture
def keeps_secrets(engine: EmbeddedEngine | SecondEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with user secrets, whose key is in memory."""
    from chalicelib.settings import Settings  # noqa: PLC0415 - the engine must run first
    from chalicelib.store.secrets import data_keys  # noqa: PLC0415 - as above

    assert engine
    monkeypatch.setattr(data_keys, "current", lambda: Settings(secrets_key=data_keys.MEMORY))


@pytest.fixture
def keeps_exports(engine: EmbeddedEngine | SecondEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A deployment with a bucket for exports; gives the ids of those that the function was started for."""
    import boto3  # noqa: PLC0415 - the engine must run first

    from chalicelib.settings import Settings  # noqa: PLC0415 - as above
    from chalicelib.store import clients  # noqa: PLC0415 - as above
    from chalicelib.store.exports import files, function  # noqa: PLC0415 - as above

    assert engine
    clients.client.cache_clear()
    bucket = f"gatebook-exports-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=bucket)  # type: ignore[no-untyped-call]
    monkeypatch.setattr(files, "current", lambda: Settings(export_bucket=bucket))
    started: list[str] = []
    monkeypatch.setattr(function, "start", lambda _name, export_id: started.append(export_id))
    yield started
    clients.client.cache_clear()


@pytest.fixture
def shorten(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Limits the rows of an answer to a query, as DynamoDB does where they are large."""
    from chalicelib.store.dynamodb import rounds  # noqa: PLC0415 - the engine must run first
    from chalicelib.store.dynamodb.client import call  # noqa: PLC0415 - as above

    def limit(rows: int) -> None:
        def shortened(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
            short = {"Limit": min(request["Limit"], rows)} if operation == "Query" else {}
            return call(operation, {**request, **short})

        monkeypatch.setattr(rounds, "call", shortened)

    return limit


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """After a run on the second engine, say how many tests ran and how many were left out."""
    if config.option.second_engine:
        ran, left_out = (len(terminalreporter.stats.get(outcome, ())) for outcome in ("passed", "skipped"))
        terminalreporter.write_line(f"On the second engine {ran} tests passed, {left_out} were left out.")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker which rights its tests have used; one that died has nothing to tell, and failed a test."""
    used = node.config.stash.setdefault(_USED, set())
    used.update(tuple(right) for right in getattr(node, "workeroutput", {}).get("rights", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """After a run of every test, in this process or in workers, hold what the policies allow against what was used."""
    config = session.config
    used = config.stash.setdefault(_USED, set())
    if _WATCH in config.stash:
        used |= config.stash[_WATCH].used
    if hasattr(config, "workeroutput"):
        config.workeroutput["rights"] = sorted(used)
        return
    every = config.args == config.getini("testpaths") and not (config.option.keyword or config.option.markexpr)
    if not every or session.testsfailed or config.option.collectonly:
        return
    from tests.rights import unused  # noqa: PLC0415 - as above

    left = unused(used)
    if left:
        lines = ["", "Policies allow what no test has used (scripts/deployment/handlers.py):", *left]
        config.get_terminal_writer().line("\n  ".join(lines), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _started(*, second: bool) -> AbstractContextManager[EmbeddedEngine | SecondEngine]:
    if not second:
        return EmbeddedEngine()
    from tests.second_engine import serving  # noqa: PLC0415 - as above

    return serving()


def _watch(patch: pytest.MonkeyPatch) -> Watch:
    from chalice.app import EventSourceHandler, LambdaFunction  # noqa: PLC0415 - as above

    from app import app  # noqa: PLC0415 - as above
    from tests.rights import Watch, watched  # noqa: PLC0415 - as above

    def name_of(handler: Any) -> str | None:
        return next((name for name, known in app.handler_map.items() if known is handler), None)

    watch = Watch()
    patch.setattr(type(app), "__call__", watched(type(app).__call__, watch, lambda _: "api_handler"))
    for kind in (EventSourceHandler, LambdaFunction):
        patch.setattr(kind, "__call__", watched(kind.__call__, watch, name_of))
    return watch
