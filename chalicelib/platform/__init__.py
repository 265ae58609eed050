"""Provisioners, jobs, templates, builds and workspaces: their lanes, derived status, and rules. Pure."""
