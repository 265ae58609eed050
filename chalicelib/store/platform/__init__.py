"""Reads and writes what the platform mirrors in: templates, workspaces, builds, provisioners and their jobs."""
