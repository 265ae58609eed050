"""The script that starts an agent on a machine of one's own: it downloads the agent from the platform and runs it."""

from __future__ import annotations

from typing import Final

KNOWN: Final = frozenset(
    {
        ("windows", "amd64"),
        ("windows", "arm64"),
        ("linux", "amd64"),
        ("linux", "arm64"),
        ("linux", "armv7"),
        ("darwin", "amd64"),
        ("darwin", "arm64"),
    }
)
"""Operating systems and architectures that there are agents for."""

_UNIX: Final = """#!/usr/bin/env sh
# Downloads the agent of this machine from the platform and runs it; CODER_AGENT_TOKEN says which agent it is.
set -eu
export CODER_AGENT_AUTH=token
export CODER_AGENT_URL='{url}/'
directory=$(mktemp -d "${{TMPDIR:-/tmp}}/coder.XXXXXX")
cd "$directory"
binary='{url}/bin/coder-{os}-{arch}'
waited=0
until {{ command -v curl >/dev/null && curl -fsSL --compressed "$binary" -o coder; }} ||
      {{ command -v wget >/dev/null && wget -q "$binary" -O coder; }}; do
  waited=$((waited + 1))
  [ "$waited" -lt 30 ] || {{ echo "could not download $binary" >&2; exit 1; }}
  sleep 10
done
chmod +x coder
exec ./coder agent
"""

_WINDOWS: Final = """# Downloads the agent of this machine and runs it; CODER_AGENT_TOKEN says which agent it is.
$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"
$env:CODER_AGENT_AUTH = "token"
$env:CODER_AGENT_URL = "{url}/"
$binary = "{url}/bin/coder-{os}-{arch}.exe"
$path = Join-Path $env:TEMP "coder.exe"
for ($attempt = 1; ; $attempt++) {{
  try {{
    Invoke-WebRequest -Uri $binary -OutFile $path -UseBasicParsing
    break
  }} catch {{
    if ($attempt -ge 30) {{ throw }}
    Start-Sleep -Seconds 10
  }}
}}
& $path agent
exit $LASTEXITCODE
"""


def script(os: str, arch: str, url: str) -> str:
    """The script of an operating system and an architecture, both of `KNOWN`.

    Args:
        os: as Go names it.
        arch: as Go names it.
        url: the address of the platform.
    """
    return (_WINDOWS if os == "windows" else _UNIX).format(os=os, arch=arch, url=url.rstrip("/"))


def command(os: str, arch: str, url: str, token: str) -> str:
    """The command that runs the script on the machine.

    Args:
        os: as Go names it.
        arch: as Go names it.
        url: the address that answers with the script.
        token: of the agent.
    """
    source = f"{url.rstrip('/')}/api/v2/init-script/{os}/{arch}"
    if os == "windows":
        return f'$env:CODER_AGENT_TOKEN="{token}"; iwr -useb "{source}" | iex'
    return f'curl -fsSL "{source}" | CODER_AGENT_TOKEN="{token}" sh'
