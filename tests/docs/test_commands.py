"""Every command of the documents is run as it is written.

The word behind `sh` says how a fenced block is run: nothing is a block that runs in order with the others of its page
against a served instance; `serve` starts that instance itself; `aws` runs with a stand-in for the AWS CLI; `long` takes
minutes or does not end, so its commands and options are looked up in their help; `follow` does not end and is run by a
test of its own.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.docs.reference import DOCUMENTS, README
from scripts.local.engine import EmbeddedEngine
from scripts.local.engine_port import served
from tests.local.served import Started, environment, started

ROOT = README.parent
TOKEN_FILE = "/tmp/gatebook-token"  # noqa: S108 - as the documents write it; no test makes it
ADDRESS = "localhost:8000"
CURL = 'curl() { command curl -sS --fail-with-body --max-time 60 "$@"; }'
"""An answer of 400 or more ends a page's commands."""


class Block(NamedTuple):
    """A fenced block of shell commands."""

    page: Path
    way: str
    text: str


def blocks() -> Iterator[Block]:
    for page in DOCUMENTS:
        for way, text in re.findall(r"^```sh ?(\w*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            yield Block(page, way, text)


BLOCKS = tuple(blocks())
PAGES = sorted({block.page for block in BLOCKS if block.way == ""})


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell(text: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the documents' own commands
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=ROOT,
        env=environment(**changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def service() -> Iterator[Started]:
    with started() as running:
        yield running
        running.end()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_commands_of_a_page_succeed_in_order(service: Started, tmp_path: Path, page: Path) -> None:
    kept = tmp_path / "token"
    kept.write_text(service.token)
    text = "\n".join(block.text for block in BLOCKS if block.page == page and block.way == "")
    text = text.replace(ADDRESS, service.url.partition("://")[2]).replace(TOKEN_FILE, str(kept))
    result = shell(f"{CURL}\ntoken={shlex.quote(service.token)}\n{text}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert '"message":"Validation failed' not in result.stdout


def test_the_served_instance_of_the_readme_answers(tmp_path: Path) -> None:
    (block,) = (block for block in BLOCKS if block.way == "serve")
    kept = tmp_path / "token"
    text = block.text.replace(TOKEN_FILE, str(kept)).replace("scripts/serve ", "scripts/serve --port 0 ")
    result = shell(f"set -m\n{text}\necho token=$token\nkill -TERM -- -$!\nwait $! || true")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"token={kept.read_text().strip()}\n" in result.stdout
    assert "Gatebook is ready at" in result.stdout


def long_commands() -> list[list[str]]:
    lines = (line for block in BLOCKS if block.way == "long" for line in block.text.splitlines())
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


@pytest.mark.parametrize("words", long_commands(), ids=" ".join)
def test_a_command_that_takes_long_is_there_and_takes_the_options(words: list[str]) -> None:
    command = ROOT / words[0]
    assert os.access(command, os.X_OK)
    options = [word.partition("=")[0] for word in words[1:] if word.startswith("--")]
    if options:
        result = shell(f"{command} --help")
        assert result.returncode == 0, result.stderr
        assert [option for option in options if option not in result.stdout] == []
    named = [word for word in words[1:] if word.startswith("tests/")]
    assert [word for word in named if not (ROOT / word.partition("::")[0]).exists()] == []


AWS = """#!{python}
import json, pathlib, sys
words = sys.argv[1:]
options = {{words[i]: words[i + 1] for i in range(len(words) - 1) if words[i].startswith("--")}}
match words[:2]:
    case ["cloudformation", "package"]:
        template = json.loads(pathlib.Path(options["--template-file"]).read_text())
        pathlib.Path(options["--output-template-file"]).write_text(json.dumps(template))
    case ["cloudformation", "deploy"]:
        template = json.loads(pathlib.Path(options["--template-file"]).read_text())
        begin = words.index("--parameter-overrides") + 1
        given = [word.partition("=")[0] for word in words[begin:]]
        unknown = set(given) - set(template["Parameters"])
        sys.exit(f"unknown parameters: {{unknown}}" if unknown else 0)
    case ["cloudformation", "get-template"]:
        body = json.loads(pathlib.Path("{out}/template.json").read_text())
        print(json.dumps({{"TemplateBody": body}}))
    case _:
        sys.exit(f"the documents use no such command: {{words}}")
"""


@pytest.mark.usefixtures("tables")
def test_the_commands_of_a_deployment_succeed_in_order(tables: EmbeddedEngine, tmp_path: Path) -> None:
    out, tools = tmp_path / "out", tmp_path / "tools"
    tools.mkdir()
    (tools / "aws").write_text(AWS.format(python=sys.executable, out=out))
    (tools / "aws").chmod(0o755)
    text = "\n".join(block.text for block in BLOCKS if block.way == "aws")
    text = re.sub(r"\bout(?=[/ ])", str(out), text).replace("deployed.json", str(tmp_path / "deployed.json"))
    # The owner of the stage is made in the tables of this test.
    text = text.replace("--username", "--table-prefix gatebook- --username")
    with served(tables) as endpoint:
        result = shell(
            text,
            PATH=f"{tools}:{os.environ['PATH']}",
            AWS_ENDPOINT_URL_DYNAMODB=endpoint,
            AWS_ACCESS_KEY_ID="a",
            AWS_SECRET_ACCESS_KEY="b",
            AWS_DEFAULT_REGION="us-east-1",
        )
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads((out / "template.json").read_text())["Resources"]
    shutil.rmtree(out)


def test_every_block_of_commands_says_how_it_is_run() -> None:
    assert {block.way for block in BLOCKS} == {"", "serve", "aws", "long", "follow"}
    unmarked = re.compile(r"^```(?:bash|shell|console)\b", re.MULTILINE)
    assert [name(page) for page in DOCUMENTS if unmarked.search(page.read_text())] == []
