"""Makes what is deployed: `scripts/package OUT [--stage dev|prod]` writes OUT/template.json and OUT/deployment.zip.

`chalice package` runs on a copy of the application alone, with the exact versions of constraints.txt, so that nothing
of the working place gets in and the same commit gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from chalice.constants import MISSING_DEPENDENCIES_TEMPLATE

from chalicelib.api import specification
from chalicelib.ui import assets
from scripts.deployment import bill_of_materials, indexes, wheels, zipped
from scripts.deployment.stages import STAGES
from scripts.deployment.template import DIRECTORY, finished, resources, text_of

ROOT = DIRECTORY.parent
MAX_ZIP_BYTES = 12 * 1024 * 1024
ZIP_NAME = "deployment.zip"
ARCHITECTURES = (wheels.X86, wheels.ARM)

_SOURCES = ("app.py", "chalicelib")
_MISSING = MISSING_DEPENDENCIES_TEMPLATE.strip().partition("\n")[0]
_NOT_THE_DEVELOPERS = ("AWS_", "CODER_", "GATEBOOK_")
_SETTINGS_OF_THE_BUILD = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",  # nothing in the template depends on it: it is deployed to any region
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "PYTHONDONTWRITEBYTECODE": "1",
}


class PackageError(Exception):
    """The package cannot be made; the text says why, and what to do."""


class Built(NamedTuple):
    """The result of packaging."""

    template: Path
    archive: Path
    bill: Path


def build(out: Path, stage: str, architecture: str = ARCHITECTURES[0], python: str = zipped.PYTHONS[0]) -> Built:
    """Make the template and the zip of a stage in a directory, which is created.

    Args:
        out: the directory.
        stage: its name.
        architecture: of the processors that the functions run on.
        python: the version of Python that they run, such as 3.13.

    Raises:
        PackageError: .venv has another Python than packages are made with, a package has nothing that runs there, or
            all is too large.
    """
    if sys.version_info[:2] != zipped.RUNTIME:
        wanted = ".".join(map(str, zipped.RUNTIME))
        raise PackageError(
            f"Packages are made with Python {wanted} and .venv has another: remove .venv and install python{wanted}."
        )
    compiler = zipped.compiler_for(python)
    if compiler is None:
        _say(f"There is no python{python} to compile with, so sources alone: a start takes nearly three times as long.")
    out.mkdir(parents=True, exist_ok=True)
    built = Built(out / "template.json", out / ZIP_NAME, out / bill_of_materials.NAME)
    with TemporaryDirectory() as place:
        project, made = Path(place) / "project", Path(place) / "made"
        _copy(project, stage)
        _say("Collecting the application and the packages that it needs ...")
        try:
            wheels.download(Path(place) / "wheels")
        except wheels.Mismatch as error:
            raise PackageError(f"A package is not what requirements.lock says:\n{error}") from error
        chalice_package(project, made, stage, Path(place) / "wheels")
        _say("Leaving out what Lambda does not need, compiling and zipping ...")
        usual = (architecture, python) == (ARCHITECTURES[0], zipped.PYTHONS[0])
        change = _unchanged if usual else partial(_replace_compiled, python=python, architecture=architecture)
        zipped.make(made / "deployment.zip", Path(place) / "tree", built.archive, change, compiler)
        size = built.archive.stat().st_size
        if size > MAX_ZIP_BYTES:
            raise PackageError(f"{built.archive} has {size:,} bytes, and {MAX_ZIP_BYTES:,} is the most.")
        template = json.loads((made / "sam.json").read_text())
    built.bill.write_text(_text(bill_of_materials.document()))
    digest = sha256(built.archive.read_bytes()).hexdigest()
    built.template.write_text(_text(finished(template, ZIP_NAME, stage, architecture, python, digest)))
    return built


def _copy(project: Path, stage: str) -> None:
    for name in _SOURCES:
        source = ROOT / name
        # What is needed and nothing else: what lies beside it in the working place may be anybody's secret.
        for path in [*source.rglob("*.py"), *_files_read()] if source.is_dir() else [source]:
            target = project / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    (project / ".chalice").mkdir()
    for path in DIRECTORY.glob("*.json"):
        shutil.copy(path, project / ".chalice")
    (project / ".chalice" / "resources.json").write_text(text_of(resources(STAGES[stage])))
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    # Chalice adds the part of itself that runs in Lambda; named here it would bring its command line along.
    (project / "requirements.txt").write_text("\n".join(line for line in lines if not line.startswith("chalice")))


def _files_read() -> list[Path]:
    """The files that the service answers with, beside its code."""
    return [assets.STATIC / assets.DOCUMENT, *assets.files(), specification.DOCUMENT]


def chalice_package(project: Path, made: Path, stage: str, packages: Path) -> None:
    """Have chalice make the zip and the template of a stage, from packages that are in a folder."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_THE_DEVELOPERS)}
    environment = {**inherited, **_SETTINGS_OF_THE_BUILD, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    # From the files whose hashes have been checked, and from nowhere else.
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
    chalice = str(Path(sys.executable).with_name("chalice"))
    command = [chalice, "--project-dir", str(project), "package", "--stage", stage]
    command += ["--merge-template", str(project / ".chalice" / "resources.json"), str(made)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 - as above
    said = result.stdout + result.stderr
    if result.returncode or _MISSING in said:
        raise PackageError(f"chalice package failed:\n{said}")


def _unchanged(_tree: Path) -> None:
    """Leave a tree as Chalice has collected it."""


def _replace_compiled(tree: Path, *, python: str, architecture: str) -> None:
    """Put packages that are compiled for this Python and processor in the place of those that Chalice has collected."""
    with TemporaryDirectory() as place:
        installed = Path(place) / "tree"
        try:
            wheels.install(installed, python, architecture)
        except wheels.Mismatch as error:
            raise PackageError(f"There are not all packages for Python {python} on {architecture}:\n{error}") from error
        for name in sorted({path.relative_to(installed).parts[0] for path in installed.rglob("*.so")}):
            if (installed / name).is_dir():
                shutil.rmtree(tree / name)
                shutil.copytree(installed / name, tree / name)
                continue
            # A module that is one file has the Python and the processor in its name.
            for old in tree.glob(f"{name.partition('.')[0]}.*.so"):
                old.unlink()
            shutil.copy(installed / name, tree / name)
    left = [
        path.relative_to(tree)
        for path in tree.rglob("*.so")
        if zipped.is_for_arm(path) is not (architecture == wheels.ARM) or not zipped.is_for(path, python)
    ]
    if left:
        raise PackageError(f"Compiled for another processor or Python: {', '.join(map(str, left))}")


def _text(template: Mapping[str, Any]) -> str:
    return json.dumps(template, indent=2, sort_keys=True) + "\n"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status: 0 when all is made, 2 when it cannot be."""
    parser = argparse.ArgumentParser(prog="scripts/package", description="Make what is deployed to AWS.")
    parser.add_argument("out", type=Path, help="the directory to write to")
    parser.add_argument("--stage", choices=STAGES, default="prod", help="which stage (default: prod)")
    parser.add_argument(
        "--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0], help="of the processors (default: x86_64)"
    )
    parser.add_argument(
        "--python",
        choices=zipped.PYTHONS,
        default=zipped.PYTHONS[0],
        help=f"what the functions run (default: {zipped.PYTHONS[0]}, for which Lambda has no SnapStart)",
    )
    parser.add_argument(
        "--deployed", type=Path, metavar="TEMPLATE", help="the deployed template: write the steps that lead from it"
    )
    given = parser.parse_args(arguments)
    try:
        built = build(given.out, given.stage, given.architecture, given.python)
        steps = _write_steps(given.deployed, built.template) if given.deployed else []
    except (PackageError, indexes.Unchangeable) as error:
        print(f"package: {error}", file=sys.stderr)
        return 2
    for path in [*built, *steps]:
        print(f"{path}: {path.stat().st_size:,} bytes")
    return 0


def _write_steps(deployed: Path, new: Path) -> list[Path]:
    paths = []
    for number, template in enumerate(indexes.steps(_read(deployed), _read(new)), 1):
        path = new.with_name(f"template-step-{number}.json")
        path.write_text(_text(template))
        paths.append(path)
    return paths


def _read(path: Path) -> dict[str, Any]:
    try:
        template: dict[str, Any] = json.loads(path.read_text())
        body: dict[str, Any] = template.get("TemplateBody", template)
        _ = body["Resources"]
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise PackageError(f"{path} is not a template in JSON.") from error
    return body


if __name__ == "__main__":
    sys.exit(main())
