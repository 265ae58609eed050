"""Retention: rows older than their cut-off are not answered, not stored again, and purged."""
