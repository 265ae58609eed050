"""Reads a report of pip-audit: which flaws are known of which package, and of which packages nothing could be asked.

    pip-audit --format json ... | python -m scripts.deployment.known_flaws

A database that knows none of the packages, as that of a mirror, was not asked: its report without flaws says nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple


class Verdict(NamedTuple):
    """The meaning of a report, as a sentence, and whether it lets a change land."""

    text: str
    is_good: bool


def verdict(report: Mapping[str, Any]) -> Verdict:
    """The meaning of a report of pip-audit."""
    parts = report["dependencies"]
    unknown = [part["name"] for part in parts if "skip_reason" in part]
    flawed = [f"{part['name']} {part['version']}: {flaw['id']}" for part in parts for flaw in part.get("vulns", ())]
    if flawed:
        return Verdict(f"pip-audit knows flaws: {', '.join(flawed)}", is_good=False)
    if len(unknown) == len(parts):
        said = "pip-audit is left out: its database cannot be asked from here for any of the packages."
        return Verdict(said, is_good=True)
    if unknown:
        return Verdict(f"pip-audit could not ask about {', '.join(unknown)}, and could about others.", is_good=False)
    return Verdict(f"pip-audit knows no flaw of the {len(parts)} packages.", is_good=True)


def main() -> int:
    """Read the report from standard input; the exit status."""
    meaning = verdict(json.load(sys.stdin))
    print(meaning.text)
    return 0 if meaning.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
