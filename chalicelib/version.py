"""The version of this program, as `GET /api/v2/buildinfo` and every response tell it."""

VERSION = "0.1.0"
