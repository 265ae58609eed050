"""Secrets of users: their table, and the keys that their values are encrypted with."""
