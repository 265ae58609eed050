"""The rows of both logs: how they are written, and how pages of them are read."""
