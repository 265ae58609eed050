"""The version of this program, as `GET /api/v2/buildinfo` and every response give it."""

VERSION = "0.1.0"

BUILD_VERSION = f"v0.0.0+gatebook-{VERSION}"
"""The version of the server that clients read.

A release of Coder's CLI compares its own major and minor version with this one, warns of a difference and advises
installing the server's; `v0.0.0` is a development build, which it compares with nothing. Ours follows the `+`.
"""
