"""Rows of the logs as files: their formats, the parts that a long file is cut into, and the manifest of those."""
