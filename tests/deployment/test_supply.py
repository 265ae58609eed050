"""The parts of the package are locked by hashes, known by name and licence, and refused where they are others."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scripts.deployment import bill_of_materials, wheels
from scripts.deployment.known_flaws import verdict

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_has_the_versions_of_the_constraints_and_a_hash_for_each() -> None:
    constrained = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    locked = wheels.pinned()
    assert len(locked) == wheels.LOCK.read_text().count("==")
    assert {name: one.version for name, one in locked.items()} == {name: constrained[name] for name in locked}
    assert [name for name, one in locked.items() if not one.hashes] == []


def test_everything_that_the_requirements_name_is_locked() -> None:
    named = re.findall(r"^([\w.-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert {*named} - {"chalice"} <= {*wheels.pinned()}, "run: scripts/lock"


def test_a_package_that_is_another_than_the_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "six-1.17.0-py2.py3-none-any.whl"
    wheel.write_bytes(b"another file")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lock = tmp_path / "lock"
    lock.write_text(f"six==1.17.0 \\\n    --hash=sha256:{sha256(b'the locked one').hexdigest()}\n")
    with pytest.raises(wheels.Mismatch, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        wheels.download(tmp_path / "to", lock)


def test_a_package_that_is_locked_by_no_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "six-1.17.0-py2.py3-none-any.whl").write_bytes(b"any file")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lock = tmp_path / "lock"
    lock.write_text("six==1.17.0\n")
    with pytest.raises(wheels.Mismatch, match="Hashes are required"):
        wheels.download(tmp_path / "to", lock)


def test_the_bill_names_every_package_and_every_vendored_file_with_its_licence() -> None:
    components = {one["name"]: one for one in bill_of_materials.document()["components"]}
    assert {*wheels.pinned(), "lit-html.js", "pico.css"} == {*components}
    assert [name for name, one in components.items() if not one["hashes"]] == []
    licences = {name: next(iter(one["licenses"][0]["license"].values())) for name, one in components.items()}
    assert [name for name, licence in licences.items() if licence == "unknown"] == []


SOUND = {"name": "six", "version": "1.17.0", "vulns": []}
FLAWED = {"name": "six", "version": "1.17.0", "vulns": [{"id": "PYSEC-2026-1"}]}
UNKNOWN = {"name": "cffi", "skip_reason": "Dependency not found on PyPI and could not be audited: cffi (2.1.1)"}


@pytest.mark.parametrize(
    ("parts", "text", "is_good"),
    [
        ([SOUND], "no flaw of the 1 packages", True),
        ([SOUND, FLAWED], "six 1.17.0: PYSEC-2026-1", False),
        ([UNKNOWN, FLAWED], "six 1.17.0: PYSEC-2026-1", False),
        ([UNKNOWN, SOUND], "could not ask about cffi", False),
        ([UNKNOWN], "left out", True),
    ],
)
def test_a_database_that_was_not_asked_has_not_said_that_no_flaw_is_known(
    parts: list[dict[str, Any]], text: str, is_good: bool
) -> None:
    meaning = verdict({"dependencies": parts})
    assert text in meaning.text
    assert meaning.is_good is is_good
