"""Notifications: their kinds, their texts, and when two of them are the same. Pure."""
