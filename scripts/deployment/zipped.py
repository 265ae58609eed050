"""The zip that Lambda runs: of what `chalice package` collects only what is needed, compiled, the same bytes each time.

Chalice ships no bytecode and all of botocore's data; without either a cold start takes nearly three times as long.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNTIME = (3, 11)
"""The Python that makes the package, and that the functions run unless another is asked for."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons of Lambda that a package can be made for."""

BOTOCORE_DATA = (
    "_retry.json",
    "dynamodb/",
    "endpoints.json",
    "kms/",
    "lambda/",
    "partitions.json",
    "s3/",
    "sdk-default-configuration.json",
    "sesv2/",
    "sqs/",
)
"""The files of `botocore/data` that the clients of DynamoDB, queue, bucket, key of secrets, mail and functions read."""

NEEDLESS = (
    # cryptography's compiled part wants the compiled part of cffi alone; and AES-GCM is all that is used of it.
    "cffi",
    "cryptography/fernet.py",
    "cryptography/hazmat/asn1",
    "cryptography/hazmat/backends",
    "cryptography/hazmat/bindings/openssl",
    "cryptography/hazmat/primitives/asymmetric",
    "cryptography/hazmat/primitives/kdf",
    "cryptography/hazmat/primitives/serialization",
    "cryptography/hazmat/primitives/twofactor",
    "cryptography/x509",
    "dateutil/zoneinfo",
    "pycparser",
    "pydantic/mypy.py",
    "pydantic/v1",
)
"""Parts of packages that nothing here imports; those that a later version has no longer are no matter."""

_TASK_ROOT = "/var/task"
_NEEDLESS_SUFFIXES = (".data", ".dist-info", ".egg-info", ".pyi", ".pyc")
_NEEDLESS_NAMES = frozenset({"__pycache__", "bin", "py.typed", "test", "tests"})
_MOMENT = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16
_UNIX = 3


def make(
    collected: Path,
    tree: Path,
    target: Path,
    change: Callable[[Path], None] = lambda _: None,
    compiler: str | None = sys.executable,
) -> None:
    """Unpack what was collected into `tree`, leave out unneeded files, compile the others and zip them again.

    Args:
        collected: the zip that Chalice has made.
        tree: a directory that is made.
        target: the zip to make.
        change: changes the tree before anything is left out of it.
        compiler: the Python that makes the bytecode, which fits that version alone; None for sources alone.
    """
    with zipfile.ZipFile(collected) as archive:
        archive.extractall(tree)
    change(tree)
    prune(tree)
    if compiler is not None:
        compile_all(tree, compiler)
    _zip(tree, target)


def is_for_arm(library: Path) -> bool:
    """Whether a compiled module runs on 64-bit ARM processors, by its ELF header."""
    with library.open("rb") as file:
        return file.read(20)[18:] == b"\xb7\x00"


def is_for(library: Path, python: str) -> bool:
    """Whether a compiled module is for a version of Python, or for any from an older one on, by its name."""
    tag = f".cpython-{python.replace('.', '')}-"
    return tag in library.name or ".abi3." in library.name or ".cpython-" not in library.name


def prune(tree: Path) -> None:
    """Remove what no function reads: metadata, type stubs, tests, parts of packages, data of other services."""
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.name in _NEEDLESS_NAMES or path.name.endswith(_NEEDLESS_SUFFIXES):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in NEEDLESS:
        path = tree / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    data = tree / "botocore" / "data"
    for path in sorted(data.iterdir()):
        if f"{path.name}/" in BOTOCORE_DATA or path.name.removesuffix(".gz") in BOTOCORE_DATA:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in data.rglob("*.json.gz"):
        _leave_out_manual(path)


def _leave_out_manual(path: Path) -> None:
    """Write a description of a service anew without its manual, which is three quarters of it and read by nobody."""
    kept = _without_manual(json.loads(gzip.decompress(path.read_bytes())))
    text = json.dumps(kept, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(text, mtime=0))


def _without_manual(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    match value:
        case dict():
            return {
                name: _without_manual(inner)
                for name, inner in value.items()
                if not (name == "documentation" and isinstance(inner, str))
            }
        case list():
            return [_without_manual(inner) for inner in value]
        case _:
            return value


def compiler_for(python: str) -> str | None:
    """A Python of this version, such as 3.13, that is on the search path; None where there is none."""
    if python == ".".join(map(str, RUNTIME)):
        return sys.executable
    command = shutil.which(f"python{python}")
    if command is None:
        return None
    # A name that leads to no Python, as those of version managers may, is none.
    asked = [command, "-c", "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"]
    result = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - found on the search path
    executable, _, version = result.stdout.strip().rpartition(" ")
    return executable if version == python else None


def compile_all(tree: Path, compiler: str = sys.executable) -> None:
    """Put the bytecode of every source beside it, as one Python makes it."""
    # A process of its own with a fixed hash seed, for the order of a frozen set is part of the bytecode. `unchecked`:
    # what is in the zip never changes, so no import compares a source with its bytecode.
    command = [compiler, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(tree), "-p", _TASK_ROOT, str(tree)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "0"})  # noqa: S603 - ours, or as above


def _zip(tree: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _MOMENT)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, _MODE, _UNIX
            archive.writestr(entry, path.read_bytes())
