"""Sends a served instance what its document allows and what it does not, as several callers: `scripts/fuzz`.

Schemathesis makes the requests: the examples of the document, values at their limits, values of all kinds, and requests
that follow one another. They are the same each time, and bounded by their number, not by time. A run fails where an
answer is a failure of the service, has a status or a shape that the document does not know, or opens without a token.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "openapi.json"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "use_after_free",
)
LEFT_OUT = ("/api/v2/users/logout", "/ui/session")
"""The routes that end the token of a run, which are left out."""
NOT_OFFERED = ("/api/v2/notifications/inbox/watch",)
"""The routes whose only answer is 501, by which Schemathesis takes a service to have failed."""
MOST_MINUTES = 20
_SERVICE = re.compile(r"Gatebook is ready at (\S+)")
_CASES = re.compile(r"Test cases:\s+([\d,]+) generated")


class Caller(NamedTuple):
    """Who sends the requests.

    Attributes:
        name: of the run.
        roles: site roles of the user; None for the owner of the instance.
        scopes: of the token.
        examples: how many requests are made up for each operation.
    """

    name: str
    roles: tuple[str, ...] | None
    scopes: tuple[str, ...]
    examples: int


CALLERS = (
    Caller("owner", None, ("coder:all",), 10),
    Caller("auditor", ("auditor",), ("coder:all",), 2),
    Caller("shipper", None, ("coder:logs.ingest",), 2),
)


class Run(NamedTuple):
    """The results of the requests of one caller."""

    caller: str
    cases: int
    failed: bool
    output: str


def fuzz(callers: Sequence[Caller], examples: int | None = None) -> Iterator[Run]:
    """Run every caller against a service of its own, so that none finds what another has done."""
    for caller in callers:
        with _served() as (url, owner):
            token = _token(url, owner, caller)
            run = _run(url, token, caller, examples or caller.examples)
            if not _opens(url, token):
                # What came after its end was answered with 401 alone, and held nothing against the document.
                run = run._replace(failed=True, output=f"{run.output}\nThe run has ended its own token.")
            yield run


def _run(url: str, token: str, caller: Caller, examples: int) -> Run:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)]
    command += ["run", str(DOCUMENT), "--url", url]
    command += ["-H", f"Coder-Session-Token: {token}", "--checks", ",".join(CHECKS)]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples)]
    command += ["--generation-deterministic", "--seed", "1", "--no-color", "--suppress-health-check", "all"]
    command += ["--request-timeout", "40", "--continue-on-failure", "--warnings", "off"]
    for path in (*LEFT_OUT, *NOT_OFFERED):
        command += ["--exclude-path", path]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "scripts.contract.queries"}
    environment["GATEBOOK_FUZZ_OWN_KEY"] = token[:10]
    with TemporaryDirectory() as place:
        # What Schemathesis keeps from a run to the next would make the next one another.
        result = subprocess.run(  # noqa: S603 - our own command
            command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=MOST_MINUTES * 60
        )
    counted = _CASES.search(result.stdout)
    cases = int(counted[1].replace(",", "")) if counted else 0
    return Run(caller.name, cases, result.returncode != 0, result.stdout + result.stderr)


@contextmanager
def _served() -> Iterator[tuple[str, str]]:
    """A served instance with its sample: its address, and its owner's token."""
    with TemporaryDirectory() as place:
        kept = Path(place) / "token"
        command = [sys.executable, "-m", "scripts.local.serve", "--port", "0", "--token-file", str(kept)]
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("GATEBOOK_", "CODER_", "AWS_"))
        }
        with subprocess.Popen(command, cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            try:
                yield _address(process.stdout), kept.read_text().strip()
            finally:
                process.terminate()


def _address(lines: Iterator[str]) -> str:
    for line in lines:
        if said := _SERVICE.search(line):
            return said[1]
    raise SystemExit("fuzz: scripts/serve has ended before it was ready")


def _token(url: str, owner: str, caller: Caller) -> str:
    """A token of the caller; the user of one who is not the owner is made first."""
    user = "me"
    if caller.roles is not None:
        body = {"username": caller.name, "email": f"{caller.name}@example.com", "roles": [*caller.roles]}
        user = _sent(f"{url}/api/v2/users", owner, body)["id"]
    key: str = _sent(f"{url}/api/v2/users/{user}/keys/tokens", owner, {"scopes": [*caller.scopes]})["key"]
    return key


def _opens(url: str, token: str) -> bool:
    """Whether a token opens anything still."""
    try:
        return bool(_sent(f"{url}/api/v2/authcheck", token, {"checks": {}}) == {})
    except HTTPError:
        return False


def _sent(url: str, token: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Coder-Session-Token": token, "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the instance that this command serves
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        made: dict[str, Any] = json.load(answer)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 1 where an answer is not as the document says, or there were too few cases."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Hold a served instance against its document.")
    parser.add_argument("--as", dest="names", action="append", choices=[caller.name for caller in CALLERS])
    parser.add_argument("--examples", type=int, help="requests made up for each operation, for all callers alike")
    parser.add_argument("--least", type=int, default=0, metavar="CASES", help="fail below so many cases in all")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the numbers of cases there")
    given = parser.parse_args(arguments)
    callers = [caller for caller in CALLERS if not given.names or caller.name in given.names]
    runs = []
    for run in fuzz(callers, given.examples):
        runs.append(run)
        print(
            f"as {run.caller}: {run.cases:,} cases{', with failures:' if run.failed else ', none failed'}", flush=True
        )
        if run.failed:
            print(run.output)
    total = sum(run.cases for run in runs)
    print(f"{total:,} cases in all")
    if given.json:
        given.json.write_text(json.dumps({run.caller: run.cases for run in runs}, indent=1) + "\n")
    if total < given.least:
        print(f"fuzz: at least {given.least:,} are wanted", file=sys.stderr)
        return 1
    return int(any(run.failed for run in runs))


if __name__ == "__main__":
    sys.exit(main())
