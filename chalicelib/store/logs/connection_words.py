"""Words that are common in connection events, for the compressor: a row and its entry in each lane take half the bytes.

It is part of the stored form. A row can only be read with the very words that it was written with, so they are frozen:
better ones get a name of their own, beside these.
"""

from __future__ import annotations

_SAFARI = "(KHTML, like Gecko) Version/18.0 Safari/605.1.15"
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 {_SAFARI}",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
)
_TYPES = ("port_forwarding", "workspace_app", "reconnecting_pty", "jetbrains", "vscode", "ssh")
# What is met most stands last: the compressor reaches it with the fewest bits.
_SHAPES = (
    '","app_name":"Cursor","given_id":"',
    '"user_agent":"',
    '"slug_or_port":"code-server","code":200,"by":[',
    '{"session":false,"organization_id":"',
    '","user_id":"',
    '{"session":true,"organization_id":"',
    '","workspace_owner_id":"',
    '","workspace_id":"',
    '","workspace_name":"',
    '","agent_name":"main","type":"',
    '","ip":"192.168.10.',
    '","connection_id":"',
    '","by":[',
)

WORDS = "".join((*_AGENTS, *(f'"type":"{name}",' for name in _TYPES), *_SHAPES)).encode()
"""The words, about 800 bytes: more of them would take the compressor longer than they save."""
