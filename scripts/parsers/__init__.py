"""Feeds the parsers of what clients send with bytes that coverage chooses: `.ci/parsers`."""
